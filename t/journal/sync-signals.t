# "sync" while nginx gets a signal: SIGUSR1, a reload, a stop; a worker that dies
# during a sync; a full queue of the thread pool.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;
use Time::HiRes qw(time);

use Enkod::Load qw(event problems);
use Enkod::Nginx;
use Enkod::Process;
use Enkod::SyncTest;
use Enkod::Wait qw(wait_for);

needs_threads();


# USR1 while a sync is running

{
    my ($nginx, $preload) = nginx();

    $nginx->post(event("U-0"));
    $preload->on_sync("hold");

    my $old = ask($nginx, id => "U-1");
    wait_for(sub { $preload->holding });
    my $second = ask($nginx, id => "U-2");
    wait_for(sub { $nginx->content("a.jsonl") =~ /"U-2"/ });

    rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.1");
    ok $nginx->reopen("a.jsonl"), "USR1 while a sync is running";

    my $new = ask($nginx, id => "U-3");
    wait_for(sub { $nginx->content("a.jsonl") =~ /"U-3"/ });

    ok waits($nginx, $_), "all wait" for $old, $second, $new;

    $preload->on_sync("none");

    is $_->status, 200, "and are accepted" for $old, $second, $new;

    my @paths = map { $_->{path} =~ /([^\/]+)$/ } grep { !$_->{dir} }
                    $preload->syncs;

    is join(" ", @paths[-3 .. -1]), "a.jsonl.1 a.jsonl.1 a.jsonl",
       "the old file was synced for what is in it, and then the new one";

    is_deeply [problems({ map { ("U-$_" => 200) } 0 .. 2 },
                        $nginx->path("a.jsonl.1")),
               problems({ "U-3" => 200 }, $nginx->path("a.jsonl"))], [],
       "and each holds its events";

    ok wait_for(sub {
        my ($pid) = $nginx->workers;
        !grep { (readlink($_) || "") =~ /a\.jsonl\.1$/ } glob "/proc/$pid/fd/*";
    }), "the old one is closed";

    is $nginx->alerts, "", "the error log has no alerts";
}


# the same, and the sync of the old file fails

{
    my ($nginx, $preload) = nginx();

    $nginx->post(event("V-0"));
    $preload->on_sync("hold");

    my $old = ask($nginx, id => "V-1");
    wait_for(sub { $preload->holding });

    rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.1");
    ok $nginx->reopen("a.jsonl"), "USR1 while a sync is running that will fail";

    my $new = ask($nginx, id => "V-2");
    wait_for(sub { $nginx->content("a.jsonl") =~ /"V-2"/ });

    $preload->on_sync("eio1");

    is $old->status, 503, "an event of the old file: 503";
    is $new->status, 200, "an event of the new file is accepted";
    like $nginx->error_log,
         qr/file that was ".*a\.jsonl" before it was reopened cannot be synced,/,
         "the error log says which file it is";
    unlike $nginx->error_log, qr/a\.jsonl" cannot be synced/,
           "and says nothing against the new one";
}


# nginx gives reopened files the numbers of closed ones

{
    my ($nginx, $preload) = nginx();
    my $file = $nginx->path("a.jsonl");

    for my $n (1 .. 4) {
        # all of it between two looks, which are once a second
        wait_for(sub { time - int time < 0.1 });

        $nginx->post(event("N-$n"));

        for my $signal (1 .. $n) {
            rename $file, "$file.$n" if $signal == $n;
            $nginx->reopen("a.jsonl") or die "no reopening";
        }

        is $nginx->post(event("N-$n-new"))->{status}, 200,
           "an event is accepted after $n times SIGUSR1";
        is((grep { !$_->{dir} } $preload->syncs)[-1]{path}, $file,
           "by a sync of the file that it is in");
        is_deeply [problems({ "N-$n-new" => 200 }, $file)], [],
           "which is the new one";
    }
}


# reload, and the ways to stop, while a sync is running

