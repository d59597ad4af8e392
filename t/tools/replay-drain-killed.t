# enkod-replay --drain loses nothing, and keeps the order, when it is killed at
# any of its system calls, and beside a real nginx under load.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use List::Util qw(uniq);
use Test::More;

use Enkod::Command;
use Enkod::DrainTest;
use Enkod::Nginx;
use Enkod::Process;
use Enkod::ReplayTest;
use Enkod::ScriptedServer qw(answer);
use Enkod::Wait qw(wait_for);


# enkod-replay is killed before each of its system calls: the next runs lose
# nothing and keep the order.

my @calls = qw(openat open rename renameat renameat2 unlink unlinkat kill fcntl
               flock pwrite64 fsync fdatasync write writev sendto recvfrom
               newfstatat fstat lseek getdents64 setsockopt connect close);

my $piece = substr $line[9], 0, 60;

sub killed_at {
    my ($n, $server) = @_;

    fresh();
    put("s.replay.7", lines(1) . "$piece\n" . lines(2));
    put("s.replay.7.pos", "");
    put("s.replay.3.pos", "");

    my $writer = writer(3);
    my @command = ("--quiet", "--collect", "c", "--drain", "--pid", "pid", "s",
                   $server->url);

    local $ENV{ASAN_OPTIONS} = "detect_leaks=0";

    my ($status) = Enkod::Command::run($dir, "strace", "-qq", "-o", "strace",
        "-e", "trace=" . join(",", @calls), "-e",
        "inject=" . join(",", @calls) . ":signal=KILL:when=$n",
        replay(), @command);

    # failed and skipped lines are collected by the run that reads them
    my ($again, $out, $err);

    for (1 .. 4) {
        ($again, $out, $err) = run(@command);
        last if $again == 0;
    }

    # lines that were written after the last run
    stop_writer($writer);
    ($again, $out, $err) = run(@command) if $again == 0;

    return ($status, "$again $err");
}

SKIP: {
    skip "there is no strace, or it may not trace", 2
        if system("strace -o /dev/null true >/dev/null 2>&1") != 0;

    # where the server keeps what it has received
    fresh();

    my $server = receiver(sub { answer($_[1] =~ /"message_id":2/ ? 500 : 200) });
    my ($n, $kills, $from, @wrong) = (0, 0, 0);

    while (1) {
        my ($status, $rest) = killed_at(++$n, $server);
        my @all = $server->requests;
        my (%seen, @first);

        for (map { ids($_->{body}) } @all[$from .. $#all]) {
            push @first, $_ if !$seen{$_}++;
        }

        $from = @all;

        my $written = @first ? $first[-1] : 0;
        my $collected = join "", uniq(slurp("c") =~ /.*\n/g);

        push @wrong, "call $n: status $status, then $rest, "
                     . join(",", @first) . ", left: " . files()
                     . ", collected: $collected"
            if $rest ne "0 " || "@first" ne join(" ", 1 .. $written)
               || $written < 4 || files() ne "c" && files() ne "c s"
               || -s "$dir/s" || $collected ne "$piece\n$line[2]\n";

        $kills++ if $status ne "1";
        last if $status eq "1" || @wrong > 2;
    }

    $server->stop;

    is join("\n", @wrong), "", "killed at each system call, $kills times:"
                               . " no line is lost, and no file is left behind";
    cmp_ok $kills, ">", 60, "enkod-replay was killed at more than 60 calls";
}


# nginx itself, under load, and with a second master

{
    my $nginx = Enkod::Nginx->new(workers => 2, daemon => 1, server => <<'END');
enkod_unknown_event accept;

location / { enkod_webhook; enkod_pass /down; enkod_spool s; }
location = /down { internal; return 503; }
END

    into($nginx->{dir});

    my $server = receiver();
    my @drain = ("--quiet", "--drain", "--pid", "logs/nginx.pid", "s",
                 $server->url);
    my ($n, $old, $new) = (0, $nginx->{pid});
    my @failed;

    my $post = sub {
        for (1 .. $_[0]) {
            # over HTTP/3 an upgrade loses requests
            my $answer = $nginx->post(
                sprintf('{"event":"x","message_id":%d}', ++$n),
                version => "1.1");
            push @failed, $n if $answer->{status} != 200;
        }
    };
    my $drain = sub {
        $post->(5);
        my $pid = start(@drain);
        $post->(20);
        my ($status, $out, $err) = finish($pid);
        return "$status $err";
    };

    is $drain->(), "0 ", "nginx closes the file" for 1 .. 3;

    $nginx->signal('USR2');
    ok wait_for(sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        -s "$dir/logs/nginx.pid.oldbin" && $new && $new != $old
        && $nginx->workers($new) >= 2;
    }), "a second master is started";

    is $drain->(), "0 ", "both masters close the file" for 1 .. 3;

    kill 'QUIT', $old;
    ok wait_for(sub { !Enkod::Process::alive($old) }),
       "the first master ends";
    $nginx->{pid} = $new;

    is $drain->(), "0 ", "the second master closes the file";
    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;

    is join(" ", run("--quiet", "--drain", "s", $server->url)), "0  ",
       "when nginx has stopped, the remaining lines are sent";

    my %times;
    $times{$_}++ for split /,/, ids(map { $_->{body} } $server->stop);

    is "@failed", "", "nginx has accepted all events";
    is join(" ", sort { $a <=> $b } keys %times), join(" ", 1 .. $n),
       "all $n events are delivered";
    is scalar(grep { $_ > 1 } values %times), 0, "each event is delivered once";
    is join(" ", grep { /^s\./ } split / /, files()), "",
       "no other file of enkod-replay is left";
    is slurp("s"), "", "the new file is empty";
}

done_testing;
