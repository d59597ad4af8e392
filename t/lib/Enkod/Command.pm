package Enkod::Command;

# Runs a command in a folder.  Options are the last argument:
#
#     Enkod::Command::run($dir, $program, @arguments, {
#         stdin  => file, or a handle     # default: /dev/null
#         stdout => file, or a handle     # default: "stdout" in the folder
#         before => "ulimit -v 12000; "   # what the shell runs first
#     });

use strict;
use warnings;

use POSIX ();

use Enkod::File;


# Returns the exit status (or "signal N"), standard output and standard error.

sub run {
    my ($dir) = @_;

    return finish($dir, start(@_));
}


# The two halves of run(), for a command that has to be acted upon meanwhile.

sub start {
    my ($dir, $program, @args) = @_;
    my %o = ref $args[-1] ? %{ pop @args } : ();

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);
        chdir $dir;
        open STDIN, ref $o{stdin} ? "<&" : "<", $o{stdin} || "/dev/null";
        open STDOUT, ref $o{stdout} ? ">&" : ">", $o{stdout} || "$dir/stdout";
        open STDERR, ">", "$dir/stderr";
        exec("/bin/sh", "-c", ($o{before} || "") . 'exec "$0" "$@"',
             $program, @args) or POSIX::_exit(127);
    }

    return $pid;
}


sub finish {
    my ($dir, $pid) = @_;

    waitpid $pid, 0;

    return ($? & 127 ? "signal " . ($? & 127) : $? >> 8,
            map { Enkod::File::slurp("$dir/$_") } "stdout", "stderr");
}

1;
