# enkod-check accepts every line that the module writes, and names the place of
# everything else.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;

use Enkod::CheckTest;
use Enkod::File;
use Enkod::Nginx;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));

my $nginx = Enkod::Nginx->create(workers => 1,
    http => <<'END',
enkod_event "whatsapp read" id=integer to=string? price=number ok=boolean
            tags=strings? ids=integers? data=any? message_uid=string?;
enkod_event "contact adding" email=string source=any?;
END
    server => <<'END');
location / { enkod_webhook; enkod_log a.jsonl; enkod_max_event_size 1m; }
location /any { enkod_webhook; enkod_log a.jsonl; enkod_unknown_event accept; }
END

in_folder($nginx->{dir});

# what is declared in nginx.conf, for the program
my @declared = map { ("--event", $_) }
    '"whatsapp read" id=integer to=string? price=number ok=boolean '
    . 'tags=strings? ids=integers? data=any? message_uid=string?',
    'contact adding email=string source=any?';


# A line may break off after any byte, which is not a defect; the whole line is
# accepted.

sub breaks_off {
    my ($whole, $what) = @_;

    my $text = "";
    my @expected;

    for my $len (1 .. length($whole) - 1) {
        push @expected, ["x:$len: offset " . (length($text) + $len),
                         "a piece of a line, which breaks off after $len bytes"];
        $text .= substr($whole, 0, $len) . "\n";
    }

    put("x", $text);

    my ($status, $out) = run("x");
    my ($pieces, $summary) = parse($out);

    is_deeply $pieces, \@expected, "$what may break off after any byte";
    is_deeply [$status, @$summary{"pieces", "defects"}], [0, length($whole) - 1, 0],
              "$what that breaks off is not a defect";

    says("$what that is whole is accepted", "$whole\n", "");
}


# lines that the module writes

$nginx->start;

my @accepted = (
    (map { ["/", $body{$_}] } grep { $_ ne "contact-adding" } @kinds),
    ["/", $body{"message-open"} =~ s/\n\}/,"x":1}/r],

    # strings
    ["/", message(undef, 'a\u0000b\u001f\u007f\b\f\n\r\t\"\\\/')],
    ["/", message(undef, '\u00e9\u0441\ud83d\ude00\u2028\u0085')],
    ["/", message(undef, "\xc3\xa9\xd1\x81\xf0\x9f\x98\x80\x7f")],
    ["/", message(undef, '{\"received_at\":\"2026-11-23T03:44:01.123Z\"')],
    ["/", message(undef, ',\"extra\":{')],
    ["/", message('"\u0000\"\\\\":"\u0000","":"","\u00e9":1', "")],
    ["/", message(undef, "x" x 300_000)],
    ["/", message('"long":"' . "\\n" x 100_000 . '"')],

    # numbers
    ["/", message('"a":1e400,"b":-0,"c":-0.0E+5,"d":' . "9" x 1000)
          =~ s/"message_id":4/'"message_id":' . "1234567890" x 30/er],

    # extra members, before and after the others
    ["/", message('"extra":1')],
    ["/", message('"extra":{}')],
    ["/", message('"extra":{"a":{"extra":{"b":[]}},"extra":{"c":{}}}')],
    ["/", message('"a":{"extra":{"b":1}},"b":[{},[],{"extra":{}}]')],
    ["/", message('"a":[[","],{"}":"{"}],"b":"}"')],
    ["/", message('"test":true,"received_at":"x","request_id":1,'
                  . '"remote_addr":"","pass_status":1,"status":400')],
    ["/", message('"received_at":"2026-11-23T03:44:01.123Z",'
                  . '"request_id":"x"')],
    ["/", '{"z":{"y":[1,null,true,false]},' . substr message('"w":1'), 1],
    ["/", message('"a":' . '[' x 31 . ']' x 31)],
    ["/", message('"a":' . '{"extra":' x 31 . '1' . '}' x 31)],
    ["/", message(join ",", map { qq("x$_":{"y":$_}) } 1 .. 57)],
    ["/", join ",", '{"x0":0', (map { qq("x$_":$_) } 1 .. 56),
                    substr message(), 1],

    # documented events in another spelling
    ["/", message() =~ s/message open/m\xd0\xb5ssage open/r],
    ["/", message() =~ s/message open/\\u006d\\u0435ssage open/r],
    ["/", "\r\n\t" . message() =~ s/([,:])/ $1\n/gr . "\n"],

    # events that are declared in nginx.conf
    ["/", '{"event":"whatsapp read","id":1,"price":1.50,"ok":false}'],
    ["/", '{"ok":true,"price":1E5,"id":-1,"event":"whatsapp read",'
          . '"to":null,"tags":["\u0041"],"ids":[],"data":{"extra":{}},"m":1}'],
    ["/", '{"event":"whatsapp read","id":1,"price":1,"ok":true,'
          . '"message_uid":"0123456789_012_012_01234"}'],
    ["/", '{"event":"whatsapp read","id":1,"price":1,"ok":true,"data":'
          . '[' x 31 . ']' x 31 . ',"a":{"b":1}}'],
    ["/", '{"event":"whatsapp read","id":1,"price":1,"ok":true,"data":'
          . '{"a":1,"extra":{"b":1}},"c":{"d":1,"extra":{}}}'],
    ["/", '{"event":"whatsapp read","id":1,"price":1,"ok":true,"data":'
          . '[1,{"a":1,"extra":{"b":1}}]}'],
    ["/", '{"event":"contact adding","email":"e","source":{"a":[1]}}'],

    # unknown events
    ["/any", '{"event":"unheard of"}'],
    ["/any", '{"event":""}'],
    ["/any", '{"event":"\u0000\"\\\\\u00e9' . "\xd1\x81" . '"}'],
    ["/any", '{"a":"\u0041","event":"unheard of","b":[ 1, {"c" : null}]}'],
    ["/any", '{"event":"unheard of","extra":{"extra":{}},"test":true}'],
    ["/any", '{"event":"unheard of","a":' . '[' x 31 . ']' x 31 . ',"b":{}}'],
    ["/any", '{"event":"unheard of",'
             . join(",", map { qq("x$_":"$_") } 1 .. 63) . '}'],
);

