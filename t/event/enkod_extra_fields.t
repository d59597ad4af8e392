# enkod_extra_fields: members that are not fields of the event are kept, dropped
# or refused.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

my $log = 'enkod_webhook; enkod_log logs/x;';

takes("\"$_\" is taken", location => "$log enkod_extra_fields $_;")
    for qw(keep drop reject);

refuses('another word', qr/invalid value "ignore" in "enkod_extra_fields", it must be "keep" or "drop" or "reject"/,
        location => "$log enkod_extra_fields ignore;");
refuses('capitals', qr/invalid value "Keep" in "enkod_extra_fields"/,
        location => "$log enkod_extra_fields Keep;");
refuses('no word', qr/invalid number of arguments in "enkod_extra_fields"/,
        location => "$log enkod_extra_fields;");
refuses('two words', qr/invalid number of arguments in "enkod_extra_fields"/,
        location => "$log enkod_extra_fields keep drop;");
refuses('the directive twice', qr/"enkod_extra_fields" directive is duplicate/,
        location => "$log enkod_extra_fields keep; enkod_extra_fields keep;");
refuses('an "if"', qr/"enkod_extra_fields" directive is not allowed here/,
        location => "$log if (\$arg_a) { enkod_extra_fields keep; }");

our $body = message(a => '{"b":[1]}', c => 'null');
our $members = message() =~ s/^\{|\}$//gr;
our $keep = accepted("$members,\"extra\":{\"a\":{\"b\":[1]},\"c\":null}");
our $drop = accepted($members);
our $reject = problem('unknown_field', field => '/a',
                      offset => length($body) - length ':{"b":[1]},"c":null}');

run_tests();

__DATA__

=== TEST 1: by default extra members are kept
--- tries
[ 'two', post($::body), $::keep ],
[ 'none', post(message()), $::drop ]


=== TEST 2: "keep" keeps extra members in the order received
--- webhook
    enkod_extra_fields keep;
--- tries
[ 'two', post($::body), $::keep ],
[ 'before the event', post('{"z":"\u0041","event":"contact adding","email":"e",'
                           . '"y":[{},[]],"groups_names":[],"groups_ids":[]}'),
  accepted('"event":"contact adding","email":"e","groups_names":[],'
           . '"groups_ids":[],"extra":{"z":"A","y":[{},[]]}') ],
[ 'a member named extra', post(message(extra => '{"a":1}')),
  accepted($::members . ',"extra":{"extra":{"a":1}}') ],
[ 'fields of another event', post(message(click_url => '1', group_id => '"x"')),
  accepted($::members . ',"extra":{"click_url":1,"group_id":"x"}') ],
[ 'names of the envelope',
  post(message(received_at => '1', request_id => '2', test => 'true')),
  accepted($::members . ',"extra":{"received_at":1,"request_id":2,"test":true}') ]


=== TEST 3: "drop" drops extra members and still checks them
--- webhook
    enkod_extra_fields drop;
--- tries
[ 'two', post($::body), $::drop ],
[ 'before the event', post('{"z":"\u0041","event":"contact adding","email":"e",'
                           . '"y":[{},[]],"groups_names":[],"groups_ids":[]}'),
  accepted('"event":"contact adding","email":"e","groups_names":[],"groups_ids":[]') ],
[ 'a dropped member must still be JSON', post(message(a => '[1,]')),
  problem('invalid_json', offset => undef) ],
[ 'a dropped member must still be UTF-8', post(message(a => "\"\xff\"")),
  problem('invalid_utf8', offset => length(message()) + 5) ],
[ 'a dropped member must not be too deep', post(message(a => '[' x 32 . ']' x 32)),
  problem('too_deep', field => '/a', offset => length(message()) + 36) ],
[ 'a dropped member must not be repeated', post(message(a => '1')
                               =~ s/\}$/,"a":2}/r),
  problem('duplicate_field', field => '/a', offset => length(message()) + 9) ]


=== TEST 4: "reject" refuses events with extra members
--- webhook
    enkod_extra_fields reject;
--- tries
[ 'two', post($::body), $::reject ],
[ 'none', post(message()), $::drop ],
[ 'before the event', post('{"z":1,"event":"message open"}'),
  problem('unknown_field', field => '/z', offset => 29) ],
[ 'a field of another event', post(message(click_url => '1')),
  problem('unknown_field', field => '/click_url',
          offset => length(message()) + 11) ]


=== TEST 5: the setting is inherited from http and server, and replaced
--- http_config
    enkod_extra_fields drop;
    enkod_log logs/events.jsonl;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2;
        enkod_extra_fields reject;
        location / {
            enkod_webhook;
        }
    }
--- config
    location = /http {
        enkod_webhook;
    }
    location /keep {
        enkod_webhook;
        enkod_extra_fields keep;
        location = /keep/inner {
            enkod_webhook;
        }
    }
    location = /server {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
--- tries
[ 'http', post($::body, uri => '/http'), $::drop ],
[ 'server', post($::body, uri => '/server'),
  answer(422, body => qr/"unknown_field"/) ],
[ 'location', post($::body, uri => '/keep'), $::keep ],
[ 'a location within', post($::body, uri => '/keep/inner'), $::keep ]


=== TEST 6: an unknown event that is accepted keeps its members in any case
--- config
    enkod_log logs/events.jsonl;
    enkod_unknown_event accept;
    location = /drop {
        enkod_webhook;
        enkod_extra_fields drop;
    }
    location = /reject {
        enkod_webhook;
        enkod_extra_fields reject;
    }
--- tries
map { [ $_, post('{"a":1,"event":"new","b":2}', uri => $_),
        accepted('"event":"new","extra":{"a":1,"b":2}') ],
      [ "$_, no other member", post('{"event":"new"}', uri => $_),
        accepted('"event":"new"') ] }
'/drop', '/reject'
