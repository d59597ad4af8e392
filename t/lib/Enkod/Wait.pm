package Enkod::Wait;

# How tests wait: until something has happened, and no longer.  Only a failure
# reaches the time limit, even on a busy machine, so a test must not wait for
# the limit to show that something does not happen.
#
#     wait_for(sub { -e $path }) or die ...;

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

use Enkod::MemoryCheck;

our @EXPORT_OK = qw(wait_for now);

# limits in seconds: of one wait, and of a whole test
our $limit = 30 * $Enkod::MemoryCheck::slow;
our $life = 60 * $limit;


# Calls the code until it returns a true value, and returns that; false if the
# limit was reached.  A limit of its own is for a caller that continues after
# it.

sub wait_for {
    my ($code, $seconds) = @_;

    my $end = now() + ($seconds // $limit);
    my $pause = 0.001;

    while (1) {
        # first, so that a process that got no CPU for a while tries once more
        my $late = now() > $end;
        my $result = $code->();

        return $result if $result || $late;

        sleep $pause;
        $pause *= 1.5 if $pause < 0.02;
    }
}


# a clock that cannot be set

sub now {
    return clock_gettime(CLOCK_MONOTONIC);
}

1;
