# 1000 events of all kinds over 50 connections, while the upstream works, is
# restarted or fails, or nginx is reloaded: each acknowledged event is delivered
# to its own target or in the spool.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use JSON::PP ();
use Test::More;

use Enkod::Backend;
use Enkod::Client;
use Enkod::File;
use Enkod::Nginx;

my $json = JSON::PP->new->utf8;
my $top = dirname(dirname(__FILE__));

# the target of each event
my %place = ("message sent" => "/messages", "message open" => "/messages",
             "delivery bounce" => "/bounces", "message clicked" => "/messages",
             "complaint" => "/complaints",
             "mailing group subscribe" => "/groups",
             "mailing group unsubscribe" => "/groups",
             "contact adding" => "/contacts");

my @events = map { $json->decode(Enkod::File::slurp($_)) }
             glob "$top/bodies/*.json";

my $nginx = Enkod::Nginx->create(workers => 2, http => <<'END', server => <<'END');
        map $enkod_event $target {
            ~^message                  @messages;
            "delivery bounce"          /bounces;
            "complaint"                /complaints?id=$enkod_id;
            ~^mailing.group.           /groups;
            "contact adding"           /contacts;
        }

        # the field that tells one event from another
        enkod_event  "complaint"  id=string  to=string?;

        upstream back {
            server     127.0.0.1:%SECOND%;
            keepalive  8;
        }

        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        proxy_read_timeout  3600s;
END
        location = /hook {
            enkod_webhook;
            enkod_log    log.jsonl;
            enkod_pass   $target;
            enkod_spool  spool.jsonl;
        }

        location @messages {
            rewrite     ^ /messages break;
            proxy_pass  http://back;
        }

        location / {
            internal;
            proxy_pass  http://back;
        }
END

my $backend = Enkod::Backend->new(dir => $nginx->{dir},
                                  port => $nginx->{second});

$nginx->start;

load("the upstream is fine", sub { }, sub {
    my ($delivered, $spooled) = @_;

    is($spooled, 0, "the spool is empty");
    is($delivered, 1000, "each event is delivered once");
});

load("the upstream is restarted twice", sub {
    my ($round) = @_;

    $backend->stop("KILL") if $round == 5 || $round == 12;
    $backend->start if $round == 8 || $round == 14;
}, sub {
    my ($delivered, $spooled) = @_;

    cmp_ok($delivered, '>', 100, "some events are delivered");
    cmp_ok($spooled, '>', 100, "some events are in the spool");
});

load("every now and then the upstream fails", sub {
    my ($round) = @_;

    $backend->tell($round % 3 ? $round % 3 == 1 ? "body=fine" : "" : "status=503");
}, sub {
    my ($delivered, $spooled) = @_;

    cmp_ok($delivered, '>', 100, "some events are delivered");
    cmp_ok($spooled, '>', 100, "some events are in the spool");
});

$backend->tell("delay=0.02");

load("nginx is reloaded", sub {
    my ($round) = @_;

    $nginx->signal("HUP") if $round == 4 || $round == 10;
}, sub {
    my ($delivered, $spooled) = @_;

    is($spooled, 0, "the spool is empty");
});

is($nginx->alerts, "", "the error log has no alerts");

done_testing();


sub load {
    my ($title, $between, $check) = @_;

    $backend->forget;
    $nginx->put($_, "") for qw(log.jsonl spool.jsonl);

    my (%acknowledged, @clients);

    for my $round (1 .. 20) {
        $between->($round);

        my @sent;

        for my $n (0 .. 49) {
            my $id = "r$round.$n";
            my %event = %{ $events[($round * 50 + $n) % @events] };

            $event{id} = $id;
            $clients[$n] ||= $nginx->client;

            my $sent = $clients[$n]->send(Enkod::Client::request(
                           $json->encode(\%event), uri => "/hook"));

            push @sent, [$id, $event{event}, $n];
        }

        for (@sent) {
            my ($id, $name, $n) = @$_;
            my $status = $clients[$n]->status;

            if ($status == 200) {
                $acknowledged{$id} = $name;
            } elsif ($status <= 0) {
                # a worker that has ended
                undef $clients[$n];
            } else {
                fail("$title: $id was answered with $status");
            }
        }
    }

    cmp_ok(scalar keys %acknowledged, '>=', $title =~ /reload/ ? 900 : 1000,
           "$title: all events are acknowledged");

    my (%delivered, %spooled, %logged, @misplaced);

    for my $request ($backend->requests) {
        my $event = $json->decode($request->{body});
        my $id = id($event);

        # the backend has got it, but may not have confirmed it
        $delivered{$id}++;

        push @misplaced, "$id: $request->{uri}"
            if $request->{uri} !~ /^$place{$event->{event}}(?:\?id=\Q$id\E)?$/;
    }

    $spooled{id($json->decode($_))}++ for $nginx->lines("spool.jsonl");
    $logged{id($json->decode($_))}++ for $nginx->lines("log.jsonl");

    is(join(" ", grep { !$delivered{$_} && !$spooled{$_} }
                      sort keys %acknowledged), "",
       "$title: each acknowledged event is delivered or in the spool");
    is(join(" ", grep { ($logged{$_} || 0) != 1 } sort keys %acknowledged), "",
       "$title: each acknowledged event has one line");
    is(join(" ", grep { $delivered{$_} > 1 } sort keys %delivered), "",
       "$title: no event is delivered twice");
    is(join(" ", @misplaced), "",
       "$title: each event is sent to its own target");

    $check->(scalar keys %delivered, scalar keys %spooled);
}


sub id {
    my ($event) = @_;

    return $event->{id} || $event->{extra}{id};
}
