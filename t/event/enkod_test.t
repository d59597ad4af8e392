# enkod_test: deliveries of the vendor's test button are accepted or only
# acknowledged.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

my $log = 'enkod_webhook; enkod_log logs/x;';

takes("\"$_\" is taken", location => "$log enkod_test $_;") for qw(accept ack);

refuses('another word', qr/invalid value "off" in "enkod_test", it must be "accept" or "ack"/,
        location => "$log enkod_test off;");
refuses('no word', qr/invalid number of arguments in "enkod_test"/,
        location => "$log enkod_test;");
refuses('the directive twice', qr/"enkod_test" directive is duplicate/,
        location => "$log enkod_test ack; enkod_test ack;");
refuses('an "if"', qr/"enkod_test" directive is not allowed here/,
        location => "$log if (\$arg_a) { enkod_test ack; }");

our $test = message(message_uid => '"0123456789_012_012_01234"');
our $line = accepted($test =~ s/^\{|\}$//gr, test => 1);

our @bodies = qw(complaint contact-adding delivery-bounce
                 mailing-group-subscribe mailing-group-unsubscribe
                 message-clicked message-open message-sent);

run_tests();

__DATA__

=== TEST 1: by default a test delivery is an event, marked as a test
--- tries
[ 'a test', post($::test), $::line ],
[ 'no test', post(message()), accepted(message() =~ s/^\{|\}$//gr) ]


=== TEST 2: "accept" accepts a test delivery as an event
--- webhook
    enkod_test accept;
--- tries
[ 'a test', post($::test), $::line ]


=== TEST 3: "ack": all bodies of the vendor's test button get 200 and no line
--- webhook
    enkod_test ack;
--- tries
map { [ $_, post(event($_)), nowhere() ] } @::bodies


=== TEST 4: "ack": other events are received as usual
--- webhook
    enkod_test ack;
--- tries
[ 'an event', post(message()), accepted(message() =~ s/^\{|\}$//gr) ],
[ 'a test delivery with a wrong type', post($::test =~ s/7/"7"/r),
  problem('wrong_type', field => '/message_id', expected => 'integer',
          offset => 40) ]


=== TEST 5: "ack": a test delivery does not need a log that can be written
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log /dev/full;
        enkod_test ack;
    }
--- tries
[ 'a test', post($::test), nowhere() ],
[ 'no test', post(message()), problem('log_unavailable') ]


=== TEST 6: "ack": the list of events and the token apply to test deliveries, too
--- webhook
    enkod_test ack;
    enkod_events complaint;
    enkod_token $arg_token good;
--- tries
[ 'no token', post($::test), problem('forbidden') ],
[ 'not in the list', post($::test, uri => '/enkod?token=good'),
  problem('event_not_allowed', field => '/event', offset => 23) ]


=== TEST 7: the setting is inherited from http and server, and replaced
--- http_config
    enkod_test ack;
    enkod_log logs/events.jsonl;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2;
        enkod_test accept;
        location / {
            enkod_webhook;
        }
    }
--- config
    location = /http {
        enkod_webhook;
    }
    location /accept {
        enkod_webhook;
        enkod_test accept;
        location = /accept/inner {
            enkod_webhook;
        }
    }
    location = /server {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
--- tries
[ 'http', post($::test, uri => '/http'), nowhere() ],
[ 'server', post($::test, uri => '/server'), $::line ],
[ 'location', post($::test, uri => '/accept'), $::line ],
[ 'a location within', post($::test, uri => '/accept/inner'), $::line ]
