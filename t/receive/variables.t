# The variables of the module.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

our $members = message() =~ s/^\{|\}$//gr;
our $accepted = accepted($members);

my @all = qw(event message_id message_uid sending_type name from to error_message
             click_url email group_id group_name channel phone groups_names
             groups_ids);

our $all = 'log_format all escape=none "' . join('|', map { "\$enkod_$_" } @all)
         . '";';

takes('every variable of the table',
      http => 'log_format a "' . join(' ', map { "\$enkod_$_" } @all,
                                      qw(json line test error result)) . '";',
      location => 'enkod_webhook; enkod_log off;');
takes('a field of a declared event', http => 'enkod_event e Foo_1=any; '
      . 'log_format a "$enkod_foo_1 $enkod_Foo_1";',
      location => 'enkod_webhook; enkod_log off;');

refuses('a field that there is not', qr/unknown "enkod_nothing" variable/,
        http => 'log_format a "$enkod_nothing"; access_log logs/a a;');
refuses('"extra", which is not a field', qr/unknown "enkod_extra" variable/,
        http => 'log_format a "$enkod_extra"; access_log logs/a a;');

run_tests();

__DATA__

=== TEST 1: each field of each event has its variable
--- http_config eval: $::all
--- webhook
    access_log logs/all.log all;
--- tries
map { [ $_, post(event($_)), answer(200, any_line => 1) ] }
qw(message-sent delivery-bounce message-open message-clicked complaint
   mailing-group-subscribe mailing-group-unsubscribe contact-adding)
--- files
'logs/all.log' => do {
    my $uid = '4|0123456789_012_012_01234|instant';
    my $addresses = 'sender@example.com|recipient@example.com';

    join "\n",
        "message sent|$uid|Sending message (test)|$addresses|||||||||",
        "delivery bounce|$uid|Error while sending message (test)|$addresses"
            . '|Some error message||||||||',
        "message open|$uid|Open message (test)|$addresses|||||||||",
        "message clicked|$uid|Click in message (test)|$addresses"
            . '||https://clicked.link/|||||||',
        "complaint|$uid|Complaint in message (test)|$addresses|||||||||",
        'mailing group subscribe|||||||||user@example.com|4|Person subscribe (test)'
            . '|email|||',
        'mailing group unsubscribe|||||||||user@example.com|4'
            . '|Person unsubscribe (test)|email|||',
        'contact adding|||||||||user@example.com||||80123456789'
            . '|["test_group_0","test_group_1"]|[0,1]', '';
}


=== TEST 2: $enkod_line is the line of the file, $enkod_json begins with the event
--- http_config
    log_format line escape=none '$enkod_line';
    log_format json escape=none '$enkod_json';
--- webhook
    access_log logs/line.log line;
    access_log logs/json.log json;
--- tries
[ 'an event', post(message()), $::accepted ],
[ 'a test', post(message(message_uid => '"0123456789_012_012_01234"')),
  accepted(message(message_uid => '"0123456789_012_012_01234"') =~ s/^\{|\}$//gr,
           test => 1) ],
[ 'with extra fields and escapes',
  post('{"b":[ 1 ],"event":"contact adding","phone":null,"email":"\u0007\u0444",'
       . '"groups_ids":[ 1, 2 ],"groups_names":[],"a":"\/"}'),
  accepted("\"event\":\"contact adding\",\"email\":\"\\u0007\xd1\x84\","
           . '"phone":null,"groups_names":[],"groups_ids":[1,2],'
           . '"extra":{"b":[1],"a":"/"}') ],
[ 'refused', post('[]'), problem('not_object', offset => 1) ]
--- files
'logs/line.log' => slurp("$Test::Nginx::Util::ServRoot/logs/events.jsonl") . "\n",
'logs/json.log' => join('', map { "$_\n" } message(),
    message(message_uid => '"0123456789_012_012_01234"'),
    "{\"event\":\"contact adding\",\"email\":\"\\u0007\xd1\x84\","
    . '"phone":null,"groups_names":[],"groups_ids":[1,2],'
    . '"extra":{"b":[1],"a":"/"}}', '')


=== TEST 3: $enkod_line has a value without any log
--- http_config
    log_format line escape=none '$enkod_line';
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log off;
        access_log logs/line.txt line;
    }
--- tries
[ 'an event', post(message()), nowhere() ]
--- files
'logs/line.txt' => qr/^\{"received_at":"[^"]+Z","request_id":"\w{32}","remote_addr":"127\.0\.0\.1",\Q$::members\E\}\n$/


