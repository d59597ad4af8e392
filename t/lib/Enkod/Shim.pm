package Enkod::Shim;

# A library to be preloaded into nginx, which takes note of every write() of
# lines of events and, when told so, does not do it as asked.
#
#     my $shim = Enkod::Shim->new($dir) or plan skip_all => ...;
#     Enkod::Nginx->new(..., env => $shim->env);
#     $shim->do("kill");                  # once, see below
#     $shim->writes;                      # [pid, length asked, result], ...

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

    my $mode = $code{$what} or die "no such thing: $what";

    # not made anew: nginx has it open
    open my $fh, -e "$self->{dir}/mode" ? "+<" : ">", "$self->{dir}/mode"
        or die "mode: $!";
    syswrite $fh, $mode;
    close $fh;
    chmod 0666, "$self->{dir}/mode";
}


# true when what it was told to do once is done

sub done {
    my ($self) = @_;

    open my $fh, "<", "$self->{dir}/mode" or die "mode: $!";

    return <$fh> eq "-";
}


sub forget {
    my ($self) = @_;

    open my $fh, ">", "$self->{dir}/writes" or die "writes: $!";
    chmod 0666, "$self->{dir}/writes";
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
#include <sys/syscall.h>
#include <unistd.h>

static int mode = -1, writes = -1;

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
END
}

1;
