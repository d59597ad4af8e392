package Enkod::BenchProcess;

# Processes of a benchmark: started in a group of their own, put on a CPU,
# measured, and stopped when the benchmark ends, however it ends.

use strict;
use warnings;

use Exporter qw(import);
use POSIX qw(:sys_wait_h setpgid);
use Time::HiRes qw(sleep);

use Enkod::File qw(slurp);
use Enkod::Wait qw(wait_for);

our @EXPORT_OK = qw(start output alive stop interrupt which child_of family cpus
                    pin cpu_time ticks family_time settle rest memory);

my %children;       # pid => what
my $owner = $$;

END {
    if ($$ == $owner) {
        my $status = $?;
        stop($_) for keys %children;
        $? = $status;
    }
}


# Starts a command whose output goes to a file; returns its process id.

sub start {
    my ($what, $out, @command) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        setpgid(0, 0);
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT;
        { no warnings 'exec'; exec { $command[0] } @command; }
        print STDERR "$command[0]: $!\n";
        POSIX::_exit(127);
    }

    $children{$pid} = $what;

    return $pid;
}


# Runs a command for so many seconds at most and returns what it says; $? is its
# status.

sub output {
    my ($limit, @command) = @_;

    my $pid = open(my $from, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', $limit, @command or POSIX::_exit(127);
    }

    local $/;
    my $text = <$from> // '';
    close $from;

    return $text;
}


sub alive {
    my ($pid) = @_;

    if (exists $children{$pid} && waitpid($pid, WNOHANG) == $pid) {
        delete $children{$pid};
    }

    return exists $children{$pid};
}


sub stop {
    my ($pid) = @_;

    finish($pid, 'TERM');
}


sub interrupt {
    my ($pid) = @_;

    finish($pid, 'INT');
}


# Every process of ours is the leader of a group, and `timeout` in it passes
# the signal on, once.  nginx that gets it just before epoll_wait() sleeps over
# it, so all of the group get it again.

sub finish {
    my ($pid, $signal) = @_;

    return unless alive($pid);

    kill $signal, $pid;
    kill 'CONT', -$pid;

    for (1 .. 20) {
        return if wait_for(sub { !alive($pid) }, 1);
        kill $signal, -$pid;
    }

    kill 'KILL', -$pid;
    wait_for(sub { !alive($pid) });
}


sub which {
    my ($name) = @_;

    return grep { -x "$_/$name" } split /:/, $ENV{PATH};
}


sub child_of {
    my ($pid) = @_;

    return (slurp("/proc/$pid/task/$pid/children") =~ /(\d+)/)[0];
}


# A process and all that have come of it and are still there.

sub family {
    my ($pid) = @_;

    return ($pid, map { family($_) }
                  map { split ' ', slurp($_) }
                  glob "/proc/$pid/task/*/children");
}


# The last CPU that we may use, for what is measured, and the others, for who
# measures it; or nothing if there is only one.

sub cpus {
    my ($list) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s*(\S+)/m;
    my @cpus = map { /(\d+)-(\d+)/ ? ($1 .. $2) : $_ } split /,/, $list // '';

    return ('', '') if @cpus < 2 || !which('taskset');

    my $ours = pop @cpus;

    return ($ours, join ',', @cpus);
}


# Puts a process on the first of these.

sub pin {
    my ($pid) = @_;

    my ($ours, $others) = cpus();

    return ('', '') if $ours eq '';

    output(60, 'taskset', '-p', '-c', $ours, $pid);

    return $? == 0 ? ($ours, $others) : ('', '');
}


# CPU time of a process in seconds: utime and stime as the scheduler has them,
# in nanoseconds; where it does not tell, in ticks.

sub cpu_time {
    my ($pid) = @_;

    return $1 / 1e9 if slurp("/proc/$pid/schedstat") =~ /^(\d+)/ && $1;

    my ($user, $system) = ticks($pid);

    return ($user + $system) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}


# utime and stime

sub ticks {
    my ($pid) = @_;

    my $stat = slurp("/proc/$pid/stat");
    $stat =~ s/^.*\)//s;

    return (split ' ', $stat)[11, 12];
}


# CPU time of all of these, in seconds, with that of their children that have
# ended.  The kernel tells it in ticks, which is exact enough for seconds.

sub family_time {
    my ($pid) = @_;

    my $sum = 0;

    for my $member (family($pid)) {
        my $stat = slurp("/proc/$member/stat");
        $stat =~ s/^.*\)//s;
        $sum += $_ for (split ' ', $stat)[11 .. 14];
    }

    return $sum / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}


# Waits until a worker has nothing to do: it sleeps, and has slept for a while.
# One that is kept off its CPU by others uses no time either.

sub settle {
    my ($worker) = @_;

    my $same = 0;
    my $was = -1;

    for (1 .. 1000) {
        my $is = cpu_time($worker);
        my $sleeps = slurp("/proc/$worker/stat") =~ /\) S /;

        $same = $sleeps && $is == $was ? $same + 1 : 0;
        return if $same == 2;

        $was = $is;
        sleep 0.003;
    }
}


# The same for a family: it has not used a tick for a while.

sub rest {
    my ($pid) = @_;

    my $same = 0;
    my $was = -1;

    for (1 .. 500) {
        my $is = family_time($pid);

        $same = $is == $was ? $same + 1 : 0;
        return if $same == 5;

        $was = $is;
        sleep 0.02;
    }
}


# KiB: resident, resident at most until now, and what of it is its own with its
# share of what it shares

sub memory {
    my ($pid) = @_;

    my %kib = map { /^(\w+):\s+(\d+) kB/ } split /\n/,
              slurp("/proc/$pid/status") . slurp("/proc/$pid/smaps_rollup");

    return { rss => $kib{VmRSS}, peak => $kib{VmHWM}, pss => $kib{Pss} };
}

1;
