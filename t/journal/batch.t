# All events of one iteration of the event loop share one write().
#
# The worker is stopped, requests are sent on many connections, and the worker
# is continued: then it finds all of them at once.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::HTTP2;
use Enkod::Load qw(event problems);
use Enkod::Nginx;
use Enkod::Preload;

my $nginx = Enkod::Nginx->create(
    workers => 1, listen => "http2", http => <<'END',
        enkod_max_event_size  1m;
        client_max_body_size  1m;
END
    server => <<'END');
        location / {
            enkod_webhook;
            enkod_log  a.jsonl;
        }

        location /two {
            enkod_webhook;
            enkod_log  a.jsonl;
            enkod_log  b.jsonl;
        }
END

my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
    or plan skip_all => "no compiler to count write() with";

my $http1 = Enkod::Nginx->create(env => $preload->env,
                                 map { $_ => $nginx->{$_} } qw(workers http server));

$nginx->{env} = $preload->env;
$_->start for $nginx, $http1;

my $serial = 0;
my %sent;

sub ids {
    my ($n) = @_;

    return map { "B-" . ++$serial } 1 .. $n;
}


# connections that the worker has accepted

sub connected {
    my ($n) = @_;

    my @clients = map { $http1->client } 1 .. $n;

    for my $client (@clients) {
        $client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        $client->status == 200 or die "no connection";
    }

    $preload->forget;

    return @clients;
}


# Sends all these events at once, each on its own connection, and returns the
# statuses.

sub burst {
    my ($uri, @events) = @_;

    my @clients = connected(scalar @events);

    $http1->frozen(sub {
        for my $n (0 .. $#events) {
            $clients[$n]->send(Enkod::Client::request($events[$n],
                                                      uri => $uri));
        }
    });

    return map { $_->status } @clients;
}


sub statuses {
    my %n;
    $n{$_}++ for @_;
    return join ", ", map { "$n{$_} x $_" } sort keys %n;
}


my @ids = ids(12);
@sent{@ids} = (200) x @ids;

is statuses(burst("/", map { event($_) } @ids)), "12 x 200",
   "12 events that arrive together are all answered with 200";

my @writes = $preload->writes;
is scalar @writes, 1, "events that arrive together share one write()";


@ids = ids(40);
@sent{@ids} = (200) x @ids;

is statuses(burst("/", map { event($_) } @ids)), "40 x 200",
   "40 events that arrive together are all answered with 200";

@writes = $preload->writes;
cmp_ok scalar @writes, "<=", 5,
       "40 events that arrive together need at most five write()s";
note "they took " . @writes;


@ids = ids(12);
@sent{@ids} = (200) x @ids;

is statuses(burst("/two", map { event($_) } @ids)), "12 x 200",
   "12 events for two files are all answered with 200";

@writes = $preload->writes;
is scalar @writes, 2, "there is one write() for each file";

is_deeply [problems({ map { $_ => 200 } @ids }, $http1->path("b.jsonl"))], [],
   "the second file has all of them";


# events that come one after the other

my ($client) = connected(1);
@ids = ids(5);
@sent{@ids} = (200) x @ids;

is statuses(map { $client->send(Enkod::Client::request(event($_)));
                  $client->status } @ids), "5 x 200",
   "5 events one after the other are answered with 200";

@writes = $preload->writes;
is scalar @writes, 5,
   "events that come one after the other each have a write()";


# pipelined requests, in one or several iterations of the event loop

($client) = connected(1);
@ids = ids(20);
@sent{@ids} = (200) x @ids;

$client->send(join "", map { Enkod::Client::request(event($_)) } @ids);

is statuses(map { $client->status } @ids), "20 x 200",
   "20 pipelined events in one packet are all answered with 200";


# a batch is 64 KiB; a larger line is a batch of its own

my %large;
my @small = ids(10);
my ($huge) = ids(1);
@ids = (@small[0 .. 4], $huge, @small[5 .. 9]);
my %text = ((map { $_ => event($_) } @small), $huge => event($huge, 200000));

is statuses(burst("/", map { $text{$_} } @ids)), "11 x 200",
   "an event of 200 kB between small ones is answered with 200 as they are";

my ($line) = grep { /"message_uid":"\Q$huge\E"/ } $http1->lines("a.jsonl");

is length($line =~ /"name":"([^"]*)"/ ? $1 : ""), 200000,
   "the large event has its own line";

@sent{@small} = (200) x @small;

my @middle = ids(30);
%text = map { $_ => event($_, 5000) } @middle;

is statuses(burst("/", map { $text{$_} } @middle)), "30 x 200",
   "events that are more than one batch together are answered with 200";

is_deeply [problems({ map { $_ => 200 } @middle },
                    write_to("middle", grep { /"message_uid":"B-(\d+)"/
                                              && $1 > $serial - 30 }
                             $http1->lines("a.jsonl")), { size => 5000 })],
   [], "all of these lines are whole";

is_deeply [problems(\%sent, write_to("small", grep { length $_ < 4000 }
                                     $http1->lines("a.jsonl")))], [],
   "the file has every other event once, in a whole line";


# HTTP/2

my $h2 = Enkod::HTTP2->new($nginx->{port});
my ($first, $stream) = $h2->request(event("H-0"));
$h2->send($first);
ok $h2->wait_for($stream), "an event comes over HTTP/2";

$preload->forget;

@ids = map { "H-$_" } 1 .. 12;
my @requests = map { [$h2->request(event($_))] } @ids;

$nginx->frozen(sub { $h2->send(join "", map { $_->[0] } @requests) });

ok $h2->wait_for(map { $_->[1] } @requests),
   "12 streams of one connection are all answered";
is statuses(map { $h2->{answers}{$_->[1]} } @requests), "12 x 200",
   "all streams are answered with 200";

@writes = $preload->writes;
is scalar @writes, 1, "events that arrive together share one write()";

is_deeply [problems({ "H-0" => 200, map { $_ => 200 } @ids },
                    $nginx->path("a.jsonl"))], [],
   "the file has each event once";

is $nginx->alerts . $http1->alerts, "", "the error log has no alerts";

done_testing;


sub write_to {
    my ($name, @lines) = @_;

    $http1->put($name, join "", @lines);

    return $http1->path($name);
}
