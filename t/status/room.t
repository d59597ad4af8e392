# The memory of the counters: what does not fit is refused by nginx -t, and
# receivers that are not configured any more give way to others.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::StatusTest;
use Enkod::Wait qw(wait_for);


# 30 events
my $http = join "", map { "enkod_event e$_ a=any;\n" } 1 .. 22;

my $nginx = Enkod::Nginx->new(workers => 2, http => $http,
                              server => locations("a", 256));

post("a", 256);

is open_events("a", 256), 1, "256 locations of 30 events";

for my $name ("b" .. "i") {
    ok $nginx->reload(server => locations($name, 256)), "others: $name";
    post($name, 1);
    post($name, 256);
}

is open_events("i", 1), 1, "the newest ones are counted";
is open_events("i", 256), 1, "all of them";

ok $nginx->reload(server => locations("h", 256)), "those before";
post("h", 256);

is open_events("h", 256), 2, "are still known";

ok $nginx->reload(server => locations("a", 256)), "the first ones";
post("a", 256);

is open_events("a", 256), 1, "have given way, and begin with 0";
is receiver(status($nginx), "/a1")->{received_bytes}, 0, "in all numbers";
unlike $nginx->error_log, qr/no room/, "there was always room";

# what nginx -t refuses

$nginx->configure(workers => 30);
is +($nginx->check)[1], 1, "30 workers fit";

$nginx->configure(workers => 64);
my ($out, $ok) = $nginx->check;

ok !$ok, "64 workers do not";
like $out, qr/\[emerg\] too many locations with "enkod_webhook": the counters of 256 locations and 7680 events in them, for 64 worker processes, take \d+M of shared memory, and may take 63M/,
     "nginx -t says why";

$nginx->configure(workers => 2, server => locations("a", 2000));
($out, $ok) = $nginx->check;

ok !$ok, "2000 locations do not fit";
like $out, qr/too many locations .* of 2000 locations and 60000 events/,
     "nginx -t says why";

$nginx->signal('HUP');
ok wait_for(sub { $nginx->error_log =~ /too many locations/ }),
   "a reload with that configuration is refused, too";
post("a", 256);

is open_events("a", 256), 2, "the old one goes on";

done_testing;


sub locations {
    my ($name, $n) = @_;

    return "location = /status { enkod_status json; }\n"
           . join "", map { "location = /$name$_ { enkod_webhook; "
                            . "enkod_log a.jsonl; }\n" } 1 .. $n;
}


sub post {
    my ($name, $n) = @_;

    is $nginx->post(event("x"), uri => "/$name$n")->{status}, 200,
       "/$name$n accepts an event";
}


sub open_events {
    my ($name, $n) = @_;

    return receiver(status($nginx), "/$name$n")
           ->{events}{"message open"}{accepted};
}