my @refused = grep { $_ != 200 }
              map { $nginx->post($_->[1], uri => $_->[0])->{status} }
              @accepted;

is "@refused", "", "nginx accepts all of these events";

my $whole = slurp("a.jsonl");

is scalar(() = $whole =~ /\n/g), scalar @accepted,
   "nginx writes a line for each event";

my $n = grep { $_->[1] =~ /message open|ssage open/ } @accepted;
my $summary = says("what nginx has written has no defects if the events are"
                   . " declared as in nginx.conf", $whole, "", @declared);

is_deeply $summary,
    { "lines" => scalar @accepted, "message sent" => 1,
      "delivery bounce" => 1, "message open" => $n, "message clicked" => 1,
      "complaint" => 1, "mailing group subscribe" => 1,
      "mailing group unsubscribe" => 1, "whatsapp read" => 6,
      "contact adding" => 1, "unheard of" => 5, "" => 1,
      "\\u0000\\\"\\\\\xc3\xa9\xd1\x81" => 1, "tests" => 9, "rejected" => 0,
      "empty lines" => 0, "pieces" => 0, "defects" => 0 },
    "lines are counted by event";

(undef, my $out) = run(@declared, "x");
my @names = $out =~ /^  "(.*)": \d+$/mg;

is_deeply \@names, [sort @names], "the summary sorts events by name";

