# A receiver to which an error_page leads accepts an event that another receiver
# has admitted and could not keep, and nothing else.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

our $members = message() =~ s/^\{|\}$//gr;

our $kept = accepted($members, file => 'logs/spare.jsonl',
                     headers => { 'Retry-After' => undef });

our $spares = <<'END';
    location = /spare {
        internal;
        enkod_webhook;
        enkod_log logs/spare.jsonl;
    }
    location @spare {
        enkod_webhook;
        enkod_log logs/spare.jsonl;
    }
    location @way {
        try_files /nothing /spare;
    }
    location = /way {
        rewrite ^ /spare last;
    }
    location @upstream {
        rewrite ^ /accel break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /accel {
        add_header X-Accel-Redirect /spare;
        return 204;
    }
END

# the ways in which an error_page can lead to the spare receiver
our @ways = ('@spare', '= @spare', '=200 @spare', '/spare', '= /spare',
             '=299 /spare?a=b', '= $to_spare', '= @way', '=200 /way',
             '= @upstream');

# a receiver for each way, with "recursive_error_pages" and without
sub receivers {
    my ($name, $statuses, $directives) = @_;

    return join '', map {
        my $recursive = $_;

        map { "location /$name/$recursive/$_ { enkod_webhook; $directives "
              . "recursive_error_pages $recursive; "
              . "error_page $statuses $ways[$_]; }\n" } 0 .. $#ways
    } 'on', 'off';
}

sub each_way {
    my ($name, $request, $expect, $args) = @_;

    return map {
        my $recursive = $_;

        map { [ "$name, $ways[$_], recursive $recursive",
                $request->("/$name/$recursive/$_" . ($args // '')), $expect ] }
            0 .. $#ways
    } 'on', 'off';
}

sub event_to {
    my ($uri) = @_;

    return post(message(), uri => $uri);
}

# what can stop a request in front of a receiver: name, statuses, directives,
# the answer, and the request if it is not an event
our $log = 'enkod_log logs/events.jsonl;';

our @doors = (
    [ 'token', 403, "$log enkod_token \$arg_token good;",
      problem('forbidden') ],
    [ 'deny', 403, "$log deny all;", answer(403) ],
    [ 'auth_basic', 401,
      "$log auth_basic closed; auth_basic_user_file ../html/users;",
      answer(401, headers => { 'WWW-Authenticate' => 'Basic realm="closed"' }) ],
    [ 'auth_request', '401 403', "$log auth_request /unauthorized;",
      answer(401) ],
    [ 'auth_request_broken', 500, "$log auth_request /broken;",
      answer(500, closed => 1) ],
    [ 'limit_req', 503, "$log limit_req zone=limited;",
      answer(503, headers => { 'Retry-After' => undef }, early => 1) ],
    [ 'limit_req_429', 429, "$log limit_req zone=limited; limit_req_status 429;",
      answer(429) ],
    [ 'return', 418, "$log return 418;", answer(418) ],
    [ 'if', 410, "$log if (\$request_method) { return 410; }", answer(410) ],
    [ 'limit_except', 403, "$log limit_except GET { deny all; }",
      answer(403) ],
    [ 'method', 405, $log, problem('method_not_allowed'),
      sub { request('PUT', shift, body => message()) } ],
    [ 'encoding', 415, $log, problem('unsupported_encoding'),
      sub { post(message(), uri => shift,
                 headers => [ 'Content-Encoding: gzip' ]) } ],
    [ 'size', 413, $log, problem('too_large', closed => 1),
      sub { post(' ' x 65537, uri => shift) } ],
    [ 'refusal', '400 422', $log, problem('not_object', offset => 1),
      sub { post('[]', uri => shift) } ],
    [ 'client_max_body_size', 413,
      "$log client_max_body_size 100; enkod_max_event_size 100;",
      answer(413, closed => 1) ],
    [ 'client_max_body_size_in_chunks', 413,
      "$log client_max_body_size 100; enkod_max_event_size 100;",
      answer(413, closed => 1),
      sub { post(undef, uri => shift,
                 chunks => [ unpack '(a50)*', message() ]) } ],
    [ 'broken_chunks', 400, $log, answer(400, closed => 1),
      sub {
          my ($uri) = @_;

          raw(sub {
              my ($client) = @_;

              $client->write("POST $uri HTTP/1.1\r\nHost: a\r\n"
                             . "Transfer-Encoding: chunked\r\n\r\n"
                             . "5\r\n{\"eve\r\nnonsense\r\n");
              $client->read_response({});
          });
      } ],
    [ 'deny_a_probe', 403, "$log deny all;", answer(403), sub { get(shift) } ],
);

our $doors = join '', map { receivers(@$_[0 .. 2]) } @doors;

run_tests();

__DATA__

=== TEST 1: an event that could not be kept goes to the spare receiver
--- http_config
    map $uri $to_spare {
        default /spare;
    }
--- config eval
$::spares
. ::receivers('log', 503, 'enkod_log /dev/full; enkod_token $arg_token good;')
. ::receivers('pass', '502 503 504', 'enkod_pass /broken;')
. 'location = /broken { return 500; }'
--- tries
::each_way('log', \&::event_to, $::kept, '?token=good'),
::each_way('pass', \&::event_to, $::kept),
[ 'in pieces', post(message(), uri => '/pass/off/1', split => 20), $::kept ],
[ 'HTTP/1.0', post(message(), uri => '/pass/off/1', version => '1.0'),
  { %$::kept, closed => 1 } ],
[ 'a refusal', post('[]', uri => '/pass/off/1'),
  problem('not_object', offset => 1) ],
[ 'a probe', get('/pass/off/1'), answer(200, body => qr/\n$/) ],
[ 'the spare receiver from outside', post(message(), uri => '/spare'),
  answer(404) ]


=== TEST 2: a request that is stopped in front of a receiver, or refused by it, does not go to the spare receiver
--- http_config
    limit_req_zone $server_name zone=limited:1m rate=1r/m;
    map $uri $to_spare {
        default /spare;
    }
--- config eval
$::spares . $::doors . '
    location = /unauthorized { return 401; }
    location = /broken { return 500; }
    location = /first {
        enkod_webhook;
        enkod_log logs/events.jsonl;
        limit_req zone=limited;
    }
'
--- user_files
>>> users
u:{PLAIN}p
--- tries
[ 'a request that limit_req lets through', post(message(), uri => '/first'),
  accepted($::members) ],
map { my ($name, undef, undef, $expect, $request) = @$_;
      ::each_way($name, $request // \&::event_to, $expect) } @::doors
--- no_error_log
[alert]


=== TEST 3: a request that has met no receiver does not go to the spare receiver
--- http_config
    map $uri $to_spare {
        default /spare;
    }
--- config eval
$::spares . '
    location = /nothing {
        error_page 404 = @spare;
    }
    location = /teapot {
        error_page 418 = @spare;
        return 418;
    }
    location = /gone {
        error_page 502 504 = @spare;
        proxy_pass http://127.0.0.1:1;
    }
    location = /intercepted {
        proxy_intercept_errors on;
        error_page 418 =200 @spare;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/page;
    }
    location = /page {
        return 418;
    }
    location = /moved {
        error_page 301 = @spare;
        return 301 /elsewhere;
    }
'
--- tries
[ '404', get('/nothing'), answer(404) ],
[ '404 and an event', post(message(), uri => '/nothing'), answer(404) ],
[ 'return', post(message(), uri => '/teapot'), answer(418) ],
[ '502', post(message(), uri => '/gone'), answer(502) ],
[ 'an error of an upstream', post(message(), uri => '/intercepted'),
  answer(418) ],
[ 'a redirect', post(message(), uri => '/moved'),
  answer(301, headers => { Location => qr{/elsewhere$} }) ]


=== TEST 4: each receiver handles an event once
--- config
    recursive_error_pages on;
    location = /itself {
        enkod_webhook;
        enkod_log logs/itself.jsonl;
        enkod_pass /broken;
        error_page 502 = /itself;
    }
    location = /one {
        enkod_webhook;
        enkod_log logs/one.jsonl;
        enkod_pass /broken;
        error_page 502 = @other;
    }
    location @other {
        enkod_webhook;
        enkod_log logs/other.jsonl;
        enkod_pass /busy;
        error_page 503 = /one;
    }
    location = /if {
        enkod_webhook;
        enkod_log logs/if.jsonl;
        enkod_pass /broken;
        error_page 502 = /if?a=1;
        if ($arg_a) {
            set $b 1;
        }
    }
    location = /refused {
        enkod_webhook;
        enkod_log logs/refused.jsonl;
        error_page 422 = /refused;
    }
    location = /closed {
        deny all;
        error_page 403 = /closed;
        enkod_webhook;
        enkod_log logs/closed.jsonl;
    }
    location = /page {
        enkod_webhook;
        enkod_log logs/page.jsonl;
        enkod_pass /broken;
        error_page 502 = /nothing;
    }
    location = /nothing {
        error_page 404 = /page;
    }
    location = /broken {
        return 500;
    }
    location = /busy {
        return 503;
    }
--- tries
[ 'a receiver that leads to itself', post(message(), uri => '/itself'),
  problem('upstream_failed', line => $::members,
          file => 'logs/itself.jsonl') ],
[ 'two receivers that lead to each other', post(message(), uri => '/one'),
  problem('upstream_busy', line => $::members,
          file => [ 'logs/one.jsonl', 'logs/other.jsonl' ],
          headers => { 'Retry-After' => '5' }) ],
[ 'a receiver that leads to its own "if"', post(message(), uri => '/if'),
  problem('upstream_failed', line => $::members, file => 'logs/if.jsonl') ],
[ 'through a missing page', post(message(), uri => '/page'),
  problem('upstream_failed', line => $::members,
          file => 'logs/page.jsonl') ],
[ 'a refusal', post('[]', uri => '/refused'),
  problem('not_object', offset => 1) ],
[ 'a spare receiver that denies access', post(message(), uri => '/closed'),
  answer(500, closed => 1) ]


=== TEST 5: a spare receiver may have a spare receiver, and access checks, of its own
--- config
    recursive_error_pages on;
    location = /one {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 = @two;
    }
    location @two {
        enkod_webhook;
        enkod_pass /broken;
        error_page 502 = @three;
    }
    location @three {
        enkod_webhook;
        enkod_log logs/three.jsonl;
    }
    location = /closed {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 = @closed;
    }
    location @closed {
        deny all;
        enkod_webhook;
        enkod_log logs/three.jsonl;
    }
    location = /missing {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 = /nothing;
    }
    location = /nothing {
        error_page 404 = @three;
    }
    location = /full {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 = @full;
    }
    location @full {
        enkod_webhook;
        enkod_log /dev/full;
    }
    location = /broken {
        return 500;
    }
--- tries
my $kept = accepted($::members, file => 'logs/three.jsonl');
[ 'the third receiver keeps the event', post(message(), uri => '/one'), $kept ],
[ 'through a missing page', post(message(), uri => '/missing'),
  $kept ],
[ 'the third receiver denies access', post(message(), uri => '/closed'),
  answer(503, headers => { 'Retry-After' => '5' }) ],
[ 'the third receiver cannot keep it either', post(message(), uri => '/full'),
  problem('log_unavailable', headers => { 'Retry-After' => '5' }) ]


=== TEST 6: the access log has the result of the event
--- http_config
    log_format result '$uri $status $enkod_result';
--- config
    access_log logs/result.log result;
    location = /kept {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 =299 @spare;
    }
    location = /full {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 =200 @full;
    }
    location = /closed {
        deny all;
        error_page 403 =200 @spare;
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
    location @spare {
        enkod_webhook;
        enkod_log logs/spare.jsonl;
    }
    location @full {
        enkod_webhook;
        enkod_log /dev/full;
    }
--- tries
[ 'kept', post(message(), uri => '/kept'), $::kept ],
[ 'full', post(message(), uri => '/full'), problem('log_unavailable') ],
[ 'closed', post(message(), uri => '/closed'), answer(403) ]
--- files
'logs/result.log' => "/kept 200 accepted\n/full 503 failed\n/closed 403 \n"
--- log_level: info
--- error_log
enkod: request of an error_page refused with 403
