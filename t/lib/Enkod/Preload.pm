package Enkod::Preload;

# A library that is preloaded into nginx.  It records each write() of lines, and
# each fdatasync() and fsync() of their files and folders.  When told so, it
# makes these calls and fallocate() fail, stop or take longer.  It can also set
# the clocks.
#
#     my $preload = Enkod::Preload->new($dir) or plan skip_all => ...;
#     Enkod::Nginx->new(..., env => $preload->env);
#     $preload->on_write("kill");         # see %code
#     $preload->writes;                   # [pid, length asked, result], ...
#     $preload->on_fallocate("quota");    # see %space_code
#     $preload->on_sync("hold");          # see %sync_code
#     $preload->syncs;                    # { pid, what, path, ... }, ...
#     $preload->set_clock(3600);          # the clock is an hour ahead
#     $preload->set_uptime(60);           # the monotonic clock is

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path ();

my $source = dirname(__FILE__) . "/preload.c";

# what the next write() does, once where nothing else is said

my %code = (
    none    => "-",
    kill    => "k",    # writes half, and the process gets SIGKILL
    killed  => "K",    # writes all, and the process gets SIGKILL
    short   => "s",    # writes half; the next one has no space
    part    => "p",    # writes half; the next one writes the rest
    most    => "m",    # writes all but the last byte; the next one has no space
    border  => "b",    # writes the whole lines of half; the next has no space
    slow    => "l",    # writes half and, 50 ms later, the rest, in one call
    eintr   => "e",    # EINTR, and writes nothing
    full    => "f",    # ENOSPC, until told otherwise
    full_lf => "F",    # ENOSPC if the text begins with a line feed
    eio     => "i",    # EIO, until told otherwise
    random  => "r",    # one in four fails or is short, until told otherwise

    # the process stops before this call, until it gets SIGCONT
    stop_write => "W",
    stop_open  => "O",  # for writing
    stop_pread => "P",  # of one byte
);

# what fallocate() does, until told otherwise

my %space_code = (
    none    => "-",
    full    => "f",    # ENOSPC
    chunk   => "c",    # ENOSPC if asked for more than any batch needs
    quota   => "q",    # EDQUOT
    never   => "n",    # EOPNOTSUPP
    random  => "r",    # succeeds, or one of the first three
);

# what fdatasync() and fsync() do, until told otherwise

my %sync_code = (
    none    => "-",
    hold    => "h",    # wait until told otherwise
    slow    => "s",    # wait for 50 ms
    eio     => "i",    # EIO, and sync nothing
    eio1    => "I",    # the same, once
    dir_eio => "d",    # EIO for folders
    random  => "r",    # one in eight fails, and some take 20 ms
);


sub new {
    my ($class, $dir) = @_;

    File::Path::make_path($dir);

    my $self = bless { dir => $dir }, $class;

    my $cc = $ENV{CC} || "cc";

    system("$cc -shared -fPIC -O1 -o \Q$dir\E/preload.so \Q$source\E"
           . " >\Q$dir\E/preload.log 2>&1") == 0
        or return undef;

    $self->on_write("none");
    $self->on_fallocate("none");
    $self->on_sync("none");
    $self->set_clocks(0, 0);
    $self->tell("errors", "");
    $self->forget;

    return $self;
}


sub env {
    my ($self) = @_;

    return { LD_PRELOAD => "$self->{dir}/preload.so",
             ENKOD_PRELOAD => $self->{dir} };
}


sub on_write {
    my ($self, $what) = @_;

    $self->tell("mode", $code{$what} || die "no such thing: $what");
}


sub on_fallocate {
    my ($self, $what) = @_;

    $self->tell("space", $space_code{$what} || die "no such thing: $what");
}


sub on_sync {
    my ($self, $what) = @_;

    $self->tell("sync", $sync_code{$what} || die "no such thing: $what");
}


# set_clock() sets by how many seconds nginx's clock is wrong, set_uptime() by
# how many its monotonic clock is ahead.  Timers use the monotonic one.

sub set_clock {
    my ($self, $seconds) = @_;

    $self->set_clocks($seconds, $self->{uptime});
}


sub set_uptime {
    my ($self, $seconds) = @_;

    $self->set_clocks($self->{clock}, $seconds);
}


sub set_clocks {
    my ($self, $clock, $uptime) = @_;

    $self->{clock} = $clock;
    $self->{uptime} = $uptime;

    $self->tell("clock", pack "qq", $clock, $uptime);
}


sub tell {
    my ($self, $file, $mode) = @_;

    # not a new file, as nginx has this one open
    open my $fh, -e "$self->{dir}/$file" ? "+<" : ">", "$self->{dir}/$file"
        or die "$file: $!";
    syswrite $fh, $mode;
    close $fh;
    chmod 0666, "$self->{dir}/$file";
}


# True when the write() that was asked for has happened.

sub done {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/mode" or die "mode: $!";

    return <$fh> eq "-";
}


# forgets what was recorded

sub forget {
    my ($self) = @_;

    for my $file ("writes", "syncs") {
        open my $fh, ">", "$self->{dir}/$file" or die "$file: $!";
        chmod 0666, "$self->{dir}/$file";
    }
}


# the number of syncs that are held

sub holding {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/syncs" or die "syncs: $!";

    my $holding = 0;

    while (my $line = <$fh>) {
        $holding++ if $line =~ /^hold/;
        $holding-- if $line =~ /^held/;
    }

    return $holding;
}


# The syncs that have ended: pid; what, "fdatasync" or "fsync"; dir, true for a
# folder; path and ino; size, of the file when the sync began; rc, and err, its
# errno; lost, true if it was told to fail, so that all bytes up to size are
# lost; errors, the number of errors of the file until then; begun, in seconds
# of CLOCK_MONOTONIC.
#
# As on Linux, an error is reported once to each open file description that is
# older than the error, so a sync that was not told to fail can fail as well.

sub syncs {
    my ($self) = @_;

    return grep { $_->{what} =~ /sync$/ } $self->notes;
}


# The same with calls of open() that may create a file between them: what is
# then "open".

sub notes {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/syncs" or die "syncs: $!";

    my @notes;

    while (my $line = <$fh>) {
        my %note;

        @note{qw(what pid dir ino size rc err lost errors begun path)}
            = split " ", $line, 11;
        chomp $note{path};

        push @notes, \%note;
    }

    return @notes;
}


sub writes {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/writes" or die "writes: $!";

    return map { [split] } <$fh>;
}


# the number of writes that have written less than they were asked to

sub cut_short {
    my ($self) = @_;

    return scalar grep { $_->[2] > 0 && $_->[2] < $_->[1] } $self->writes;
}

1;
