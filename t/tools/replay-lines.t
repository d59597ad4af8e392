# enkod-replay reads a file of lines or standard input, selects lines, skips
# what is not an object, and stops at an object that is not a line.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Command;
use Enkod::File;
use Enkod::Nginx;
use Enkod::ReplayTest;
use Enkod::ScriptedServer qw(answer);
use Enkod::Wait qw(wait_for);

my $replay = replay();
my $dir = Enkod::Nginx->create->{dir};

in_folder($dir);

# 1 and 2, as they are in a spool and as they are sent
my ($one, $two) = map { line($_) } 1, 2;
my ($one_sent, $two_sent) = map { sent_line($_) } 1, 2;


# what is selected

{
    my @time = qw(2026-11-22T23:59:59.999 2026-11-23T00:00:00.000
                  2026-11-23T03:44:01.123 2026-11-23T03:44:01.124
                  2026-11-23T03:45:00.000 2027-01-01T00:00:00.000);
    my @all = map { line($_, $time[$_], $_ % 2 ? "message open" : 'a \"b\"') }
                  0 .. $#time;

    for (["--since 2026-11-23", "12345"],
         ["--until 2026-11-23", "0"],
         ["--since 2026-11-23T03:44:01.123Z", "2345"],
         ["--until 2026-11-23T03:44:01.123Z", "01"],
         ["--since 2026-11-23T03:44:01.124", "345"],
         ["--since 2026-11-23T03:44:01.12 --until 2026-11-23T03:44:01.124",
          "2"],
         ["--since 2026-11-23T03:44:01Z --until 2026-11-23T03:44:02Z", "23"],
         ["--since 2026-11-23T03:44 --until 2026-11-23T03:45", "23"],
         ["--since 2026-11-23T03 --until 2026-11-23T04", "234"],
         ["--since 2026-12", "5"],
         ["--until 2027", "01234"],
         ["--since 2028", ""],
         ["--event message_open", "135"],
         ["--event message", ""],
         ['--event a_"b"', "024"],
         ['--event x --event a_"b" --event message_open', "012345"],
         ["--event message_open --since 2026-11-23T01 --until 2027", "3"])
    {
        my ($args, $expected) = @$_;
        my @args = map { tr/_/ /r } split / /, $args;
        my $n = length $expected;

        spool(@all);
        my ($status, $numbers, $err, @got) = sent(undef, @args);

        is join("", map { /"message_id":(\d)/ } @got), $expected, $args;
        is "$status $numbers $err", "0 6 $n $n 0 0 ", "$args: it is counted";
    }

    my @open = ("--event", "message open");

    spool(@all);
    is +(sent(sub { answer(500) }, @open))[1], "6 3 0 1 3",
       "lines that are not selected are not counted as left";

    spool('{"hello":1}', @all);
    is +(sent(undef, @open))[1], "7 4 0 1 4",
       "an object that cannot be read counts as selected";

    # a position for each event
    spool(@all);
    is +(sent(undef, @open, "--position", "p1"))[1], "6 3 3 0 0",
       "with --position, one event has a position";
    is +(sent(undef, "--event", 'a "b"', "--position", "p2"))[1], "6 3 3 0 0",
       "with --position, another event has another position";
}


# An object that is not a line could be an event, so enkod-replay stops at it.

my $none = "it is not a line of enkod_spool or enkod_log";

for ([" $one", $none],
     ['{"event":"x"}', $none],
     [$one =~ s/2026-11-23T/2026-13-23T/r, $none],
     [$one =~ s/\.123Z/.12Z/r, $none],
     [envelope() . '"status":422,"code":"wrong_type","body":"x"}',
      "a line of enkod_reject_log"],
     [$one =~ s/:502/:"x"/r, 'its "pass_status" is not an HTTP status'],
     [$one =~ s/"event"/"even"/r, 'it has no "event"'],
     [$one =~ s/"message open"/1/r, 'it has no "event"'],
     [$one =~ s/:1\}/: 1}/r, "white space"],
     ["$one\r", "white space"],
     [$one =~ s/\}$/,"extra":1}/r, 'its "extra" is not an object'],
     [$one =~ s/\}$/,"extra":[]}/r, 'its "extra" is not an object'],
     [$one =~ s/\}$/,"extra":{},"a":1}/r,
      'there is something after its "extra"'])
{
    my ($text, $reason) = @$_;

    spool(line(7), $text, line(8));
    my ($status, $numbers, $err, @got) = sent(undef);

    is "$status $numbers @got", "1 3 3 1 1 2 " . sent_line(7),
       "enkod-replay stops at " . substr($text, -30) =~ s/[^ -~]/./gr;
    like $err, qr/^enkod-replay: "s" line 2: [^\n]*\Q$reason\E/,
         "the message has the reason";
}


