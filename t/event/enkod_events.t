# enkod_events: the events that a location accepts.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

my $log = 'enkod_webhook; enkod_log logs/x;';

takes('"all" is accepted', location => "$log enkod_events all;");
takes('a list of names is accepted',
      location => qq($log enkod_events "message open" complaint "contact adding";));
takes('a name in Cyrillic letters is accepted',
      location => "$log enkod_events \xd1\x81omplaint;");
takes('a declared event is accepted',
      http => 'enkod_event other a=string;', location => "$log enkod_events other;");
takes('an event that is not declared is accepted where unknown events are',
      location => "$log enkod_unknown_event accept; enkod_events other;");

refuses('no name', qr/"enkod_events"/, location => "$log enkod_events;");
refuses('an event that is not declared',
        qr/unknown event "mesage open" in "enkod_events", it must be declared by "enkod_event"/,
        location => qq($log enkod_events "message open" "mesage open";));
refuses('"all" among names', qr/invalid parameter "all" in "enkod_events", it must be "all" alone or names of events/,
        location => "$log enkod_events complaint all;");
refuses('a name twice', qr/duplicate event "complaint" in "enkod_events"/,
        location => "$log enkod_events complaint \"message open\" complaint;");
refuses('an empty name', qr/invalid parameter "" in "enkod_events"/,
        location => qq($log enkod_events "";));
refuses('a second list', qr/"enkod_events" directive is duplicate/,
        location => "$log enkod_events complaint; enkod_events all;");
refuses('an "if"', qr/"enkod_events" directive is not allowed here/,
        location => "$log if (\$arg_a) { enkod_events all; }");

our %line = map { $_ => accepted(message(event => qq("$_")) =~ s/^\{|\}$//gr) }
            'message open', 'message sent', 'complaint';

run_tests();

__DATA__

=== TEST 1: by default all events of the table are accepted
--- tries
map { [ $_, post(message(event => qq("$_"))), $::line{$_} ] } sort keys %::line


=== TEST 2: events that are not in the list are refused, known or unknown
--- webhook
    enkod_events "message open" complaint;
--- tries
[ 'one of the list', post(message()), $::line{'message open'} ],
[ 'another of the list', post(message(event => '"complaint"')), $::line{complaint} ],
[ 'known', post(message(event => '"message sent"')),
  problem('event_not_allowed', field => '/event', offset => 23) ],
[ 'not known', post(message(event => '"message read"')),
  problem('event_not_allowed', field => '/event', offset => 23) ]


=== TEST 3: look-alike letters are the same in the list and in the event
--- http_config
    enkod_event "события" a=integer;
--- webhook
    enkod_events сomplaint "message оpen" события;
--- tries
[ 'Latin', post(message(event => '"complaint"')), $::line{complaint} ],
[ 'Cyrillic', post(message(event => '"\u0441omplaint"')), $::line{complaint} ],
[ 'another', post(message()), $::line{'message open'} ],
[ 'a name of Cyrillic letters', post('{"event":"события","a":1}'),
  accepted('"event":"события","a":1') ],
[ 'the same with Latin ones in it', post('{"event":"coбытия","a":1}'),
  accepted('"event":"события","a":1') ]


=== TEST 4: the list is inherited, and replaced as a whole
--- http_config
    enkod_events complaint;
    enkod_log logs/events.jsonl;
--- config
    location /http {
        enkod_webhook;
        location = /http/all {
            enkod_webhook;
            enkod_events all;
        }
        location = /http/other {
            enkod_webhook;
            enkod_events "message sent";
        }
    }
--- tries
[ 'from http', post(message(event => '"complaint"'), uri => '/http'),
  $::line{complaint} ],
[ 'from http, not in the list', post(message(), uri => '/http'),
  problem('event_not_allowed', field => '/event', offset => 23) ],
[ 'all', post(message(), uri => '/http/all'), $::line{'message open'} ],
[ 'other', post(message(event => '"message sent"'), uri => '/http/other'),
  $::line{'message sent'} ],
[ 'other, not in the list', post(message(event => '"complaint"'), uri => '/http/other'),
  problem('event_not_allowed', field => '/event', offset => 20) ]


=== TEST 5: the server's list replaces that of http
--- http_config
    enkod_events complaint;
--- config
    enkod_events "message sent";
    location = /enkod {
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
--- tries
[ 'of the server', post(message(event => '"message sent"')), $::line{'message sent'} ],
[ 'of http', post(message(event => '"complaint"')),
  problem('event_not_allowed', field => '/event', offset => 20) ]


=== TEST 6: the list holds where unknown events are accepted, too
--- webhook
    enkod_unknown_event accept;
    enkod_events new complaint;
--- tries
[ 'in the list', post('{"event":"new","a":1}'),
  accepted('"event":"new","extra":{"a":1}') ],
[ 'not in the list', post('{"event":"newer","a":1}'),
  problem('event_not_allowed', field => '/event', offset => 16) ],
[ 'longer than any name of the list', post('{"event":"' . 'x' x 300 . '"}'),
  problem('event_not_allowed', field => '/event', offset => 311) ]


=== TEST 7: names of any length may be in the list
--- config eval
'location = /enkod {
    enkod_webhook;
    enkod_log logs/events.jsonl;
    enkod_unknown_event accept;
    enkod_events x ' . 'c' x 1000 . ';
}'
--- tries
[ 'as it stands', post('{"event":"' . 'c' x 1000 . '"}'),
  accepted('"event":"' . 'c' x 1000 . '"') ],
[ 'with Cyrillic letters', post('{"event":"' . "\xd1\x81" x 1000 . '"}'),
  accepted('"event":"' . "\xd1\x81" x 1000 . '"') ],
[ 'one byte longer', post('{"event":"' . 'c' x 1001 . '"}'),
  problem('event_not_allowed', field => '/event', offset => 1012) ]
