package Enkod::Statistics;

# How a benchmark prints a measurement: the median, in brackets the interval
# that contains the median with a confidence of 95 %, and the goal.  A few
# rounds in which the machine was busy change neither.  Where it was busy all
# the time, too_busy() ends the program and says so.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(basename);

our @EXPORT = qw(goal spread interval median too_busy);

# EX_TEMPFAIL of sysexits.h
use constant TOO_BUSY => 75;


# Prints one figure.  $bound is "at most" or "at least"; the format is that of
# the figure.

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


# The interval of the sign test, for any distribution.  The bounds are two of
# the values, chosen by the number of values alone: as many of the lowest and of
# the highest are left out as hide the median in at most one case of 40.  With
# fewer than six values none can be left out, and the confidence is lower.

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

    # one was too many
    $out-- if $out > 0;

    return @sorted[$out, -1 - $out];
}


# For a machine that is too busy for measurements: prints why, and exits with
# status 75.

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
