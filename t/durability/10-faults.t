# Under load, whatever happens to nginx and to the disk: what was acknowledged is
# in the files, and nothing else is.  A short form of `make soak`: each fault
# once, in random order.  SEED= repeats an order.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use List::Util qw(shuffle);
use Test::More;

use Enkod::Nginx seconds => 240;
use Enkod::Soak;

my $seed = $ENV{SEED} || time;

note "SEED=$seed";

my @episodes = (
    ["log", 1], ["log and reject log", 4, reject => 1],
    ["log sync", 1, sync => 1],
    ["log sync and reject log sync", 2, sync => 1, reject => 1],
    ["log and spool", 2, pass => 1],
    ["log sync and spool sync", 1, sync => 1, pass => 1],
);

for (@episodes) {
    my ($title, $workers, %with) = @$_;
    my ($sync, $pass) = @with{qw(sync pass)};

    next if $sync && !Enkod::Nginx::threads();

    Enkod::Soak::seed($seed++);

    my @faults = shuffle(@Enkod::Soak::FAULTS,
                         $sync ? @Enkod::Soak::SYNC_FAULTS : (),
                         $pass ? @Enkod::Soak::PASS_FAULTS : ());

    $title .= ", $workers worker" . ($workers > 1 ? "s" : "");

    my $v = Enkod::Soak::episode(seed => $seed, workers => $workers,
                                 %with, faults => \@faults,
                                 say => sub { note "$title: $_[0]" });

    is scalar @{ $v->{faults} }, @faults, "$title: all faults have happened";

    my @defects = @{ $v->{defects} };

    is_deeply [splice @defects, 0, 10], [],
       "$title: the files hold what they must, and nothing else";

    cmp_ok $v->{acknowledged}, ">", 500, "$title: enough was acknowledged";

    note sprintf "%s: %d acknowledged, %d refused, %d lines, %d incomplete, "
                 . "%d empty, %.1f s", $title,
                 map { $_ || 0 } @$v{qw(acknowledged refused lines torn empty
                                        seconds)};
}

done_testing;
