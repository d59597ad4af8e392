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


# a process that never closes the file; its test is at the end

fresh();

my $hung = writer(1, late => $Enkod::Wait::life);
my $hung_dir = $dir;
my $hung_pid = start("--drain", "--pid", "pid", "s", "http://127.0.0.1:1/");


# a file that no process writes to

fresh();
put("s", lines(1, 2));
is_deeply [drained(undef)],
          [0, "1,2", "", "s.replay.1:\nread: 2\nskipped: 0\nselected: 2\n"
                         . "delivered: 2\nfailed: 0\nleft: 0\n"],
          "--drain sends all lines";
is files(), "", "--drain removes the file";

put("s", "");
is_deeply [drained(undef)], [0, "", "", ""], "an empty file is not sent";
is files(), "s", "an empty file stays";

put("s", lines(1));
is_deeply [drained(undef, "--quiet")], [0, "1", "", ""],
          "--quiet prints nothing";

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
    like $err, qr/^enkod-replay: \Q$said\E/, "the error is named";
    is files(), $files, "no file is changed";
}


# files of earlier runs, and other files

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
          "files that earlier runs have left are sent first, in order";
is files(), $foreign, "no other file is changed";

leftovers();
is_deeply [(drained(sub { answer($_[0] == 2 ? 500 : 200) }))[0, 1]],
          [1, "2,9"], "--drain stops at the first failure";
is files(), join(" ", sort split(/ /, $foreign), "s", "s.replay.10",
                 "s.replay.9", "s.replay.9.pos"),
   "later files stay";
is_deeply [(drained(undef))[0, 1]], [0, "9,10,1"], "the next run continues";
is files(), $foreign, "the next run removes all files";

# a position within a file
fresh();
put("s", lines(1 .. 4));
is_deeply [(drained(sub { answer($_[0] == 3 ? 500 : 200) }))[0, 1]],
          [1, "1,2,3"], "--drain stops within a file";
is files(), "s.replay.1 s.replay.1.pos", "the file keeps its new name";
put("s", lines(5));
is_deeply [(drained(undef))[0, 1]], [0, "3,4,5"],
          "the next run continues within that file";
is files(), "", "the next run removes all files";

# a file that has the next name already
fresh();
put("s.replay.1", "");
put("s", lines(1));
is_deeply [(drained(undef))[0, 1]], [0, "1"],
          "an empty file of an earlier run is removed";
is files(), "", "the file is removed, too";


# bad lines

{
    my $half = substr $line[2], 0, 60;

    fresh();
    put("s", lines(1) . "$half\n" . lines(3));
    my ($status, $ids, $err) = drained(undef);
    is "$status $ids", "3 1,3", "a piece of a line is skipped";
    like $err, qr/^enkod-replay: "s.replay.1" line 2 is skipped/,
         "the piece is named";
    is files(), "s.replay.1 s.replay.1.pos", "a file with a piece stays";

    put("s", lines(4));
    ($status, $ids) = drained(undef);
    is "$status $ids", "3 4", "a file with a piece does not stop the next run";
    is files(), "s.replay.1 s.replay.1.pos",
       "a file with a piece stays until it is removed by hand";

    unlink "$dir/s.replay.1";
    is +(drained(undef))[0], 2, "without a file, --drain ends with an error";
    put("s", lines(5));
    is +(drained(undef))[0], 0, "after that, --drain succeeds";
    is files(), "", "the position of the removed file is removed";

    # with --collect
    put("s", lines(1) . "$half\n" . lines(2) . $half);
    ($status, $ids) = drained(sub { answer($_[1] =~ /"message_id":2/
                                           ? 500 : 200) }, "--collect", "c");
    is "$status $ids", "1 1,2",
       "with --collect, a failed line does not stop the run";
    is slurp("c"), "$half\n$line[2]\n$half\n",
       "failed lines and pieces are collected";
    is files(), "c", "with --collect, the file is removed";

    put("s", lines(1) . "$half\n");
    unlink "$dir/c";
    is_deeply [(drained(undef, "--collect", "c"))[0, 1]], [3, "1"],
              "with --collect, a piece alone is collected";
    is files(), "c", "the collection is created anew";

    # skipped by one run, with --collect in the next
    fresh();
    put("s", lines(1) . "$half\n" . lines(2));
    drained(sub { answer($_[0] == 2 ? 500 : 200) });
    is_deeply [(drained(undef, "--collect", "c"))[0, 1]], [3, "2"],
              "lines that an earlier run has skipped count";
    is files(), "c s.replay.1 s.replay.1.pos",
       "a file with lines that an earlier run has skipped stays";

    # the file of --collect
    fresh();
    put("s", lines(1));
    like +(drained(undef, "--collect", "s"))[2],
         qr/^enkod-replay: cannot use "s" for --collect: it is FILE itself/,
         "--collect cannot be the file itself";
    is slurp("s"), lines(1), "the file stays";

    put("s", "BZh91AY&SY");
    is +(drained(undef))[0], 2, "input that is not lines is an error";
    is slurp("s.replay.1"), "BZh91AY&SY", "input that is not lines stays";
}


