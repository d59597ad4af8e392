package Enkod::Statistics;

# How a measurement is told: medians, and in brackets the interval in which the
# median lies with a confidence of 95 %; and what the goal was.  A few rounds in
# which the machine did something else neither move the one nor widen the other;
# where it does nothing else, too_busy() ends the program and says so.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(basename);

our @EXPORT = qw(goal spread interval median too_busy);

# EX_TEMPFAIL of sysexits.h
use constant TOO_BUSY => 75;


# "at most" or "at least" that; the format is that of the figure

sub goal {
    my ($what, $values, $format, $bound, $goal) = @_;

    my $median = median(@$values);
    my $met = $bound eq "at least" ? $median >= $goal : $median <= $goal;

    printf "  %-34s %20s   goal %s $format, %s\n", $what,
           spread($format, $values), $bound, $goal, $met ? "met" : "missed";
}


sub spread {
    my ($format, $values) = @_;

    return sprintf "$format [$format $format]", median(@$values),
                   interval(@$values);
}


# The bounds are two of the values, which are chosen by how many there are alone
# (the sign test's interval, whatever the distribution is): as many of the lowest
# and of the highest are left out as will hide the median in one case of 40 at
# most.  With less than six values none can be, and the confidence is lower.

sub interval {
    my @sorted = sort { $a <=> $b } @_;

    my $n = @sorted;
    my $out = 0;
    my $ways = 1;                   # to have $out values below the median
    my $hidden = 2 ** -$n;

    while ($hidden <= 0.025) {
        $ways *= ($n - $out) / ($out + 1);
        $out++;
        $hidden += $ways * 2 ** -$n;
    }

    # the one that was too many
    $out-- if $out > 0;

    return @sorted[$out, -1 - $out];
}


# The machine does too much besides for anything to be measured: says why, and
# exits with status 75.

sub too_busy {
    my ($why) = @_;

    $why =~ s/\s+\z//;

    print STDERR "\n", basename($0), ": not measured, the machine is too busy:"
                 . " $why\n";
    exit TOO_BUSY;
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

1;
