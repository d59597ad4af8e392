package Enkod::PowerLoss;

# Simulates a power cut for the files of a folder, from what Enkod::Preload has
# recorded.  The bytes that a file had when its last successful sync began are
# on the disk.  Of later bytes, anything may be there: none, all, a part that
# ends at any byte, pages of zeros.  Unless the folder was synced since, a new
# file may have no name, and a renamed file its old one.
#
# The bytes of a failed sync are lost, as on Linux, even if a later sync
# succeeds: the kernel takes their pages for clean.  Only a page to which bytes
# are appended later is written as a whole.
#
#     my $power = Enkod::PowerLoss->new($preload, $dir);  # before nginx starts
#     rename $one, $two; $power->renamed($one, $two);
#     ...                                                 # kill all processes
#     my @done = $power->cut;             # texts that say what was done
#     $power->{torn};                     # how many lines may be torn now

use strict;
use warnings;

use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);


sub new {
    my ($class, $preload, $dir) = @_;

    my $self = bless { preload => $preload, dir => $dir }, $class;

    $self->begin;

    return $self;
}


# From here on, what is there now counts as on the disk.

sub begin {
    my ($self) = @_;

    $self->{base} = {};
    $self->{renames} = [];

    for my $file ($self->files) {
        my @stat = stat $file;
        $self->{base}{$stat[1]} = $stat[7];
    }

    $self->{preload}->forget;
}


sub files {
    my ($self) = @_;

    return glob "$self->{dir}/*.jsonl*";
}


# To be called after a rename, as the new name is on the disk only after a sync.

sub renamed {
    my ($self, $from, $to) = @_;

    push @{ $self->{renames} },
         { from => $from, to => $to, at => clock_gettime(CLOCK_MONOTONIC) };
}


sub cut {
    my ($self) = @_;

    my @notes = $self->{preload}->notes;
    my @done;

    # the block size of the file system; smaller blocks have more borders
    $self->{page} = (512, 4096)[rand 2];
    $self->{torn} = 0;

    for my $file ($self->files) {
        push @done, map { "$file: $_" } $self->lose($file, @notes);
    }

    push @done, $self->lose_names(@notes);

    $self->begin;

    return @done;
}


# What is on the disk of a file: all bytes up to this size, except for some
# holes.
#
# Notes are in the order in which the calls have ended.  A sync that has
# succeeded before another one failed may have been noted later, so they are
# sorted by the number of errors.

sub durable {
    my ($self, $ino, @notes) = @_;

    my $size = $self->{base}{$ino} || 0;
    my $lost = 0;               # bytes up to here, by a sync that has failed
    my @holes;

    my @ours = grep { $_->{ino} == $ino && !$_->{dir} } @notes;

    # perl's sort is stable

    for my $note (sort { $a->{errors} <=> $b->{errors}
                         || $b->{lost} <=> $a->{lost} } @ours)
    {
        if ($note->{lost}) {
            $lost = $note->{size} if $lost < $note->{size};

        } elsif ($note->{what} =~ /sync$/ && $note->{rc} == 0) {
            my $now = $note->{size};

            next if $now < $size;

            if ($lost > $size) {
                $lost -= $lost % $self->{page} if $lost < $now;
                push @holes, [$size, $lost] if $lost > $size;
            }

            $size = $now;
            $lost = 0;
        }
    }

    return { size => $size, holes => \@holes };
}


sub lose {
    my ($self, $file, @notes) = @_;

    my @stat = stat $file or return;
    my $disk = $self->durable($stat[1], @notes);
    my $size = $disk->{size};
    my @done;

    open my $fh, "+<", $file or die "$file: $!";
    binmode $fh;

    push @done, $self->lose_rest($fh, $size, $stat[7] - $size)
        if $stat[7] > $size;

    my ($holes, $lost) = (0, 0);

    for my $hole (@{ $disk->{holes} }) {
        next if rand() < 0.2;

        my ($from, $to) = @$hole;

        # some of its pages may be on the disk
        $to -= $self->{page} while rand() < 0.3;
        next if $from >= $to;

        zero($fh, $from, $to);

        $holes++;
        $lost += $to - $from;
    }

    close $fh or die "$file: $!";

    $self->{torn} += $holes;
    push @done, "$lost bytes for which syncs have failed are lost, in $holes "
                . "places" if $holes;

    return @done;
}


# changes the bytes that were not synced

sub lose_rest {
    my ($self, $fh, $size, $more) = @_;

    my $keep = (0, $more, int rand($more + 1), int rand($more + 1))[rand 4];

    truncate $fh, $size + $keep or die "truncate: $!";

    my $what = "$keep of $more bytes that were not synced are left";

    if ($keep && rand() < 0.5) {
        my $from = $size + int rand $keep;
        $from -= $from % $self->{page};

        my $to = $from + $self->{page};

        $from = $size if $from < $size;
        $to = $size + $keep if $to > $size + $keep;

        zero($fh, $from, $to);
        $what .= ", " . ($to - $from) . " of them zeros";
        $self->{torn}++;
    }

    $self->{torn}++;

    return $what;
}


sub zero {
    my ($fh, $from, $to) = @_;

    seek $fh, $from, 0;
    print $fh "\0" x ($to - $from);
}


# In reverse order: first a file that was created since the folder was synced,
# then the rename that had made room for it.

sub lose_names {
    my ($self, @notes) = @_;

    my $folder = (stat $self->{dir})[1];
    my (%created, @done);

    for my $note (grep { $_->{what} eq "open" } @notes) {
        $created{$note->{ino}} ||= $note->{begun};
    }

    my $synced = sub {
        my ($time) = @_;
        return grep { $_->{what} =~ /sync$/ && $_->{ino} == $folder
                      && $_->{rc} == 0 && $_->{begun} > $time } @notes;
    };

    for my $rename (reverse @{ $self->{renames} }) {

        last if $synced->($rename->{at});
        next if rand() < 0.5 || !-e $rename->{to};

        rename $rename->{to}, $rename->{from} or die "$rename->{to}: $!";
        push @done, "$rename->{to} has its old name again";
    }

    for my $file ($self->files) {
        my $ino = (stat $file)[1];

        next if exists $self->{base}{$ino}
                || $created{$ino} && $synced->($created{$ino})
                || rand() < 0.5;

        unlink $file or die "$file: $!";
        push @done, "$file has no name";
    }

    return @done;
}

1;