says("an event that is not one of the eight need not be declared",
     $whole =~ s/^.*"contact adding".*\n//mr, "");

says("without a declaration, the eight events have the vendor's fields",
     ($whole =~ /^(.*"contact adding".*\n)/m)[0],
     qr/^x:1: offset \d+: missing_field: .*, field "\/groups_names", expected: array of strings$/);

says("a declared event is checked",
     ($whole =~ /^(.*"whatsapp read".*\n)/m)[0],
     qr/^x:1: offset \d+: missing_field: .*, field "\/x", expected: string$/,
     "--event", "'whatsapp read' x=string");


# one bad line between two good ones

# Tests one bad line.  $at is the offset of the defect in the line, or a text
# whose first place in the line is that offset.

sub defect { found("defects", @_) }
sub piece { found("pieces", @_) }

sub found {
    my ($row, $title, $bad, $at, $text) = @_;

    $at = $at =~ /^\d+$/ ? $at : index $bad, $at;

    put("before", "$good\n\n$test\n");

    my $offset = length("$good\n\n$test\n") + $at;

    my $summary = says_status($title, "$good\n\n$test\n$bad\n$good\n",
                              "x:4: offset $offset: "
                              . ($text =~ s/%(\d+)/$offset - $at + $1/er),
                              $row eq "defects" ? 1 : 0);

    my %expected = (defects => 0, pieces => 0, lines => 5, "message open" => 3,
                    "empty lines" => 1, $row => 1);

    is_deeply { map { $_ => $summary->{$_} } keys %expected }, \%expected,
              "$title: the bad line and the others are counted"
        if grep { $summary->{$_} != $expected{$_} } keys %expected;
}

my $not = "this is not what the module writes here: ";

# pieces of lines
my $passed = $test =~ s/"event"/"pass_status":502,"event"/r
                   =~ s/}$/,"extra":{"a":{"b":["}"]}}}/r;

breaks_off($passed, "a line");
breaks_off($start . substr(message(undef, "\xc3\xa9\xf0\x9f\x98\x80\\u0001"), 1), "a line with UTF-8");

my $piece = "a piece of a line, which breaks off after";

for my $len (1, 7, 200, length($good) - 1) {
    piece("a line that breaks off after $len bytes", substr($good, 0, $len),
          $len, "$piece $len bytes");
}

piece("a line that breaks off in extra", $good =~ s/}$/,"extra":{"a":1/r,
      length($good) - 1 + length ',"extra":{"a":1',
      "$piece " . (length($good) - 1 + length ',"extra":{"a":1') . " bytes");
piece("a line that breaks off after extra", with('}', ',"extra":{"a":1}'),
      length($good) - 1 + length ',"extra":{"a":1}',
      "$piece " . (length($good) - 1 + length ',"extra":{"a":1}') . " bytes");

# two lines in one
for my $len (3, 30, 70, 120, 180, length($good) - 1) {
    defect("another line after $len bytes of one", substr($good, 0, $len)
           . $test, $len, "two lines in one: the first is not whole, the other"
           . " begins here and is whole");
}

defect("two lines", "$good$test", length $good,
       "two lines in one: the first is whole, the other begins here and is"
       . " whole");
defect("a line and half of another", $good . substr($test, 0, 150), length $good,
       "two lines in one: the first is whole, the other begins here and is not"
       . " whole");
defect("a line and the first bytes of another", $good . substr($test, 0, 16),
       length $good, "two lines in one: the first is whole, the other begins"
       . " here and is not whole");
defect("three lines", substr($good, 0, 99) . substr($good, 0, 88) . $test, 99,
       "3 lines in one: the first is not whole, the next begins here, the last"
       . " at offset %" . (99 + 88) . " and is whole");
# two lines in one, and a copy: what the module writes where it finds a piece

