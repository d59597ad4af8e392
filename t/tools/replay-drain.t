# enkod-replay --drain takes a file away from nginx, sends it and removes it.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Fcntl qw(:DEFAULT :flock);
use File::Copy qw(copy);
use Test::More;

use Enkod::Command;
use Enkod::DrainTest;
use Enkod::File;
use Enkod::Nginx;
use Enkod::ReplayTest;
use Enkod::ScriptedServer qw(answer);
use Enkod::Wait qw(wait_for);


# one that never lets go; what comes of it is seen at the end

fresh();

my $hung = writer(1, late => $Enkod::Wait::life);
my $hung_dir = $dir;
my $hung_pid = start("--drain", "--pid", "pid", "s", "http://127.0.0.1:1/");


# a file that nobody writes to

fresh();
put("s", lines(1, 2));
is_deeply [drained(undef)],
          [0, "1,2", "", "s.replay.1:\nread: 2\nskipped: 0\nselected: 2\n"
                         . "delivered: 2\nfailed: 0\nleft: 0\n"],
          "all is sent";
is files(), "", "and removed";

put("s", "");
is_deeply [drained(undef)], [0, "", "", ""], "of an empty file, there is nothing";
is files(), "s", "and it stays";

put("s", lines(1));
is_deeply [drained(undef, "--quiet")], [0, "1", "", ""], "--quiet is quiet";

for (["nothing", sub { unlink "$dir/s" }, 'cannot open "s": No such file'],
     ["a link", sub { symlink "other", "$dir/s" }, 'cannot open "s": Too many'],
     ["a folder", sub { unlink "$dir/s"; mkdir "$dir/s" },
      'cannot open "s": Is a directory'])
{
    my ($what, $do, $said) = @$_;

    put("other", lines(1));
    $do->();
    my $files = files();
    my ($status, $ids, $err) = drained(undef);

    is "$status $ids", "2 ", "$what is an error";
    like $err, qr/^enkod-replay: \Q$said\E/, "which is said";
    is files(), $files, "nothing is touched";
}


# what earlier runs have left, and what others have put there

my @foreign = ("s.1", "s.1.pos", "s.10.gz", "s.replay.01", "s.replay.0",
               "s.replay.1.gz", "s.replay.x", "s.replay.", "s.replay.1.pos.x",
               "s.replay.1234567890", "t", "xs.replay.1", "s.replay.11~");

sub leftovers {
    fresh();
    put($_, lines(20)) for @foreign;
    put("s.replay.$_", lines($_)) for 9, 10, 2;
    put("s.replay.3.pos", "");
    put("other", lines(21));
    symlink "other", "$dir/s.replay.4";
    put("s", lines(1));
}

my $foreign = join " ", sort @foreign, "other", "s.replay.4";

leftovers();
is_deeply [(drained(undef))[0 .. 2]], [0, "2,9,10,1", ""],
          "what was left goes first, in its order";
is files(), $foreign, "and nothing else is touched";

leftovers();
is_deeply [(drained(sub { answer($_[0] == 2 ? 500 : 200) }))[0, 1]],
          [1, "2,9"], "it stops at the first failure";
is files(), join(" ", sort split(/ /, $foreign), "s", "s.replay.10",
                 "s.replay.9", "s.replay.9.pos"),
   "and what comes behind it stays";
is_deeply [(drained(undef))[0, 1]], [0, "9,10,1"], "another run goes on";
is files(), $foreign, "to the end";

# a position goes on within a file
fresh();
put("s", lines(1 .. 4));
is_deeply [(drained(sub { answer($_[0] == 3 ? 500 : 200) }))[0, 1]],
          [1, "1,2,3"], "it stops within a file";
is files(), "s.replay.1 s.replay.1.pos", "which has its own name";
put("s", lines(5));
is_deeply [(drained(undef))[0, 1]], [0, "3,4,5"], "and goes on";
is files(), "", "to the end";

# whatever comes into the way of the name
fresh();
put("s.replay.1", "");
put("s", lines(1));
is_deeply [(drained(undef))[0, 1]], [0, "1"], "an empty one is removed as well";
is files(), "", "and the other, too";


# what is no line

