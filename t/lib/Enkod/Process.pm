package Enkod::Process;

# What /proc says about any process.

use strict;
use warnings;

use Exporter qw(import);

use Enkod::File qw(slurp);

our @EXPORT_OK = qw(alive children cmdline stopped);


sub alive {
    my ($pid) = @_;

    return 0 if !$pid || !kill 0, $pid;

    # A zombie is not alive; but while one of its threads is in a system call,
    # the process still has its files and ports.
    return 0 != grep { slurp($_) =~ /^\d+ \(.*\) [^ZX] /s }
                     glob "/proc/$pid/task/*/stat";
}


# the ids of the children, without zombies

sub children {
    my ($parent) = @_;

    my @pids;

    for my $dir (glob "/proc/[0-9]*") {
        my ($ppid) = slurp("$dir/stat") =~ /^\d+ \(.*\) [^Z] (\d+)/s;
        push @pids, $dir =~ /(\d+)/ if defined $ppid && $ppid == $parent;
    }

    return @pids;
}


# the command line, or the title that the process has given itself

sub cmdline {
    my ($pid) = @_;

    my $line = slurp("/proc/$pid/cmdline");
    $line =~ tr/\0/ /;

    return $line;
}


# True if SIGSTOP has stopped the process.

sub stopped {
    my ($pid) = @_;

    return slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) T /s;
}

1;
