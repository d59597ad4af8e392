package Enkod::DrainTest;

# For tests of enkod-replay --drain, beside Enkod::ReplayTest: folders with a
# file "s", and processes that write to it as nginx does.
#
#     use Enkod::DrainTest;               # exports all of its functions
#     fresh();                            # an empty folder, whose path is $dir
#     my $pid = writer(1, late => 0.2);   # appends lines 1, 2, ... to "s"
#     my ($status, $ids, $err) = drained(undef, "--pid", "pid");
#     files();                            # what is there now
#     stop_writer($pid);
#
# All folders are in $top, and go when the test ends.

use strict;
use warnings;

use Exporter qw(import);
use File::Path ();
use POSIX ();

use Enkod::File;
use Enkod::ReplayTest;
use Enkod::Wait qw(wait_for);

our @EXPORT = qw(fresh into lines files drained ids writer stop_writer
                 $top $dir @line);

our $top = "/tmp/enkod-drain.$$";
our $dir;

# by number, as they are in a spool
our @line = map { line($_) } 0 .. 30;

my $serial = 0;
my $owner = $$;
my %writers;

END {
    if ($$ == $owner) {
        my $rc = $?;
        kill 'KILL', $_ for keys %writers;
        waitpid $_, 0 for keys %writers;
        File::Path::remove_tree($top);
        $? = $rc;
    }
}


# A new and empty folder; the one before it is left as it is.

sub fresh {
    $dir = "$top/" . ++$serial;
    File::Path::make_path($dir);
    in_folder($dir);
}


# Another folder, which is there.

sub into {
    ($dir) = @_;

    in_folder($dir);
}


# the text of the lines with these numbers


sub lines { return join "", map { "$line[$_]\n" } @_ }


# the names of all files in the folder, but for those that tests make themselves

sub files {
    my ($in) = @_;

    opendir my $dh, $in || $dir or die "$dir: $!";
    return join " ", sort grep { !/^(?:\.|std|received|strace|pid|url)/ }
                     readdir $dh;
}


# Runs --drain with these options and a receiver that answers so; returns the
# exit status, the numbers of the lines that were sent, the messages, and the
# output.

sub drained {
    my ($code, @args) = @_;

    my $server = receiver($code);
    my $o = ref $args[-1] ? pop @args : {};
    my ($status, $out, $err) = run("--drain", @args, "s", $server->url, $o);

    return ($status, ids(map { $_->{body} } $server->stop), $err, $out);
}


# the numbers of these lines

sub ids { return join ",", map { /"message_id":(\d+)/ ? $1 : "?" } @_ }


# A process that stands for nginx: it has "s" open; at SIGUSR1 it writes one
# more line to it, and then opens "s" again.  Its lines are numbered from the
# number given.  Options: "late", seconds between the two; "deaf", it ignores
# SIGUSR1; "pid_file"; "as", a command that runs it.

my $program = <<'END';
    use Fcntl;
    use Time::HiRes qw(sleep);

    my ($n, $late, $deaf, $line) = @ARGV;
    my $fh;

    sub more { syswrite $fh, sprintf "$line\n", $n++ }
    sub again { sysopen $fh, "s", O_WRONLY|O_APPEND|O_CREAT; more() }

    $SIG{USR1} = sub { more(); sleep $late; again() } if !$deaf;
    again();

    open my $pid, ">", "pid.new";
    print $pid "$$\n";
    close $pid;
    rename "pid.new", $ARGV[4];

    sleep 1 while 1;
END

sub writer {
    my ($n, %o) = @_;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        # another user may not enter the tree
        delete $ENV{PERL5LIB};
        chdir $dir;
        exec @{ $o{as} || [] }, $^X, "-e", $program, $n, $o{late} || 0,
             $o{deaf} || 0, line(0) =~ s/:0\}/:%d}/r, $o{pid_file} || "pid"
            or POSIX::_exit(127);
    }

    $writers{$pid} = 1;

    my $file = "$dir/" . ($o{pid_file} || "pid");
    wait_for(sub { Enkod::File::slurp($file) eq "$pid\n" })
        or die "no writer";

    return $pid;
}


sub stop_writer {
    my ($pid) = @_;

    kill 'KILL', $pid;
    waitpid $pid, 0;
    delete $writers{$pid};
}

1;
