# enkod_event: events beside the vendor's eight.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

my $here = 'enkod_webhook; enkod_log logs/x;';

sub event_ok { takes($_[0], http => "enkod_event $_[1];", location => $here) }

sub event_bad {
    my ($title, $value, $said, $args) = @_;

    refuses($title, qr/invalid parameter "\Q$value\E" in "enkod_event": $said/,
            http => "enkod_event $args;", location => $here);
}

event_ok('every type',
         'e a=string b=integer c=number d=boolean e=strings f=integers g=any');
event_ok('every type, optional',
         'e a=string? b=integer? c=number? d=boolean? e=strings? f=integers? g=any?');
event_ok('no field', 'e');
event_ok('a name with "=" and "?"', '"e" a=b?=string?');
# nginx 1.30 needs a larger hash for so many variables
takes('63 fields', location => $here,
      http => 'variables_hash_max_size 2048; enkod_event e '
              . join(' ', map { "f$_=any" } 1 .. 63) . ';');
event_ok('a name of 2000 bytes', 'x' x 2000);
event_ok('fields that collide with names of variables',
         'e json=any line=any error=any result=any');
event_ok('fields whose names no variable can have', 'e a-b=any "c d=any" имя=any');

event_bad('no type', 'a', 'a field must be given as NAME=TYPE', 'e a');
event_bad('no name', '=string', 'a field must be given as NAME=TYPE', 'e =string');
event_bad('a type that there is not', 'a=text',
          'the type of a field must be string, integer, number, boolean, '
          . 'strings, integers or any', 'e a=text');
event_bad('an empty type', 'a=', 'the type of a field must be', 'e a=');
event_bad('a type in capitals', 'a=String', 'the type of a field must be', 'e a=String');
event_bad('two question marks', 'a=any??', 'the type of a field must be', 'e a=any??');
event_bad('a field twice', 'a=any', 'the field is given twice', 'e a=string a=any');
event_bad("\"$_\" as a field", "$_=string",
          'the name is reserved for the line itself', "e $_=string")
    for qw(event extra received_at request_id remote_addr test pass_status);
refuses('a field whose variable is another one already',
        qr/the variable "\$enkod_a" of a field in "enkod_event" is defined/,
        http => 'map $uri $enkod_a { default 1; } enkod_event e a=any;',
        location => $here);
event_bad('64 fields', 'f64=any', 'an event may have 63 fields at most',
          'e ' . join ' ', map { "f$_=any" } 1 .. 64);
event_bad('an empty name', '', "the event's name must not be empty", '"" a=any');
event_bad('a name declared before', 'e', 'the event is declared already',
          'e a=any; enkod_event e b=any');
event_bad('the same name on another keyboard', "\xd0\xb5",
          'the event is declared already', "e a=any; enkod_event \xd0\xb5 b=any");
event_bad('a name that is not UTF-8', "\xff", '', "\xff a=any");
event_bad('a name with an encoded surrogate', "\xed\xa0\x80", '',
          "\xed\xa0\x80 a=any");
event_bad('a name in windows-1251', "\xef\xf0\xe8", '', "\xef\xf0\xe8 a=any");
event_bad('a field whose name is not UTF-8', "\xff=any", '', "e \xff=any");

refuses('no parameter', qr/"enkod_event"/, http => 'enkod_event;', location => $here);
refuses('a server', qr/"enkod_event" directive is not allowed here/,
        server => 'enkod_event e a=any;', location => $here);
refuses('a location', qr/"enkod_event" directive is not allowed here/,
        location => "$here enkod_event e a=any;");

run_tests();

__DATA__

=== TEST 1: the line of a declared event has its fields in the declared order
--- http_config
    enkod_event "whatsapp read" id=integer to=string price=number paid=boolean
                tags=strings ids=integers data=any;
--- tries
[ 'as declared',
  post('{"event":"whatsapp read","id":1,"to":"t","price":1.5e1,"paid":true,'
       . '"tags":["a"],"ids":[1],"data":{"x":[null]}}'),
  accepted('"event":"whatsapp read","id":1,"to":"t","price":1.5e1,"paid":true,'
           . '"tags":["a"],"ids":[1],"data":{"x":[null]}') ],

[ 'in another order, with an extra field',
  post('{"data":"","ids":[],"y":0,"tags":[],"paid":false,"price":-0,"to":"",'
       . '"id":0,"event":"whatsapp read"}'),
  accepted('"event":"whatsapp read","id":0,"to":"","price":-0,"paid":false,'
           . '"tags":[],"ids":[],"data":"","extra":{"y":0}') ]


=== TEST 2: each type accepts only its own values
--- http_config
    enkod_event s f=string;
    enkod_event i f=integer;
    enkod_event n f=number;
    enkod_event b f=boolean;
    enkod_event ss f=strings;
    enkod_event ii f=integers;
    enkod_event a f=any;
