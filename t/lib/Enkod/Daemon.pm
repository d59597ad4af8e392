package Enkod::Daemon;

# Another program that listens on a free port of 127.0.0.1, in the foreground,
# and writes its messages to a file.  The constructor starts it; it is stopped
# when the test ends.
#
#     my $daemon = Enkod::Daemon->new(
#         dir     => folder,
#         command => sub { my ($port) = @_; return ("haproxy", ...) },
#         ready   => sub { my ($port) = @_; return true when it answers },
#     );
#     $daemon->{port};   $daemon->log;   $daemon->stop;
#
# Without "ready", it is ready when it listens.

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();

use Enkod::File qw(slurp);
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

my $owner = $$;
my @all;


END {
    if ($$ == $owner) {
        my $rc = $?;
        $_->stop for @all;
        $? = $rc;
    }
}


sub new {
    my ($class, %o) = @_;

    my $self = bless { ready => \&listens, %o }, $class;

    push @all, $self;

    for my $try (1 .. 5) {
        $self->{port} = free_port();

        my $why = $self->start;

        return $self if !defined $why;

        die "it did not start: $why"
            if $why !~ /address already in use/i || $try == 5;
    }
}


sub listens {
    my ($port) = @_;

    return IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port);
}


# Returns why it does not run, or undef.

sub start {
    my ($self) = @_;

    my @command = $self->{command}->($self->{port});
    my $name = $command[0] =~ s{.*/}{}r;

    $self->{log} = "$self->{dir}/$name.log";

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);

        chdir $self->{dir};
        open STDIN, "<", "/dev/null";
        open STDOUT, ">", $self->{log};
        open STDERR, ">&", \*STDOUT;

        exec { $command[0] } @command or POSIX::_exit(127);
    }

    $self->{pid} = $pid;

    my $ended;
    my $up = wait_for(sub {
        $ended = waitpid($pid, POSIX::WNOHANG()) == $pid;
        return $ended || $self->{ready}->($self->{port});
    });

    return undef if $up && !$ended;

    delete $self->{pid} if $ended;
    $self->stop;

    return ($ended ? "it has ended: " : "it is too slow: ") . $self->log;
}


sub log {
    my ($self) = @_;

    return slurp($self->{log});
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    kill 'TERM', $pid;

    return if wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid });

    kill 'KILL', $pid;
    waitpid $pid, 0;
}

1;
