package Enkod::BenchProcess;

# The processes of a benchmark: starts each in a group of its own, pins it to a
# CPU, measures it, and stops it when the benchmark ends, however it ends.

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


# Runs a command for at most $limit seconds and returns its output; $? is its
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


# Each process leads a group, and `timeout` in that group passes the signal on,
# once.  An nginx that gets it just before epoll_wait() misses it, so the whole
# group gets the signal again.

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


# a process and all its descendants

sub family {
    my ($pid) = @_;

    return ($pid, map { family($_) }
                  map { split ' ', slurp($_) }
                  glob "/proc/$pid/task/*/children");
}


# Returns the last CPU that we may use, for what is measured, and the others,
# for the process that measures it; or nothing if there is only one CPU.

sub cpus {
    my ($list) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s*(\S+)/m;
    my @cpus = map { /(\d+)-(\d+)/ ? ($1 .. $2) : $_ } split /,/, $list // '';

    return ('', '') if @cpus < 2 || !which('taskset');

    my $ours = pop @cpus;

    return ($ours, join ',', @cpus);
}


# Pins a process to the first of these.

sub pin {
    my ($pid) = @_;

    my ($ours, $others) = cpus();

    return ('', '') if $ours eq '';

    output(60, 'taskset', '-p', '-c', $ours, $pid);

    return $? == 0 ? ($ours, $others) : ('', '');
}


# The CPU time of a process in seconds: from the scheduler's nanoseconds, or
# where they are not available, from ticks.

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


# The CPU time of a process and its descendants, in seconds, with that of
# children that have ended.  Ticks are exact enough for seconds.

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


# Waits until a worker is idle: it sleeps, and has slept for a while.  CPU time
# alone does not show that, as a process that gets no CPU uses no time either.

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


# Waits until a process and its descendants have used no tick for a while.

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


# Memory in KiB: resident (rss), the maximum of that (peak), and with shared
# pages divided among the processes that share them (pss).

sub memory {
    my ($pid) = @_;

    my %kib = map { /^(\w+):\s+(\d+) kB/ } split /\n/,
              slurp("/proc/$pid/status") . slurp("/proc/$pid/smaps_rollup");

    return { rss => $kib{VmRSS}, peak => $kib{VmHWM}, pss => $kib{Pss} };
}

1;