=== TEST 4: $enkod_result, $enkod_error and $enkod_test have the result of a request
--- http_config
    log_format r '$status "$enkod_result" "$enkod_error" "$enkod_test" "$enkod_event"';
--- server
    access_log logs/r.log r;
    location = /ack {
        enkod_webhook;
        enkod_log logs/events.jsonl;
        enkod_test ack;
    }
    location = /token {
        enkod_webhook;
        enkod_log logs/events.jsonl;
        enkod_token $arg_token good;
    }
    location = /full {
        enkod_webhook;
        enkod_log /dev/full;
    }
    location = /none {
        return 204;
    }
--- tries
[ 'accepted', post(message()), $::accepted ],
[ 'a test', post(message(message_uid => '"0123456789_012_012_01234"')),
  accepted(message(message_uid => '"0123456789_012_012_01234"') =~ s/^\{|\}$//gr,
           test => 1) ],
[ 'a test, ack', post(message(message_uid => '"0123456789_012_012_01234"'),
                      uri => '/ack'), nowhere() ],
[ 'no test, ack', post(message(), uri => '/ack'), $::accepted ],
[ '400', post(''), problem('empty_body', offset => 0) ],
[ '403', post(message(), uri => '/token'), problem('forbidden') ],
[ '405', request('PUT', '/enkod'), problem('method_not_allowed') ],
[ '413', post(' ' x 65537), problem('too_large', closed => 1) ],
[ '415', post(message(), headers => [ 'Content-Encoding: br' ]),
  problem('unsupported_encoding') ],
[ '422', post('{"event":"other"}'),
  problem('unknown_event', field => '/event', offset => 16) ],
[ '503', post(message(), uri => '/full'), problem('log_unavailable') ],
[ 'a probe', get('/enkod'), answer(200) ],
[ 'another location', get('/none'), answer(204) ]
--- files
'logs/r.log' => <<'END'
200 "accepted" "" "" "message open"
200 "accepted" "" "1" "message open"
200 "test" "" "1" "message open"
200 "accepted" "" "" "message open"
400 "rejected" "empty_body" "" ""
403 "rejected" "forbidden" "" ""
405 "rejected" "method_not_allowed" "" ""
413 "rejected" "too_large" "" ""
415 "rejected" "unsupported_encoding" "" ""
422 "rejected" "unknown_event" "" ""
503 "failed" "log_unavailable" "" "message open"
200 "" "" "" ""
204 "" "" "" ""
END


=== TEST 5: a refused event has no fields, no JSON and no line
--- http_config
    log_format f escape=none '[$enkod_message_id$enkod_to$enkod_json$enkod_line$enkod_test] $enkod_error';
--- webhook
    access_log logs/f.log f;
--- tries
[ 'the last member is wrong',
  post(message(message_uid => '"0123456789_012_012_01234"', to => '1')),
  problem('wrong_type', field => '/to', expected => 'string', offset => undef) ],
[ 'the event is truncated', post(message() =~ s/\}$//r),
  problem('invalid_json', offset => undef) ],
[ 'something follows the event', post(message() . 'x'),
  problem('invalid_json', offset => undef) ]
--- files
'logs/f.log' => "[] wrong_type\n[] invalid_json\n[] invalid_json\n"


=== TEST 6: strings are JSON strings without the quotes
--- http_config
    log_format n escape=none '{"name":"$enkod_name","ids":$enkod_message_id}';
--- webhook
    access_log logs/n.log n;
    add_header X-Name $enkod_name;
--- tries
map { my ($title, $json, $text) = @$_;
      [ $title, post(message(name => "\"$json\"")),
        accepted(message(name => "\"$text\"") =~ s/^\{|\}$//gr,
                 headers => { 'X-Name' => $text }) ] }
[ 'a quote and a backslash', 'a\"\\\\b', 'a\"\\\\b' ],
[ 'the end of a line', 'a\r\nX-Evil: 1', 'a\r\nX-Evil: 1' ],
[ 'control characters', 'a\u0000\u0001\u001f\b\f\tb', 'a\u0000\u0001\u001f\b\f\tb' ],
[ 'a slash', 'a\/b', 'a/b' ],
[ 'four bytes of UTF-8', "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" ],
[ 'the same, escaped', '\ud83d\ude00', "\xf0\x9f\x98\x80" ],
[ 'a variable', '$enkod_to', '$enkod_to' ]
--- files
'logs/n.log' => join '', map { "{\"name\":\"$_\",\"ids\":7}\n" }
    'a\"\\\\b', 'a\r\nX-Evil: 1', 'a\u0000\u0001\u001f\b\f\tb', 'a/b',
    "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", '$enkod_to'


