# enkod-check reads files, standard input and bodies of requests, and its
# command line and its documentation agree.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;

use Enkod::CheckTest;
use Enkod::File;
use Enkod::MemoryCheck;
use Enkod::Nginx;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $dir = Enkod::Nginx->create->{dir};

in_folder($dir);

my $other = "the module writes the same event differently from here on";
my ($summary, $out);


# files and standard input

put("one", "$good\n\n\n$test\n");
put("two", "hello\n$good\n" . substr $good, 0, 100);
put("three", "");

my ($status, $err);

($status, $out, $err) = run("one", "two", "$dir/three", "-", { stdin => "$dir/two" });
my ($defects, $sum) = parse($out);

is_deeply [map { $_->[0] } @$defects],
    ["two:1: offset 0", "two:3: offset " . length "hello\n$good\n",
     "-:1: offset 0", "-:3: offset " . length "hello\n$good\n"],
    "several files, and standard input, are checked by name";
is_deeply $sum, { lines => 10, "message open" => 4, tests => 1, rejected => 0,
                  "empty lines" => 2, pieces => 0, defects => 4 },
                  "the summary counts all files together";
is "$status, $err", "1, ",
   "there are defects, and no messages on standard error";

($status, $out, $err) = run("one", "four", ".", "two");

is $err, "enkod-check: cannot open \"four\": No such file or directory\n"
         . "enkod-check: cannot read \".\": Is a directory\n",
   "files that cannot be read are named";
is $status, 2,
   "a file that cannot be read sets the exit status, whatever the defects";
like $out, qr/^two:1: .*^defects: 2\n\z/ms,
     "the other files are checked all the same";

is says("an empty file has no defects", "", "")->{lines}, 0,
   "an empty file has no lines";

says("an incomplete last line that the module did not write is a defect", "$good\nhello",
     qr/^x:2: offset ${\ length "$good\n"}: the last line is incomplete: 5 bytes without a line feed, which do not begin as a line of the module does/);

says("a last line that only lacks its line feed is reported", $good,
     "x:1: offset 0: the last line lacks its line feed; --repair adds it");

says("an event name with escaped control characters is accepted", $start . "\"event\":\"\\u009b\\u007f\",\"a\":1}\n", "");

like +(run("x"))[1], qr/^  "\\u009b\\u007f": 1$/m,
     "the summary prints that name escaped";

for my $raw ("\x7f", "\xc2\x85", "\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xa9") {
    says("an event name with a raw control character is a defect", "$start\"event\":\"a$raw\",\"a\":1}\n",
         "x:1: offset " . (length($start) + length '"event":"a')
         . ": $other");
}

$summary = says("a file with 1100 event names", join("", map { qq($start"event":"e$_"}\n) } 1 .. 1100)
                . qq($start"event":"e7"}\n$start"event":") . "x" x 300 . qq("}\n), "");

is $summary->{others}, 101, "the summary counts further names together";
is $summary->{e7}, 2, "a repeated name is one row";
is scalar(keys %$summary), 1000 + 7, "the summary has 1000 names";


# lines across the borders of the read buffer

