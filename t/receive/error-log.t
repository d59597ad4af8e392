# The error log has the code and the field of a refusal, and no values.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

# each worker logs such a message once
workers(1);

# the request in a message; Angie has more quotes
our $whose = 'client: "?127\.0\.0\.1"?, server: "?localhost"?, '
             . 'request(?:_line)?: ';

# title, request, expectation, and the text of the message
our @refused = (
    [ 'a field', post(message(to => '["s3cr3t"]')),
      problem('wrong_type', field => '/to', expected => 'string', offset => undef),
      '422 wrong_type, field "/to", offset \d+' ],
    [ 'an event', post(message(event => '"s3cr3t"')),
      problem('unknown_event', field => '/event', offset => undef),
      '422 unknown_event, field "/event", offset 17' ],
    [ 'no field', post('{"s3cr3t'), problem('invalid_json', offset => undef),
      '400 invalid_json.*, offset 8' ],
    [ 'an encoding', post(message(), headers => [ 'Content-Encoding: s3cr3t' ]),
      problem('unsupported_encoding'), '415 unsupported_encoding' ],
    [ 'a method', request('PUT', '/enkod', body => 's3cr3t'),
      problem('method_not_allowed'), '405 method_not_allowed' ],
    [ 'a size', post('s3cr3t' x 12_000), problem('too_large', closed => 1),
      '413 too_large' ],
);

run_tests();

__DATA__

=== TEST 1: a refusal is logged as one line of level info, with the code and the field
--- log_level: info
--- tries
map { my ($title, $request, $expect) = @$_; [ $title, $request, $expect ] } @::refused
--- files
'logs/error.log' => do {
    my $lines = join '', map { "[^\n]*\\[info\\] [^\n]* enkod: [^\n]*$_->[3], $::whose"
                               . "[^\n]*\n" } @::refused;
    qr/^(?:(?![^\n]*enkod:)[^\n]*\n)*$lines(?:(?![^\n]*enkod:)[^\n]*\n)*$/;
}
--- no_error_log
s3cr3t
[warn]
[error]
[alert]


=== TEST 2: a wrong token is logged without it
--- log_level: info
--- webhook
    enkod_token $http_x_token s3cr3t-token;
--- tries
[ 'a token', post(message(), headers => [ 'X-Token: s3cr3t-guess' ]),
  problem('forbidden') ]
--- error_log
403 forbidden
--- no_error_log
s3cr3t
[error]


=== TEST 3: accepted events and probes are not logged
--- log_level: info
--- tries
[ 'an event', post(message()), accepted(message() =~ s/^\{|\}$//gr) ],
[ 'a probe', get('/enkod'), answer(200) ]
--- no_error_log
enkod
[error]


=== TEST 4: at level notice refusals are not logged
--- log_level: notice
--- tries
map { my ($title, $request, $expect) = @$_; [ $title, $request, $expect ] } @::refused
--- no_error_log
enkod
[error]


=== TEST 5: a name in the log cannot start a line of its own
--- log_level: info
--- webhook
    enkod_extra_fields reject;
--- tries
[ 'a line feed', post(message('a\nb\u001b[2J' => '1')),
  problem('unknown_field', field => "/a\nb\e[2J", offset => undef) ]
--- error_log
422 unknown_field, field "/a\nb\u001b[2J"
--- no_error_log eval
qr/^b/m


=== TEST 6: a file that cannot be written is logged as an error, once
--- log_level: info
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log /dev/full;
    }
--- tries
map { [ $_, post(message(to => '"s3cr3t"')), problem('log_unavailable') ] } 1 .. 5
--- files
'logs/error.log' => qr/\A(?:(?!\/dev\/full)[^\n])*(?:\n(?:(?!\/dev\/full)[^\n])*)*\/dev\/full(?:(?!\/dev\/full).)*\z/s
--- error_log eval
qr/enkod: event not stored, answered with 503 log_unavailable, $::whose/
--- no_error_log
s3cr3t


=== TEST 7: a webhook in a subrequest is logged as an error
--- log_level: info
--- server
    location = /auth {
        auth_request /enkod;
        return 204;
    }
    location = /other {
        auth_request /enkod;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/ready;
    }
--- tries
[ 'auth_request', get('/other'), answer(500, closed => 1) ]
--- error_log
[error]
enkod: "enkod_webhook" does not work in a subrequest