=== TEST 7: other types are JSON text, null and absence are empty
--- http_config
    enkod_event e s=string? i=integer? n=number? b=boolean? ss=strings?
                ii=integers? any=any?;
    log_format e escape=none '$enkod_s|$enkod_i|$enkod_n|$enkod_b|$enkod_ss|$enkod_ii|$enkod_any';
--- webhook
    access_log logs/e.log e;
--- tries
map { [ $_, post($_), answer(200, any_line => 1) ] }
'{"event":"e","s":"x","i":-12345678901234567890,"n":1.50E+2,"b":false,"ss":["a", "\u0022"],"ii":[1, 2],"any":{"a": [null]}}',
'{"event":"e","s":"","i":0,"n":0,"b":true,"ss":[],"ii":[],"any":"q"}',
'{"event":"e","s":null,"i":null,"n":null,"b":null,"ss":null,"ii":null,"any":null}',
'{"event":"e"}'
--- files
'logs/e.log' => <<'END'
x|-12345678901234567890|1.50E+2|false|["a","\""]|[1,2]|{"a":[null]}
|0|0|true|[]|[]|"q"
||||||
||||||
END


=== TEST 8: variables are empty before the event is checked, and have their values right after it
--- http_config
    limit_req_zone $enkod_event zone=z:1m rate=1r/m;
    map $enkod_event $early {
        volatile;
        ""       none;
        default  $enkod_event;
    }
    log_format late '$early_event/$early_line/$early_result/$early_map -> $enkod_event/$enkod_to/$enkod_result';
    log_format map '$early';
    log_format json escape=none '$enkod_json';
--- webhook
    set $early_event $enkod_event;
    set $early_line $enkod_line$enkod_json$enkod_to;
    set $early_result $enkod_result$enkod_error$enkod_test;
    set $early_map $early;
    if ($enkod_event = "message open") {
        return 410;
    }
    limit_req zone=z;
    access_log logs/late.log late;
    access_log logs/json.log json;
    access_log logs/map.log map;