{
    my $half = substr $line[2], 0, 60;

    fresh();
    put("s", lines(1) . "$half\n" . lines(3));
    my ($status, $ids, $err) = drained(undef);
    is "$status $ids", "3 1,3", "a piece of a line is skipped";
    like $err, qr/^enkod-replay: "s.replay.1" line 2 is skipped/, "and named";
    is files(), "s.replay.1 s.replay.1.pos", "its file stays";

    put("s", lines(4));
    ($status, $ids) = drained(undef);
    is "$status $ids", "3 4", "but is in nobody's way";
    is files(), "s.replay.1 s.replay.1.pos", "until somebody removes it";

    unlink "$dir/s.replay.1";
    is +(drained(undef))[0], 2, "no file";
    put("s", lines(5));
    is +(drained(undef))[0], 0, "then all is well";
    is files(), "", "and its position has gone";

    # kept elsewhere
    put("s", lines(1) . "$half\n" . lines(2) . $half);
    ($status, $ids) = drained(sub { answer($_[1] =~ /"message_id":2/
                                           ? 500 : 200) }, "--collect", "c");
    is "$status $ids", "1 1,2", "with --collect, it goes on";
    is slurp("c"), "$half\n$line[2]\n$half\n", "all that is left is kept there";
    is files(), "c", "and the file is removed";

    put("s", lines(1) . "$half\n");
    unlink "$dir/c";
    is_deeply [(drained(undef, "--collect", "c"))[0, 1]], [3, "1"],
              "also if there is no line in it";
    is files(), "c", "which is removed, too";

    # skipped by one run, and not kept by the next
    fresh();
    put("s", lines(1) . "$half\n" . lines(2));
    drained(sub { answer($_[0] == 2 ? 500 : 200) });
    is_deeply [(drained(undef, "--collect", "c"))[0, 1]], [3, "2"],
              "what an earlier run has skipped";
    is files(), "c s.replay.1 s.replay.1.pos", "has its file stay";

    # what it collects does not come back
    fresh();
    put("s", lines(1));
    like +(drained(undef, "--collect", "s"))[2],
         qr/^enkod-replay: cannot use "s" for --collect: it is FILE itself/,
         "--collect is another file";
    is slurp("s"), lines(1), "and FILE stays";

    put("s", "BZh91AY&SY");
    is +(drained(undef))[0], 2, "input of another kind is an error";
    is slurp("s.replay.1"), "BZh91AY&SY", "and stays";
}


# somebody who writes to it

{
    fresh();
    my $pid = writer(1, late => 0.2);

    is_deeply [(drained(undef, "--pid", "pid"))[0 .. 2]], [0, "1,2", ""],
              "it waits for nginx to let go, and what comes meanwhile is sent";
    is files(), "s", "the new file stays";
    is slurp("s"), lines(3), "with its lines";

    # a pid file that is wrong
    my $files = files();
    put("other", "$$\n");
    put("empty", "");
    put("odd", "-1\n");

    for ([qr/"s" is open for writing: if it is nginx that has it open, --pid has to say which one/],
         [qr/"s" is open for writing, but not by the process that "other" names/,
          "--pid", "other"],
         [qr/"s" is open for writing, but not by the process that "none" names/,
          "--pid", "none"],
         [qr/"empty" is no pid file/, "--pid", "empty"],
         [qr/"odd" is no pid file/, "--pid", "odd"])
    {
        my ($said, @args) = @$_;

        local $SIG{USR1} = sub { fail("a process of another kind is signalled") };
        my ($status, $ids, $err) = drained(undef, @args);

        is "$status $ids", "2 ", "@args: an error";
        like $err, qr/\Aenkod-replay: $said\n\z/, "which is said";
        is slurp("s"), lines(3), "and nothing is touched";
    }

    # it was renamed, and then something went wrong
    rename "$dir/s", "$dir/s.replay.1";
    is_deeply [(drained(undef, "--pid", "pid"))[0, 1]], [0, "3,4,5,6"],
              "nginx is told when that was not done before";

    stop_writer($pid);
}


# both masters of a binary upgrade

{
    fresh();
    my @pids = (writer(1, late => 0.1),
                writer(10, pid_file => "pid.oldbin", late => 0.2));

    my ($status, $ids, $err) = drained(undef, "--pid", "pid");
    is "$status $err", "0 ", "both masters are told";
    like $ids, qr/^1,10,(?:2,11|11,2)(?:,(?:3|12))?$/, "and waited for";

    # only the old one is left
    stop_writer($pids[0]);
    ($status, $ids, $err) = drained(undef, "--pid", "pid");
    is "$status $err", "0 ", "also one alone";
    stop_writer($pids[1]);
}


# interrupted while it waits

{
    fresh();
    my $pid = writer(1, deaf => 1);
    my $replay;

    rename "$dir/s", "$dir/s.replay.1";
    $replay = start("--drain", "s", "http://127.0.0.1:1/");
    # it is asleep, and has taken its signals into its own hands
    wait_for(sub {
        my ($caught) = Enkod::File::slurp("/proc/$replay/status")
                       =~ /^SigCgt:\s+(\w+)$/m or return 0;
        (hex(substr $caught, -8) & 0x4002) == 0x4002
        && Enkod::File::slurp("/proc/$replay/cmdline") =~ /--drain/
        && Enkod::File::slurp("/proc/$replay/stat") =~ /\) S /;
    });
    kill 'TERM', $replay;
    my ($status, $out, $err) = finish($replay);

    is "$status $err", "1 enkod-replay: interrupted\n", "a signal ends the waiting";
    is files(), "s.replay.1", "and all is as it was";
    stop_writer($pid);
    is_deeply [(drained(undef))[0, 1]], [0, "1"], "another run goes on";
}


