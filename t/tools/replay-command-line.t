# The command line of enkod-replay: --rate, --dry-run and --quiet, the progress
# bar, limits of memory, arguments that are refused, and its documentation.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;
use Time::HiRes qw(sleep);

use Enkod::Command;
use Enkod::File;
use Enkod::MemoryCheck;
use Enkod::Nginx;
use Enkod::ReplayTest;
use Enkod::ScriptedServer qw(answer);
use Enkod::Wait qw(wait_for now);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $replay = replay();
my $dir = Enkod::Nginx->create->{dir};

in_folder($dir);

# lines 1 and 2, as they are in a spool
my ($one, $two) = map { line($_) } 1, 2;


# --rate

{
    # Returns the times at which the lines arrived.  If the server itself was
    # slow, the times mean nothing and the test tries again.
    my $times = sub {
        my ($code, $good) = @_;
        my ($took, @time);

        spool(map { line($_) } 1 .. 6);

        for (1 .. 10) {
            my $server = receiver($code);
            my $began = now();

            unlink "$dir/s.pos";
            run("--rate", 10, "s", $server->url);
            $took = now() - $began;
            @time = map { $_->{time} } $server->stop;
            last if $good->(@time);
        }

        return ($took, @time);
    };

    my $even = sub { 3 <= grep { $_[$_] - $_[$_ - 1] >= 0.03 } 1 .. $#_ };
    my ($took, @time) = $times->(undef, $even);

    is scalar @time, 6, "--rate delivers all lines";
    cmp_ok $took, ">=", 0.45, "6 lines at 10 a second take half a second";
    ok $even->(@time), "with --rate, lines are evenly spaced" or diag "@time";

    my $spaced = sub { $_[5] - $_[2] >= 0.25 };

    ($took, @time) = $times->(sub { sleep 0.6 if $_[0] == 2;
                                    return answer(200) }, $spaced);
    ok $spaced->(@time), "--rate does not make up for a late answer" or diag "@time";
}


# --dry-run and --quiet

{
    spool(map { line($_) } 1 .. 3);

    my ($status, $numbers, $err, @got) = sent(undef, "--dry-run");
    is "$status $numbers $err@got", "0 3 3 0 0 3 ", "--dry-run sends nothing";
    ok !-e "$dir/s.pos", "--dry-run writes no position";

    sent(sub { answer($_[0] == 2 ? 500 : 200) });
    my $record = slurp("s.pos");
    is +(sent(undef, "--dry-run"))[1], "3 3 1 0 2",
       "--dry-run begins at the position";
    is slurp("s.pos"), $record, "--dry-run does not change the position";

    spool($one, '{"hello":1}', $two, '{"world":1}');
    ($status, $numbers, $err) = sent(undef, "--dry-run", "--collect", "none");
    is "$status $numbers", "1 4 4 0 2 4",
       "--dry-run does not stop at bad lines";
    like $err, qr/line 2: .*\n.*line 4: /, "--dry-run names the bad lines";
    ok !-e "$dir/none", "--dry-run collects nothing";

    my $server = receiver(sub { answer(500) });
    my @quiet = run("--quiet", "--collect", "c2", "s", $server->url);
    is_deeply \@quiet, [1, "", ""], "--quiet prints nothing";
    unlink "$dir/s.pos";
    like +(run("--quiet", "s", $server->url))[2],
         qr/\Aenkod-replay: "s" line 1: the answer is 500\n/,
         "--quiet prints why the run stops";
    $server->stop;
}


# the progress bar

sub on_terminal {
    my (@args) = @_;

    my $cmd = join " ", map { "'$_'" } $replay, @args;

    return Enkod::Command::run($dir, "script", "-qefc", $cmd, "/dev/null");
}

{
    my $server = receiver(sub { answer($_[1] =~ /:7\}/ ? 500 : 200) });

    unlink "$dir/c";
    spool(map { line($_) } 1 .. 12);

    my $began = now();
    my ($status, $out) = on_terminal("--rate", 12, "--collect", "c", "s",
                                     $server->url);
    my $seconds = now() - $began;
    my @drawn = $out =~ /\r(\[[^\r]*)\e\[K/g;

    is $status, 1, "enkod-replay runs on a terminal";
    cmp_ok scalar @drawn, ">=", 3, "a progress bar is drawn";
    cmp_ok scalar @drawn, "<=", 5 * $seconds + 2,
           "the progress bar is drawn at most five times a second";
    like $_, qr{^\[[#.]{20}\] +\d+ %, \d+ delivered, \d failed, \d+/s, (?:\d+:\d\d:\d\d|\?) left$},
         "the progress bar has all its parts" for @drawn[0, -1];
    is scalar(grep { length > 79 } @drawn), 0,
       "the progress bar fits into one line";
    like $drawn[-1], qr/^\[#{10,20}.*, 1 failed, /, "the progress bar moves";
    like $out, qr/\r\e\[Kenkod-replay: "s" line 7 is collected: the answer is 500\r\n/,
         "a message replaces the progress bar";
    like $out, qr/\r\e\[Kread: 12\r\n/, "the summary replaces the progress bar";

    spool($one, $two);
    ($status, $out) = on_terminal("--quiet", "s", $server->url);
    is "$status $out", "0 ", "--quiet draws no progress bar";

    $server->stop;
}


# large lines

SKIP: {
    my $limit = { before => "ulimit -v 150000; " };

    skip "with sanitizers, there is no limit of memory", 6
        if $Enkod::MemoryCheck::name eq "sanitizers";

    my $big = envelope() . '"event":"x","a":"' . "y" x 20_000_000 . '"}';
    my $server = receiver(sub { answer(200, "x" x 200_000_000) });

    spool($one);
    is +(run("s", $server->url, $limit))[0], 0,
       "an answer of 200 MB needs no memory";
    $server->stop;

    $server = receiver();

    spool($one, $big, $two);
    my ($status, $out, $err) = run("s", $server->url, $limit);
    is "$status $err", "0 ", "150 MB of memory are enough for 20 MB";
    ok +($server->stop)[1]{body} eq $big, "the line of 20 MB arrives";

    # memory for a large line is freed
    unlink "$dir/go", "$dir/last";
    $server = receiver(sub {
        if ($_[0] == 4000) {
            put("last", "");
            wait_for(sub { -e "$dir/go" });
        }
        return answer(200);
    });
    spool($big, map { line($_) } 1 .. 4000);

    my $pid = start("s", $server->url);
    wait_for(sub { -e "$dir/last" }, 10 * $Enkod::Wait::limit);
    my ($kb) = Enkod::File::slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;
    put("go", "");
    finish($pid);
    $server->stop;
    cmp_ok $kb, "<", 19_000, "memory is only for the line at hand: $kb kB";

    # a file with a hole
    open my $fh, ">", "$dir/s" or die;
    print $fh "$one\n";
    seek $fh, 150_000_000, 1;
    print $fh "\n$two\n";
    close $fh;
    unlink "$dir/s.pos";

    ($status, $out, $err) = run("--dry-run", "s", "http://127.0.0.1:1/", $limit);
    is $status, 2, "a line that does not fit into memory is an error";
    like $err, qr/^enkod-replay: no memory for \d+ bytes$/,
         "a line that does not fit into memory is named";
}


# the command line

for (["no FILE is given"], ["no URL is given", "s"],
     ["more than FILE and URL is given", "s", "http://a", "b"],
     ["unrecognized option '--nonsense'", "--nonsense", "s", "http://a"],
     ["option '--rate' requires an argument", "s", "http://a", "--rate"])
{
    my ($said, @args) = @$_;
    my ($status, $out, $err) = run(@args);

    like $err, qr/^enkod-replay: \Q$said\E\nusage: enkod-replay /,
         "usage: @args";
    is "$status $out", "2 ", "the arguments are refused, without output";
}

spool($one);

for (["--rate", "a number of lines per second above 0",
      "0", "-1", "x", "1x", "inf", "nan", "", "0x1", "1e9", "99999999"],
     ["--timeout", "a whole number of seconds, from 1 to 86400",
      "0", "1.5", "x", "", "86401", "-1"],
     ["--send", '"line" or "event"', "lines", ""],
     ["--since", "a time in UTC", "", "x", "20", "2026-1", "2026-13",
      "2026-00-01", "2026-11-32", "2026-11-23 03", "2026-11-23T24",
      "2026-11-23T03:60", "2026-11-23T03:44:", "2026-11-23T03:44:01.1234Z",
      "2026-11-23Z", "2026-11-23T03:44:01+00:00", "2026-11-23T03:44:01.123ZZ"],
     ["--until", "a time in UTC", "2026-11-23T", "yesterday"],
     ["--event", "valid UTF-8", "\xff"],
     ["--header", "'Name: value'", "x", "", ": x", "a b: c", "X-A"],
     ["--header", "control characters", "A: b\r\nC: d", "A: b\nC: d",
      "A: b\rC", "A\n: b", "A: \x01"],
     ["--header", "set by enkod-replay", "content-type: a",
      "Content-Length: 3", "Transfer-Encoding: chunked",
      "Expect: 100-continue", "Connection: close"],
     ["--type", "a MIME type", "", "a\r\nb"])
{
    my ($name, $said, @values) = @$_;

    for my $value (@values) {
        my ($status, $out, $err) = run($name, $value, "s",
                                       "http://127.0.0.1:1/");

        like $err, qr/^enkod-replay: invalid $name "\Q$value\E": [^\n]*\Q$said\E/,
             "$name '" . $value =~ s/[^ -~]/./gr . "'";
        is "$status $out", "2 ", "the arguments are refused, without output";
    }
}

for my $url ("", "x", "127.0.0.1:1", "ftp://127.0.0.1/", "file:///etc/passwd",
             "http://", "http://a b/", "//a/")
{
    my ($status, $out, $err) = run("s", $url);

    is "$status $err", "2 enkod-replay: invalid URL \"$url\": it must begin with"
                       . " http:// or https://\n", "URL '$url' is refused";
}

ok !-e "$dir/s.pos", "refused arguments leave no position";

for (["nothing", 'cannot open "nothing": No such file or directory'],
     [".", '"." is not a regular file; a pipe can be read as "-"'],
     ["/dev/zero", '"/dev/zero" is not a regular file; a pipe can be read as "-"'])
{
    my ($file, $said) = @$_;
    my ($status, $out, $err) = run($file, "http://127.0.0.1:1/");

    is "$status $err", "2 enkod-replay: $said\n", "FILE $file is refused";
}

{
    my $server = receiver();
    is +(run("s", $server->url, { stdout => "/dev/full" }))[0], 2,
       "output that cannot be written is an error";
    is scalar($server->stop), 1, "all lines are sent although the output fails";
}

is +(run("--help"))[1], (run("-h"))[1], "-h is --help";
is +(run("--help"))[0], 0, "--help is not an error";


# the documentation

{
    my $docs = Enkod::File::slurp("$top/docs/enkod-replay.md");
    my $help = (run("--help"))[1];
    my $server = receiver();
    my $examples = 0;

    for my $option (sort keys %{ { map { $_ => 1 } $help =~ /(--[\w-]+)/g } }) {
        like $docs, qr/^\| `\Q$option\E[^|]*\| \S/m, "$option is described";
    }

    mkdir "$dir/docs";
    local $ENV{PATH} = dirname($replay) . ":$ENV{PATH}";

    while ($docs =~ /^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/msg) {
        my ($sh, $expected) = ($1, $2);

        $sh =~ s/127\.0\.0\.1:9000/127.0.0.1:$server->{port}/g;
        put("docs/sh", $sh);

        my $out = `cd $dir/docs && sh ./sh 2>&1`;

        defined $expected
            ? is $out, $expected, "an example says what is shown"
            : like $out, qr/^delivered: 2\nfailed: 0\nleft: 0\n\z/m,
                   "an example works";

        $examples++;
    }

    is $examples, 6, "the page has six examples";

    my @got = $server->stop;
    my @shown = $docs =~ /^```json\n(.*?)\n```$/mg;

    is $got[0]{body}, $shown[0], "the line that is shown is sent";
    is $got[3]{body}, $shown[1], "the event that is shown is sent";
    like $got[3]{head}, qr/^X-Replay: yes\r$/m,
         "the header of the example is sent";
    like $got[-1]{head}, qr/^X-Token: replace-me\r$/m,
         "the header that the example reads from a file is sent";
}

done_testing;
