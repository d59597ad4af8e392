package Enkod::Follower;

# A reader that follows the files of a folder while others append to them, as
# rsyslog and `tail -F` do: by inode and offset, whatever name a file has by
# then.  A byte that was read must not change: a file that gets shorter, or no
# longer has the bytes that were read from it, is a defect.
#
#     my $follower = Enkod::Follower->new($dir);      # another process
#     $follower->has(300) or die;         # waits until it has read 300 bytes
#     ...
#     my $seen = $follower->finish;       # { defects => [...], bytes => n,
#                                         #   files => n, reads => n }

use strict;
use warnings;

use Digest::MD5;
use Fcntl qw(SEEK_SET);
use File::Temp ();
use IO::Handle;
use POSIX ();
use Time::HiRes qw(sleep time);

# so many of the last bytes are read again and compared whenever a file grows
use constant WINDOW => 8192;

# seconds between two looks at the files, and at the folder
use constant PAUSE => 0.002;
use constant FOLDER => 0.02;


sub new {
    my ($class, $dir) = @_;

    my $report = File::Temp->new;

    pipe my $progress, my $say or die "pipe: $!";

    my $self = bless { report => $report, progress => $progress }, $class;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        close $progress;
        eval { follow($dir, "$report", $say); 1 }
            or print STDERR "follower: $@";
        POSIX::_exit(0);
    }

    close $say;
    $self->{pid} = $pid;

    # wait until it follows the files
    $self->has(0);

    return $self;
}


sub has {
    my ($self, $bytes) = @_;

    my $progress = $self->{progress};

    while (defined(my $line = <$progress>)) {
        return 1 if $line >= $bytes;
    }

    return 0;
}


sub DESTROY {
    my ($self) = @_;

    return if !$self->{pid};

    local ($?, $!);

    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


sub finish {
    my ($self) = @_;

    my $pid = delete $self->{pid};

    kill 'TERM', $pid;
    waitpid $pid, 0;

    open my $fh, "<", "$self->{report}" or die "follower: $!";
    my ($sum, @defects) = <$fh>;
    chomp @defects;

    my $seen = { defects => \@defects };
    @$seen{qw(bytes files reads)} = split " ", $sum || "";

    push @defects, "the follower has died" if !defined $sum;

    return $seen;
}


# in the child

sub follow {
    my ($dir, $report, $say) = @_;

    my ($stop, $looked, $reads, $said) = (0, 0, 0, -1);
    my (%files, @defects);

    $SIG{TERM} = sub { $stop = 1 };
    $SIG{$_} = 'DEFAULT' for qw(ALRM INT HUP);
    alarm 0;
    $say->blocking(0);

    while (1) {
        # it is told to stop when all has been written
        my $last = $stop;

        if ($last || time > $looked + FOLDER) {
            $looked = time;
            open_new($dir, \%files);
        }

        $reads += read_more($_, \@defects) for values %files;

        $said = progress($say, \%files, $said);

        last if $last;

        sleep PAUSE;
    }

    read_again($_, \@defects) for values %files;

    my $bytes = bytes(\%files);

    open my $fh, ">", $report or die "$report: $!";
    print $fh "$bytes ", scalar keys %files, " $reads\n",
              map { "$_\n" } @defects;
    close $fh or die "$report: $!";
}


sub bytes {
    my ($files) = @_;

    my $bytes = 0;
    $bytes += $_->{offset} for values %$files;

    return $bytes;
}


# Tells the parent how many bytes have been read.

sub progress {
    my ($say, $files, $said) = @_;

    my $bytes = bytes($files);

    # the pipe may be full, as the parent need not read
    return $said if $bytes == $said || !defined syswrite $say, "$bytes\n";

    return $bytes;
}


# Deleted files stay open, so that their inodes are not used again.

sub open_new {
    my ($dir, $files) = @_;

    for my $path (glob "$dir/*.jsonl*") {
        my @stat = stat $path or next;
        my $key = "$stat[0]:$stat[1]";

        next if $files->{$key};

        open my $fh, "<:raw", $path or next;
        @stat = stat $fh;

        $files->{"$stat[0]:$stat[1]"}
            ||= { fh => $fh, name => $path =~ s{.*/}{}r, offset => 0,
                  window => "", md5 => Digest::MD5->new };
    }
}


sub read_more {
    my ($file, $defects) = @_;

    my $size = -s $file->{fh};

    if ($size < $file->{offset}) {
        defect($file, $defects, "has got shorter: $file->{offset} bytes were "
                                . "read of it, and it has $size");
        return 0;
    }

    return 0 if $size == $file->{offset};

    my $from = $file->{offset} - length $file->{window};

    sysseek $file->{fh}, $from, SEEK_SET;

    my $n = sysread $file->{fh}, my $text, $size - $from;

    if (!defined $n || $n < length $file->{window}) {
        defect($file, $defects, "cannot be read: " . ($! || "it ends"));
        return 0;
    }

    compare($file, $defects, $from, substr $text, 0, length $file->{window});

    substr $text, 0, length $file->{window}, "";

    $file->{md5}->add($text);
    $file->{offset} += length $text;
    $file->{window} .= $text;

    substr $file->{window}, 0, -WINDOW, "" if length $file->{window} > WINDOW;

    return 1;
}


sub compare {
    my ($file, $defects, $from, $text) = @_;

    return if ($text ^ $file->{window}) !~ /[^\0]/;

    my $differ = $-[0];

    defect($file, $defects, "is not at byte " . ($from + $differ)
                            . " what was read there: "
                            . substr($file->{window}, $differ, 60) . " was, "
                            . substr($text, $differ, 60) . " is");
}


# Compares the whole file with what was read, at the end.

sub read_again {
    my ($file, $defects) = @_;

    my $md5 = Digest::MD5->new;
    my $left = $file->{offset};

    sysseek $file->{fh}, 0, SEEK_SET;

    while ($left) {
        my $n = sysread $file->{fh}, my $text, $left < 1 << 20 ? $left : 1 << 20;
        last if !$n;

        $md5->add($text);
        $left -= $n;
    }

    defect($file, $defects, "does not hold what was read of it")
        if $left || $md5->digest ne $file->{md5}->digest;
}


# Notes the first defect of a file; others may follow from it.

sub defect {
    my ($file, $defects, $text) = @_;

    $text =~ tr/\n\0/  /;

    push @$defects, "$file->{name} $text" if !$file->{told}++;
}

1;
