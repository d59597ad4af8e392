package Enkod::Preload;

# A library to be preloaded into nginx, which takes note of every write() of
# lines of events, and of every fdatasync() and fsync() of their files and
# folders, and, when told so, does not do it as asked; nor does fallocate().
#
#     my $preload = Enkod::Preload->new($dir) or plan skip_all => ...;
#     Enkod::Nginx->new(..., env => $preload->env);
#     $preload->on_write("kill");                  # once, see below
#     $preload->writes;                      # [pid, length asked, result], ...
#     $preload->on_fallocate("quota");           # until told otherwise, see below
#     $preload->on_sync("hold");             # the same
#     $preload->syncs;                       # { pid, what, path, ... }, ...
#     $preload->set_clock(3600);             # an hour ahead
#     $preload->set_uptime(60);              # of the clock that is never set

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path ();

my $source = dirname(__FILE__) . "/preload.c";

my %code = (
    none    => "-",
    kill    => "k",    # half of it is written, and the process gets SIGKILL
    killed  => "K",    # all of it is written, and the process gets SIGKILL
    short   => "s",    # half of it is written, and then there is no space
    part    => "p",    # half of it is written, and then the rest
    most    => "m",    # all but the last byte, and then there is no space
    border  => "b",    # the whole lines of half of it, and then no space
    slow    => "l",    # the same in one call, with 50 ms in between
    eintr   => "e",    # EINTR, nothing is written, and then all is well
    full    => "f",    # ENOSPC, until told otherwise
    full_lf => "F",    # ENOSPC, once, for what begins with a line feed
    eio     => "i",    # EIO, until told otherwise
    random  => "r",    # every fourth does not go well, until told otherwise

    # the process stops before that, once, until it gets SIGCONT
    stop_write => "W",
    stop_open  => "O",  # for writing
    stop_pread => "P",  # of one byte
);

my %space_code = (
    none    => "-",
    full    => "f",    # ENOSPC
    chunk   => "c",    # ENOSPC if more is asked for than any batch needs
    quota   => "q",    # EDQUOT
    never   => "n",    # EOPNOTSUPP
    random  => "r",    # one of the first three, or not
);

my %sync_code = (
    none    => "-",
    hold    => "h",    # it begins when told otherwise
    slow    => "s",    # 50 ms later
    eio     => "i",    # EIO, and nothing is synced
    eio1    => "I",    # the same, once
    dir_eio => "d",    # EIO for folders
    random  => "r",    # every eighth fails, and some take 20 ms
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


# of fallocate()

sub on_fallocate {
    my ($self, $what) = @_;

    $self->tell("space", $space_code{$what} || die "no such thing: $what");
}


sub on_sync {
    my ($self, $what) = @_;

    $self->tell("sync", $sync_code{$what} || die "no such thing: $what");
}


# The seconds that nginx's clock is to be wrong by, and those by which the one
# that only goes forward is ahead.  Timers go by that one.

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

    # not made anew: nginx has it open
    open my $fh, -e "$self->{dir}/$file" ? "+<" : ">", "$self->{dir}/$file"
        or die "$file: $!";
    syswrite $fh, $mode;
    close $fh;
    chmod 0666, "$self->{dir}/$file";
}


# true when what it was told to do once is done

sub done {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/mode" or die "mode: $!";

    return <$fh> eq "-";
}


sub forget {
    my ($self) = @_;

    for my $file ("writes", "syncs") {
        open my $fh, ">", "$self->{dir}/$file" or die "$file: $!";
        chmod 0666, "$self->{dir}/$file";
    }
}


# those that have begun and are held

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


# Those that have ended: pid; what, "fdatasync" or "fsync"; dir, whether it was
# that of a folder; path and ino; size, of the file when it began; rc, and err,
# errno; lost, whether it was told to fail, and then all is lost up to size; how
# many errors of the file there were; begun, in seconds of CLOCK_MONOTONIC.
#
# Who was not told to fail does so as well, once for all that open() has given,
# if there was an error since then.
#
sub syncs {
    my ($self) = @_;

    return grep { $_->{what} =~ /sync$/ } $self->notes;
}


# In between, "open", of a file that is to be created if it is not there.

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


# how many of them have written less than they should

sub cut_short {
    my ($self) = @_;

    return scalar grep { $_->[2] > 0 && $_->[2] < $_->[1] } $self->writes;
}

1;
