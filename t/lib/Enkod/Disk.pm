package Enkod::Disk;

# Small file systems, which can be filled, in a mount namespace of the test's own,
# where they vanish with it.
#
#     Enkod::Disk::unshare();             # before anything else: starts anew
#     my $dir = Enkod::Disk::tmpfs("64m");        # or undef, if that cannot be
#     my $dir = Enkod::Disk::ext4("64m");

use strict;
use warnings;

my $base = "/mnt";


sub unshare {
    return if defined $ENV{ENKOD_MOUNTS};

    # with a user namespace where we are not root

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


# in a file; a loop device is root's to have

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
