# Faults of nginx and of the disk under load: the files have every acknowledged
# event and nothing else, and no byte that a reader has seen changes or
# disappears.  This is a short form of `make soak`: each fault once, in random
# order.  SEED= repeats an order.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use List::Util qw(shuffle);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Enkod::Disk;

BEGIN { Enkod::Disk::unshare() }

use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Soak;

my $first = $ENV{SEED} || int time;
my $seed = $first;

note "SEED=$seed";

# a small file system can get really full

my $tmpfs = Enkod::Disk::tmpfs("300m") or note "no tmpfs of our own";
my $ext4 = Enkod::Disk::ext4("300m") or note "no ext4 of our own";

my @episodes = (
    ["log", 1],
    ["log and reject log", 4, reject => 1, dir => $tmpfs],
    ["log sync", 1, sync => 1],
    ["log sync and reject log sync", 2, sync => 1, reject => 1],
    ["log and spool", 2, pass => 1, dir => $ext4],
    ["log sync and spool sync", 1, sync => 1, pass => 1],
);

for (@episodes) {
    my ($title, $workers, %with) = @$_;
    my ($sync, $pass) = @with{qw(sync pass)};

    next if $sync && !Enkod::NginxConf::threads();

    Enkod::Soak::seed($seed++);

    my @faults = shuffle(@Enkod::SoakFaults::FAULTS,
                         $sync ? @Enkod::SoakFaults::SYNC_FAULTS : (),
                         $pass ? @Enkod::SoakFaults::PASS_FAULTS : ());

    $title .= ", $workers worker" . ($workers > 1 ? "s" : "");
    $title .= ", on " . $with{dir} =~ s{.*/}{}r if $with{dir};

    my @happened;

    my $v = Enkod::Soak::episode(seed => $seed, workers => $workers,
                                 %with, faults => \@faults,
                                 say => sub { note "$title: $_[0]";
                                              push @happened, happened($_[0]) });

    is scalar @{ $v->{faults} }, @faults, "$title: all faults have happened";

    my @defects = @{ $v->{defects} };

    if (@defects) {
        diag "$title: SEED=$first; faults, in UTC: ", join "; ", @happened;

        # the small file system disappears with this process
        system("cp -a \Q$with{dir}\E \Q$v->{nginx}{dir}\E/files")
            if $with{dir};
    }

    is_deeply [splice @defects, 0, 10], [],
       "$title: the files have what they must have, and nothing else";

    cmp_ok $v->{acknowledged}, ">", 500,
           "$title: enough events were acknowledged";

    note sprintf "%s: %d acknowledged, %d refused, %d lines, %d incomplete, "
                 . "%d of them glued to, %d empty, %d bytes followed, %.1f s",
                 $title, map { $_ || 0 } @$v{qw(acknowledged refused lines torn
                                                glued empty followed seconds)};
}

done_testing;


# the time as in received_at, if the clock is right

sub happened {
    my ($what) = @_;

    my $now = time;

    return POSIX::strftime("%H:%M:%S", gmtime $now)
           . sprintf(".%03d", ($now - int $now) * 1000) . " $what";
}
