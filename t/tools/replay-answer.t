# enkod-replay compares answers with --expect, --refuse and --refuse-header, and
# reads URLs and headers from files, so that other users cannot see them.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Enkod::File;
use Enkod::Nginx;
use Enkod::ScriptedServer qw(answer);
use Enkod::ReplayTest;
use Enkod::Wait qw(wait_for);

my $dir = tempdir(TMPDIR => 1, CLEANUP => 1);

in_folder($dir);


# Tests whether the second of three lines is delivered with these options, and
# the message if not.

sub second {
    my ($title, $good, $answer, $reason, @options) = @_;

    spool(map { line($_) } 1 .. 3);

    my ($status, $numbers, $err, @got)
        = sent(sub { $_[0] == 2 ? $answer : $good }, @options);

    if (!defined $reason) {
        is "$status $numbers $err", "0 3 3 3 0 0 ", "$title: delivered";
        is scalar @got, 3, "$title: with all others";
        return;
    }

    is "$status $numbers", "1 3 3 1 1 2", "$title: it stops";
    is $err, "enkod-replay: \"s\" line 2: the answer is 200, but $reason\n"
             . "enkod-replay: lines that are left: 2\n",
       "$title: it says why";
}


# engines that report errors in a 200

my @clickhouse = ("--refuse-header", "X-ClickHouse-Exception-Code",
                  "--expect", '^$');
my $inserted = answer(200, "", "X-ClickHouse-Summary: {}\r\n");

second("ClickHouse", $inserted, $inserted, undef, @clickhouse);
second("ClickHouse, a header", $inserted,
       answer(200, "", "x-clickhouse-exception-code: 241\r\n"),
       'it has the header "X-ClickHouse-Exception-Code"', @clickhouse);
second("ClickHouse, a body", $inserted,
       answer(200, "Code: 241. DB::Exception: Memory limit exceeded\n"),
       'its body does not match --expect "^$"', @clickhouse);
second("ClickHouse, only its text", $inserted,
       answer(200, "Code: 241. DB::Exception: Memory limit exceeded\n"),
       'its body matches --refuse "DB::Exception"',
       "--refuse", "DB::Exception");

my @elastic = ("--expect", '"errors" *: *false[,}]');
my $indexed = answer(200, '{"errors":false,"items":[]}');

second("Elasticsearch", $indexed,
       answer(200, '{"took":3, "errors" : false}'), undef, @elastic);
second("Elasticsearch, an error", $indexed,
       answer(200, '{"errors":true,"items":[{"index":{"status":429}}]}'),
       'its body does not match --expect ""errors" *: *false[,}]"', @elastic);
second("Elasticsearch, nothing", $indexed, answer(200),
       'its body does not match --expect ""errors" *: *false[,}]"', @elastic);


# several options, and what they are compared with

my $ok = answer(200, "a b");

second("two of --expect", $ok, answer(200, "b-a"), undef,
       "--expect", "a", "--expect", "b");
second("one of two", $ok, answer(200, "a"),
       'its body does not match --expect "b"', "--expect", "a", "--expect", "b");
second("two of --refuse", $ok, answer(200, "x y"),
       'its body matches --refuse "y"', "--refuse", "z", "--refuse", "y");
second("two of --refuse-header", $ok, answer(200, "", "Y: \r\n"),
       'it has the header "y"', "--refuse-header", "X", "--refuse-header", "y");
second("an expression", $ok, answer(200, "id 17;"), undef,
       "--expect", "^(a b|id [0-9]+;)\$");
second("a header with a longer name", $ok, answer(200, "", "X-Y: 1\r\n"), undef,
       "--refuse-header", "X");
second("a header in the body", $ok, answer(200, "\r\nX: 1\r\n"), undef,
       "--refuse-header", "X");
second("a body like a header", answer(200, "", "X: abc\r\n"),
       answer(200, "x", "X: abc\r\n"), undef, "--refuse", "abc");
second("an answer of 100 before it", $ok,
       "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" . answer(200), undef,
       "--refuse-header", "X");
second("a header after the body", $ok,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
       . "3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
       'it has the header "X"', "--refuse-header", "X");
second("in chunks", answer(200, "abcdef"),
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       . "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", undef, "--expect", "^abcdef\$");
second("as much as is looked at", answer(200, "x"),
       answer(200, "a" x 65535 . "x"), undef, "--expect", "x\$");
second("more than that", answer(200, "x"), answer(200, "x" x 65537),
       "its body is larger than what is checked, 65536 bytes",
       "--expect", "x");
second("more than that, and only --refuse", answer(200, "x"),
       answer(200, "x" x 65537),
       "its body is larger than what is checked, 65536 bytes",
       "--refuse", "y");
second("more than that, and nothing to look for", $ok,
       answer(200, "x" x 65537), undef, "--refuse-header", "y");
second("a NUL byte", $ok, answer(200, "x\0a b"),
       "its body contains a NUL byte", "--expect", "a b");

# each answer is compared by itself
second("the answer before", answer(200, "yes"), answer(200, ""),
       'its body does not match --expect "yes"', "--expect", "yes");

