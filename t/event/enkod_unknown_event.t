# enkod_unknown_event: events that are not declared are refused or accepted.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

my $log = 'enkod_webhook; enkod_log logs/x;';

takes("\"$_\" is taken", location => "$log enkod_unknown_event $_;")
    for qw(reject accept);

refuses('another word', qr/invalid value "on" in "enkod_unknown_event", it must be "reject" or "accept"/,
        location => "$log enkod_unknown_event on;");
refuses('no word', qr/invalid number of arguments in "enkod_unknown_event"/,
        location => "$log enkod_unknown_event;");
refuses('the directive twice', qr/"enkod_unknown_event" directive is duplicate/,
        location => "$log enkod_unknown_event accept; enkod_unknown_event reject;");
refuses('an "if"', qr/"enkod_unknown_event" directive is not allowed here/,
        location => "$log if (\$arg_a) { enkod_unknown_event accept; }");

our $body = '{"a":[1, 2],"event":"new","to":3}';
our $line = accepted('"event":"new","extra":{"a":[1,2],"to":3}');
our $unknown = problem('unknown_event', field => '/event', offset => 25);

run_tests();

__DATA__

=== TEST 1: by default an unknown event is refused
--- tries
[ 'an unknown event', post($::body), $::unknown ],
[ 'a known one in capitals', post(message(event => '"Message Open"')),
  problem('unknown_event', field => '/event', offset => 23) ],
[ 'a known one with a space', post(message(event => '"message open "')),
  problem('unknown_event', field => '/event', offset => 24) ],
[ 'the empty name', post('{"event":""}'),
  problem('unknown_event', field => '/event', offset => 11) ]


=== TEST 2: "reject" refuses an unknown event
--- webhook
    enkod_unknown_event reject;
--- tries
[ 'an unknown event', post($::body), $::unknown ]


=== TEST 3: "accept" accepts any object with a string "event", with its members as extra
--- webhook
    enkod_unknown_event accept;
--- tries
[ 'an unknown event', post($::body), $::line ],
[ 'only the name', post('{"event":"new"}'), accepted('"event":"new"') ],
[ 'the empty name', post('{"event":""}'), accepted('"event":""') ],
[ 'a name to be escaped', post('{"event":"\u000a\"\/\u0441"}'),
  accepted("\"event\":\"\\n\\\"/\xd1\x81\"") ],
[ 'a name longer than any other', post('{"event":"' . 'x' x 5000 . '"}'),
  accepted('"event":"' . 'x' x 5000 . '"') ],
[ 'the fields of a test delivery', post('{"event":"new",'
                                  . '"message_uid":"0123456789_012_012_01234"}'),
  accepted('"event":"new","extra":{"message_uid":"0123456789_012_012_01234"}') ]


=== TEST 4: "accept" does not change the checks of known events
--- webhook
    enkod_unknown_event accept;
--- tries
[ 'a known one', post(message()), accepted(message() =~ s/^\{|\}$//gr) ],
[ 'a known one with a field missing', post(message(to => undef)),
  problem('missing_field', field => '/to', expected => 'string',
          offset => length message(to => undef)) ],
[ 'no member "event"', post('{"a":1}'),
  problem('missing_event', field => '/event', expected => 'string', offset => 7) ],
[ '"event" is not a string', post('{"event":{}}'),
  problem('missing_event', field => '/event', expected => 'string', offset => 10) ],
[ 'not an object', post('["event"]'), problem('not_object', offset => 1) ],
[ 'a repeated member', post('{"event":"new","a":1,"a":2}'),
  problem('duplicate_field', field => '/a', offset => 24) ],
[ '"event" twice', post('{"event":"new","event":"new"}'),
  problem('duplicate_field', field => '/event', offset => 22) ]


=== TEST 5: the setting is inherited from http and server, and replaced
--- http_config
    enkod_unknown_event accept;
    enkod_log logs/events.jsonl;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2;
        enkod_unknown_event reject;
        location / {
            enkod_webhook;
        }
    }
--- config
    location = /http {
        enkod_webhook;
    }
    location /reject {
        enkod_webhook;
        enkod_unknown_event reject;
        location = /reject/inner {
            enkod_webhook;
        }
    }
    location = /server {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
--- tries
[ 'http', post($::body, uri => '/http'), $::line ],
[ 'server', post($::body, uri => '/server'),
  answer(422, body => qr/"unknown_event"/) ],
[ 'location', post($::body, uri => '/reject'), $::unknown ],
[ 'a location within', post($::body, uri => '/reject/inner'), $::unknown ]
