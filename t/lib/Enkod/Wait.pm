package Enkod::Wait;

# How tests wait: for a thing to happen, and no longer than until it has.  The
# limit is one that only a failure reaches, also on a machine that is busy with
# other things; so nobody concludes from it that a thing does not happen.
#
#     wait_for(sub { -e $path }) or die ...;

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

use Enkod::MemoryCheck;

our @EXPORT_OK = qw(wait_for now);

# in seconds: for one thing, and for a whole test
our $limit = 30 * $Enkod::MemoryCheck::slow;
our $life = 60 * $limit;


# What the code has returned in the end, if that is true.  Other limits are for
# callers that go on when it is reached.

sub wait_for {
    my ($code, $seconds) = @_;

    my $end = now() + ($seconds // $limit);
    my $pause = 0.001;

    while (1) {
        # before: whoever was kept off the CPU looks once more
        my $late = now() > $end;
        my $result = $code->();

        return $result if $result || $late;

        sleep $pause;
        $pause *= 1.5 if $pause < 0.02;
    }
}


# a clock that nobody sets

sub now {
    return clock_gettime(CLOCK_MONOTONIC);
}

1;
