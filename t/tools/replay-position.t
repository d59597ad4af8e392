# enkod-replay keeps its position: when a run was killed, was stopped or has
# failed, the next run continues with the first line that is left.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;
use Time::HiRes qw(sleep);

use Enkod::Command;
use Enkod::File;
use Enkod::Nginx;
use Enkod::ReplayTest;
use Enkod::ScriptedServer qw(answer);
use Enkod::Wait qw(wait_for now);

my $replay = replay();
my $dir = Enkod::Nginx->create->{dir};

in_folder($dir);

# lines 1 and 2, as they are in a spool
my ($one, $two) = map { line($_) } 1, 2;


# killed

{
    my @all = map { line($_) } 1 .. 300;
    my @at = (1, 2, 17, 60, 61, 150, 222, 290);
    my $kills = 0;

    # the server waits for each kill
    my $server = receiver(sub {
        my ($n) = @_;

        for my $at (grep { $n >= $_ + 5 } @at) {
            wait_for(sub { -e "$dir/killed.$at" });
        }

        sleep 0.002;
        return answer(200);
    });

    spool(@all);

    for my $at (@at) {
        my $pid = start("s", $server->url);

        wait_for_requests($server, $at);
        sleep rand 0.003;
        kill 'KILL', $pid;
        put("killed.$at", "");

        $kills++ if (finish($pid))[0] eq "signal 9";
    }

    my ($status, $out) = run("s", $server->url);
    my (%times, @first);

    for ($server->stop) {
        push @first, $_->{body} if !$times{ $_->{body} }++;
    }

    my $twice = 0;
    $twice += $_ - 1 for values %times;

    cmp_ok $kills, ">=", 5,
           "enkod-replay is killed in the middle, $kills times";
    is "$status " . numbers($out), "0 300 300 300 0 0", "the last run ends";
    is_deeply \@first, [map { sent_line($_) } 1 .. 300],
              "all lines are delivered in order";
    cmp_ok $twice, "<=", $kills, "each kill repeats at most one line: $twice";
}

{
    # a kill during a request
    my $server = receiver(sub {
        sleep $Enkod::Wait::life if $_[0] == 3;
        return answer(200);
    });

    spool(map { line($_) } 1 .. 4);

    my $pid = start("s", $server->url);
    wait_for_requests($server, 3);
    kill 'KILL', $pid;
    is +(finish($pid))[0], "signal 9",
       "enkod-replay is killed during a request";
    my @got = map { $_->{body} } $server->stop;

    my ($status, $numbers, $err, @more) = sent(undef);
    is "$status $numbers", "0 4 4 4 0 0", "the next run continues";
    is_deeply [@got, @more], [map { sent_line($_) } 1, 2, 3, 3, 4],
              "the next run begins with the line in flight";
}


# the position

{
    my @all = map { line($_) } 1 .. 4;
    my $half = sub { answer($_[0] == 3 ? 500 : 200) };
    my $offset = length "$all[0]\n$all[1]\n";

    spool(@all);
    sent($half, "--position", "p");

    ok !-e "$dir/s.pos", "--position names another file";
    my $record = slurp("p");
    like $record, qr/^enkod-replay 2 [^\n]* offset=0*$offset [^\n]*\n\z/,
         "the position has the offset of the next line";

    is +(sent(undef))[1], "4 4 4 0 0", "without --position, all lines are sent";
    is +(sent(undef, "--position", "p"))[3], sent_line(3),
       "with --position, the remaining lines are sent";
    is length slurp("p"), length $record, "all positions have the same size";

    # another file of the same name
    for (["a rotated file",
          sub { rename "$dir/s", "$dir/s.1"; put("s", slurp("s.1")) }],
         ["an emptied file", sub { put("s", "") }],
         ["a file with another beginning",
          sub { put("s", slurp("s") =~ s/9c1f/9c1e/r) }],
         ["a file with other lines",
          sub { put("s", slurp("s") =~ s/:2\}\n/:22}\n/r) }])
    {
        my ($title, $change) = @$_;

        unlink "$dir/p";
        spool(@all);
        sent($half, "--position", "p");
        $record = slurp("p");
        $change->();

        my ($status, undef, $err, @got) = sent(undef, "--position", "p");
        is "$status @got", "2 ", "$title is refused";
        like $err, qr/^enkod-replay: "p" is the position in another file of that name, which was perhaps rotated,/,
             "the message has the reason";
        is slurp("p"), $record, "the position is not changed";
    }

    # a change after the bytes that identify the file
    spool(map { line($_) } 1 .. 20);
    sent(sub { answer($_[0] == 15 ? 500 : 200) });
    put("s", slurp("s") =~ s/:13\}\n/:133}\n/r);
    is +(sent(undef))[0], 2, "a position inside a line is refused";

    unlink "$dir/p";
    spool(@all);
    sent($half, "--position", "p");
    put("s", slurp("s") . line(5) . "\n");
    is +(sent(undef, "--position", "p"))[1], "5 5 5 0 0",
       "a position is valid for a file that has grown";

    # other files
    for my $text ("hello\n", "\0", $record =~ s/lines=0/lines=1/r,
                  "${record}x", "x" x 5000, substr($record, 0, 100),
                  join "", map { "$_\n" } @all)
    {
        put("p", $text);
        my ($status, undef, $err, @got) = sent(undef, "--position", "p");
        is "$status $err@got", "2 enkod-replay: \"p\" is not a position file\n",
           "not a position file: " . length($text) . " bytes";
        is slurp("p"), $text, "that file is left as it is";
    }

    put("p", "");
    is +(sent(undef, "--position", "p"))[1], "5 5 5 0 0",
       "an empty position file is a new position";

    for (["s", '"s" is not a position file'],
         ["/dev/null", '"/dev/null" is not a position file'],
         [".", 'cannot open the position file ".": Is a directory'],
         ["no/p", 'cannot open the position file "no/p": No such'])
    {
        my ($file, $said) = @$_;

        like +(sent(undef, "--position", $file))[2],
             qr/^enkod-replay: \Q$said\E/, "--position $file is refused";
    }

    # with another selection, lines would be left out
    unlink "$dir/p";
    sent(undef, "--event", "x", "--position", "p");
    my ($status, undef, $err, @got) = sent(undef, "--position", "p");
    is "$status @got", "2 ", "a position of another selection is refused";
    like $err, qr/^enkod-replay: "p" was made with other values of --event, --since or --until /,
         "the message has the reason";
    is +(sent(undef, "--event", "x", "--position", "p"))[0], 0,
       "a position of the same selection is accepted";

    # a position file that cannot be written
    unlink "$dir/p";
    ($status, undef, $err) = run("--position", "p", "s", "http://127.0.0.1:1/",
        { before => "trap '' XFSZ; ulimit -f 0; ", stdout => "/dev/null" });
    is $status, 2, "a position file that cannot be written is an error";
}


