# The memory of the counters: what does not fit is refused by nginx -t, and
# receivers that are not configured any more give way to others.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Process;
use Enkod::StatusTest;
use Enkod::Wait qw(wait_for);


# 30 events
my $http = join "", map { "enkod_event e$_ a=any;\n" } 1 .. 22;

my $nginx = Enkod::Nginx->new(workers => 2, http => $http,
                              server => locations("a", 256));

post("a", 256);

is open_events("a", 256), 1, "256 locations of 30 events";

# five of these fit

for my $name ("b" .. "g") {
    ok $nginx->reload(server => locations($name, 256)), "others: $name";
    post($name, 1);
    post($name, 256);
}

is open_events("g", 1), 1, "the newest ones are counted";
is open_events("g", 256), 1, "all of them";

ok $nginx->reload(server => locations("f", 256)), "those before";
post("f", 256);

is open_events("f", 256), 2, "are still known";

ok $nginx->reload(server => locations("a", 256)), "the first ones";
post("a", 256);

my $status = status($nginx);

is accepted($status), 1, "have given way, and begin with 0";
is join("+", grep { $_ } map { $_->{received_bytes} }
                         @{ $status->{receivers} }),
   length event("x"), "in all numbers";
unlike $nginx->error_log, qr/no room/, "there was always room";

# an old worker that goes on counts what it has in its configuration

my $slow = $nginx->client;
my @old = $nginx->workers;
my $body = event("slow");

$slow->send("POST /a256 HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Length: " . length($body) . "\r\n\r\n{");
$slow->taken;

for my $name ("b" .. "g") {
    $nginx->configure(server => locations($name, 256));
    $nginx->signal('HUP');

    ok wait_for(sub {
           $nginx->post(event("x"), uri => "/$name$_")->{status} == 200
       }), "$name$_ accepts an event" for 1, 256;
}

like $nginx->error_log,
     qr/\[error\] .*enkod: there is no room for all counters/,
     "then there is no room, which is logged";

$slow->send(substr $body, 1);
is $slow->status, 200, "the old worker accepts an event";
$slow->close;

wait_for(sub { !grep { Enkod::Process::alive($_) } @old });

ok $nginx->reload(server => locations("a", 256)), "back to its configuration";
is accepted(status($nginx)), 2, "nothing else was counted there";
is open_events("a", 256), 2, "the event was";

ok $nginx->reload(server => locations("z", 256)), "when the worker has ended";
post("z", 256);
is accepted(status($nginx)), 1, "there is room again";

ok $nginx->reload(server => locations("a", 256)), "the next test";

# what nginx -t refuses

$nginx->configure(workers => 30);
is +($nginx->check)[1], 1, "30 workers fit";

$nginx->configure(workers => 64);
my ($out, $ok) = $nginx->check;

ok !$ok, "64 workers do not";
like $out, qr/\[emerg\] too many locations with "enkod_webhook": the counters of 256 locations and 7936 events in them, for 64 worker processes, take \d+M of shared memory, and may take 63M/,
     "nginx -t says why";

$nginx->configure(workers => 2, server => locations("a", 2000));
($out, $ok) = $nginx->check;

ok !$ok, "2000 locations do not fit";
like $out, qr/too many locations .* of 2000 locations and 62000 events/,
     "nginx -t says why";

$nginx->signal('HUP');
ok wait_for(sub { $nginx->error_log =~ /too many locations/ }),
   "a reload with that configuration is refused, too";
post("a", 256);

is open_events("a", 256), 3, "the old one goes on";

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
