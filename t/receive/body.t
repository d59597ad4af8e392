# How the bytes of a body arrive: in pieces of any size, slowly, too few or too
# many.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;
use Time::HiRes qw(sleep);

use Enkod::File;
use Enkod::Load qw(event);
use Enkod::MemoryCheck;
use Enkod::Nginx;
use Enkod::Wait qw(now);

my %body = map { /([^\/]+)\.json$/ => Enkod::File::slurp($_) }
           glob dirname(__FILE__) . "/../bodies/*.json";

my $nginx = Enkod::Nginx->new(level => "info", workers => 1, server => <<'END');
    location / {
        enkod_webhook;
        enkod_log  a.jsonl;
    }

    location /slow {
        client_body_timeout  1s;
        enkod_webhook;
        enkod_log  a.jsonl;
    }

    location /small {
        enkod_max_event_size  4k;
        enkod_webhook;
        enkod_log  a.jsonl;
    }
END

my ($worker) = $nginx->workers;


# the new lines, without the members that differ for each request

my $known = 0;

sub added {
    my @lines = $nginx->lines("a.jsonl");
    my @new = @lines[$known .. $#lines];

    $known = @lines;

    s/^\{"received_at":"[^"]+","request_id":"[0-9a-f]+",/{/ for @new;

    return @new;
}


# the line of each event that arrives in one piece

my %line;

for my $name (sort keys %body) {
    $nginx->post($body{$name});
    ($line{$name}) = added();
}

is scalar(grep { defined } values %line), 8,
   "the eight events have their lines";


# Sends the pieces, so that each is read by itself.

sub pieces {
    my ($client, @pieces) = @_;

    for my $piece (@pieces) {
        $client->send($piece);
        $client->taken;
    }

    return $client->status;
}


# bodies that are split anywhere

my $client = $nginx->client;
my $body = $body{"mailing-group-subscribe"};
my $request = Enkod::Client::request($body);
my $start = length($request) - length($body);

my @bad;

for my $at ($start + 1 .. length($request) - 1) {
    my $status = pieces($client, substr($request, 0, $at),
                        substr $request, $at);
    push @bad, "$at: $status" if $status != 200;
}

is "@bad", "", "a body that is split at any byte is accepted";

is scalar(grep { $_ ne $line{"mailing-group-subscribe"} } added()), 0,
   "the line of a split body is the same";

@bad = ();

for my $name (sort keys %body) {
    for my $round (1 .. 5) {
        my $request = Enkod::Client::request($body{$name});
        my @pieces;

        while (length $request) {
            push @pieces, substr $request, 0,
                                 1 + int rand rand 2 * length $request, "";
        }

        my $status = pieces($client, @pieces);
        my ($line) = added();

        push @bad, "$name: $status in " . join ",", map { length } @pieces
            if $status != 200 || $line ne $line{$name};
    }
}

is "@bad", "", "every event in pieces of any length is accepted, with its line";


# chunked

@bad = ();

for my $size (1 .. 31) {
    my ($name) = (sort keys %body)[$size % 8];

    $client->send(Enkod::Client::request($body{$name}, chunked => [$size]));

    my $status = $client->status;
    my ($line) = added();

    push @bad, "$size: $status" if $status != 200 || $line ne $line{$name};
}

is "@bad", "", "a body in chunks of 1 to 31 bytes is accepted, with its line";

$request = Enkod::Client::request($body{"message-open"}, chunked => [1, 7, 50]);

is pieces($client, split //, $request), 200,
   "a chunked request is accepted byte by byte";
is_deeply [added()], [$line{"message-open"}],
          "the line of the chunked event is the same";

my $chunked = Enkod::Client::chunked($body{"message-open"}, 40);

$chunked =~ s/^([0-9a-f]+)\r\n/$1;name=value;other="quoted"\r\n/;
$chunked =~ s/0\r\n\r\n\z/0\r\nX-Trailer: value\r\nX-Other: value\r\n\r\n/;

my $head = "POST / HTTP/1.1\r\nHost: localhost\r\n"
           . "Transfer-Encoding: chunked\r\n\r\n";

$client->send($head . $chunked);
is $client->status, 200, "chunk extensions and trailers are accepted";
is_deeply [added()], [$line{"message-open"}],
          "chunk extensions and trailers are not in the line";

$client->send(Enkod::Client::request($body{"message-open"}));
is $client->status, 200, "the connection is still usable";
added();

my $broken = $nginx->client;
$broken->send($head . "5\r\n{\"eve\r\nxyz\r\n");
is $broken->status, 400, "a body with invalid chunks is refused";

is $nginx->post($body{"message-open"}, version => "1.0")->{status}, 200,
   "an event over HTTP/1.0 is accepted";

is scalar(added()), 1, "the event has a line, the refused one has none";


# pipelined

$client = $nginx->client;
$client->send(Enkod::Client::request(event("P-1"))
              . Enkod::Client::request("{\"event\":\"message open\",]"
                                         . "x" x 500)
              . Enkod::Client::request("[]")
              . Enkod::Client::request(event("P-2"), chunked => [9])
              . "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
              . Enkod::Client::request(event("P-3"), close => 1));

is join(" ", map { $client->status } 1 .. 6), "200 400 422 200 200 200",
   "good and bad events in one packet are answered one after the other";
ok $client->closed, "the connection is closed after the last one";

is join(" ", map { /"message_uid":"([^"]+)/ } added()), "P-1 P-2 P-3",
   "the good events have their lines";


