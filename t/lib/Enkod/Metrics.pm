package Enkod::Metrics;

# A strict parser of the text format 0.0.4 of Prometheus and of OpenMetrics 1.0.
#
#     my $metrics = Enkod::Metrics->parse($text, $openmetrics);
#
#     $metrics->{faults}      what is wrong, each with its line number
#     $metrics->{type}        name of a metric => type; without suffixes
#     $metrics->{unit}        likewise; OpenMetrics only
#     $metrics->{samples}     [ name, { label => value }, number ], ...
#     $metrics->value("name", label => "value", ...)      all of the labels
#     $metrics->series("name")    all samples of that name, "label=value,..." =>
#                                 number

use strict;
use warnings;

my $name = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $label = qr/[a-zA-Z_][a-zA-Z0-9_]*/;
my $quoted = qr/"(?:[^"\\\n]|\\["\\n])*"/;
my $number = qr/[0-9]+(?:\.[0-9]+)?/;

my %suffixes = (
    counter => { _total => 1 },
    gauge => { "" => 1 },
    info => { _info => 1 },
    histogram => { _bucket => 1, _sum => 1, _count => 1 },
);


sub parse {
    my ($class, $text, $openmetrics) = @_;

    my $self = bless { openmetrics => $openmetrics, faults => [], samples => [],
                       type => {}, help => {}, unit => {}, ended => {},
                       line => 0 }, $class;

    $self->fault("the last line has no line feed") if $text !~ /\n\z/;

    my @lines = split /\n/, $text, -1;
    pop @lines;

    if ($openmetrics) {
        $self->fault("there is no # EOF at the end")
            if (pop @lines // "") ne "# EOF";
    }

    for (@lines) {
        $self->{line}++;
        $self->line($_);
    }

    $self->histograms;

    return $self;
}


sub line {
    my ($self, $line) = @_;

    utf8::decode(my $copy = $line) or $self->fault("it is not UTF-8");

    if ($line =~ /^# (HELP|TYPE|UNIT) ($name) (\S.*)$/) {
        $self->about(lc $1, $2, $3);

    } elsif ($line =~ /^($name)(?:\{((?:$label=$quoted,)*$label=$quoted)\})? ($number)$/)
    {
        $self->sample($1, $2 // "", $3);

    } else {
        $self->fault("it cannot be parsed: $line");
    }
}


# A line about a metric, before its samples.

sub about {
    my ($self, $what, $metric, $value) = @_;

    $self->fault("there are two lines of $what for $metric")
        if exists $self->{$what}{$metric};
    $self->fault("a line of $what comes after a sample of $metric")
        if $self->{seen}{$metric};
    $self->fault("there are no units in this format")
        if $what eq "unit" && !$self->{openmetrics};
    $self->fault("the name of $metric does not end with its unit, $value")
        if $what eq "unit" && $metric !~ /_\Q$value\E$/;

    $self->{$what}{$metric} = $value;
    $self->current($metric);
}


# Everything about a metric is in one block.

sub current {
    my ($self, $metric) = @_;

    my $last = $self->{current};

    return if defined $last && $last eq $metric;

    $self->{ended}{$last} = 1 if defined $last;
    $self->{current} = $metric;

    $self->fault("lines about $metric are in two places")
        if $self->{ended}{$metric};
}


sub sample {
    my ($self, $sample, $labels, $value) = @_;

    my ($metric) = grep { $self->{type}{$_} && $self->belongs($sample, $_) }
                   $sample, $sample =~ s/_[a-z]+$//r;

    if (!defined $metric) {
        $self->fault("$sample has no type that has such a sample");
        return;
    }

    $self->fault("$metric has no help") if !defined $self->{help}{$metric};

    $self->current($metric);
    $self->{seen}{$metric} = 1;

    my %label;

    while ($labels =~ /($label)=($quoted)/g) {
        $self->fault("it has the label $1 twice") if exists $label{$1};
        $label{$1} = unquote($2);
    }

    my $key = key($sample, \%label);

    $self->fault("there are two samples $key") if $self->{by_key}{$key};

    my $entry = [$sample, \%label, $value];

    $self->{by_key}{$key} = $entry;
    push @{ $self->{samples} }, $entry;
}


# Whether a metric of that type has a sample of that name.

sub belongs {
    my ($self, $sample, $metric) = @_;

    return 0 if index($sample, $metric) != 0;

    my $suffix = substr $sample, length $metric;
    my $type = $self->{type}{$metric};

    # in the text format, the name of a counter has the suffix
    return $suffix eq "" && $metric =~ /_total$/
        if $type eq "counter" && !$self->{openmetrics};

    return $suffixes{$type} && $suffixes{$type}{$suffix};
}


sub histograms {
    my ($self) = @_;

    my %bounds;

    delete $self->{line};

    for (grep { $_->[0] =~ /_bucket$/ } @{ $self->{samples} }) {
        my ($sample, $labels, $value) = @$_;
        my %rest = %$labels;
        my $le = delete $rest{le};

        push @{ $bounds{key($sample =~ s/_bucket$//r, \%rest)} },
             [$le, $value, $sample =~ s/_bucket$//r, \%rest];
    }

    for my $key (sort keys %bounds) {
        my @buckets = @{ $bounds{$key} };
        my $last = pop @buckets;

        $self->fault("$key: the last bucket is not +Inf")
            if $last->[0] ne "+Inf";
        $self->fault("$key: le is not written as OpenMetrics has it")
            if grep { $_->[0] !~ /^[0-9]+\.[0-9]*[1-9]$|^[1-9][0-9]*\.0$/ }
                    @buckets;
        $self->fault("$key: there is no _sum")
            if !$self->{by_key}{key("$last->[2]_sum", $last->[3])};

        my $count = $self->{by_key}{key("$last->[2]_count", $last->[3])};

        $self->fault("$key: _count is not the last bucket")
            if !$count || $count->[2] != $last->[1];

        my ($le, $n) = (0, 0);

        for (@buckets, [9**9, $last->[1]]) {
            $self->fault("$key: buckets are not ascending")
                if $_->[0] <= $le || $_->[1] < $n;
            ($le, $n) = @$_;
        }
    }
}


sub value {
    my ($self, $sample, %label) = @_;

    my $entry = $self->{by_key}{key($sample, \%label)};

    return $entry && $entry->[2];
}


sub series {
    my ($self, $sample) = @_;

    return { map { (join(",", pairs($_->[1])) => $_->[2]) }
             grep { $_->[0] eq $sample } @{ $self->{samples} } };
}


sub key {
    my ($sample, $labels) = @_;

    return "$sample\{" . join(",", pairs($labels)) . "}";
}


sub pairs {
    my ($labels) = @_;

    return map { "$_=$labels->{$_}" } sort keys %$labels;
}


sub unquote {
    my ($text) = @_;

    $text =~ s/^"|"$//g;
    $text =~ s/\\(.)/$1 eq "n" ? "\n" : $1/ge;

    return $text;
}


sub fault {
    my ($self, $what) = @_;

    my $line = $self->{line} ? "line $self->{line}: " : "";

    push @{ $self->{faults} }, "$line$what";
}

1;
