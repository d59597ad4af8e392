package Enkod::Shim;

# A library to be preloaded into nginx, which takes note of every write() of
# lines of events, and of every fdatasync() and fsync() of their files and
# folders, and, when told so, does not do it as asked.
#
#     my $shim = Enkod::Shim->new($dir) or plan skip_all => ...;
#     Enkod::Nginx->new(..., env => $shim->env);
#     $shim->do("kill");                  # once, see below
#     $shim->writes;                      # [pid, length asked, result], ...
#     $shim->do_sync("hold");             # until told otherwise, see below
#     $shim->syncs;                       # { pid, what, path, ... }, ...

use strict;
use warnings;

use File::Path ();

my %code = (
    none    => "-",
    kill    => "k",    # half of it is written, and the process gets SIGKILL
    killed  => "K",    # all of it is written, and the process gets SIGKILL
    short   => "s",    # half of it is written, and then there is no space
    part    => "p",    # half of it is written, and then the rest
    slow    => "l",    # the same in one call, with 50 ms in between
    eintr   => "e",    # EINTR, nothing is written, and then all is well
    full    => "f",    # ENOSPC, until told otherwise
    eio     => "i",    # EIO, until told otherwise
);

my %sync_code = (
    none    => "-",
    hold    => "h",    # it begins when told otherwise
    slow    => "s",    # 50 ms later
    eio     => "i",    # EIO, and nothing is synced
    eio1    => "I",    # the same, once
    dir_eio => "d",    # EIO for folders
);


sub new {
    my ($class, $dir) = @_;

    File::Path::make_path($dir);

    my $self = bless { dir => $dir }, $class;

    open my $fh, ">", "$dir/shim.c" or die "shim.c: $!";
    print $fh source();
    close $fh;

    my $cc = $ENV{CC} || "cc";

    system("$cc -shared -fPIC -O1 -o \Q$dir\E/shim.so \Q$dir\E/shim.c"
           . " >\Q$dir\E/shim.log 2>&1") == 0
        or return undef;

    $self->do("none");
    $self->do_sync("none");
    $self->forget;

    return $self;
}


sub env {
    my ($self) = @_;

    return { LD_PRELOAD => "$self->{dir}/shim.so",
             ENKOD_SHIM => $self->{dir} };
}


sub do {
    my ($self, $what) = @_;

    $self->tell("mode", $code{$what} || die "no such thing: $what");
}


sub do_sync {
    my ($self, $what) = @_;

    $self->tell("sync", $sync_code{$what} || die "no such thing: $what");
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

    while (<$fh>) {
        $holding++ if /^hold/;
        $holding-- if /^held/;
    }

    return $holding;
}


# Those that have ended: pid; what, "fdatasync" or "fsync"; dir, whether it was
# that of a folder; path; size, of the file when it began; rc, and err, errno.

sub syncs {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/syncs" or die "syncs: $!";

    my @syncs;

    while (<$fh>) {
        my %sync;

        @sync{qw(what pid dir size rc err path)} = split " ", $_, 7;
        chomp $sync{path};

        push @syncs, \%sync if $sync{what} =~ /sync$/;
    }

    return @syncs;
}


sub writes {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/writes" or die "writes: $!";

    return map { [split] } <$fh>;
}