# two at once

{
    my $server = receiver(sub {
        wait_for(sub { -e "$dir/go" }) if $_[0] == 1;
        return answer(200);
    });

    unlink "$dir/go";
    spool($one, $two);

    my $pid = start("s", $server->url);
    wait_for_requests($server, 1);

    mkdir "$dir/second";
    my ($status, $out, $err) = Enkod::Command::run("$dir/second", $replay,
                                                   "../s", $server->url);
    is $err, "enkod-replay: \"../s.pos\" is in use by another enkod-replay\n",
       "a second enkod-replay is refused";
    is "$status $out", "2 ", "the second enkod-replay ends with an error";

    put("go", "");
    is +(finish($pid))[0], 0, "the first enkod-replay continues";
    is scalar($server->stop), 2, "only the first enkod-replay has sent lines";
}


# signals

for my $signal (qw(INT TERM)) {
    my $server = receiver(sub {
        wait_for(sub { -e "$dir/go" }) if $_[0] == 2;
        return answer(200);
    });

    unlink "$dir/go";
    spool(map { line($_) } 1 .. 4);

    my $pid = start("s", $server->url);
    wait_for_requests($server, 2);
    kill $signal, $pid;
    put("go", "");

    my ($status, $out, $err) = finish($pid);
    is "$status " . numbers($out), "1 4 4 2 0 2",
       "SIG$signal: the request in flight is finished";
    is $err, "enkod-replay: interrupted\n"
             . "enkod-replay: lines that are left: 2\n",
             "the message says that it was interrupted";

    ($status, $out) = run("s", $server->url);
    is "$status " . numbers($out), "0 4 4 4 0 0", "the next run continues";
    is_deeply [map { $_->{body} } $server->stop],
              [map { sent_line($_) } 1 .. 4], "no line is sent twice";
}

{
    my $server = receiver(sub { sleep $Enkod::Wait::life });

    spool($one);
    my $pid = start("s", $server->url);
    wait_for_requests($server, 1);
    kill 'INT', $pid;
    wait_for(sub { Enkod::File::slurp("/proc/$pid/status")
                   =~ /^ShdPnd:\s+0+$/m });
    kill 'INT', $pid;
    is +(finish($pid))[0], "signal 2",
       "a second signal ends enkod-replay at once";
    $server->stop;

    # a signal during a pause
    $server = receiver();
    spool($one, $two);
    my $began = now();
    $pid = start("--rate", "0.02", "s", $server->url);
    wait_for(sub { -e "$dir/s.pos" && slurp("s.pos") =~ / offset=0*[1-9]/ });
    kill 'TERM', $pid;
    my ($status, $out) = finish($pid);
    is "$status " . numbers($out), "1 2 2 1 0 1",
       "a signal ends a pause of --rate";
    cmp_ok now() - $began, "<", 45,
           "enkod-replay does not wait for the end of the pause";
    $server->stop;
}

done_testing;