for my $how ('HUP', 'QUIT') {
    my ($nginx, $preload) = nginx();

    my ($worker) = $nginx->workers;

    $preload->on_sync("hold");

    # connections that it goes on with
    my @probes = map { $nginx->client } 1, 2;

    for (@probes) {
        $_->send("GET / HTTP/1.1\r\n");
        $_->taken;
    }

    my $first = ask($nginx, id => "G-1");
    wait_for(sub { $preload->holding });
    my $second = ask($nginx, id => "G-2");
    wait_for(sub { $nginx->content("a.jsonl") =~ /"G-2"/ });

    $nginx->signal($how);
    $nginx->leaving($worker);

    # longer than a timer of ours, which has run off when the second is answered
    $preload->set_uptime(10);

    for (@probes) {
        $_->send("Host: localhost\r\n\r\n");
        is $_->status, 200, "SIG$how: the worker waits for its sync";
    }

    ok $first->silent, "and so do its clients";

    $preload->on_sync("none");

    is $_->status, 200, "SIG$how: which get their 200" for $first, $second;

    # nginx would wait for that
    $_->close for $first, $second;

    ok wait_for(sub { !Enkod::Process::alive($worker) }),
       "SIG$how: and then it ends";

    is_deeply [problems({ "G-1" => 200, "G-2" => 200 },
                        $nginx->path("a.jsonl"))], [],
       "SIG$how: the events are in the file";
    is $nginx->alerts, "", "SIG$how: the error log has no alerts";
}

{
    my ($nginx, $preload) = nginx(level => "notice");

    my ($worker) = $nginx->workers;

    $preload->on_sync("hold");
    my $client = ask($nginx, id => "T-1");
    wait_for(sub { $preload->holding });

    my $master = $nginx->{pid};
    $nginx->signal('TERM');
    ok wait_for(sub { $nginx->error_log =~ / $worker#\d+: exiting/ }),
       "SIGTERM: a worker that waits for a sync is told to end";
    $preload->on_sync("none");

    is $client->status, 0, "SIGTERM: who waits is not answered";
    ok wait_for(sub { $nginx->reap; !Enkod::Process::alive($master) }),
       "SIGTERM: nginx ends";
    is $nginx->alerts, "", "SIGTERM: the error log has no alerts";
}

{
    my ($nginx, $preload) = nginx(main => "worker_shutdown_timeout 1s;");

    my ($worker) = $nginx->workers;

    $preload->on_sync("hold");
    my $client = ask($nginx, id => "W-1");
    wait_for(sub { $preload->holding });

    $nginx->signal('HUP');

    is $client->status, 0,
       "worker_shutdown_timeout ends the connection of who waits";

    $preload->on_sync("none");

    ok wait_for(sub { !Enkod::Process::alive($worker) }), "and the worker";
    is $nginx->post(event("W-2"))->{status}, 200, "the new one accepts events";
    is $nginx->alerts, "", "the error log has no alerts";
}


# a worker that dies

{
    my ($nginx, $preload) = nginx();

    my ($worker) = $nginx->workers;

    $preload->on_sync("hold");
    my $client = ask($nginx, id => "K-1");
    wait_for(sub { $preload->holding });

    kill 'KILL', $worker;
    $preload->on_sync("none");

    is $client->status, 0, "a worker that is killed answers nobody";

    wait_for(sub { my @now = $nginx->workers;
                     @now == 1 && $now[0] != $worker });

    is $nginx->post(event("K-2"))->{status}, 200, "the next one accepts events";

    my ($last) = reverse synced($preload, "a.jsonl");
    is $last->{pid}, ($nginx->workers)[0], "which it has synced itself";

    is_deeply [problems({ "K-1" => 0, "K-2" => 200 },
                        $nginx->path("a.jsonl"))], [], "the file is in order";
}


# the thread pool's queue

{
    my ($nginx, $preload) = nginx(
        main => "thread_pool default threads=1 max_queue=0;",
        server => $location
                  . "location /b { enkod_webhook; enkod_log b.jsonl sync; }");

    # a thread that has not begun, or not come back, is not one that waits, and
    # then there is a 503
    my $first;

    $preload->on_sync("hold");
    wait_for(sub {
        $first = ask($nginx, id => "Q-1");
        wait_for(sub { $preload->holding || !$first->silent });
        $preload->holding;
    });

    my $answer = $nginx->post(event("Q-2"), uri => "/b");

    is $answer->{status}, 503, "a thread pool whose queue is full: 503";
    like $nginx->error_log, qr/thread pool "default" queue overflow/,
         "and the error log says so";

    $preload->on_sync("none");

    is $first->status, 200, "who was first is accepted";
    is $nginx->post(event("Q-3"), uri => "/b")->{status}, 200,
       "and so are others, later";
}

no_alerts();

done_testing;
