# "sync": the answer comes after fdatasync(), in a thread, of the file that has
# the line; one for all that wait.  A preloaded library counts, holds and fails the syncs.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;
use Time::HiRes qw(time);

use Enkod::Client;
use Enkod::HTTP2;
use Enkod::Load qw(event problems acknowledged tally);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::Wait qw(wait_for);

if (!Enkod::Nginx::threads()) {
    my $why = join "|", 'it needs an nginx built with "--with-threads"',
                        'cannot be used with the event method "\w+"';

    refused("server { location / { enkod_webhook; $_ a.jsonl sync; } }",
            qr/"sync" .*(?:$why)/, "without threads, $_ sync")
        for qw(enkod_log enkod_reject_log enkod_spool);

    done_testing;
    exit;
}

my $serial = 0;
my (@all, %preload);

my $location = "location / { enkod_webhook; enkod_log a.jsonl sync; }";


# an nginx with a preloaded library of its own

sub nginx {
    my (%o) = @_;

    my $nginx = Enkod::Nginx->create(workers => 1, server => $location, %o);
    my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
        or plan skip_all => "no compiler to hold fdatasync() with";

    $nginx->{env} = $preload->env;
    $nginx->start;

    $preload{$nginx} = $preload;
    push @all, $nginx;

    return ($nginx, $preload);
}


sub id {
    return "S-" . ++$serial;
}


# a client that has sent an event, and its id

sub ask {
    my ($nginx, %o) = @_;

    my $id = $o{id} || id();
    my $client = $nginx->client;

    $client->send(Enkod::Client::request(event($id), %o));

    return wantarray ? ($client, $id) : $client;
}


# no answer, though the worker has answered others that have come later

sub waits {
    my ($nginx, $client) = @_;

    return $nginx->settled && $client->silent;
}


sub synced {
    my ($preload, $path) = @_;

    return grep { $_->{what} eq "fdatasync" && $_->{path} =~ /\Q$path\E$/ }
                $preload->syncs;
}


sub folders {
    my ($preload) = @_;

    return grep { $_->{dir} && $_->{what} eq "fsync" } $preload->syncs;
}


# the answer comes after the sync

my ($nginx, $preload) = nginx(level => "info");

is $nginx->post(event(id()))->{status}, 200, "an event is accepted";

my ($one) = synced($preload, "a.jsonl");

ok $one && $one->{rc} == 0, "and the file was synced";
is $one->{size}, -s $nginx->path("a.jsonl"), "with the line in it";
is $one->{pid}, ($nginx->workers)[0], "by the worker";

is scalar(my @folders = folders($preload)), 1, "and so was the folder";
is $folders[0]{path}, $nginx->{dir}, "which is the one that it is in";

$nginx->post(event(id())) for 1 .. 3;

is scalar(my @later = folders($preload)), 1, "once";
is scalar(my @four = synced($preload, "a.jsonl")), 4,
   "one event after the other: each has its sync";

$preload->on_sync("hold");
my ($client, $id) = ask($nginx);
ok wait_for(sub { $preload->holding }), "a sync takes its time";
ok waits($nginx, $client), "meanwhile there is no answer";
like $nginx->content("a.jsonl"), qr/"\Q$id\E"/, "though the line is there";

is $nginx->post("", method => "GET")->{status}, 200,
   "and the worker does other things";

$preload->on_sync("none");
is $client->status, 200, "then there is one";


# all who come meanwhile share the next one