# bodies that do not arrive in time

$request = Enkod::Client::request(event("S-1"), uri => "/slow");

SKIP: {
    skip "the time is not that of the location", 2
        if $Enkod::Protocol::early_read;

    my $client = $nginx->client;
    my $since = now();
    $client->send(substr $request, 0, -100);

    ok $client->closed,
       "a body that does not come in time: the connection is closed, "
       . "without an answer";
    cmp_ok now() - $since, ">", 0.9,
           "the connection is closed after client_body_timeout";
}

# Each piece arrives in time.  If this test was too slow itself, it tries again.
my ($status, $since, $gap);

for (1 .. 20) {
    my $last = now();

    $client = $nginx->client;
    $since = $last;
    $gap = 0;

    for (unpack "(A" . (1 + int length($request) / 4) . ")*", $request) {
        $client->send($_);

        my $now = now();
        $gap = $now - $last if $gap < $now - $last;
        $last = $now;

        sleep 0.4;
    }

    $status = $client->status;
    last if $gap < 0.9 || $status == 200;
}

is $status, 200, "a body that comes slowly, but comes, is accepted"
    or diag "$gap s between two of its pieces";

cmp_ok now() - $since, ">", 1.1,
       "a body may take longer than the timeout in all";
is scalar(added()), 1, "only the slow event has a line";


# bodies that never end

for my $how ("close", "reset") {
    for my $part ("header", "half") {

        for my $chunked (0, 1) {
            my $client = $nginx->client;
            my $request = Enkod::Client::request(event("C-1"),
                              $chunked ? (chunked => [100]) : ());
            my $length = $part eq "half" ? length($request) - 150
                                         : index($request, "\r\n\r\n") + 4;

            $client->send(substr $request, 0, $length);
            $client->taken;
            $client->$how;
        }
    }
}

$client = $nginx->client;
$client->send(substr Enkod::Client::request(event("C-2")), 0, -1);
$client->shutdown;

isnt $client->status, 200,
     "a body that ends one byte too early is not accepted";

# clients that leave while their events wait to be written
my @clients = map { $nginx->client } 1 .. 8;

for my $client (@clients) {
    $client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $client->status;
}

$nginx->frozen(sub {
    for my $n (0 .. 7) {
        $clients[$n]->send(Enkod::Client::request(event("G-$n")));
        $clients[$n]->reset if $n % 2;
    }
});

is join(" ", map { $clients[$_]->status } 0, 2, 4, 6), "200 200 200 200",
   "senders that go away do not disturb the others";

my @lines = map { /"message_uid":"([^"]+)/ } added();

is_deeply [grep { /C-/ } @lines], [],
   "an incomplete event has no line";
is_deeply [grep { /G-[0246]/ } @lines], [qw(G-0 G-2 G-4 G-6)],
   "an acknowledged event has a line";

# the worker sees the end of the stream together with the last byte
$client = $nginx->client;
$client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
$client->status;

$nginx->frozen(sub {
    $client->send(Enkod::Client::request(event("E-1")));
    $client->shutdown;
});

is $client->status, 200,
   "a sender that closes its side after the body gets the answer";

$client = $nginx->client;
$client->send(Enkod::Client::request(event("E-2"), close => 1));
$client->shutdown;
is $client->status, 200, "with \"Connection: close\" as well";
is scalar(added()), 2, "both events have their lines";

is_deeply [$nginx->workers], [$worker], "the worker is still the same";


# bodies that are longer or shorter than announced

$client = $nginx->client;
$client->send(Enkod::Client::request(event("M-1"),
                                     length => length(event("M-1")) - 1));
is $client->status, 400, "an event that is longer than announced is refused";

$client = $nginx->client;
$client->send(Enkod::Client::request(event("M-2")) . "}\r\n\r\n");
is join(" ", $client->status, $client->status), "200 400",
   "bytes after the announced length are another request";

is join(" ", map { /"message_uid":"([^"]+)/ } added()), "M-2",
   "the other request does not change the event";


# refused bodies, whose rest is read and dropped