sub source {
    return <<'END';
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int mode = -1, writes = -1, sync_mode = -1, syncs = -1;

static void __attribute__((constructor))
init(void)
{
    char path[4096];
    const char *dir = getenv("ENKOD_SHIM");

    if (dir == NULL) {
        return;
    }

    snprintf(path, sizeof(path), "%s/mode", dir);
    mode = open(path, O_RDWR|O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/writes", dir);
    writes = open(path, O_WRONLY|O_APPEND|O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/sync", dir);
    sync_mode = open(path, O_RDWR|O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/syncs", dir);
    syncs = open(path, O_WRONLY|O_APPEND|O_CLOEXEC);
}

static ssize_t
really(int fd, const void *buf, size_t len, size_t asked)
{
    char text[128];
    ssize_t n;
    int err;

    n = syscall(SYS_write, fd, buf, len);
    err = errno;

    snprintf(text, sizeof(text), "%d %zu %zd\n", (int) getpid(), asked, n);
    syscall(SYS_write, writes, text, strlen(text));

    errno = err;
    return n;
}

static void
next(char c)
{
    pwrite(mode, &c, 1, 0);
}

ssize_t
write(int fd, const void *buf, size_t len)
{
    static const char begin[] = "{\"received_at\":\"";
    static const void *rest;
    const char *p = buf;
    size_t skip = len > 0 && p[0] == '\n';
    char c = '-';

    if (mode == -1
        || !(buf == rest
             || (len > sizeof(begin) + skip
                 && memcmp(p + skip, begin, sizeof(begin) - 1) == 0)))
    {
        return syscall(SYS_write, fd, buf, len);
    }

    pread(mode, &c, 1, 0);

    switch (c) {

    case 'k':
        next('-');
        really(fd, buf, len / 2, len);
        raise(SIGKILL);
        break;

    case 'K':
        next('-');
        really(fd, buf, len, len);
        raise(SIGKILL);
        break;

    case 's':
        next('n');
        rest = p + len / 2;
        return really(fd, buf, len / 2, len);

    case 'n':
        next('-');
        rest = NULL;
        errno = ENOSPC;
        return -1;

    case 'p':
        next('-');
        rest = p + len / 2;
        return really(fd, buf, len / 2, len);

    case 'l':
        next('-');
        really(fd, buf, len / 2, len);
        usleep(50000);
        return len / 2
               + really(fd, p + len / 2, len - len / 2, len - len / 2);

    case 'e':
        next('-');
        errno = EINTR;
        return -1;

    case 'f':
        errno = ENOSPC;
        return -1;

    case 'i':
        errno = EIO;
        return -1;
    }

    rest = NULL;
    return really(fd, buf, len, len);
}

static void
note(const char *what, int dir, off_t size, int rc, int err, const char *path)
{
    char text[4352];
    int n;

    n = snprintf(text, sizeof(text), "%s %d %d %lld %d %d %s\n", what,
                 (int) getpid(), dir, (long long) size, rc, err, path);
    syscall(SYS_write, syncs, text, n);
}

static int
synced(const char *what, long call, int fd)
{
    char c = '-', path[4096], link[64];
    struct stat st;
    int n, rc, err, held = 0, dir;

    if (sync_mode == -1 || fstat(fd, &st) == -1) {
        return syscall(call, fd);
    }

    dir = S_ISDIR(st.st_mode);

    for ( ;; ) {
        pread(sync_mode, &c, 1, 0);

        if (c != 'h') {
            break;
        }

        if (!held) {
            held = 1;
            note("hold", dir, st.st_size, 0, 0, "-");
        }

        usleep(1000);
    }

    if (held) {
        note("held", dir, st.st_size, 0, 0, "-");
        fstat(fd, &st);
    }

    /* a file may have been renamed */

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    path[n < 0 ? 0 : n] = '\0';

    rc = 0;

    switch (c) {

    case 's':
        usleep(50000);
        break;

    case 'I':
        c = '-';
        pwrite(sync_mode, &c, 1, 0);
        /* fall through */

    case 'i':
        rc = -1;
        break;

    case 'd':
        rc = dir ? -1 : 0;
        break;
    }

    err = EIO;

    if (rc == 0) {
        rc = syscall(call, fd);
        err = (rc == -1) ? errno : 0;
    }

    note(what, dir, st.st_size, rc, err, path);

    errno = err;
    return rc;
}

int
fdatasync(int fd)
{
    return synced("fdatasync", SYS_fdatasync, fd);
}

int
fsync(int fd)
{
    return synced("fsync", SYS_fsync, fd);
}
END
}

1;
