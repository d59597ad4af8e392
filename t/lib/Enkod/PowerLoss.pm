package Enkod::PowerLoss;

# What a power cut may leave of the files in a folder, by what Enkod::Shim has
# seen.  On the disk is what the last sync that was completed has found in a
# file when it began.  Of the rest, anything may be there: nothing, all, a part
# that ends at any byte, pages of zeros; what was cut off since may be back; and
# a new file may have no name, or a renamed one its old name again, unless the
# folder was synced since.
#
# With holes => 1, what a failed sync was for is lost, as on Linux, even if a
# later one has succeeded, but for the page on which others were written later.
# (The shim fails the sync of one worker, and the kernel would those of all, so
# this is for one worker.)
#
#     my $power = Enkod::PowerLoss->new($shim, $dir);    # before nginx starts
#     rename $one, $two; $power->renamed($one, $two);
#     ...                                                # kill all, and then
#     my @done = $power->cut;                            # what was done

use strict;
use warnings;

use constant PAGE => 4096;


sub new {
    my ($class, $shim, $dir, %o) = @_;

    my $self = bless { shim => $shim, dir => $dir, %o }, $class;

    $self->begin;

    return $self;
}


# All that is there now is on the disk.

sub begin {
    my ($self) = @_;

    $self->{base} = {};
    $self->{renames} = [];
    $self->{named} = { map { $_ => 1 } $self->files };

    for my $file ($self->files) {
        my @stat = stat $file;
        $self->{base}{$stat[1]} = $stat[7];
    }

    $self->{shim}->forget;
}


sub files {
    my ($self) = @_;

    return glob "$self->{dir}/*.jsonl*";
}


# whoever renames says so, since the name is on the disk only after a sync

sub renamed {
    my ($self, $from, $to) = @_;

    push @{ $self->{renames} },
         { from => $from, to => $to, after => scalar $self->{shim}->syncs };
}


sub cut {
    my ($self) = @_;

    my @syncs = $self->{shim}->syncs;
    my @done;

    $self->{holes_made} = 0;

    for my $file ($self->files) {
        push @done, map { "$file: $_" } $self->lose($file, @syncs),
                                        $self->make_holes($file, @syncs);
    }

    push @done, $self->lose_names(@syncs);

    $self->begin;

    return @done;
}


# The size of the file that is on the disk, and what may be back there.

sub durable {
    my ($self, $ino, @syncs) = @_;

    my $size = $self->{base}{$ino} || 0;
    my $offset = 0;
    my @back;

    for my $sync (@syncs) {

        if ($sync->{what} eq "ftruncate") {

            if ($sync->{ino} == $ino && $sync->{rc} < $size) {
                push @back, { at => $sync->{rc}, offset => $offset,
                              size => $size - $sync->{rc} };
                $size = $sync->{rc};
            }

            $offset += $sync->{err};

        } elsif ($sync->{ino} == $ino && $sync->{rc} == 0
                 && $sync->{size} >= $size)
        {
            $size = $sync->{size};
            @back = ();
        }
    }

    return ($size, @back);
}


# What was on no disk when a sync failed, and lies before what a later one has
# found.

sub make_holes {
    my ($self, $file, @syncs) = @_;

    return if !$self->{holes};

    my $ino = (stat $file)[1] or return;
    my $size = $self->{base}{$ino} || 0;
    my $holes = 0;
    my @failed;

    for my $sync (grep { $_->{ino} == $ino } @syncs) {

        if ($sync->{what} eq "ftruncate") {
            $size = $sync->{rc} if $sync->{rc} < $size;
            @failed = grep { $_->[1] <= $sync->{rc} } @failed;

        } elsif ($sync->{rc} != 0) {
            push @failed, [$size, $sync->{size}];

        } elsif ($sync->{size} > $size) {
            $size = $sync->{size};
        }
    }

    for my $hole (@failed) {
        my ($from, $to) = @$hole;

        $to -= $to % PAGE;
        $to = -s $file if $to > -s $file;

        next if $from >= $to || rand() < 0.3;

        open my $fh, "+<", $file or die "$file: $!";
        seek $fh, $from, 0;
        print $fh "\0" x ($to - $from);
        close $fh or die "$file: $!";

        $holes++;
    }

    $self->{holes_made} += $holes;

    return $holes ? "where syncs have failed there are $holes holes" : ();
}


sub lose {
    my ($self, $file, @syncs) = @_;

    my @stat = stat $file or return;
    my ($size, @back) = $self->durable($stat[1], @syncs);

    open my $fh, "+<", $file or die "$file: $!";
    binmode $fh;

    if (@back && rand() < 0.5) {
        my $cut = $back[0];

        open my $kept, "<", "$self->{shim}{dir}/cut" or die "cut: $!";
        seek $kept, $cut->{offset}, 0;
        read $kept, my $bytes, $cut->{size};

        truncate $fh, $cut->{at};
        seek $fh, $cut->{at}, 0;
        print $fh $bytes;
        close $fh or die "$file: $!";

        return "$cut->{size} bytes that were cut off are back";
    }

    my $more = $stat[7] - $size;

    return if $more <= 0;

    my $keep = (0, $more, int rand($more + 1), int rand($more + 1))[rand 4];

    truncate $fh, $size + $keep or die "$file: $!";

    my $what = "$keep of $more bytes that were not synced are left";

    if ($keep && rand() < 0.5) {
        my $page = $size + int rand $keep;
        $page -= $page % PAGE;

        my $from = $page < $size ? $size : $page;
        my $to = $page + PAGE;
        $to = $size + $keep if $to > $size + $keep;

        seek $fh, $from, 0;
        print $fh "\0" x ($to - $from);
        $what .= ", " . ($to - $from) . " of them zeros";
    }

    close $fh or die "$file: $!";

    return $what;
}


# The last names first: a file that has come to be since the folder was synced,
# and the renaming that had made room for it.

sub lose_names {
    my ($self, @syncs) = @_;

    my @done;

    my $synced = sub {
        my ($after) = @_;
        return grep { $_->{dir} && $_->{rc} == 0 && $_->{path} eq $self->{dir} }
               @syncs[$after .. $#syncs];
    };

    for my $rename (reverse @{ $self->{renames} }) {

        last if $synced->($rename->{after});
        next if rand() < 0.5 || !-e $rename->{to};

        rename $rename->{to}, $rename->{from} or die "$rename->{to}: $!";
        push @done, "$rename->{to} has its old name again";
    }

    if (!$synced->(0)) {
        for my $file (grep { !$self->{named}{$_} } $self->files) {

            next if rand() < 0.5
                    || grep { $_->{to} eq $file } @{ $self->{renames} };

            unlink $file or die "$file: $!";
            push @done, "$file has no name";
        }
    }

    return @done;
}

1;
