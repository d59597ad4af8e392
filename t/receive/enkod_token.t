# enkod_token: only requests with a token are accepted.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

my $log = 'enkod_webhook; enkod_log logs/x;';

takes('a variable and a token', location => "$log enkod_token \$arg_token t;");
takes('several tokens', location => "$log enkod_token \$arg_token t u v;");
takes('a variable within text', location => "$log enkod_token x-\${arg_token}-y t;");

refuses('no variable', qr/invalid value "arg_token" in "enkod_token", it must have a variable, like "\$arg_token"/,
        location => "$log enkod_token arg_token t;");
refuses('an unknown variable', qr/unknown "nonsense" variable/,
        location => "$log enkod_token \$nonsense t;");
refuses('an empty token', qr/token .*in "enkod_token".* must be neither empty nor contain "\$"/,
        location => "$log enkod_token \$arg_token \"\";");
refuses('an empty token after another one', qr/in "enkod_token".* must be neither empty/,
        location => "$log enkod_token \$arg_token t \"\";");
refuses('a variable as a token', qr/in "enkod_token".* nor contain "\$"/,
        location => "$log enkod_token \$arg_token \$arg_other;");
refuses('no token', qr/invalid number of arguments in "enkod_token"/,
        location => "$log enkod_token \$arg_token;");
refuses('the directive twice', qr/"enkod_token" directive is duplicate/,
        location => "$log enkod_token \$arg_token t; enkod_token \$arg_token u;");
refuses('an "if"', qr/"enkod_token" directive is not allowed here/,
        location => "$log if (\$arg_a) { enkod_token \$arg_token t; }");

our $accepted = accepted(message() =~ s/^\{|\}$//gr);
our $forbidden = problem('forbidden');

run_tests();

__DATA__

=== TEST 1: by default no token is needed
--- tries
[ 'no token', post(message()), $::accepted ],
[ 'any token', post(message(), uri => '/enkod?token=x'), $::accepted ]


=== TEST 2: a request without the token is refused, whatever its method
--- webhook
    enkod_token $arg_token "good one";
--- tries
[ 'no token', post(message()), $::forbidden ],
[ 'an empty one', post(message(), uri => '/enkod?token='), $::forbidden ],
[ 'a wrong one', post(message(), uri => '/enkod?token=s3cr3t'), $::forbidden ],
[ 'GET', get('/enkod'), $::forbidden ],
[ 'HEAD', request('HEAD', '/enkod'), answer(403) ],
[ 'PUT', request('PUT', '/enkod'), $::forbidden ]


=== TEST 3: a token is compared as a whole
--- webhook
    enkod_token $http_x_token secret;
--- tries
[ 'the token', post(message(), headers => [ 'X-Token: secret' ]), $::accepted ],
(map { [ "'$_'", post(message(), headers => [ "X-Token: $_" ]), $::forbidden ] }
     's', 'secre', 'secret0', 'secretsecret', 'Secret', 'secre7', '0secret',
     'terces', 'secret secret')


=== TEST 4: each of several tokens is accepted
--- webhook
    enkod_token $arg_token new "the previous one" older;
--- tries
[ 'the first', post(message(), uri => '/enkod?token=new'), $::accepted ],
[ 'the last', post(message(), uri => '/enkod?token=older'), $::accepted ],
[ 'escapes are not decoded', post(message(), uri => '/enkod?token=the%20previous%20one'),
  $::forbidden ],
[ 'a token and the beginning of another one', post(message(), uri => '/enkod?token=newer'), $::forbidden ],
[ 'GET', get('/enkod?token=new'), answer(200) ],
[ 'PUT', request('PUT', '/enkod?token=new'), problem('method_not_allowed') ]


=== TEST 5: the value may be any text with variables
--- http_config
    map $http_authorization $bearer {
        "~^Bearer (?<token>.*)" $token;
    }
--- webhook
    enkod_token "$bearer/$arg_who" t/enkod;
--- tries
[ 'both', post(message(), uri => '/enkod?who=enkod',
               headers => [ 'Authorization: Bearer t' ]), $::accepted ],
[ 'one', post(message(), uri => '/enkod?who=enkod'), $::forbidden ],
[ 'the other', post(message(), headers => [ 'Authorization: Bearer t' ]),
  $::forbidden ]


=== TEST 6: the body of a request without the token is not checked
--- webhook
    enkod_token $arg_token good;
--- tries
[ 'a body that is not an event', post('[', split => 1), $::forbidden ],
[ 'an event in chunks', post(undef, chunks => [ message() ]), $::forbidden ],
[ 'too large', post(undef, chunks => [ ' ' x 65537 ]),
  problem('forbidden', closed => 1) ]


=== TEST 7: the token is inherited from http and server, and replaced
--- http_config
    enkod_token $arg_token http;
    enkod_log logs/events.jsonl;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2;
        enkod_token $http_x_token server;
        location / {
            enkod_webhook;
        }
    }
--- config
    location = /http {
        enkod_webhook;
    }
    location /location {
        enkod_webhook;
        enkod_token $arg_token location;
        location = /location/inner {
            enkod_webhook;
        }
    }
    location = /server {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
--- tries
[ 'http', post(message(), uri => '/http?token=http'), $::accepted ],
[ 'http, none', post(message(), uri => '/http'), $::forbidden ],
[ 'server', post(message(), uri => '/server', headers => [ 'X-Token: server' ]),
  $::accepted ],
[ 'server, that of http', post(message(), uri => '/server?token=http'),
  answer(403) ],
[ 'location', post(message(), uri => '/location?token=location'), $::accepted ],
[ 'location, that of http', post(message(), uri => '/location?token=http'),
  $::forbidden ],
[ 'a location within', post(message(), uri => '/location/inner?token=location'),
  $::accepted ]
