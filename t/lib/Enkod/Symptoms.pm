package Enkod::Symptoms;

# A page that shows commands and what is printed: its commands are run as they
# stand there, and each of its blocks of ```text has to have been printed in a
# case of the same heading.
#
#     my $page = Enkod::Symptoms->new($text);
#     $page->run("The spool grows", $procedure, 1);   # its second block of ```sh
#     $page->saw("The spool grows", $nginx->error_log);
#     $page->unseen;   $page->unrun;   # headings and blocks that are left
#
# A line of a block that ends in "…" is the beginning of a longer one.  Lines in
# between may be left out.

use strict;
use warnings;


sub new {
    my ($class, $text) = @_;

    my $self = bless { blocks => [], seen => {}, excused => {} }, $class;
    my ($heading, $block);

    for my $line (split /^/, $text) {

        if ($block) {
            $block = undef, next if $line =~ /^```$/;
            $block->{text} .= $line;

        } elsif ($line =~ /^```(\w+)$/) {
            $block = { language => $1, heading => $heading, text => "" };
            push @{ $self->{blocks} }, $block;

        } elsif ($line =~ /^#+ (.*)$/) {
            $heading = $1;
        }
    }

    return $self;
}


sub blocks {
    my ($self, $language) = @_;

    return grep { $_->{language} eq $language } @{ $self->{blocks} };
}


# A block of commands below a heading.

sub commands {
    my ($self, $heading, $n) = @_;

    my $block = (grep { $_->{heading} eq $heading } $self->blocks("sh"))[$n || 0]
        or die "\"$heading\" has not as many blocks of commands\n";

    $block->{run} = 1;

    return $block->{text};
}


# Runs it; its status and output, which the reader of this heading, or of
# another one, has seen.

sub run {
    my ($self, $heading, $procedure, %o) = @_;

    my ($status, $output) = $procedure->run($self->commands($heading, $o{n}));

    $self->saw($o{for} || $heading, $procedure->shown($output));

    return wantarray ? ($status, $output) : $output;
}


sub saw {
    my ($self, $heading, $text) = @_;

    # fuser of a user who may not see every process
    my @lines = grep { !/^Cannot stat file / } split /\n/, $text;

    push @{ $self->{seen}{$heading} }, [map { plain($_) } @lines];
}


# What cannot be provoked here.

sub excuse {
    my ($self, @headings) = @_;

    $self->{excused}{$_} = 1 for @headings;
}


sub unseen {
    my ($self) = @_;

    return grep { !$self->{excused}{$_->{heading}} && !$self->was_seen($_) }
           $self->blocks("text");
}


sub unrun {
    my ($self) = @_;

    return map { "$_->{heading}: $_->{text}" }
           grep { !$self->{excused}{$_->{heading}} && !$_->{run} }
           $self->blocks("sh");
}


# what the reader of that heading has seen, as it is compared

sub all {
    my ($self, $block) = @_;

    return map { map { "    $_\n" } @$_, "" }
               @{ $self->{seen}{$block->{heading}} };
}


sub was_seen {
    my ($self, $block) = @_;

    my @expected = map { plain($_) } split /\n/, $block->{text};

    return @expected && grep { in_order($_, @expected) }
                             @{ $self->{seen}{$block->{heading}} };
}


sub in_order {
    my ($seen, @expected) = @_;

    for my $line (@$seen) {
        shift @expected if @expected && is_line($line, $expected[0]);
    }

    return !@expected;
}


sub is_line {
    my ($line, $expected) = @_;

    return $expected =~ s/ ?…$// ? $line =~ /^\Q$expected\E/
                                 : $line eq $expected;
}


# A line without what differs from one time to the next, or one machine to
# another: times, processes, connections, addresses, ids.

sub plain {
    my ($line) = @_;

    for ($line) {
        s/\r$//;
        s/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}Z|[+]\d\d:\d\d)/TIME/g;
        s/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/TIME/;
        s/\b\d+#\d+: (?:\*\d+ )?/PID: /;
        s/(?<!\d)(?:127\.0\.0|192\.0\.2)\.\d+(?::\d+)?(?!\d)/ADDRESS/g;
        s/\b[0-9a-f]{32}\b/ID/g;
        s/socket #\d+ left in connection \d+/socket #N left in connection N/;
        s/ after \d+ (ms|milliseconds)/ after N $1/;
        s/version \d+ instead of \d+/version N instead of N/;
        s/excess: [\d.]+/excess: N/;
        s/"POST (\/\w+)" (\d{3}) [\d.]+ \d+/"POST $1" $2 N/;

        # columns
        s/\h+/ /g;
        s/^ | $//g;
        s/^[\w-]+ \d+ (F\.{4})/USER PROCESS $1/;
        s/^\d+ \w+ [\d:-]+ nginx/PROCESS nginx/;
        s/pid=\d+,fd=\d+/PROCESS/;
        s/^\d+:\h*/N: /;
        s/(libyajl\.so\.)\d/$1N/;
        s/(in \S+\.conf):\d+$/$1/;
    }

    return $line;
}

1;
