package Enkod::Figures;

# How a measurement is told: medians, and in brackets the interval in which the
# median lies with a confidence of 95 %; and what the goal was.  A few rounds in
# which the machine did something else neither move the one nor widen the other.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(goal spread interval median);


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


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

1;