$client = $nginx->client;

for my $chunked (0, 1) {
    my $request = Enkod::Client::request(
        '{"event":"no such event","x":"' . "x" x 50000 . '"}',
        $chunked ? (chunked => [1000]) : ());

    $client->send(substr $request, 0, 1000);
    $client->taken;
    $client->send(substr $request, 1000);

    my $answer = $client->read;
    is $answer->{status}, 422, "an unknown event is refused";
    like $answer->{head}, qr/^Connection: keep-alive\r$/m,
         "the rest of a refused body is read";

    $client->send(Enkod::Client::request(event("K-$chunked")));
    is $client->status, 200, "the next event on that connection is accepted";
}

is scalar(added()), 2, "both events have their lines";


# bodies that are too large

my $open = '{"event":"message open","name":"';

SKIP: {
    skip "the body is read to its end first", 11 if $Enkod::Protocol::early_read;

    my $client = $nginx->client;
    $client->send(substr Enkod::Client::request("x" x 5000, uri => "/small"),
                         0, 300);

    my $answer = $client->read;
    is $answer->{status}, 413, "a body that is announced as too large is refused";
    like $answer->{head}, qr/^Connection: close\r$/m,
         "the connection is closed";

    for my $size (100, 1000, 10000) {
        my $client = $nginx->client;

        $client->send("POST /small HTTP/1.1\r\nHost: localhost\r\n"
                      . "Transfer-Encoding: chunked\r\n\r\n"
                      . Enkod::Client::chunked($open, 32) =~ s/0\r\n\r\n\z//r);

        my $chunk = sprintf "%x\r\n%s\r\n", $size, "x" x $size;
        my $sent = 0;

        # chunks without an end
        for (1 .. 20000 / $size) {
            $client->send($chunk) or last;
        }

        my $answer = $client->read;

        is $answer->{status}, 413,
           "a body in chunks of $size that grows too large is refused";
        like $answer->{body}, qr/"code":"too_large"/, "the code is too_large";
        like $answer->{head}, qr/^Connection: close\r$/m,
             "the connection is closed";
    }
}

my $exact = $open . "x" x (4096 - length($open) - 2) . '"}';

is $nginx->post($exact, uri => "/small")->{status}, 422,
   "a body of the maximum size is read";
is $nginx->post($exact, uri => "/small", chunked => [500])->{status}, 422,
   "a chunked body of the maximum size is read";
is $nginx->post(substr($exact, 0, -2) . "xxx", uri => "/small",
                chunked => [500])->{status}, 413,
   "a body with one byte more is too large, if no other error is found before";

SKIP: {
    skip "every body is asked for", 2 if $Enkod::Protocol::early_read;

    my $client = $nginx->client;
    $client->send("POST /small HTTP/1.1\r\nHost: localhost\r\n"
                  . "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n");
    is $client->status, 413,
       "a body that is too large is refused without 100 Continue";
    ok !$client->{continue}, "there is no 100 Continue";
}

$client = $nginx->client;
$body = event("X-1");
$client->send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
              . "Content-Length: " . length($body) . "\r\n\r\n");
$client->fill;
like $client->{buf}, qr/^HTTP\/1.1 100 /,
     "a body that is not too large gets 100 Continue";
$client->send($body);
is $client->status, 200, "the event is accepted";

is scalar(added()), 1, "no other body has a line";


# many bodies at once

my $before = rss();
my $text = '{"event":"message open","name":"' . "x" x 16000;

@clients = map { $nginx->client } 1 .. 200;

for my $client (@clients) {
    $client->send(Enkod::Client::request($text, length => 32000));
}

# wait until all of it has been read
$_->taken for @clients;

my $grown = rss() - $before;

diag "200 connections with 16000 bytes each of a body of 32000: "
     . "$grown KiB more, ", int($grown * 1024 / 200), " bytes each";

SKIP: {
    skip "$Enkod::MemoryCheck::name: memory has its own way", 1
        if $Enkod::MemoryCheck::name;

    # twice the bytes that have arrived; nginx's buffer for the body, and 12 KiB
    # for its connection and request
    cmp_ok $grown, "<", 200 * (2 * 16 + 16 + 12),
           "bodies that are being received need no more memory than expected";
}

$_->send("x" x (32000 - length $text)) for @clients;

is scalar(grep { $_->status == 400 } @clients), 200,
   "all of these bodies get an answer";

undef @clients;

is $nginx->alerts, "", "the error log has no alerts";
ok $nginx->stop('QUIT'), "nginx ends";
is $nginx->alerts, "", "nginx leaves nothing open";

done_testing;


sub rss {
    my ($rss) = Enkod::File::slurp("/proc/$worker/status")
                =~ /^VmRSS:\s+(\d+) kB/m;

    return $rss;
}