{
    my $text = "";
    my @expected;

    for my $n (1 .. 300) {
        my $bad = $n % 10 == 0;


        my $l = $start . message(undef, "x" x ($n * 97)) =~ s/^\{//r;

        if ($bad) {
            $l =~ s/"message_id":4/"message_id":x/;
            # the byte after the defect
            push @expected, "x:$n: offset " . (length($text) + index($l, ',"message_u'));
        }

        $text .= "$l\n";
    }

    put("x", $text);
    ($defects) = parse((run("x"))[1]);

    is_deeply [map { $_->[0] } @$defects], \@expected,
       "lines and offsets are right in a file of " . length($text) . " bytes";

}


# bodies

put("$_.json", $body{$_}) for @kinds;

($status, $out, $err) = run("--body", map { "$_.json" } @kinds);
($defects, $sum) = parse($out);

is "$status, $err", "0, ", "the eight bodies are accepted";
is_deeply [@$defects], [], "the eight bodies have no defect";
is_deeply [@$sum{"bodies", "tests", "message open", "complaint", "contact adding"}],
          [8, 8, 1, 1, 1], "the eight bodies are counted";

for (["", 1, 0, "400 empty_body: The request has no body"],
     ["{\n\"event\":\n\"message open\",\n\"message_id\":\n\"4\"}", 5, 44,
      '422 wrong_type, field "/message_id", expected: integer: The value at'],
     [message() . "\n" . message(), 2, length(message()) + 1, "400 invalid_json: "],
     ['{"event":"unheard of"}', 1, 21, '422 unknown_event, field "/event": '],
     ['[1]', 1, 1, "422 not_object: "],
     [message() =~ s/}$//r, 1, length(message()) - 1, "400 invalid_json: "],
     ["{\"event\":\"message open\",\n\"\xff", 2, 26, "400 invalid_utf8: "])
{
    my ($text, $line, $offset, $said) = @$_;

    put("b", $text);
    ($status, $out) = run("--body", "b");

    like $out, qr/\Ab:$line: offset $offset: \Q$said\E/, "a bad body: $said";
    is $status, 1, "the exit status for it is 1";
}

put("b", '{"event":"whatsapp read","id":1}');
is +(run("--body", "b"))[0], 1, "an event that is not declared is a defect";
is +(run("--body", "--event", "whatsapp read id=integer", "b"))[0], 0,
   "an event that --event declares is accepted";
is +(run("--event", "'whatsapp read' id=integer 'a b=any'", "--body", "b"))[0], 1,
   "a declared event needs all its fields";
is +(run("--body", "-", { stdin => "$dir/b" }))[1] =~ /^-:1: offset \d+: 422 unknown_event/, 1,
   "standard input can be a body";


# large files

open my $fh, ">", "$dir/big" or die;
print $fh +("$good\n" x 99 . "$test\n") x 1000;
close $fh;

($status, $out, $err) = run("big");
($defects, $sum) = parse($out);

is "$status, $err", "0, ", "a file of 100000 lines is read";
is_deeply [@$sum{"lines", "message open", "tests", "defects"}], [100000, 100000, 1000, 0],
          "all lines of the large file are counted";

SKIP: {
    my $limit = { before => "ulimit -v 12000; " };

    skip "with sanitizers, there is no limit of memory", 3
        if $Enkod::MemoryCheck::name eq "sanitizers";

    is +(run("big", $limit))[0], 0, "12 MB of memory are enough for " . (-s "$dir/big") . " bytes";

    put("x", "$good\n" . "x" x 20_000_000);
    ($status, $out, $err) = run("x", $limit);
    like $err, qr/^enkod-check: no memory for \d+ bytes\n\z/,
         "a line that does not fit into memory is named";
    is $status, 2, "a line that does not fit is an error";
}


# output without a reader

put("x", "hello\n" x 50_000);

for (["", "signal 13"], ["trap '' PIPE; ", 2]) {
    my ($before, $expected) = @$_;

    pipe my $r, my $w or die;
    close $r;

    ($status, $out, $err) = run("x", { stdout => $w, before => $before });
    is $status, $expected, "a pipe without a reader ends it" . ($before ? ", with SIGPIPE ignored" : "");
    is $err, "", "it prints no message" if !$before;
    close $w;
}

is +(run("x", { stdout => "/dev/full" }))[0], 2, "output that cannot be written is an error";


# the command line

for (["no FILE is given"], ["no FILE is given", "--repair"],
     ["unrecognized option '--nonsense'", "--nonsense", "one"],
     ["invalid option -- 'x'", "-x", "one"],
     ["option '--event' requires an argument", "one", "--event"],
     ["--repair cannot be used with --body", "--body", "--repair", "one"])
{
    my ($said, @args) = @$_;

    ($status, $out, $err) = run(@args);

    like $err, qr/^enkod-check: \Q$said\E\nusage: enkod-check /, "usage: @args";
    is "$status, $out", "2, ", "the arguments are refused, without output";
}

for (["a field must be given as NAME=TYPE", "'x' y"],
     ["the type of a field must be string,", "x y=text"],
     ["the name is reserved for the line itself", "x test=any"],
     ["the field is given twice", "x a=any a=any"],
     ["the event's name must not be empty", ""],
     ["the event's name must not be empty", '"" a=any'],
     ["a quote is not closed", '"x a=any'],
     ["names must be valid UTF-8", "\xff a=any"],
     ["names must be valid UTF-8", "a\xd1 a=any"],
     ["names must be valid UTF-8", "a\xd1"])
{
    my ($said, $def) = @$_;

    ($status, $out, $err) = run("--event", $def, "one");

    like $err, qr/^enkod-check: invalid --event "\Q$def\E": \Q$said\E/, "--event $def";
    is "$status, $out", "2, ", "the arguments are refused, without output";
}

like +(run("--event", "x", "--event", "x", "one"))[2], qr/the event is declared already$/m,
     "an event cannot be declared twice";


says("names and fields are quoted as in nginx.conf",
     qq($start"event":"a \\"b\\" c","d e":1,"f":"g"}\n), "",
     "--event", q("a \"b\" c" 'd e=integer' f=string));
says("declared fields with quotes and spaces are checked", qq($start"event":"a \\"b\\" c","d e":"1","f":"g"}\n),
     qr/wrong_type: .* field "\/d e"/,
     "--event", q('a "b" c' "d e=integer" f=string));

is +(run("--help"))[1], (run("-h"))[1], "-h is --help";
is +(run("--help"))[0], 0, "--help is not an error";


# the documentation

my $docs = Enkod::File::slurp("$top/docs/enkod-check.md");
my $help = (run("--help"))[1];

for my $option (sort { $a cmp $b } keys %{ { map { $_ => 1 } $help =~ /(--\w+)/g } }) {
    like $docs, qr/^\| `\Q$option\E[^|]*\| \S/m, "$option is described";
}

{
    my $c = join "", map { Enkod::File::slurp($_) } glob "$top/tools/check/*.c";
    $c =~ s/"\s+"//g;

    my @texts = $c =~ /check_reader_(?:wrong|malformed)\([^;]*?"((?:[^"\\]|\\.)*)"/g;
    push @texts, $c =~ /sentence = "((?:[^"\\]|\\.)*)"/g;

    cmp_ok scalar @texts, ">=", 15, "the sources have sentences for defects";

    for (@texts) {
        s/\\(.)/$1/g;

        # composed of texts of the core
        next if /^%s: %s/;

        s/%\w+/…/g;
        ok index($docs =~ s/\s+/ /gr, $_) >= 0, "the sentence is described: $_";
    }
}

{
    my $examples = 0;

    mkdir "$dir/docs";
    $ENV{PATH} = dirname(check_command()) . ":$ENV{PATH}";

    while ($docs =~ /^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/msg) {
        my ($sh, $expected) = ($1, $2);

        put("docs/sh", $sh);

        my $out = `cd $dir/docs && sh ./sh 2>&1`;

        defined $expected
            ? is $out, $expected, "an example says what is shown"
            : like $out, qr/^defects: 0\n\z/m, "an example works";

        $examples++;
    }

    is $examples, 4, "the page has four examples";
}

done_testing;
