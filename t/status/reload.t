# Counters across reloads, and when workers die.  Under load they are compared
# with the files.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Load qw(acknowledged event problems tally);
use Enkod::Nginx;
use Enkod::PassTest qw(backends);
use Enkod::StatusTest;
use Enkod::Wait qw(wait_for);


# under load: locations are added, removed, renamed and reordered, the number of
# workers changes

{
    my $nginx = Enkod::Nginx->new(workers => 2,
                                  server => locations(qw(one two old gone)));

    my $started = status($nginx)->{started_at};

    my %load = map {
        $_ => Enkod::Load->new($nginx->{port}, uri => "/$_", connections => 8)
    } qw(one two);

    my $more = sub { $_->accepted(50) for values %load };

    $more->();
    post($nginx, "/old", 2);
    post($nginx, "/gone", 3);
    $nginx->post("", uri => "/gone");

    # added, removed, reordered; more workers
    ok $nginx->reload(workers => 4,
                      server => locations(qw(new old two one))), "a reload";

    $more->();
    post($nginx, "/new", 5);
    post($nginx, "/old", 1);

    is receiver(status($nginx), "/gone"), undef,
       "a location that was removed is not shown";

    # renamed; fewer workers
    ok $nginx->reload(workers => 1,
                      server => locations(qw(one two renamed new))),
       "a second reload";

    $more->();
    post($nginx, "/renamed", 4);

    is open_events($nginx, "/renamed"), 4,
       "a location that was renamed begins with 0";
    is open_events($nginx, "/new"), 5, "one that was added keeps its counters";

    # back again
    ok $nginx->reload(workers => 3,
                      server => locations(qw(gone two old one new))),
       "a third reload";

    $more->();
    post($nginx, "/old", 1);
    post($nginx, "/gone", 1);

    is open_events($nginx, "/old"), 4, "the old name has its old counters";
    is open_events($nginx, "/gone"), 4, "so has a location that comes back";
    is receiver(status($nginx), "/gone")->{refusals}{empty_body}, 1,
       "and its refusals";

    for my $name (sort keys %load) {
        my $sent = $load{$name}->finish;
        my @lines = $nginx->lines("$name.jsonl");

        note tally($sent);

        is_deeply [problems($sent, $nginx->path("$name.jsonl"))], [],
           "$name: the file has the events";
        is open_events($nginx, "/$name"), @lines,
           "$name: as many events were accepted as there are lines";
        is file(status($nginx), "$name.jsonl")->{lines}, @lines,
           "$name: and as many lines were counted";
        is file(status($nginx), "$name.jsonl")->{bytes},
           length join("", @lines), "$name: and bytes";
        is count(receiver(status($nginx), "/$name")->{answer_seconds}), @lines,
           "$name: and durations of answers";
    }

    is status($nginx)->{started_at}, $started, "nothing was started again";
    ok wait_for(sub { status($nginx)->{workers} == 3 }),
       "only the new workers count";
    is $nginx->alerts, "", "the error log has no alerts";
}


# an old worker that goes on

{
    my $nginx = Enkod::Nginx->new(workers => 2, server => locations("one"),
                                  main => "worker_shutdown_timeout 3600s;");

    my @old = $nginx->workers;
    my $body = event("slow");
    my @slow = map { $nginx->client } 1 .. 3;

    for (@slow) {
        $_->send("POST /one HTTP/1.1\r\nHost: localhost\r\n"
                 . "Content-Length: " . length($body) . "\r\n\r\n"
                 . substr $body, 0, 10);
        $_->taken;
    }

    # the old workers have no /two, the new ones have
    $nginx->configure(server => locations("two", "one"), workers => 1);
    $nginx->signal('HUP');
    $nginx->leaving(@old);

    ok wait_for(sub {
        eval { receiver(status($nginx), "/two") };
    }), "new workers are there";

    post($nginx, "/one", 4);
    post($nginx, "/two", 5);

    for my $n (1 .. @slow) {
        $slow[$n - 1]->send(substr $body, 10);
        is $slow[$n - 1]->status, 200, "an old worker accepts an event";
        is open_events($nginx, "/one"), 4 + $n, "it is counted";
    }

    is receiver(status($nginx), "/one")->{received_bytes},
       4 * length(event("x")) + 3 * length $body, "bytes of both";
    is open_events($nginx, "/two"), 5, "others are counted as well";

    $_->close for @slow;

    ok wait_for(sub { !grep { Enkod::Process::alive($_) } @old }),
       "the old workers end";
    is open_events($nginx, "/one"), 7, "what they have counted is there";
    is open_events($nginx, "/two"), 5, "nothing is counted twice";
}