# a process that writes to the file

{
    fresh();
    my $pid = writer(1, late => 0.2);

    is_deeply [(drained(undef, "--pid", "pid"))[0 .. 2]], [0, "1,2", ""],
              "--drain waits until nginx has closed the file, and sends lines that arrive meanwhile";
    is files(), "s", "nginx's new file stays";
    is slurp("s"), lines(3), "nginx's new file has its lines";

    # wrong pid files
    my $files = files();
    put("other", "$$\n");
    put("empty", "");
    put("odd", "-1\n");

    for ([qr/"s" is open for writing: if nginx has it open, --pid has to name its pid file/],
         [qr/"s" is open for writing, but not by the process that "other" names/,
          "--pid", "other"],
         [qr/"s" is open for writing, but not by the process that "none" names/,
          "--pid", "none"],
         [qr/"empty" is not a pid file/, "--pid", "empty"],
         [qr/"odd" is not a pid file/, "--pid", "odd"])
    {
        my ($said, @args) = @$_;

        local $SIG{USR1} = sub { fail("a process of another kind is signalled") };
        my ($status, $ids, $err) = drained(undef, @args);

        is "$status $ids", "2 ", "@args: an error";
        like $err, qr/\Aenkod-replay: $said\n\z/, "the error is named";
        is slurp("s"), lines(3), "the file is not changed";
    }

    # an earlier run has renamed the file, and then failed
    rename "$dir/s", "$dir/s.replay.1";
    is_deeply [(drained(undef, "--pid", "pid"))[0, 1]], [0, "3,4,5,6"],
              "--drain signals nginx if an earlier run has not";

    stop_writer($pid);
}


# both masters of a binary upgrade

{
    fresh();
    my @pids = (writer(1, late => 0.1),
                writer(10, pid_file => "pid.oldbin", late => 0.2));

    my ($status, $ids, $err) = drained(undef, "--pid", "pid");
    is "$status $err", "0 ", "--drain signals both masters";
    like $ids, qr/^1,10,(?:2,11|11,2)(?:,(?:3|12))?$/,
         "--drain waits for both masters";

    # only the old master is left
    stop_writer($pids[0]);
    ($status, $ids, $err) = drained(undef, "--pid", "pid");
    is "$status $err", "0 ",
       "--drain signals the old master if it is the only one";
    stop_writer($pids[1]);
}


# interrupted while it waits

