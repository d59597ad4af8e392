# Hostile bodies: each gets its status and code, and no byte is written to a
# file.  The details of JSON are tested in t/unit.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

our $long = '{"event":"message open","a":"' . 'x' x 3000 . '"';

# title, code, body, members of the problem
our @bodies = (
    [ 'NUL alone', 'invalid_json', "\0" ],
    [ 'NUL before the event', 'invalid_json', "\0" . message() ],
    [ 'NUL after the event', 'invalid_json', message() . "\0" ],
    [ 'NUL in a string', 'invalid_json', message(name => "\"a\0b\"") ],
    [ 'NUL between members', 'invalid_json', message() =~ s/,/,\0/r ],
    [ 'a byte order mark', 'invalid_json', "\xef\xbb\xbf" . message() ],
    [ 'UTF-16', undef, join('', map { "$_\0" } split //, message()) ],
    [ 'UTF-16 with a byte order mark', 'invalid_utf8', "\xff\xfe{\0}\0" ],
    [ 'a vertical tab between members', 'invalid_json', message() =~ s/,/,\x0b/r ],
    [ 'a form feed', 'invalid_json', message() . "\f" ],
    [ 'a no-break space', 'invalid_json', "\xc2\xa0" . message() ],
    [ 'a line feed in a string', 'invalid_json', message(name => "\"a\nb\"") ],
    [ 'a tab in a name', 'invalid_json', message("a\tb" => 1) ],

    [ 'a high surrogate alone', 'lone_surrogate', message(name => '"\ud800"') ],
    [ 'a low surrogate alone', 'lone_surrogate', message(name => '"\udc00"') ],
    [ 'two high surrogates', 'lone_surrogate', message(name => '"\ud800\ud800"') ],
    [ 'a pair in the wrong order', 'lone_surrogate',
      message(name => '"\udc00\ud800"') ],
    [ 'a high surrogate and a letter', 'lone_surrogate', message(name => '"\ud800a"') ],
    [ 'a surrogate in a name', 'lone_surrogate', message('\ud800' => 1) ],
    [ 'a surrogate in a nested string', 'lone_surrogate', message(a => '{"b":["\ud800"]}') ],

    [ 'an overlong NUL', 'invalid_utf8', message(name => "\"\xc0\x80\"") ],
    [ 'an overlong slash', 'invalid_utf8', message(name => "\"\xe0\x80\xaf\"") ],
    [ 'an overlong form of four bytes', 'invalid_utf8',
      message(name => "\"\xf0\x80\x80\xaf\"") ],
    [ 'a surrogate as UTF-8', 'invalid_utf8', message(name => "\"\xed\xa0\x80\"") ],
    [ 'beyond U+10FFFF', 'invalid_utf8', message(name => "\"\xf4\x90\x80\x80\"") ],
    [ 'five bytes', 'invalid_utf8', message(name => "\"\xf8\x88\x80\x80\x80\"") ],
    [ 'a trail byte alone', 'invalid_utf8', message(name => "\"\x80\"") ],
    [ 'a lead byte alone', 'invalid_utf8', message(name => "\"\xd1\"") ],
    [ 'windows-1251', 'invalid_utf8', message(name => "\"\xef\xf0\xe8\"") ],
    [ 'invalid UTF-8 in the name of the event', 'invalid_utf8', message(event => "\"\xd1omplaint\"") ],
    [ 'invalid UTF-8 after the event', 'invalid_utf8', message() . "\xff" ],

    [ '33 levels of arrays', 'too_deep', message(a => '[' x 32 . ']' x 32),
      field => '/a' ],
    [ '33 levels of objects', 'too_deep',
      message(a => '{"b":' x 32 . '1' . '}' x 32), field => '/a' ],
    [ '60000 levels', 'too_deep', message(a => '[' x 60_000), field => '/a' ],
    [ '60000 levels without an event', 'not_object', '[' x 60_000 ],

    [ '65 members', 'too_many_fields',
      message(map { ("x$_", 1) } 1 .. 65 - 7) ],
    [ '5000 members', 'too_many_fields', message(map { ("x$_", 1) } 1 .. 5000) ],

    [ 'a repeated member', 'duplicate_field', message() =~ s/\}$/,"to":"x"}/r,
      field => '/to' ],
    [ 'a repeated member, once with escapes', 'duplicate_field',
      message('t\u006f' => '"x"'), field => '/to' ],
    [ '"event" twice', 'duplicate_field',
      message('\u0065vent' => '"message open"'), field => '/event' ],
    [ 'a repeated extra member', 'duplicate_field', message(a => 1, '\u0061' => 1),
      field => '/a' ],
    [ 'the empty name twice', 'duplicate_field', message('' => 1) =~ s/\}$/,"":1}/r,
      field => '/' ],

    [ 'another event after it', 'invalid_json', message() . message() ],
    [ 'another event on the next line', 'invalid_json', message() . "\n" . message() ],
    [ 'a letter after it', 'invalid_json', message() . 'x' ],
    [ 'a bracket after it', 'invalid_json', message() . '}' ],
    [ 'a quote after it', 'invalid_json', message() . '"' ],
    [ 'an array of events', 'not_object', '[' . message() . ']' ],
    [ 'a comma before the end', 'invalid_json', message() =~ s/\}$/,}/r ],
    [ 'a comment', 'invalid_json', message() =~ s/,/,\/* *\//r ],
    [ 'single quotes', 'invalid_json', message() =~ tr/"/'/r ],
    [ 'names without quotes', 'invalid_json', message() =~ s/"(\w+)":/$1:/gr ],
    [ 'NaN', 'invalid_json', message(a => 'NaN') ],
    [ 'Infinity', 'invalid_json', message(a => '-Infinity') ],
    [ 'a leading zero', 'invalid_json', message(message_id => '01') ],
    [ 'a plus', 'invalid_json', message(message_id => '+1') ],
    [ 'hexadecimal', 'invalid_json', message(message_id => '0x1') ],
    [ 'an unknown escape', 'invalid_json', message(name => '"\x41"') ],
    [ 'a short escape', 'invalid_json', message(name => '"\u12"') ],
    [ 'XML', 'invalid_json', '<event>message open</event>' ],
    [ 'a form', 'invalid_json', 'event=message+open&message_id=1' ],
    [ 'gzip', undef, "\x1f\x8b\x08\x00" . message() ],

    [ 'a string', 'not_object', '"message open"' ],
    [ 'a number', 'not_object', '1' ],
    [ 'null', 'not_object', 'null' ],
    [ 'an empty object', 'missing_event', '{}', field => '/event',
      expected => 'string' ],
);

# either code, whichever check finds its error first
$_->[1] //= 'invalid_json' for @bodies;

sub refused {
    my ($title, $code, $body, %member) = @{ $_[0] };

    # the result does not depend on the pieces in which a body is sent
    return map { [ "$title, $_->[0]", $_->[1],
                   problem($code, %member, offset => undef) ] }
           [ 'in one piece', post($body) ],
           [ 'in chunks', post(undef, chunks => [ unpack '(a11)*', $body ]) ];
}

# all beginnings of a body
sub truncated {
    my ($body) = @_;

    return map { [ "$_ bytes", post(substr $body, 0, $_),
                   problem($_ ? 'invalid_json' : 'empty_body', offset => undef) ] }
           0 .. length($body) - 1;
}

run_tests();

__DATA__

=== TEST 1: a hostile body is refused with its code
--- tries
map { ::refused($_) } @::bodies
--- files
'logs/events.jsonl' => ''
--- no_error_log
[alert]
[crit]
[error]


=== TEST 2: a hostile body is refused where any event is accepted and extra members are dropped
--- webhook
    enkod_unknown_event accept;
    enkod_extra_fields drop;
--- tries
map { ::refused($_) } @::bodies
--- files
'logs/events.jsonl' => ''


=== TEST 3: no beginning of an event is accepted as an event
--- tries
::truncated(message(a => '[true,{"b":-1.5e3}]')),
map { [ $_, post(substr $::long, 0, $_), problem('invalid_json', offset => undef) ] }
1000, 2000, 3000, length $::long
--- files
'logs/events.jsonl' => ''


=== TEST 4: bodies at the limits are accepted
--- tries
[ '32 levels', post(message(a => '[' x 31 . ']' x 31)),
  accepted(message(extra => '{"a":' . '[' x 31 . ']' x 31 . '}') =~ s/^\{|\}$//gr) ],

[ '64 members', post(message(map { ("x$_", 1) } 1 .. 64 - 7)),
  accepted(message(extra => '{' . join(',', map { qq("x$_":1) } 1 .. 64 - 7) . '}')
           =~ s/^\{|\}$//gr) ],

[ 'many members of a nested object', post(message(a => '{' . join(',', map { qq("$_":1) }
                                                          1 .. 1000) . '}')),
  accepted(message(extra => '{"a":{' . join(',', map { qq("$_":1) } 1 .. 1000) . '}}')
           =~ s/^\{|\}$//gr) ],

[ 'a repeated member of a nested object', post(message(a => '{"b":1,"b":2}')),
  accepted(message(extra => '{"a":{"b":1,"b":2}}') =~ s/^\{|\}$//gr) ],

[ 'white space around it', post(" \t\r\n" . message() . "\n\r\t "),
  accepted(message() =~ s/^\{|\}$//gr) ],

[ 'U+10FFFF and U+FFFF', post(message(name => '"\udbff\udfff\uffff"')),
  accepted(message(name => "\"\xf4\x8f\xbf\xbf\xef\xbf\xbf\"") =~ s/^\{|\}$//gr) ]
