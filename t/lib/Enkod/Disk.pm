package Enkod::Disk;

# Small file systems that a test can fill, in a mount namespace of its own, with
# which they disappear.
#
#     Enkod::Disk::unshare();             # first of all: runs the test again
#     my $dir = Enkod::Disk::tmpfs("64m");        # undef if it cannot be mounted
#     my $dir = Enkod::Disk::ramfs();     # does not know how much space it has
#     my $dir = Enkod::Disk::ext4("64m");

use strict;
use warnings;

my $base = "/mnt";


sub unshare {
    return if defined $ENV{ENKOD_MOUNTS};

    # without root, in a user namespace as well

    my ($how) = grep { system("unshare $_ sh -c 'mount -t tmpfs none $base' "
                              . ">/dev/null 2>&1") == 0 } "-m", "-Urm";

    $ENV{ENKOD_MOUNTS} = $how || "";

    return if !$how;

    exec "unshare", split(" ", $how), "sh", "-c",
         "mount -t tmpfs none $base && exec \"\$@\"", "sh", $^X, $0, @ARGV;
}


sub tmpfs {
    my ($size) = @_;

    return mount_on("tmpfs", "-t tmpfs -o size=$size none");
}


sub ramfs {
    return mount_on("ramfs", "-t ramfs none");
}


# In an image file; only root can have a loop device.

sub ext4 {
    my ($size) = @_;

    return undef if !$ENV{ENKOD_MOUNTS};

    my $image = "$base/ext4.img";

    unlink $image;

    return system("{ truncate -s $size $image && mkfs.ext4 -q -F -m 0 $image; }"
                  . " >/dev/null 2>&1") == 0
           ? mount_on("ext4", "-o loop $image") : undef;
}


sub mount_on {
    my ($name, $what) = @_;

    return undef if !$ENV{ENKOD_MOUNTS};

    my $dir = "$base/$name";

    mkdir $dir;

    return system("mount $what $dir >/dev/null 2>&1") == 0 ? $dir : undef;
}

1;