{
    fresh();
    my $pid = writer(1, deaf => 1);
    my $replay;

    rename "$dir/s", "$dir/s.replay.1";
    $replay = start("--drain", "s", "http://127.0.0.1:1/");
    # it waits, and has its signal handlers
    wait_for(sub {
        my ($caught) = Enkod::File::slurp("/proc/$replay/status")
                       =~ /^SigCgt:\s+(\w+)$/m or return 0;
        (hex(substr $caught, -8) & 0x4002) == 0x4002
        && Enkod::File::slurp("/proc/$replay/cmdline") =~ /--drain/
        && Enkod::File::slurp("/proc/$replay/stat") =~ /\) S /;
    });
    kill 'TERM', $replay;
    my ($status, $out, $err) = finish($replay);

    is "$status $err", "1 enkod-replay: interrupted\n",
       "a signal ends the wait";
    is files(), "s.replay.1", "the file is as it was";
    stop_writer($pid);
    is_deeply [(drained(undef))[0, 1]], [0, "1"], "the next run continues";
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
                       . " another enkod-replay\n",
                       "a second enkod-replay is refused";
    is slurp("s"), lines(3), "the second enkod-replay takes no file";
    put("go", "");
    is +(finish($first))[0], 0, "the first enkod-replay continues";
    is ids(map { $_->{body} } $server->stop), "1,2",
       "only the first enkod-replay has sent lines";

    # a position that is being removed
    fresh();
    put("s", lines(1));
    put("s.replay.1.pos", "");
    sysopen my $fh, "$dir/s.replay.1.pos", O_RDWR or die;
    flock $fh, LOCK_EX;
    is +(drained(undef))[0], 2,
       "a position that another process has locked is refused";
    is files(), "s s.replay.1.pos", "the locked position stays";
    close $fh;
    is +(drained(undef))[0], 0, "when the lock is released, --drain succeeds";
    is files(), "", "then all files are removed";
}


# users

SKIP: {
    skip "only root can be another user", 8 if $> != 0;

    my ($uid, $gid) = (getpwnam "nobody")[2, 3];

    fresh();
    chmod 0755, $top;
    chown $uid, $gid, $dir;

    # other users may not be able to enter the build folder
    copy(replay(), "$dir/run") or die "copy: $!";
    chmod 0755, "$dir/run";

    # an nginx of another user
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

        is "$status $err", "0 ", "$who can use --drain";
    }

    is ids(map { $_->{body} } $server->stop), "1,2,3,4,5,6",
       "all lines are sent";

    # a file of another user
    put("s", lines(9));
    chown 0, 0, "$dir/s";
    chmod 0644, "$dir/s";
    stop_writer($pid);
    my ($status, $out, $err) = sh("setpriv $nobody", "--drain", "s",
                                  "http://127.0.0.1:1/");
    is $status, 2, "another user than the owner and root cannot use --drain";
    like $err, qr/^enkod-replay: cannot find out whether another process writes to "s": only its owner and root can take a lease of it/,
         "the error is named";
    is slurp("s"), lines(9), "the file is not changed";
}

sub sh {
    my ($before, @args) = @_;

    return Enkod::Command::run($dir, "sh", "-c", "exec $before -- \"\$0\" \"\$@\"",
                               "$dir/run", @args);
}


# the command line

for (["--pid can only be used with --drain", "--pid", "pid", "s"],
     ["--drain cannot be used with standard input", "--drain", "-"],
     ["--drain cannot be used with --position or --dry-run", "--drain",
      "--position", "p", "s"],
     ["--drain cannot be used with --position or --dry-run", "--drain",
      "--dry-run", "s"],
     (map { ["--drain removes the file, so all of it has to be sent", "--drain",
             @$_, "s"] } ["--event", "x"], ["--since", "2026"],
                         ["--until", "2026"]))
{
    my ($said, @args) = @$_;
    my ($status, $out, $err) = run(@args, "http://127.0.0.1:1/");

    is "$status $out", "2 ", "@args is refused";
    like $err, qr/^enkod-replay: \Q$said\E/, "the message has the reason";
}


# the process that never closes the file

{
    into($hung_dir);

    my ($status, $out, $err) = finish($hung_pid);

    is "$status $err", "2 enkod-replay: \"s.replay.1\" is still open for writing"
                       . " after 30 seconds\n",
                       "--drain waits for 30 seconds at most";
    is files(), "s.replay.1", "the file keeps its lines";
    stop_writer($hung);
    is_deeply [(drained(undef))[0, 1]], [0, "1,2"], "the next run continues";
}

done_testing;
