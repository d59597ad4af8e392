# The history: the last hour in steps of ten seconds.  The clock of nginx is
# moved by the test; it goes on meanwhile, so a step may end at any time.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::StatusTest;
use Enkod::Wait qw(wait_for);


my $nginx = Enkod::Nginx->create(workers => 2, server => <<'END');
        location = /status {
            enkod_status json;
        }

        location = / {
            enkod_webhook;
            enkod_log  a.jsonl;
        }
END

my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
    or plan skip_all => "a library cannot be preloaded here";

$nginx->{env} = $preload->env;
$nginx->start;

my $uptime = 0;

is_deeply [halves()], [0, 0], "there is no history at first";

post(5);
elapse(10);

is_deeply [halves()], [0, 5], "a step is there when it has ended";

elapse(500);
post(3);
$nginx->post("");
$nginx->post(event("t") =~ s/"t"/"0123456789_012_012_01234"/r);
$preload->on_write("eio");
post(2);
$preload->on_write("none");
elapse(10);

is_deeply [halves()], [5, 4], "test deliveries are in it, too";
is_deeply [halves("refusals")], [0, 1], "refusals";
is_deeply [halves("failures")], [0, 2], "failures";

elapse(2000);

is_deeply [halves()], [9, 0], "steps without events";

elapse(1200);

is_deeply [halves()], [4, 0], "a step is there for an hour";

kill 'KILL', $nginx->workers;
ok wait_for(sub { eval { status($nginx) } }),
   "new workers after a kill";

is_deeply [halves()], [4, 0], "the history is still there";

ok $nginx->reload(workers => 1), "a reload";

is_deeply [halves()], [4, 0], "the history is still there";

post(1);
elapse(10);

is_deeply [halves()], [4, 1], "and goes on";

elapse(20000);

is_deeply [halves()], [0, 0], "nothing is left after an hour";
is accepted(status($nginx)), 9, "but counters are";

done_testing;


sub post {
    my ($n) = @_;

    $nginx->post(event("e")) for 1 .. $n;
}


# So many seconds pass.  What has been counted before is in the steps that have
# ended then.

sub elapse {
    my ($seconds) = @_;

    $preload->set_uptime($uptime += $seconds);
    status($nginx);
}


# What is in the history of "message open", or of all refusals or failures:
# before the last four minutes, and since then.

sub halves {
    my ($what) = @_;

    my $history = status($nginx)->{history};
    my ($receiver) = @{ $history->{receivers} };

    my $steps = $what ? $receiver->{$what}
                      : $receiver->{events}{"message open"};

    return (0, 0) if !$steps;

    is @$steps, $history->{steps}, "all steps are there";

    my @halves = (0, 0);

    $halves[$_ >= @$steps - 24] += $steps->[$_] for 0 .. $#$steps;

    return @halves;
}