# What is not an object cannot be an event; see t/tools/replay-input.t.

for (substr($one, 0, -1), "$one$two", substr($one, 0, -3) . $two,
     substr($one, 0, -18) . $two, "${one}x", $one =~ s/:502/:x/r,
     $one =~ s/:1\}/:01}/r, $one =~ s/:1\}/:"\xff"}/r,
     $one =~ s/:1\}/:"\\ud800"}/r, $one =~ s/:1\}/:"\x01"}/r)
{
    spool(line(7), $_, line(8));
    my ($status, $numbers, $err, @got) = sent(undef);

    is "$status $numbers", "3 3 2 2 0 0",
       "enkod-replay skips " . substr($_, -30) =~ s/[^ -~]/./gr;
}


# empty lines, an incomplete one, and a file that grows

spool("", $one, "", "", $two, "");
is join(" ", sent(undef)), "0 2 2 2 0 0  $one_sent $two_sent",
   "empty lines are skipped";

spool("", $one, "", '{"hello":1}');
like +(sent(undef))[2], qr/"s" line 4: /, "empty lines count for line numbers";

spool();
is join(" ", sent(undef)), "0 0 0 0 0 0 ", "an empty file is accepted";

{
    my $half = substr $two, 0, 50;

    spool($one);
    put("s", "$one\n$half");

    my ($status, $numbers, $err, @got) = sent(undef);
    is "$status $numbers @got", "3 1 1 1 0 0 $one_sent",
       "an incomplete last line is not sent";
    is $err, "enkod-replay: the last line of \"s\" is incomplete: 50 bytes"
             . " without a line feed are left for the next run\n",
       "the message says that it is left for the next run";

    put("s", "$one\n$two\n");
    is +(sent(undef))[3], $two_sent, "the next run sends the completed line";
}

{
    # each request adds a line, as when a spool is sent to its own nginx
    my $grow = sub {
        open my $fh, ">>", "$dir/s" or die;
        print $fh line(100 + $_[0]) . "\n";
        close $fh;
        return answer(200);
    };

    spool(map { line($_) } 1 .. 3);
    is +(sent($grow))[1], "3 3 3 0 0",
       "a file that grows is sent to the end that it had at the start";
    is +(sent(undef))[1], "6 6 6 0 0", "the next run sends the new lines";
}

{
    # the file is copied and emptied while it is read
    spool(map { line($_) } 1 .. 3000);
    my ($status, $numbers, $err) = sent(sub { truncate "$dir/s", 0;
                                              return answer(200) });
    like "$status $numbers", qr/^2 (\d+) \1 \1 0 unknown$/,
         "a file that is emptied during a run is an error";
    is $err, "enkod-replay: \"s\" has become shorter\n",
       "the file that was emptied is named";
}

{
    # lines across the borders of the read buffer
    my @all = map { envelope() . '"event":"x","a":"' . "y" x ($_ * 97) . '"}' }
                  1 .. 300;

    spool(@all);
    is_deeply [(sent(undef))[3 .. 302]], \@all, "lines of all lengths are sent";
}


# standard input

{
    my $server = receiver(sub { answer($_[0] == 5 ? 500 : 200) });
    my $url = $server->url;

    spool($one, $two);
    my ($status, $out, $err) = run("-", $url, { stdin => "$dir/s" });
    is "$status " . numbers($out) . " $err", "0 2 2 2 0 0 ",
       "standard input is sent";
    ok !-e "$dir/-.pos", "standard input has no position file";

    ($status, $out) = Enkod::Command::run($dir, "sh", "-c",
                                          "cat s s s | '$replay' - $url");
    is "$status " . numbers($out), "1 3 3 2 1 unknown",
       "after a failure, the number of lines left in a pipe is unknown";

    ($status, $out, $err) = run("--position", "p", "-", $url);
    is "$status $err", "2 enkod-replay: --position cannot be used with standard"
                       . " input, which cannot be resumed\n",
       "--position is refused for standard input";

    # a writer that pauses
    pipe my $r, my $w or die;
    my $pid = start("-", $url, { stdin => $r });
    close $r;
    syswrite $w, line(9) . "\nhalf";
    wait_for_requests($server, 6);
    wait_for(sub { Enkod::File::slurp("/proc/$pid/wchan") =~ /pipe/ });
    kill 'INT', $pid;
    ($status, $out, $err) = finish($pid);
    is "$status " . numbers($out) . " $err",
       "1 1 1 1 0 unknown enkod-replay: interrupted\n",
       "a signal ends the wait for a pipe";
    $server->stop;
}

done_testing;
