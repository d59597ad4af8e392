package Enkod::Figures;

# How a measurement is told: medians, and in brackets the lowest and the highest
# value; and what the goal was.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(goal spread median);


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

    my @sorted = sort { $a <=> $b } @$values;

    return sprintf "$format [$format $format]", median(@sorted), @sorted[0, -1];
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

1;
