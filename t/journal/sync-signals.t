# "sync" while nginx gets a signal: SIGUSR1, a reload, a stop; a worker that
# dies during a sync; a full queue of the thread pool.

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

    ok waits($nginx, $_), "all events wait" for $old, $second, $new;

    $preload->on_sync("none");

    is $_->status, 200, "all events are accepted" for $old, $second, $new;

    my @paths = map { $_->{path} =~ /([^\/]+)$/ } grep { !$_->{dir} }
                    $preload->syncs;

    is join(" ", @paths[-3 .. -1]), "a.jsonl.1 a.jsonl.1 a.jsonl",
       "the old file was synced for what is in it, and then the new one";

    is_deeply [problems({ map { ("U-$_" => 200) } 0 .. 2 },
                        $nginx->path("a.jsonl.1")),
               problems({ "U-3" => 200 }, $nginx->path("a.jsonl"))], [],
       "each file has its events";

    ok wait_for(sub {
        my ($pid) = $nginx->workers;
        !grep { (readlink($_) || "") =~ /a\.jsonl\.1$/ } glob "/proc/$pid/fd/*";
    }), "the old file is closed";

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
           "the error log does not name the new file";
}


# nginx gives reopened files the descriptors of closed ones

{
    my ($nginx, $preload) = nginx();
    my $file = $nginx->path("a.jsonl");

    for my $n (1 .. 4) {
        # all of it between two checks of the file, which come once a second
        wait_for(sub { time - int time < 0.1 });

        $nginx->post(event("N-$n"));

        for my $signal (1 .. $n) {
            rename $file, "$file.$n" if $signal == $n;
            $nginx->reopen("a.jsonl") or die "no reopening";
        }

        is $nginx->post(event("N-$n-new"))->{status}, 200,
           "an event is accepted after $n times SIGUSR1";
        is((grep { !$_->{dir} } $preload->syncs)[-1]{path}, $file,
           "the sync was that of its file");
        is_deeply [problems({ "N-$n-new" => 200 }, $file)], [],
           "the event is in the new file";
    }
}


# reload, and the ways to stop, while a sync is running

for my $how ('HUP', 'QUIT') {
    my ($nginx, $preload) = nginx();

    my ($worker) = $nginx->workers;

    $preload->on_sync("hold");

    # connections that the old worker keeps
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

    # longer than the module's timer, which has expired when the second one is
    # answered
    $preload->set_uptime(10);

    for (@probes) {
        $_->send("Host: localhost\r\n\r\n");
        is $_->status, 200, "SIG$how: the worker waits for its sync";
    }

    ok $first->silent, "the clients of the worker wait";

    $preload->on_sync("none");

    is $_->status, 200, "SIG$how: its clients get 200" for $first, $second;

    # nginx would wait for these connections
    $_->close for $first, $second;

    ok wait_for(sub { !Enkod::Process::alive($worker) }),
       "SIG$how: then the worker ends";

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

    is $client->status, 0, "SIGTERM: a client that waits is not answered";
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
       "worker_shutdown_timeout closes the connection of a client that waits";

    $preload->on_sync("none");

    ok wait_for(sub { !Enkod::Process::alive($worker) }),
       "then the worker ends";
    is $nginx->post(event("W-2"))->{status}, 200,
       "the new worker accepts events";
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

    is $client->status, 0, "a worker that is killed gives no answer";

    wait_for(sub { my @now = $nginx->workers;
                     @now == 1 && $now[0] != $worker });

    is $nginx->post(event("K-2"))->{status}, 200, "the next one accepts events";

    my ($last) = reverse synced($preload, "a.jsonl");
    is $last->{pid}, ($nginx->workers)[0],
       "the new worker has synced that event";

    is_deeply [problems({ "K-1" => 0, "K-2" => 200 },
                        $nginx->path("a.jsonl"))], [], "the file is in order";
}


# the thread pool's queue

{
    my ($nginx, $preload) = nginx(
        main => "thread_pool default threads=1 max_queue=0;",
        server => $location
                  . "location /b { enkod_webhook; enkod_log b.jsonl sync; }");

    # before the thread has started, or after it has ended, the queue can have
    # another state, and then there is a 503
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
         "the error log says so";

    $preload->on_sync("none");

    is $first->status, 200, "the first event is accepted";
    is $nginx->post(event("Q-3"), uri => "/b")->{status}, 200,
       "later events are accepted, too";
}

no_alerts();

done_testing;
