package Enkod::DeliveryCheck;

# Checks what must, may and must not be in the files, given the answers that the
# senders got:
#
#     200         the event must be in a log, once, whole and unaltered
#     4xx         the event must not be in a log; its body must be in the reject
#                 log, once, if there is one
#     503, none   the event may be in a log, once
#
# Where events are passed on, an event that got a 200 must also have reached the
# upstream or be in a spool; a 503 may come from the spool.
#
# Anything else in a file is a defect, except empty lines, and beginnings of
# lines that end with a line feed, of which "torn" allows so many.  With others
# => 1, processes append that do not share a lock with nginx's workers, such as
# another master: then a whole line may follow such a beginning, and if
# its event was acknowledged, the event must also be on a line of its own.  Text
# that consists of "#" comes from other programs.
#
# An acknowledged event may be missing only if its id is in "lost".  Bytes that
# are zero, up to the beginning of a line, count as torn lines.  "deleted" are
# logs that had lost their names: an event in them is not missing, and may be in
# another log too.  "seen" is the list that Enkod::Follower has returned.
#
#     my $verdict = Enkod::DeliveryCheck::check(sent => { id => status },
#         logs => \@files, rejects => \@files, spools => \@files,
#         delivered => \@files, deleted => \@files, torn => 2,
#         lost => { id => 1 }, others => 1, seen => \@seen);
#
#     { defects => [...], missing => n, acknowledged => n, lines => n, torn => n,
#       glued => n, empty => n, followed => n }

use strict;
use warnings;

use Enkod::Load qw(line_of refused_event);


sub check {
    my (%o) = @_;

    my $sent = $o{sent};
    my $v = { defects => [], missing => 0, lines => 0, torn => 0, empty => 0,
              glued => 0, acknowledged => 0, refused => 0, followed => 0,
              others => $o{others} };

    for my $seen (@{ $o{seen} || [] }) {
        $v->{followed} += $seen->{bytes} || 0;
        defect($v, "a reader: $_") for @{ $seen->{defects} };
    }

    my $kept = read_files($v, "log", @{ $o{logs} });
    my $rejected = read_files($v, "reject log", @{ $o{rejects} || [] });

    my $spooled = read_files($v, "spool", @{ $o{spools} || [] });
    my $delivered = read_files($v, "log", @{ $o{delivered} || [] });
    my $deleted = read_files($v, "log", @{ $o{deleted} || [] });

    for my $id (sort map { keys %$_ } $kept, $rejected, $spooled, $delivered,
                                    $deleted)
    {
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
            missing($v, "$id, acknowledged, is missing")
                if !$n && !$deleted->{$id} && !$lost;
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

        defect($v, "$id, to be refused, is in a log") if $refused && $n;
        defect($v, "$id, to be refused, was passed on") if $refused && $s + $d;
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


# Returns how often each id is in these files.

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

            my $theirs = $v->{others} && $line =~ s/#+//g;
            my ($id, $same) = id_of($kind, $line);

            if ($theirs && (defined $id || $line =~ /^\n?\z/)) {
                $v->{torn}++;
                $v->{glued}++ if defined $id;

            } elsif (defined $id) {
                $v->{lines}++;
                $seen{$id}++;
                defect($v, "$file:$.: $id has been altered") if !$same;

            } elsif ($line eq "\n") {
                $v->{empty}++;

            } elsif (beginning($line) || unended($kind, $line)) {
                $v->{torn}++;

            } elsif ($v->{others} && glued($kind, $line)) {
                # only the beginning counts: an event that must be there is on
                # another line
                $v->{torn}++;
                $v->{glued}++;

            } else {
                defect($v, "$file:$., at byte " . (tell($fh) - length $line)
                           . ": not a line: " . substr $line, 0, 200);
            }
        }
    }

    return \%seen;
}


sub id_of {
    my ($kind, $line) = @_;

    return $kind eq "reject log" ? refusal_of($line)
           : $kind eq "spool" ? spooled_line_of($line)
           : line_of($line);
}


# line_of() for a spool

sub spooled_line_of {
    my ($line) = @_;

    $line =~ s/"pass_status":[1-9]\d\d,(?="event":)// or return;

    return line_of($line);
}


# line_of() for a reject log

sub refusal_of {
    my ($line) = @_;

    my ($body) = $line =~ /^\{"received_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d
                           \.\d{3}Z","request_id":"[0-9a-f]{32}",
                           "remote_addr":"127\.0\.0\.1",
                           "status":422,"code":"wrong_type",
                           "field":"\/message_id",
                           "body":"((?:[^"\\]|\\.)*)"\}\n\z/x
        or return;

    # our bodies have nothing else that is escaped
    $body =~ s/\\"/"/g;

    my ($id) = $body =~ /"message_uid":"([^"]+)"/ or return;

    return ($id, $body eq refused_event($id));
}


# True if the text can be the beginning of a line.  It does not end like a line,
# so no other line follows it.

sub beginning {
    my ($line) = @_;

    chomp $line;

    my $begin = '{"received_at":"';
    my $n = length $line < length $begin ? length $line : length $begin;

    return substr($line, 0, $n) eq substr($begin, 0, $n)
           && $line !~ /.\{"received_at":/
           && $line !~ /"\}\z/;
}


# True if the text is a whole line without its line feed.

sub unended {
    my ($kind, $line) = @_;

    return $line !~ /\n\z/ && defined((id_of($kind, "$line\n"))[0]);
}


# True if the text is one of these two, followed by a line or the beginning of
# one.

sub glued {
    my ($kind, $line) = @_;

    my ($piece, $rest) = $line =~ /^(.+)(\{"received_at":".*\n)\z/ or return 0;

    my ($id, $same) = id_of($kind, $rest);

    return (beginning($piece) || unended($kind, $piece))
           && (defined $id ? $same : beginning($rest));
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