{
    my $n = synced($preload, "a.jsonl");

    $preload->on_sync("hold");
    my @clients = scalar ask($nginx);
    wait_for(sub { $preload->holding });

    push @clients, scalar ask($nginx) for 1 .. 40;

    wait_for(sub { ($nginx->content("a.jsonl") =~ tr/\n//) == 46 });
    ok waits($nginx, $clients[-1]), "who comes while a sync is running waits";

    $preload->on_sync("none");

    is join(" ", map { $_->status } @clients), join(" ", (200) x 41),
       "41 events are accepted";
    is scalar(my @now = synced($preload, "a.jsonl")), $n + 2,
       "by the sync that was running and one more";
}

is $nginx->alerts, "", "nginx has no reason to complain";


# one that fails

{
    my ($nginx, $preload) = nginx();

    $nginx->post(event("F-0"));

    $preload->on_sync("eio1");
    my $answer = $nginx->post(event("F-1"));

    is $answer->{status}, 503, "a sync that fails: the event gets a 503";
    like $answer->{body}, qr/"code":"log_unavailable"/, "with the code";
    like $answer->{head}, qr/^Retry-After: 5\r$/m, "and when to try again";

    like $nginx->error_log, qr/\[error\].*a\.jsonl" cannot be synced, .*opened anew \(5: Input/,
         "the error log says so, and that the file is opened anew";

    is $nginx->post(event("F-2"))->{status}, 200, "the next event is accepted";

    # what is lost may end where the next line begins

    my $fail = sub {
        my ($id) = @_;

        my $size = -s $nginx->path("a.jsonl");
        $nginx->post(event($id, 0));
        my $empty = (-s $nginx->path("a.jsonl")) - $size;

        $size += $empty;
        $preload->on_sync("eio1");
        $nginx->post(event($id, 512 - ($size + $empty) % 512));
    };

    $fail->("F-3");
    is +(-s $nginx->path("a.jsonl")) % 512, 0,
       "a sync fails of a line that ends where a sector does";

    $nginx->post(event("F-4"));
    like $nginx->content("a.jsonl"), qr/"F-3"[^\n]*\n\n[^\n]*"F-4"[^\n]*\n\z/,
         "the next line begins with a line feed";

    $nginx->post(event("F-5"));
    like $nginx->content("a.jsonl"), qr/"F-4"[^\n]*\n[^\n]*"F-5"[^\n]*\n\z/,
         "the one after that does not";

    $fail->("F-6");
    $nginx->stop('QUIT');
    $nginx->start;

    $nginx->post(event("F-7"));
    like $nginx->content("a.jsonl"), qr/"F-6"[^\n]*\n\n[^\n]*"F-7"[^\n]*\n\z/,
         "and so it does when nginx was started anew in between";

    like $nginx->content("a.jsonl"), qr/"F-1"[^\n]*\n[^\n]*"F-2"[^\n]*\n/,
         "there is no empty line where nothing can be glued";

    # what was written while it ran

    $preload->on_sync("hold");
    my @clients = scalar ask($nginx);
    wait_for(sub { $preload->holding });
    push @clients, scalar ask($nginx, id => "F-$_") for 10 .. 13;
    wait_for(sub { $nginx->content("a.jsonl") =~ /"F-13"/ });

    $preload->on_sync("eio1");

    is join(" ", map { $_->status } @clients), "503 503 503 503 503",
       "events that were written while the sync was running fail with it";

    $preload->on_sync("eio");

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "F-$_" } 20 .. 29;

    is tally(\%sent), "503: 10", "as long as it fails, no event is accepted";

    $preload->on_sync("none");

    $sent{$_} = $nginx->post(event($_))->{status} for map { "F-$_" } 30 .. 34;

    is tally(\%sent), "200: 5, 503: 10", "then they are";

    my @messages = $nginx->error_log =~ /cannot be synced/g;
    cmp_ok scalar @messages, ">=", 2, "each worker says it";
    is $nginx->too_often("cannot be synced"), "", "once a minute";
}


# after an error the descriptor is another one

{
    my ($nginx, $preload) = nginx();

    $nginx->post(event(id()));

    my ($pid) = $nginx->workers;

    # those for reading only are for syncs
    my $descriptor = sub {
        map { s/.*fdinfo/fd/r }
            grep { Enkod::Nginx::slurp($_) =~ /^flags:\s+\d*0$/m
                   && (readlink s/fdinfo/fd/r) =~ /a\.jsonl$/ }
                 glob "/proc/$pid/fdinfo/*";
    };

    my @before = $descriptor->();
    is scalar @before, 1, "a worker has a descriptor of its own for syncs";

    $preload->on_sync("eio1");
    $nginx->post(event(id()));
    is scalar(my @none = $descriptor->()), 0, "an error closes it";

    $nginx->post(event(id()));
    is scalar(my @after = $descriptor->()), 1, "and there is a new one";
}


# the folder

{
    my ($nginx, $preload) = nginx();

    $preload->on_sync("dir_eio");
    is $nginx->post(event("D-1"))->{status}, 503,
       "a folder that cannot be synced: the event gets a 503";
    like $nginx->error_log, qr/a\.jsonl" has a folder that cannot be synced/,
         "and the error log says so";

    $preload->on_sync("none");
    is $nginx->post(event("D-2"))->{status}, 200, "when it can, it is accepted";
    is $nginx->post(event("D-3"))->{status}, 200, "and the next";

    is scalar(my @ok = grep { $_->{rc} == 0 } folders($preload)), 1,
       "and that was synced once";
}


# through a symbolic link the folder is that of the file itself

{
    my $nginx = Enkod::Nginx->create(server => $location);
    my $preload = Enkod::Preload->new("$nginx->{dir}/preload");

    mkdir $nginx->path("real");
    symlink "real/b.jsonl", $nginx->path("a.jsonl");
    $nginx->put("real/b.jsonl", "");

    $nginx->{env} = $preload->env;
    $nginx->start;

    is $nginx->post(event(id()))->{status}, 200, "a symbolic link: accepted";

    my ($folder) = folders($preload);
    is $folder->{path}, $nginx->path("real"),
       "and it is the folder of the file that is synced";
}


# clients that leave

{
    my ($nginx, $preload) = nginx(listen => "http2");

    $preload->on_sync("hold");

    my $h2 = Enkod::HTTP2->new($nginx->{port});
    my ($out, $stream) = $h2->request(event("L-1"));
    $h2->send($out);

    wait_for(sub { $preload->holding });

    my @others = map { my $c = Enkod::HTTP2->new($nginx->{port});
                       my ($o) = $c->request(event("L-1$_"));
                       $c->send($o); $c } 1 .. 5;

    wait_for(sub { $nginx->content("a.jsonl") =~ /"L-15"/ });

    $_->{client}->reset for $h2, @others[0 .. 3];
    $others[4]->ping;

    $preload->on_sync("none");

    $others[4]->wait_for(1);
    is $others[4]{answers}{1}, 200,
       "HTTP/2: who has not left is answered";
    $others[4]{client}->close;

    ok $nginx->stop('QUIT'), "nginx ends";
    is $nginx->alerts, "", "and has no reason to complain";
}

{
    my ($nginx, $preload) = nginx();

    $preload->on_sync("hold");

    my $gone = ask($nginx, id => "L-20");
    wait_for(sub { $preload->holding });

    my $later = ask($nginx, id => "L-21");
    my $half = ask($nginx, id => "L-22");
    my $stays = ask($nginx, id => "L-23");

    wait_for(sub { $nginx->content("a.jsonl") =~ /"L-23"/ });

    $_->reset for $gone, $later;
    $half->shutdown;
    $nginx->settled;

    $preload->on_sync("none");

    is $stays->status, 200, "who has not left is answered";
    is $half->status, 200, "and who has only closed its sending side";

    is_deeply [problems({ "L-20" => 0, "L-21" => 0, "L-22" => 200,
                          "L-23" => 200 }, $nginx->path("a.jsonl"))], [],
       "the file is in order";
    is $nginx->alerts, "", "nginx has no reason to complain";
}


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

    is $nginx->alerts, "", "nginx has no reason to complain";
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
         qr/file that was ".*a\.jsonl" before cannot be synced, events are/,
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

    ok wait_for(sub { !Enkod::Nginx::alive($worker) }),
       "SIG$how: and then it ends";

    is_deeply [problems({ "G-1" => 200, "G-2" => 200 },
                        $nginx->path("a.jsonl"))], [],
       "SIG$how: the events are in the file";
    is $nginx->alerts, "", "SIG$how: nginx has no reason to complain";
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
    ok wait_for(sub { $nginx->reap; !Enkod::Nginx::alive($master) }),
       "SIGTERM: nginx ends";
    is $nginx->alerts, "", "SIGTERM: and has no reason to complain";
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

    ok wait_for(sub { !Enkod::Nginx::alive($worker) }), "and the worker";
    is $nginx->post(event("W-2"))->{status}, 200, "the new one accepts events";
    is $nginx->alerts, "", "nginx has no reason to complain";
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


# several logs, each with its own promise

{
    my ($nginx, $preload) = nginx(http => <<'END', server => <<'END');
        map $enkod_event $optout { complaint 1; }
END
        location / {
            enkod_webhook;
            enkod_log  a.jsonl;
            enkod_log  c.jsonl  sync if=$optout;
        }

        location /also {
            enkod_webhook;
            enkod_log         c.jsonl  if=$arg_c sync;
            enkod_reject_log  r.jsonl  sync;
        }
END

    my $complaint = event("C-1") =~ s/message open/complaint/r;

    $preload->on_sync("hold");

    my $client = $nginx->client;
    $client->send(Enkod::Client::request($complaint));
    wait_for(sub { $preload->holding });

    is $nginx->post(event("C-2"))->{status}, 200,
       "an event for a log without sync does not wait";
    is $nginx->post(event("C-3"), uri => "/also")->{status}, 200,
       "nor does one whose if= does not hold";
    ok waits($nginx, $client), "one with sync does";

    my $other = ask($nginx, id => "C-4", uri => "/also?c=1");
    ok waits($nginx, $other), "and one of another location, for the same file";

    my $bad = $nginx->client;
    $bad->send(Enkod::Client::request("{}", uri => "/also"));
    wait_for(sub { $nginx->content("r.jsonl") =~ /missing_event/ });
    ok waits($nginx, $bad), "and one that is refused, for a reject log with sync";

    $preload->on_sync("none");

    is $client->status, 200, "then it is accepted";
    is $other->status, 200, "and so is the other one";
    is $bad->status, 422, "and the refused one is refused";
    is scalar(my @c = synced($preload, "c.jsonl")), 2,
       "the two locations have shared the syncs of their file";
    is scalar(my @a = synced($preload, "a.jsonl")), 0,
       "what has no sync is not synced";
}


# a disk that is full, and a deleted file

{
    my ($nginx, $preload) = nginx(workers => 2);

    $nginx->post(event("X-0"));

    my $n = $preload->syncs;
    $preload->on_write("full");
    is $nginx->post(event("X-1"))->{status}, 503, "a full disk: 503";
    is scalar(my @now = $preload->syncs), $n, "and nothing to sync";
    $preload->on_write("none");

    $preload->on_sync("hold");
    my $client = ask($nginx, id => "X-2");
    wait_for(sub { $preload->holding });
    unlink $nginx->path("a.jsonl");
    $preload->on_sync("none");

    is $client->status, 503,
       "an event whose file is deleted while it is synced: 503";

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "X-$_" } 10 .. 60;

    note tally(\%sent);

    cmp_ok acknowledged(\%sent), ">", keys(%sent) / 2,
           "after a file was deleted most events are accepted at once";
    is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
       "and these are in the new one, all of them";
}


# a file, or folder, that the workers cannot read

SKIP: {
    skip "the workers' user can only be chosen by root", 6 if $>;

    for my $case (["file", 0600, 0755], ["folder", 0644, 0711]) {
        my ($what, $mode, $folder) = @$case;

        my $nginx = Enkod::Nginx->create(
            user => "nobody",
            server => "location / { enkod_webhook; enkod_log d/a.jsonl sync; }");

        mkdir $nginx->path("d");
        open my $fh, ">", $nginx->path("d/a.jsonl");
        close $fh;
        chmod $mode, $nginx->path("d/a.jsonl");
        chmod $folder, $nginx->path("d");

        $nginx->start;

        is $nginx->post(event("P-1"))->{status}, 503,
           "a $what that workers cannot read: 503";

        like $nginx->error_log, qr/cannot be (?:opened to be )?synced.*\(13: P/,
             "and the error log says so";

        chmod 0644, $nginx->path("d/a.jsonl");
        chmod 0755, $nginx->path("d");

        # which is tried once a second
        ok wait_for(sub { $nginx->post(event("P-2"))->{status} == 200 }),
           "when they can, events are accepted";
    }
}


# what nginx -t refuses

my $server = "server { listen 127.0.0.1:1; location / { enkod_webhook;";

refused("enkod_log a.jsonl sync sync;",
        qr/invalid parameter "sync" in "enkod_log", only one "sync" and/,
        "sync twice");
refused("enkod_log off sync;", qr/must stand alone if it is "off"/,
        "\"off\" with sync");
refused("enkod_log /dev/null sync;",
        qr/"sync" in "enkod_log" needs a regular file, which "\/dev\/null" is n/,
        "sync of a device");
refused("enkod_reject_log /dev/null sync;",
        qr/"sync" in "enkod_reject_log" needs a regular file/,
        "sync of a device in enkod_reject_log");
refused("enkod_log a.jsonl; $server enkod_log a.jsonl sync; } }",
        qr/conflicting "sync" in "enkod_log", "a.jsonl" is used elsewhere witho/,
        "one path without and with sync");
refused("enkod_log a.jsonl sync; $server enkod_log ./a.jsonl; } }",
        qr/conflicting "sync" in "enkod_log", ".*a.jsonl" and ".*\/\.\/a.jsonl" are/,
        "one file with and without sync");

for my $nginx (@all) {
    is $nginx->alerts(qr/exited on signal 9/), "",
       "nginx has no reason to complain";
    $nginx->stop('QUIT');
}

done_testing;
