package Enkod::Oracle;

# What must, may and must not be in the files, by what the senders were told:
#
#     200         the event must be in a log, once, whole and unaltered
#     4xx         it must not be in a log; and if there is a reject log, its
#                 body must be there, once
#     503, none   it may be there, once
#
# With cut => 1, a 503 means that it is not: without sync, what was written of it
# is cut off again, unless there are two masters.
#
# Where events are handed on, those that got a 200 must be with the upstream or in
# a spool as well; and a 503 can be that of the spool.
#
# Everything else in a file is a defect, except an empty line, and the beginning
# of a line, of which there may be as many as "torn" says.  What was acknowledged
# is "lost" without a defect only if its id is in that set; bytes that are zero,
# at the end of which a line begins, are torn lines.
#
#     my $verdict = Enkod::Oracle::judge(sent => { id => status },
#         logs => \@files, rejects => \@files, spools => \@files,
#         delivered => \@files, torn => 2, lost => { id => 1 });
#
#     { defects => [...], missing => n, acknowledged => n, lines => n, torn => n,
#       empty => n }

use strict;
use warnings;

use Enkod::Load qw(line_of refused_event);


sub judge {
    my (%o) = @_;

    my $sent = $o{sent};
    my $v = { defects => [], missing => 0, lines => 0, torn => 0, empty => 0,
              acknowledged => 0, refused => 0 };

    my $kept = read_files($v, "log", @{ $o{logs} });
    my $rejected = read_files($v, "reject log", @{ $o{rejects} || [] });

    my $spooled = read_files($v, "spool", @{ $o{spools} || [] });
    my $delivered = read_files($v, "log", @{ $o{delivered} || [] });

    for my $id (sort map { keys %$_ } $kept, $rejected, $spooled, $delivered) {
        defect($v, "$id was never sent") if !exists $sent->{$id};
    }

    for my $id (sort keys %$sent) {
        my $status = $sent->{$id};
        my $refused = $id =~ /^B/;
        my $lost = $o{lost} && $o{lost}{$id};
        my ($n, $r, $s, $d) = map { $_->{$id} || 0 }
                                  $kept, $rejected, $spooled, $delivered;

        if ($status == 200) {
            $v->{acknowledged}++;

            defect($v, "$id was to be refused, and got 200") if $refused;
            missing($v, "$id, acknowledged, is missing") if !$n && !$lost;
            missing($v, "$id, acknowledged, is neither delivered nor in a spool")
                if $o{spools} && !$s && !$d && !$lost;

        } elsif ($status == 422) {
            $v->{refused}++;

            defect($v, "$id was to be accepted, and got 422") if !$refused;
            defect($v, "$id, refused, is in a log") if $n;

            missing($v, "$id, refused, is not in a reject log")
                if $o{rejects} && !$r && !$lost;

        } elsif ($status != 0 && $status != 503) {
            defect($v, "$id got $status");
        }

        defect($v, "$id, not acknowledged with 503, is there")
            if $o{cut} && $status == 503 && ($o{spools} ? $s : $n || $r);

        defect($v, "$id, to be refused, is in a log") if $refused && $n;
        defect($v, "$id, to be refused, was handed on") if $refused && $s + $d;
        defect($v, "$id, to be accepted, is in a reject log") if !$refused && $r;
        defect($v, "$id is there $n times") if $n > 1;
        defect($v, "$id is in a reject log $r times") if $r > 1;
        defect($v, "$id is in a spool $s times") if $s > 1;
        defect($v, "$id is delivered $d times") if $d > 1;
    }

    my $torn = $o{torn} || 0;

    defect($v, "$v->{torn} incomplete lines, there may be $torn")
        if $v->{torn} > $torn;

    return $v;
}


# how often each id is there

sub read_files {
    my ($v, $kind, @files) = @_;

    my %seen;

    for my $file (@files) {
        open my $fh, "<", $file or do { defect($v, "$file: $!"); next };

        while (my $line = <$fh>) {
            # a power cut can take the middle of a line, too, or its beginning;
            # if one that must be there is glued to that, it is missing

            if ($line =~ /\0/) {
                $v->{torn}++;
                next;
            }

            my ($id, $same) = $kind eq "reject log" ? refusal_of($line)
                              : $kind eq "spool" ? spooled_line_of($line)
                              : line_of($line);

            if (defined $id) {
                $v->{lines}++;
                $seen{$id}++;
                defect($v, "$file:$.: $id has been altered") if !$same;

            } elsif ($line eq "\n") {
                $v->{empty}++;

            } elsif (beginning($line)) {
                $v->{torn}++;

            } else {
                defect($v, "$file:$.: not a line: " . substr $line, 0, 200);
            }
        }
    }

    return \%seen;
}


# as line_of(), for a spool

sub spooled_line_of {
    my ($line) = @_;

    $line =~ s/"pass_status":[1-9]\d\d,(?="event":)// or return;

    return line_of($line);
}


# as line_of(), for a reject log

sub refusal_of {
    my ($line) = @_;

    my ($body) = $line =~ /^\{"received_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d
                           \.\d{3}Z","request_id":"[0-9a-f]{32}",
                           "remote_addr":"127\.0\.0\.1",
                           "status":422,"code":"wrong_type",
                           "field":"\/message_id","body":"(.*)"\}\n\z/x
        or return;

    # there is nothing else to escape in ours
    $body =~ s/\\"/"/g;

    my ($id) = $body =~ /"message_uid":"([^"]+)"/ or return;

    return ($id, $body eq refused_event($id));
}


# Could that be what is left of a line?  It does not end as one, so nothing was
# glued to it.

sub beginning {
    my ($line) = @_;

    chomp $line;

    my $begin = '{"received_at":"';
    my $n = length $line < length $begin ? length $line : length $begin;

    return substr($line, 0, $n) eq substr($begin, 0, $n)
           && $line !~ /.\{"received_at":/
           && $line !~ /"\}\z/;
}


sub defect {
    my ($v, $text) = @_;

    push @{ $v->{defects} }, $text;
}


sub missing {
    my ($v, $text) = @_;

    $v->{missing}++;
    defect($v, $text);
}

1;