# two at once

{
    fresh();
    put("s", lines(1, 2));

    my $server = receiver(sub {
        wait_for(sub { -e "$dir/go" });
        return answer(200);
    });
    my $first = start("--drain", "s", $server->url);
    wait_for_requests($server, 1);

    mkdir "$dir/second";
    put("s", lines(3));
    my ($status, $out, $err) = Enkod::Command::run("$dir/second", replay(),
        "--drain", "../s", $server->url);

    is "$status $err", "2 enkod-replay: \"../s.replay.1.pos\" is in use by"
                       . " another enkod-replay\n", "a second one is refused";
    is slurp("s"), lines(3), "and takes nothing";
    put("go", "");
    is +(finish($first))[0], 0, "the first one goes on";
    is ids(map { $_->{body} } $server->stop), "1,2", "alone";

    # a position that is just being removed
    fresh();
    put("s", lines(1));
    put("s.replay.1.pos", "");
    sysopen my $fh, "$dir/s.replay.1.pos", O_RDWR or die;
    flock $fh, LOCK_EX;
    is +(drained(undef))[0], 2, "nor is a position that somebody else has";
    is files(), "s s.replay.1.pos", "which stays";
    close $fh;
    is +(drained(undef))[0], 0, "until he is gone";
    is files(), "", "and then nothing does";
}


# users

SKIP: {
    skip "only root can be another user", 8 if $> != 0;

    my ($uid, $gid) = (getpwnam "nobody")[2, 3];

    fresh();
    chmod 0755, $top;
    chown $uid, $gid, $dir;

    # others may not be let into the folder in which it was built
    copy(replay(), "$dir/run") or die "copy: $!";
    chmod 0755, "$dir/run";

    # nginx that was started by nobody
    my $nobody = "--reuid=$uid --regid=$gid --clear-groups";
    my $pid = writer(1, late => 0.1, as => ["setpriv", split / /, $nobody]);
    my $server = receiver();

    for (["its owner", $nobody], ["root", "--reuid=0"],
         ["root without CAP_LEASE",
          "--bounding-set=-lease --inh-caps=-lease"])
    {
        my ($who, $how) = @$_;
        my ($status, $out, $err) = sh("setpriv $how", "--drain", "--pid", "pid",
                                      "s", $server->url);

        is "$status $err", "0 ", "$who can do it";
    }

    is ids(map { $_->{body} } $server->stop), "1,2,3,4,5,6", "all of it";

    # a file of somebody else
    put("s", lines(9));
    chown 0, 0, "$dir/s";
    chmod 0644, "$dir/s";
    stop_writer($pid);
    my ($status, $out, $err) = sh("setpriv $nobody", "--drain", "s",
                                  "http://127.0.0.1:1/");
    is $status, 2, "who is neither its owner nor root cannot";
    like $err, qr/^enkod-replay: cannot tell whether somebody writes to "s": a lease of it is for its owner and for root/,
         "which is said";
    is slurp("s"), lines(9), "and nothing is touched";
}

sub sh {
    my ($before, @args) = @_;

    return Enkod::Command::run($dir, "sh", "-c", "exec $before -- \"\$0\" \"\$@\"",
                               "$dir/run", @args);
}


# the command line

for (["--pid is for --drain", "--pid", "pid", "s"],
     ["--drain is not for standard input", "--drain", "-"],
     ["--drain goes neither with --position nor with --dry-run", "--drain",
      "--position", "p", "s"],
     ["--drain goes neither with --position nor with --dry-run", "--drain",
      "--dry-run", "s"],
     (map { ["--drain removes the file, so all of it has to be sent", "--drain",
             @$_, "s"] } ["--event", "x"], ["--since", "2026"],
                         ["--until", "2026"]))
{
    my ($said, @args) = @$_;
    my ($status, $out, $err) = run(@args, "http://127.0.0.1:1/");

    is "$status $out", "2 ", "@args is refused";
    like $err, qr/^enkod-replay: \Q$said\E/, "with the reason";
}


# the one that never lets go

{
    into($hung_dir);

    my ($status, $out, $err) = finish($hung_pid);

    is "$status $err", "2 enkod-replay: \"s.replay.1\" is still open for writing"
                       . " after 30 seconds\n", "it does not wait for ever";
    is files(), "s.replay.1", "and takes nothing away";
    stop_writer($hung);
    is_deeply [(drained(undef))[0, 1]], [0, "1,2"], "another run goes on";
}

done_testing;