--- tries
map {
    my ($event, $expected, @good) = @$_;

    my %bad = map { $_ => 1 } '"x"', 1, 1.5, 'true', 'null', '["x"]', '[1]', '{}';
    delete @bad{@good};

    (map { [ "$event takes $_", post(qq({"event":"$event","f":$_})),
             accepted(qq("event":"$event","f":$_)) ] } @good),

    (map { my ($field, $what) = ('/f', $expected);

           # the bracket is enough to know, but for an element
           my ($seen) = /^([[{]?)/;
           $seen ||= $_;

           if ($expected =~ /^array of (.+)s$/ && $seen eq '[') {
               ($field, $what) = ('/f/0', $1);
               ($seen) = /^(.*)\]/;
           }

           [ "$event does not take $_", post(qq({"event":"$event","f":$_})),
             problem('wrong_type', field => $field, expected => $what,
                     offset => length qq({"event":"$event","f":$seen)) ]
         } sort keys %bad)
}
[ 's', 'string', '"x"' ],
[ 'i', 'integer', 1 ],
[ 'n', 'number', 1, 1.5 ],
[ 'b', 'boolean', 'true' ],
[ 'ss', 'array of strings', '["x"]' ],
[ 'ii', 'array of integers', '[1]' ],
[ 'a', 'any value but null', '"x"', 1, 1.5, 'true', '["x"]', '[1]', '{}' ]


=== TEST 3: missing fields are reported in the declared order
--- http_config
    enkod_event e first=any second=boolean third=strings?;
--- tries
[ 'none', post('{"event":"e"}'),
  problem('missing_field', field => '/first', expected => 'any value but null',
          offset => 13) ],
[ 'the first', post('{"event":"e","first":0}'),
  problem('missing_field', field => '/second', expected => 'boolean',
          offset => 23) ],
[ 'both', post('{"event":"e","first":0,"second":true}'),
  accepted('"event":"e","first":0,"second":true') ]


=== TEST 4: a question mark allows absence and null
--- http_config
    enkod_event e a=string? b=integer? c=number? d=boolean? e=strings?
                f=integers? g=any?;
--- tries
[ 'absent', post('{"event":"e"}'), accepted('"event":"e"') ],
[ 'null', post('{"event":"e","a":null,"b":null,"c":null,"d":null,"e":null,'
               . '"f":null,"g":null}'),
  accepted('"event":"e","a":null,"b":null,"c":null,"d":null,"e":null,'
           . '"f":null,"g":null') ],
[ 'null, before the name',
  post('{"e":null,"f":null,"a":null,"event":"e","b":null}'),
  accepted('"event":"e","a":null,"b":null,"e":null,"f":null') ],
[ 'another type', post('{"event":"e","a":1}'),
  problem('wrong_type', field => '/a', expected => 'string', offset => 18) ]


=== TEST 5: a declaration with the vendor's name replaces the built-in event
--- http_config
    enkod_event complaint id=integer;
--- tries
[ 'as declared', post('{"event":"complaint","id":1}'),
  accepted('"event":"complaint","id":1') ],
[ 'as declared, Cyrillic', post('{"event":"\u0441omplaint","id":1}'),
  accepted('"event":"complaint","id":1') ],
[ 'as the vendor has it', post(event('complaint')),
  problem('missing_field', field => '/id', expected => 'integer', offset => 226) ],
[ 'the other rows stay', post(message()),
  accepted(message() =~ s/^\{|\}$//gr) ]


=== TEST 6: a contact that is declared may lack both address and phone
--- http_config
    enkod_event "contact adding" email=string?;
--- tries
[ 'neither', post('{"event":"contact adding"}'), accepted('"event":"contact adding"') ]


=== TEST 7: a declared name in Cyrillic letters is the name on the line
--- http_config
    enkod_event "сообщение" a=any;
--- tries
[ 'as it stands', post('{"event":"сообщение","a":1}'),
  accepted('"event":"сообщение","a":1') ],
[ 'with Latin letters', post('{"event":"coo\u0431\u0449e\u043d\u0438e","a":1}'),
  accepted('"event":"сообщение","a":1') ]


=== TEST 8: names that JSON has to escape are found, and escaped on the line
--- http_config
    enkod_event 'a"b\\c' 'x"y=integer' 'имя=string';
--- tries
[ 'an event', post('{"event":"a\"b\\\\c","x\"y":1,"имя":"я"}'),
  accepted('"event":"a\"b\\\\c","x\"y":1,"имя":"я"') ],
[ 'a field missing', post('{"event":"a\"b\\\\c","имя":"я"}'),
  problem('missing_field', field => '/x"y', expected => 'integer', offset => 33) ]


=== TEST 9: test deliveries are recognised only by the documented fields of a declared event
--- http_config
    enkod_event e message_uid=string;
--- tries
[ 'but from the documented one', post('{"event":"e","message_uid":"0123456789_012_012_01234"}'),
  accepted('"event":"e","message_uid":"0123456789_012_012_01234"', test => 1) ]