{
    spool(map { line($_) } 1 .. 3);
    put("c", "");
    my ($status, $numbers) = sent(sub { $_[0] == 2 ? answer(200, "no")
                                                   : answer(200, "yes") },
                                  "--collect", "c", "--expect", "yes");

    is "$status $numbers", "1 3 3 2 1 0",
       "a line whose answer is refused is collected";
    is slurp("c"), line(2) . "\n", "the line is collected as it is";

    # the status is checked first
    spool(line(1));
    is +(sent(sub { answer(500, "yes") }, "--expect", "yes"))[2],
       "enkod-replay: \"s\" line 1: the answer is 500\n"
       . "enkod-replay: lines that are left: 1\n",
       "with --expect, another status is still a failure";
}


# secrets: other users can see the command line

put("headers", "X-Secret: s3cret\r\nAuthorization: Bearer abc\n\nX-Empty:\n");
put("last", "X-Last: 1");

{
    my $server = receiver();

    put("url", $server->url("/p?token=t0ken") =~ s{//}{//user:pa55word@}r . "\n");
    spool(line(1));

    my ($status, $out, $err)
        = run("--header", '@headers', "--header", "X-More: 1", "--header",
              '@last', "s", '@url');
    my $head = ($server->stop)[0]{head};

    is "$status $err", "0 ", "URL and headers come from files";
    like $head, qr{^POST /p\?token=t0ken HTTP}, "the URL is that of the file";
    like $head, qr/^\Q$_\E\r$/m, $_
        for "X-Secret: s3cret", "Authorization: Bearer abc", "X-More: 1",
            "X-Last: 1";
    like $head, qr/^X-Empty: ?\r$/m, "an empty header is sent";

    $server = receiver();
    put("url", $server->url =~ s{//}{//user:pa55word@}r);
    spool(line(1));
    run("s", '@url');
    like +($server->stop)[0]{head},
         qr/^Authorization: Basic \Q${\ encode_base64('user:pa55word', '')}\E\r$/m,
         "user and password of the URL are sent";
}

{
    my $go = "$dir/go";
    my $server = receiver(sub {
        wait_for(sub { -e $go });
        return answer(200);
    });

    put("url", $server->url =~ s{//}{//user:pa55word@}r);
    spool(line(1));

    my $pid = start("--header", '@headers', "s", '@url');
    wait_for_requests($server, 1);
    my $shown = Enkod::File::slurp("/proc/$pid/cmdline");
    put("go", "");
    finish($pid);
    $server->stop;

    like $shown, qr/\@headers/, "the list of processes has the file's name";
    unlike $shown, qr/s3cret|pa55word/,
           "the list of processes does not show the content of the file";
}

put("bad", "X-A: 1\ns3cret\n");
put("url", "ftp://user:s3cret\@host/\n");
put("two", "http://127.0.0.1:1/\nhttp://127.0.0.1:2/\n");
put("empty", "");
put("nul", "X-A: 1\0\n");
put("large", "X-A: " . "x" x 70000 . "\n");

for (['--header', '@bad', 'invalid header in "bad" line 2: it must be given as'],
     ['--header', '@empty', '"empty" is empty'],
     ['--header', '@none', 'cannot open "none": No such file or directory'],
     ['--header', '@.', 'cannot read ".": Is a directory'],
     ['--header', '@nul', '"nul" contains a NUL byte'],
     ['--header', '@large', '"large" is larger than 65536 bytes'],
     ['URL', '@url', 'invalid URL in "url": it must begin with'],
     ['URL', '@two', 'invalid URL in "two": it must be the only line'],
     ['URL', '@empty', '"empty" is empty'],
     ['URL', '@none', 'cannot open "none": No such file or directory'])
{
    my ($what, $file, $said) = @$_;

    my ($status, $out, $err)
        = $what eq "URL" ? run("s", $file)
                         : run($what, $file, "s", "http://127.0.0.1:1/");

    is "$status $out", "2 ", "$what $file is refused";
    like $err, qr/^enkod-replay: \Q$said\E/, "the message has the reason";
    unlike $err, qr/s3cret/,
           "the message does not show the content of the file";
}


# invalid values

for (["--expect", "(", "a POSIX extended regular expression: Unmatched ("],
     ["--refuse", "[", "a POSIX extended regular expression: "],
     ["--refuse", "", "a POSIX extended regular expression, and not empty"],
     ["--expect", "", "a POSIX extended regular expression, and not empty"],
     ["--refuse-header", "", "the name of a header"],
     ["--refuse-header", "X-A: 1", "the name of a header"],
     ["--refuse-header", "X A", "the name of a header"])
{
    my ($option, $value, $said) = @$_;
    my ($status, $out, $err) = run($option, $value, "s", "http://127.0.0.1:1/");

    is "$status $out", "2 ", "$option '$value' is refused";
    like $err,
         qr/^enkod-replay: invalid $option "\Q$value\E": it must be \Q$said\E/,
         "the message has the reason";
}

done_testing;