# workers that are killed, under load

{
    my $nginx = Enkod::Nginx->new(workers => 3, server => locations("one"));

    my $load = Enkod::Load->new($nginx->{port}, uri => "/one",
                                connections => 32);

    for my $n (1 .. 6) {
        $load->accepted(50);

        my @workers = $nginx->workers;
        my $killed = $workers[$n % @workers];

        kill 'KILL', $killed;

        ok wait_for(sub {
            my @now = $nginx->workers;
            @now >= 3 && !grep { $_ == $killed } @now;
        }), "a worker is killed";

        $nginx->reload(workers => 3) if $n == 3;
    }

    $load->accepted(50);

    my $sent = $load->finish;
    note tally($sent);

    my $status = status($nginx);
    my $accepted = open_events($nginx, "/one");
    my @lines = $nginx->lines("one.jsonl");

    cmp_ok $accepted, ">=", acknowledged($sent),
       "each acknowledged event is counted";
    cmp_ok $accepted, "<=", @lines, "no event is counted that is not in the file";
    is receiver($status, "/one")->{waiting}, 0, "nothing waits";
    ok wait_for(sub { status($nginx)->{workers} == 3 }),
       "the workers that live count";
}


# a worker is killed while events wait for an upstream

{
    my $nginx = Enkod::Nginx->create(workers => 2, server => <<'END');
        location = /status {
            enkod_status json;
        }

        location = /pass {
            enkod_webhook;
            enkod_pass  /to;
        }

        location = /to {
            internal;
            proxy_pass          http://127.0.0.1:%BACK%;
            proxy_read_timeout  3600s;
        }
END

    my ($back) = backends($nginx, "BACK");

    $nginx->start;
    $back->tell("hold=1");

    my @clients = map { $nginx->client } 1 .. 4;

    $_->send(Enkod::Client::request(event("w"), uri => "/pass")) for @clients;

    ok wait_for(sub { receiver(status($nginx), "/pass")->{waiting} == 4 }),
       "events wait";

    my @workers = $nginx->workers;
    kill 'KILL', @workers;

    ok wait_for(sub {
        my @now = $nginx->workers;
        @now >= 2 && eval { status($nginx) };
    }), "all workers are killed";

    is receiver(status($nginx), "/pass")->{waiting}, 0,
       "events of workers that are gone do not wait";

    $back->tell("");

    is $nginx->post(event("n"), uri => "/pass")->{status}, 200,
       "the next event";
    is receiver(status($nginx), "/pass")->{waiting}, 0,
       "does not wait any more";
    is receiver(status($nginx), "/pass")->{pass}{delivered}, 1,
       "only this one was delivered";
}


# without a master process

{
    my $nginx = Enkod::Nginx->new(workers => 0, server => locations("one"),
                                  main => "master_process off;");

    post($nginx, "/one", 2);
    is open_events($nginx, "/one"), 2, "one process: events are counted";

    is status($nginx)->{workers}, 1, "one process counts";
}


# an upgrade

{
    my $nginx = Enkod::Nginx->new(workers => 1, daemon => 1,
                                  server => locations("one"));

    post($nginx, "/one", 3);

    my $started = status($nginx)->{started_at};
    my $old = $nginx->{pid};
    my $new;

    $nginx->signal('USR2');

    wait_for(sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        $new && $new != $old && $nginx->workers($new) >= 1;
    });

    $nginx->signal('QUIT', $old);
    wait_for(sub { !Enkod::Process::alive($old) });
    $nginx->{pid} = $new;

    is open_events($nginx, "/one"), 0, "an upgrade begins with 0";
    cmp_ok status($nginx)->{started_at}, "gt", $started, "and says so";
    ok $nginx->stop, "nginx ends";
}

done_testing;


# A location that writes its own file, for each of these names.

sub locations {
    return "location = /status { enkod_status json; }\n"
           . join "", map { "location = /$_ { enkod_webhook; "
                            . "enkod_log $_.jsonl; }\n" } @_;
}


sub post {
    my ($nginx, $uri, $n) = @_;

    for (1 .. $n) {
        is $nginx->post(event("x"), uri => $uri)->{status}, 200,
           "$uri accepts an event";
    }
}


sub open_events {
    my ($nginx, $uri) = @_;

    return receiver(status($nginx), $uri)->{events}{"message open"}{accepted};
}
