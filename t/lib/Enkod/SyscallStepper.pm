package Enkod::SyscallStepper;

# Stops processes at each system call on a file of lines, so that a test can run
# the calls of several processes in any order (syscall_stepper.c).
#
#     my $stepper = Enkod::SyscallStepper->new($dir) or plan skip_all => ...;
#
#     $stepper->attach($pid);             # false if it cannot be traced
#     $stepper->step($pid);               # to its next call: "call NAME"; or
#                                         #   "idle", "blocked" by a lock, "gone"
#     $stepper->hold($pid);               # stops it until its next step
#     $stepper->kill($pid);
#     $stepper->detach($pid);
#
#     Enkod::SyscallStepper::orders(sub { my ($choose) = @_; ... $choose->(3) ... });
#
# When the object is destroyed, the processes continue.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path ();
use IPC::Open2 qw(open2);

my $source = dirname(__FILE__) . "/syscall_stepper.c";


sub new {
    my ($class, $dir) = @_;

    File::Path::make_path($dir);

    my $cc = $ENV{CC} || "cc";

    system("$cc -O1 -o \Q$dir\E/step \Q$source\E >\Q$dir\E/step.log 2>&1") == 0
        or return undef;

    my $self = bless {}, $class;

    $self->{pid} = open2($self->{out}, $self->{in}, "$dir/step");

    return $self;
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);

    close $self->{in};
    waitpid $self->{pid}, 0;
}


sub attach { $_[0]->ask("attach", $_[1]) eq "attached" }
sub step   { $_[0]->ask("step", $_[1]) }
sub hold   { $_[0]->ask("hold", $_[1]) }
sub kill   { $_[0]->ask("kill", $_[1]) }
sub detach { $_[0]->ask("detach", $_[1]) }


sub ask {
    my ($self, $what, $pid) = @_;

    my ($in, $out) = @$self{qw(in out)};

    syswrite $in, "$what $pid\n";

    my $answer = <$out>;

    die "the program that traces has died\n" if !defined $answer;

    chomp $answer;

    return $answer;
}


# Calls the code until all sequences of choices have been made; a choice among n
# returns a number from 0 to n - 1.  Returns the number of calls.

sub orders {
    my ($code) = @_;

    my @path;           # pairs: the choice, and among how many
    my $n = 0;

    while (1) {
        my $at = 0;

        die "there are too many orders\n" if $n == 5000;

        $code->(sub {
            my ($among) = @_;

            # calls differ: not every append reserves space
            splice @path, $at if $at < @path && $path[$at][1] != $among;

            push @path, [0, $among] if $at == @path;

            return $path[$at++][0];
        });

        $n++;
        splice @path, $at;

        pop @path while @path && $path[-1][0] == $path[-1][1] - 1;

        return $n if !@path;

        $path[-1][0]++;
    }
}

1;