sub copied {
    my ($title, $glued, $more, $expected, $code) = @_;

    my $first = "$good\n";
    my $summary = says_status($title, "$first$glued\n$more",
                              $expected =~ s/%(\d+)/length($first) + $1/er, $code);

    is_deeply [@$summary{"lines", "pieces", "defects"}],
              [2 + ($more =~ tr/\n//), $code ? (0, 1) : (1, 0)],
              "$title: the line is counted";
}

for my $len (1, 3, 30, 120, length($good) - 1) {
    copied("a copy after $len bytes", substr($good, 0, $len) . $test,
           "$good\n$test\n$good\n",
           "x:2: offset %$len: a piece of a line, with a copy of line 4 after it", 0);
}

copied("a copy after two pieces", substr($good, 0, 99) . substr($good, 0, 88) . $test,
       "$test\n", "x:2: offset %99: a piece of a line, with a copy of line 3 after it", 0);
copied("a copy of a refusal", substr($good, 0, 99)
       . refusal(400, "empty_body", '"body":""'),
       refusal(400, "empty_body", '"body":""') . "\n",
       "x:2: offset %99: a piece of a line, with a copy of line 3 after it", 0);
copied("a copy that does not follow", substr($good, 0, 30) . $test, "$good\n",
       "x:2: offset %30: two lines in one: the first is not whole, the other"
       . " begins here and is whole", 1);
copied("a copy after a whole line", "$good$test", "$test\n",
       "x:2: offset %" . length($good) . ": two lines in one: the first is whole,"
       . " the other begins here and is whole", 1);
copied("a copy after text of another program", "some text$test", "$test\n",
       "x:2: offset %9: two lines in one: the first is not whole, the other"
       . " begins here and is whole", 1);

{
    my $n = 0;
    my @glued = map { substr($good, 0, 50)
                      . ($test =~ s/9c1f8a52/sprintf "%08x", $n++/er) } 1 .. 70;

    says("only the last 64 lines are compared with copies",
         join("", map { "$_\n" } @glued, map { substr $_, 50 } @glued),
         join "\n", (map { my $line = $_ + 1;
                           "x:$line: offset " . (50 + $_ * length "$glued[0]\n")
                           . ": two lines in one: the first is not whole, the"
                           . " other begins here and is whole" } 0 .. 5),
         (map { my $line = $_ + 1;
                "x:$line: offset " . (50 + $_ * length "$glued[0]\n")
                . ": a piece of a line, with a copy of line " . ($line + 70)
                . " after it" } 6 .. 69));

    put("glued", substr($good, 0, 30) . "$test\n");
    put("copy", "$test\n");

    is +(run("glued", "copy"))[0], 1, "a copy must be in the same file";
}

defect("a line where a value has to be", with('"Welcome"', $good),
       index($good, '"Welcome"'), "two lines in one: the first is not whole,"
       . " the other begins here and is not whole");
defect("a line after text of another program", "some text $good", 10,
       "two lines in one: the first is not whole, the other begins here and is"
       . " whole");

# NUL bytes
defect("a NUL in a string", with("Welcome", "We\0lcome"), "\0",
       "NUL bytes, 1 of them");
defect("NUL bytes alone", "\0" x 5000, 0, "NUL bytes, 5000 of them");
defect("NUL bytes in the place of a line's end", substr($good, 0, 200)
       . "\0" x 20, 200, "NUL bytes, 20 of them");
defect("NUL bytes before a line", "\0" x 512 . $good, 0, "NUL bytes, 512 of"
       . " them; the line that begins at offset %512 is whole");
defect("NUL bytes between halves of lines", substr($good, 0, 100) . "\0" x 7
       . substr($good, 0, 100), 100, "NUL bytes, 7 of them; the line that"
       . " begins at offset %107 is not whole");
defect("NUL bytes after two beginnings", substr($good, 0, 60)
       . substr($good, 0, 100) . "\0" x 7, 160, "NUL bytes, 7 of them");

# the envelope of a line
defect("another text", "hello", 0, "$not\{\"received_at\":\" at the beginning"
       . " of a line");
defect("JSON of another kind", '{"a":1}', 2, "$not\{\"received_at\":\" at the"
       . " beginning of a line");

for (["23T03", "23 03", " 03:"], ["2026-", "026-0", "-0"],
     [".123Z", ",123Z", ",123Z"], [".123Z", ".1234Z", "4Z"],
     [".123Z", ".123+00:00", "+00"])
{
    my ($what, $by, $at) = @$_;

    defect("received_at with $by", with($what, $by), $at, '"received_at" is not'
           . ' a time in UTC, such as 2026-11-23T03:44:01.123Z');
}

for my $time ("2026-02-29T00:00", "2100-02-29T00:00", "2026-04-31T00:00",
              "2026-13-01T00:00", "2026-00-01T00:00", "2026-01-00T00:00",
              "2026-01-32T00:00", "2026-01-01T24:00", "2026-01-01T00:60")
{
    defect($time, with("2026-11-23T03:44", $time), 16, '"received_at" is a'
           . ' time that does not exist');
}

says($_, with("2026-11-23T03:44", $_) . "\n", "")
    for "2024-02-29T00:00", "2000-02-29T23:59", "2026-12-31T23:59";

defect("second 60", with("44:01", "44:60"), 16, '"received_at" is a time that'
       . ' does not exist');

defect("no request_id", with('"request_id":"9c1f8a52b7a94d5fbf6f0f0f5a1c2d3e",',
                             ""), "mote", $not . '"request_id"');
defect("an empty request_id", with("9c1f8a52b7a94d5fbf6f0f0f5a1c2d3e", ""),
       56, 'this cannot be in "request_id"');
defect("a request_id with a control character", with("9c1f", "\x01c1f"),
       "\x01", 'this cannot be in "request_id"');
defect("a request_id that is not UTF-8", with("9c1f", "\xff"), "\xff",
       'this cannot be in "request_id"');
defect("no remote_addr", with('"remote_addr":"192.0.2.7",', ""), 90 + 1,
       $not . '"remote_addr"');
defect("another order", with('"request_id"', '"remote_addr"'), 45,
       $not . '"request_id"');

for my $addr ("192.0.2", "192.0.2.256", "", "localhost", "unix", "fe80::1::2",
              "192.0.2.7 ", "1" x 5000)
{
    defect("remote_addr " . substr($addr, 0, 20), with("192.0.2.7", $addr),
           index($good, "192.0.2.7"), '"remote_addr" is not an address');
}

my $other = "the module writes the same event differently from here on";

says("remote_addr $_", with("192.0.2.7", $_) . "\n", "")
    for "unix:", "::1", "2001:db8::7:0:1", "::ffff:192.0.2.7";

says("remote_addr $_", with("192.0.2.7", $_) . "\n", "")
    for "unix:/run/client.sock", 'unix:a\"\\\\\n\u001b\u007f\u009b\u2028',
        "unix:\xd1\x81\xef\xbf\xbd", "unix:/" . "x" x 100,
        'unix:\",\"event\":\"forged';

for my $case (['unix:\/', 5], ['unix:\u000a', 6], ['unix:\u001B', 10],
              ['unix:\u0041', 5], ["unix:\x7f", 5], ["unix:\xc2\x85", 5],
              ["unix:\xe2\x80\xa8", 5])
{
    my ($addr, $at) = @$case;

    defect("remote_addr $addr", with("192.0.2.7", $addr),
           index($good, "192.0.2.7") + $at, $other);
}

defect("a remote_addr that is not UTF-8", with("192.0.2.7", "unix:\xff"), "\xff",
       "invalid_utf8: this is not UTF-8");
defect("a remote_addr with a line break", with("192.0.2.7", "unix:\t"), "\t",
       "invalid_json: this, or what is just before it, is not JSON");

defect("neither \"event\" nor \"status\"", with('"event"', '"tset":true,"event"'),
       "tset", $not . '"event" or "status"');
defect("a pass_status of four digits", with('"event"', '"pass_status":1000,"event"'),
       '0,"event"', $not . "a comma");
defect("a pass_status that is not a number", with('"event"', '"pass_status":5x2,"event"'),
       "5x2", '"pass_status" is not an HTTP status');

is says("a pass_status", with('"event"', '"pass_status":502,"event"') . "\n"
        . ($test =~ s/"event"/"pass_status":504,"event"/r) . "\n",
        "")->{"message open"}, 2, "lines with a pass_status are counted";

# the event of a line
my $no = "the module does not accept this event";

defect("a wrong type", with('"message_id":4', '"message_id":"4"'), ',"message_u',
       "wrong_type: $no, field \"/message_id\", expected: integer");
defect("a field that is missing", with(',"to":"recipient@example.com"', ""),
       length(with(',"to":"recipient@example.com"', "")) - 1 + 1,
       "missing_field: $no, field \"/to\", expected: string");
defect("invalid JSON", with('"message_id":4', '"message_id":04'), '4,"message_u',
       "invalid_json: this, or what is just before it, is not JSON");
defect("invalid JSON in extra", with('}', ',"extra":{"a":01}}'), '1}}',
       "invalid_json: this, or what is just before it, is not JSON");
defect("invalid UTF-8", with("Welcome", "\xffelcome"), "\xff",
       "invalid_utf8: this is not UTF-8");
defect("invalid UTF-8 in extra", with('}', ",\"extra\":{\"a\":\"\xc0\x80\"}}"),
       "\xc0", "invalid_utf8: this is not UTF-8");
defect("half a surrogate pair", with("Welcome", '\ud800.'), '."',
       "lone_surrogate: there is half of a surrogate pair before this");
defect("event that is null", with('"message open"', 'null'), ',"message_id"',
       "missing_event: $no, field \"/event\", expected: string");
defect("33 levels", with('}', ',"extra":{"a":' . '[' x 32 . ']' x 32 . '}}'),
       length($good) - 1 + length(',"extra":{"a":') + 32,
       "too_deep: $no, field \"/a\"");
defect("65 members", with('}', ',"extra":{' . join(",", map { qq("x$_":1) } 10 .. 67)
                          . '}}'), ':1}}', "too_many_fields: $no");
defect("a member in extra that is one of the line's", with('}', ',"extra":{"to":1}}'),
       ':1}}', "duplicate_field: $no, field \"/to\"");

# lines that the module would write otherwise

defect("white space", with('"name":"', '"name": "'), ' "Wel', $other);
defect("a carriage return", "$good\r", length $good, $other);
defect("a space after an unknown event", $start . '"event":"x"} ',
       length("$start\"event\":\"x\"}"), $other);
defect("white space in extra", with('}', ',"extra":{"a": 1}}'), ' 1}', $other);
defect("an escape that is not needed", with('Welcome', 'We\u006ccome'),
       '\u006c', $other);
defect("an escaped solidus", with('Welcome', 'a\/b'), '\/', $other);
defect("an escape in capitals", with('Welcome', '\u001F'), 'F"', $other);
defect("another order of fields", with('"message_id":4,' . $uid,
                                       $uid . ',"message_id":4'),
       'uid"', $other);
defect("a field after extra", with('}', ',"extra":{"a":1},"b":2}'), ',"b"',
       'there is something after "extra", which ends a line');
defect("a brace too many", with('}', ',"extra":{"a":1}}}'),
       length(with('}', ',"extra":{"a":1}}')),
       'there is something after "extra", which ends a line');
defect("extra that is not an object", with('}', ',"extra":2}'), '2}', $other);
defect("an empty extra", with('}', ',"extra":{}}'), ',"extra"',
       'an empty "extra", which the module does not write');
defect("an empty extra of an unknown event", $start . '"event":"x","extra":{}}',
       ',"extra"', 'an empty "extra", which the module does not write');
defect("an unknown event with an escape that is not needed",
       $start . '"event":"x","a":"\u0041"}', '\u0041', $other);
defect("an escape that is not needed, in the extra of an unknown event", $start . '"event":"x","a":1,"extra":{"b":"\u0041"}}',
       '\u0041', $other);
defect("an escape that is not needed, in the name of an unknown event", $start . '"event":"\u0041"}', '\u0041', $other);
defect("the event of the table with a Cyrillic letter",
       with("message open", "m\xd0\xb5ssage open"), "\xd0", $other);

# the mark of test deliveries
defect("a test delivery that is not marked", $test =~ s/"test":true,//r,
       '"event"', 'a test delivery without "test":true');
defect("a test mark on another event", with('"event"', '"test":true,"event"'),
       '"test"', "marked as a test delivery, which it is not");
defect("a test mark on an event that cannot be a test delivery",
       $start . '"test":true,"event":"x","extra":{"message_uid":'
       . '"0123456789_012_012_01234"}}',
       '"test"', "marked as a test delivery, which it is not");
is says("a test mark on an event that may be declared elsewhere",
        $start . '"test":true,"event":"x","message_uid":'
        . '"0123456789_012_012_01234"}' . "\n", "")->{tests}, 1,
   "it is counted as a test delivery";


# lines of enkod_reject_log

my %code = Enkod::File::slurp("$top/ngx_http_enkod_module/event/enkod_error.c")
           =~ /\] = \{ "(\w+)", (\d+),/g;
my @codes = sort grep { $code{$_} =~ /^4(?:00|22)$/ } keys %code;

my $rejects = join "\n", (map { refusal($code{$_}, $_, '"body":"x"') } @codes),
    refusal(422, "wrong_type", '"field":"/message_id","body":'
                               . '"{\"event\":\"\\\\u0041\",\n\u0000é"'),
    refusal(422, "unknown_field", '"field":"/a~1\"\\\\\u0000/3","body":"' . "x\\\"" x 50_000 . '"'),
    refusal(400, "empty_body", '"body":""'),
    refusal(400, "lone_surrogate", '"body":"\\\\ud800 {\"received_at\":\"2026"'),
    (map { refusal(400, "invalid_utf8", qq("body_base64":"$_")) }
         "/w==", "//8=", "////", "ab+/" x 1000), "";

$summary = says("lines of enkod_reject_log", $rejects, "");

is $summary->{lines}, @codes + 8, "all lines of the reject log are read";
is $summary->{rejected}, @codes + 8, "all of them are counted as rejected";
is $summary->{$_}, 1 + ($_ eq "invalid_utf8" ? 4 : /^(?:wrong_type|unknown_field|empty_body|lone_surrogate)$/ ? 1 : 0),
   "$_ is counted" for @codes;

says("lines of both kinds", $good . "\n" . refusal(400, "empty_body", '"body":" "') . "\n$test\n",
     "");

my $no_status = '"status" is neither 400 nor 422';

defect("status $_", refusal($_, "wrong_type", '"body":"x"'), "$_,", $no_status)
    for 413, 200, "4x2", "\"42";
defect("a status that is not that of the code", refusal(400, "wrong_type", '"body":"x"'),
       '400,', '"status" is 400, but that of "wrong_type" is 422');
defect("a code that is not written to a reject log", refusal(422, "too_large", '"body":"x"'),
       '422,', '"status" is 422, but that of "too_large" is 413');
defect("an unknown code", refusal(400, "wrong_typ", '"body":"x"'),
       'wrong_typ', '"code" is not one of the module\'s codes');
defect("a field that is not a JSON Pointer", refusal(422, "wrong_type", '"field":"to","body":"x"'),
       'to","body', '"field" is not a JSON Pointer to a member');
defect("an empty field", refusal(422, "wrong_type", '"field":"","body":"x"'),
       '","body', '"field" is not a JSON Pointer to a member');
defect("a body that is not a string", refusal(400, "empty_body", '"body":null'),
       'null', $not . '"field", "body" or "body_base64"');
defect("something after the body", refusal(400, "empty_body", '"body":"","a":1'),
       ',"a"', $not . 'the end of the line');
defect("something after the line", refusal(400, "empty_body", '"body":""') . "x",
       length(refusal(400, "empty_body", '"body":""')),
       'there is something after the body, which ends a line');
defect("an event after the line", refusal(400, "empty_body", '"body":""') . $good,
       length(refusal(400, "empty_body", '"body":""')),
       'two lines in one: the first is whole, the other begins here and is whole');
defect("an escape in a body that is not needed", refusal(400, "invalid_json", '"body":"\u0041"'),
       '\u0041', $other);
defect("a body that is not UTF-8", refusal(400, "invalid_utf8", "\"body\":\"\xff\""),
       "\xff", "invalid_utf8: this is not UTF-8");

for (["", '"}'], ["A", '"}'], ["ABC", '"}'], ["ABCDE", '"}'], ["AB=C", '=C'],
     ["A===", '==='], ["AB-_", "-_"], ["AB C", " C"])
{
    my ($text, $at) = @$_;
    my $bad = refusal(400, "invalid_utf8", qq("body_base64":"$text"));

    defect("base64 \"$text\"", $bad, rindex($bad, $at),
           '"body_base64" is not base64');
}

breaks_off(refusal(422, "wrong_type", '"field":"/to","body":"a\\u0001b"'),
           "a refusal");

done_testing;
