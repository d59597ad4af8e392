# Bodies over HTTP/2: several streams of a connection, streams whose frames
# alternate, and streams that are reset.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::HTTP2;
use Enkod::Load qw(event problems);
use Enkod::Nginx;

my $nginx = Enkod::Nginx->new(listen => "http2", level => "info", workers => 1,
                            server => <<'END');
    location / {
        enkod_webhook;
        enkod_log  a.jsonl;
    }

    location /small {
        enkod_max_event_size  1k;
        enkod_webhook;
        enkod_log  a.jsonl;
    }
END

my @worker = $nginx->workers;
my $h2 = Enkod::HTTP2->new($nginx->{port});

my @requests = map { [$h2->request(event("H-$_"),
                                   $_ % 2 ? (split => $_) : ())] } 1 .. 30;

$h2->send($_->[0]) for @requests;

ok $h2->wait_for(map { $_->[1] } @requests),
   "HTTP/2: 30 streams of one connection are answered";
is scalar(grep { $h2->{answers}{$_->[1]} == 200 } @requests), 30,
   "HTTP/2: all of these are answered with 200";

# streams whose frames alternate
my @frames = map { my ($out) = $h2->request(event("I-$_"), split => 50);
                   [frames($out)] } 1 .. 10;

my @streams = map { unpack "x5 N", $_->[0] } @frames;

while (grep { @$_ } @frames) {
    $h2->send(shift @$_) for grep { @$_ } @frames;
}

ok $h2->wait_for(@streams),
   "HTTP/2: streams whose frames alternate are answered";
is scalar(grep { $h2->{answers}{$_} == 200 } @streams), 10,
   "HTTP/2: all of these are answered with 200";

# a stream that is reset while its event waits to be written
@requests = map { [$h2->request(event("R-$_"))] } 1 .. 8;

$nginx->frozen(sub {
    $h2->send(join "", (map { $_->[0] } @requests[0 .. 5]),
              Enkod::HTTP2::frame(3, 0, $requests[3][1], pack "N", 8),
              map { $_->[0] } @requests[6, 7]);
});

splice @requests, 3, 1;

ok $h2->wait_for(map { $_->[1] } @requests),
   "HTTP/2: a stream that is reset while it waits does not disturb the others";
is scalar(grep { $h2->{answers}{$_->[1]} == 200 } @requests), 7,
   "HTTP/2: all of these are answered with 200";

# a stream that is reset within its body
my ($half, $stream) = $h2->request(substr(event("Q-1"), 0, 100), open => 1);

$h2->send($half);
$h2->{client}->taken;
$h2->send(Enkod::HTTP2::frame(3, 0, $stream, pack "N", 8));

# a bad event, and one that is too large
my ($bad, $refused) = $h2->request("[" . "x" x 5000, split => 1000);
my ($big, $large) = $h2->request(q({"x":") . "x" x 5000, uri => "/small", split => 500);
my ($good, $last) = $h2->request(event("Q-2"));

$h2->send("$bad$big$good");

ok $h2->wait_for($refused, $large, $last),
   "HTTP/2: refused events do not disturb the others";
is join(" ", map { $h2->{answers}{$_} || "none" } $refused, $large, $last),
   "422 413 200", "HTTP/2: they get their own answers";

# the connection is closed while events wait: of 20 events, the first ones are
# written already, and the others are not

my @gone;

for my $n (20, 8) {
    my $gone = Enkod::HTTP2->new($nginx->{port});

    my ($good, $stream) = $gone->request(event("Z-$n"));
    $gone->send($good);
    $gone->wait_for($stream);

    my @ids = map { "Z-$n-$_" } 1 .. $n;
    push @gone, @ids;

    $nginx->frozen(sub {
        $gone->send(join "", map { ($gone->request(event($_)))[0] } @ids);
        $gone->{client}->shutdown;
    });

    $gone->{client}->closed;
}

my $first = $h2;
$h2 = Enkod::HTTP2->new($nginx->{port});
($good, $stream) = $h2->request(event("Q-3"));
$h2->send($good);
$h2->wait_for($stream);
is $h2->{answers}{$stream}, 200,
   "HTTP/2: a connection that is closed while its events wait does no harm";

is_deeply [$nginx->workers], \@worker, "HTTP/2: the worker is still the same";

my %sent = ((map { $_ => 200 } (map { "H-$_" } 1 .. 30),
                               (map { "I-$_" } 1 .. 10),
                               (map { "R-$_" } 1 .. 3, 5 .. 8),
                               "Q-2", "Q-3", "Z-20", "Z-8"),
            map { $_ => 0 } "R-4", @gone);

is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
   "HTTP/2: each accepted event has its line";

is $nginx->alerts, "", "the error log has no alerts";

# nginx waits for its senders to close what it has closed
$_->{client}->close for $h2, $first;

ok $nginx->stop('QUIT'), "nginx ends";
is $nginx->alerts, "", "nginx leaves nothing open";

done_testing;


sub frames {
    my ($bytes) = @_;

    my @frames;

    while (length $bytes) {
        my $length = 9 + unpack "N", "\0" . substr $bytes, 0, 3;
        push @frames, substr $bytes, 0, $length, "";
    }

    return @frames;
}