--- tries
[ 'an event', post(message()), $::accepted ],
[ 'in pieces', post(message(), split => 30), $::accepted ],
[ 'the next one', post(message(event => '"complaint"', to => '"c"')),
  accepted(message(event => '"complaint"', to => '"c"') =~ s/^\{|\}$//gr) ]
--- files
'logs/late.log' => <<'END',
///none -> message open/b@example.com/accepted
///none -> message open/b@example.com/accepted
///none -> complaint/c/accepted
END
'logs/map.log' => "message open\nmessage open\ncomplaint\n",
'logs/json.log' => join '', map { "$_\n" } message(), message(),
                            message(event => '"complaint"', to => '"c"')


=== TEST 9: variables work in map, in access_log if= and in enkod_log if=
--- http_config
    map $enkod_event $kind {
        default                     other;
        complaint                   bad;
        "~^mailing group (?<what>)" group;
    }
    map $enkod_error $refused {
        ""       "";
        default  1;
    }
    map $enkod_event $is_complaint {
        complaint 1;
    }
    log_format kind '$kind';
    log_format code '$enkod_error';
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log logs/complaints.jsonl if=$is_complaint;
        enkod_log logs/tests.jsonl if=$enkod_test;
        access_log logs/kind.log kind if=$enkod_json;
        access_log logs/code.log code if=$refused;
    }
--- tries
[ 'a complaint', post(message(event => '"complaint"')),
  accepted(message(event => '"complaint"') =~ s/^\{|\}$//gr,
           file => 'logs/complaints.jsonl') ],
[ 'another event', post(message()), nowhere() ],
[ 'a test', post(message(message_uid => '"0123456789_012_012_01234"')),
  accepted(message(message_uid => '"0123456789_012_012_01234"') =~ s/^\{|\}$//gr,
           test => 1, file => 'logs/tests.jsonl') ],
[ 'both', post(message(message_uid => '"0123456789_012_012_01234"',
                       event => '"complaint"')),
  accepted(message(message_uid => '"0123456789_012_012_01234"',
                   event => '"complaint"') =~ s/^\{|\}$//gr, test => 1,
           file => [ 'logs/complaints.jsonl', 'logs/tests.jsonl' ]) ],
[ 'a group', post('{"event":"mailing group subscribe","email":"e","group_id":1,'
                  . '"group_name":"g","channel":"c"}'), nowhere() ],
[ 'refused', post('{}'),
  problem('missing_event', field => '/event', expected => 'string', offset => 2) ]
--- files
'logs/kind.log' => "bad\nother\nother\nbad\ngroup\n",
'logs/code.log' => "missing_event\n"


=== TEST 10: variables work in add_header
--- webhook
    add_header X-Event $enkod_event always;
    add_header X-Result $enkod_result always;
    add_header X-Error $enkod_error always;
    add_header X-Ids $enkod_groups_ids always;
--- tries
[ 'accepted', post(message()),
  accepted($::members, headers => { 'X-Event' => 'message open', 'X-Error' => undef,
                                    'X-Result' => 'accepted', 'X-Ids' => undef }) ],
[ 'a contact', post('{"event":"contact adding","email":"e","groups_names":[],'
                    . '"groups_ids":[1, 2]}'),
  accepted('"event":"contact adding","email":"e","groups_names":[],"groups_ids":[1,2]',
           headers => { 'X-Ids' => '[1,2]' }) ],
[ 'refused', post('{}'),
  problem('missing_event', field => '/event', expected => 'string', offset => 2,
          headers => { 'X-Event' => undef, 'X-Error' => 'missing_event',
                       'X-Result' => 'rejected' }) ]


=== TEST 11: an unknown event that is accepted has a name and its JSON
--- http_config
    log_format u escape=none '$enkod_event|$enkod_to|$enkod_json';
--- webhook
    enkod_unknown_event accept;
    access_log logs/u.log u;
--- tries
[ 'an event', post('{"to":"x","event":"a\"\u0441"}'),
  accepted("\"event\":\"a\\\"\xd1\x81\",\"extra\":{\"to\":\"x\"}") ]
--- files
'logs/u.log' => "a\\\"\xd1\x81||{\"event\":\"a\\\"\xd1\x81\",\"extra\":{\"to\":\"x\"}}\n"


=== TEST 12: dropped members are in no variable
--- http_config
    log_format d escape=none '$enkod_json';
--- webhook
    enkod_extra_fields drop;
    access_log logs/d.log d;
--- tries
[ 'an event', post(message(a => 1)), $::accepted ]
--- files
'logs/d.log' => message() . "\n"


=== TEST 13: fixed names have precedence over fields, and case does not matter
--- http_config
    enkod_event e json=string line=string error=string result=string
                Foo=integer;
    log_format e escape=none '$enkod_json|$enkod_test|$enkod_error|$enkod_result|$enkod_foo|$enkod_FOO';
--- webhook
    access_log logs/e.log e;
--- tries
[ 'an event', post('{"event":"e","json":"j","line":"l","error":"e",'
                   . '"result":"r","Foo":1}'),
  accepted('"event":"e","json":"j","line":"l","error":"e",'
           . '"result":"r","Foo":1') ]
--- files
'logs/e.log' => '{"event":"e","json":"j","line":"l","error":"e",'
                . "\"result\":\"r\",\"Foo\":1}|||accepted|1|1\n"


=== TEST 14: fields of two events with the same name share a variable
--- http_config
    enkod_event one to=integer;
    enkod_event two to=strings;
    log_format t escape=none '$enkod_to';
--- webhook
    access_log logs/t.log t;
--- tries
[ 'one', post('{"event":"one","to":1}'), accepted('"event":"one","to":1') ],
[ 'two', post('{"event":"two","to":["a"]}'), accepted('"event":"two","to":["a"]') ],
[ 'a message', post(message()), $::accepted ]
--- files
'logs/t.log' => "1\n[\"a\"]\nb\@example.com\n"


=== TEST 15: an error_page and its access log have the reason
--- http_config
    log_format why '$status $enkod_result $enkod_error';
    access_log logs/why.log why;
--- webhook
    error_page 422 @named;
    error_page 400 /page;
--- server
    location @named {
        return 200 "named $enkod_error $enkod_result\n";
    }
    location = /page {
        internal;
        return 200 "page $enkod_error $enkod_result\n";
    }
--- tries
[ 'a named location', post('[]'), answer(422, body => "named not_object rejected\n") ],
[ 'an internal redirect', post('x'),
  answer(400, body => "page invalid_json rejected\n", closed => 1) ]
--- files
'logs/why.log' => "422 rejected not_object\n400 rejected invalid_json\n"


=== TEST 16: the upstream of an error_page can be told the reason
--- webhook
    error_page 422 = @upstream;
--- server
    location @upstream {
        proxy_set_header X-Error $enkod_error;
        proxy_method GET;
        rewrite ^ /page break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /page {
        return 200 "upstream $http_x_error\n";
    }
--- tries
[ '422', post('[]'), answer(200, body => "upstream not_object\n") ]
