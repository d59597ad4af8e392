# "sync": the answer comes after fdatasync() of the file that has the line; one
# fdatasync(), which runs in a thread, serves all events that wait for it.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::File;
use Enkod::HTTP2;
use Enkod::Load qw(event problems acknowledged tally);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::SyncTest;
use Enkod::Wait qw(wait_for);

needs_threads();


# the answer comes after the sync

my ($nginx, $preload) = nginx(level => "info");

is $nginx->post(event(id()))->{status}, 200, "an event is accepted";

my ($one) = synced($preload, "a.jsonl");

ok $one && $one->{rc} == 0, "the file was synced";
is $one->{size}, -s $nginx->path("a.jsonl"),
   "the line was in the file when it was synced";
is $one->{pid}, ($nginx->workers)[0], "the worker has synced the file";

is scalar(my @folders = folders($preload)), 1,
   "the folder of a new file is synced";
is $folders[0]{path}, $nginx->{dir},
   "the folder of the file is synced, and no other";

$nginx->post(event(id())) for 1 .. 3;

is scalar(my @later = folders($preload)), 1, "the folder is synced once";
is scalar(my @four = synced($preload, "a.jsonl")), 4,
   "one event after the other: each has its sync";

$preload->on_sync("hold");
my ($client, $id) = ask($nginx);
ok wait_for(sub { $preload->holding }), "a sync is running";
ok waits($nginx, $client), "while the sync is running, there is no answer";
like $nginx->content("a.jsonl"), qr/"\Q$id\E"/,
     "the line is in the file already";

is $nginx->post("", method => "GET")->{status}, 200,
   "meanwhile the worker answers other requests";

$preload->on_sync("none");
is $client->status, 200, "after the sync, the event is accepted";


# events that arrive during a sync share the next one

{
    my $n = synced($preload, "a.jsonl");

    $preload->on_sync("hold");
    my @clients = scalar ask($nginx);
    wait_for(sub { $preload->holding });

    push @clients, scalar ask($nginx) for 1 .. 40;

    wait_for(sub { ($nginx->content("a.jsonl") =~ tr/\n//) == 46 });
    ok waits($nginx, $clients[-1]),
       "events that arrive while a sync is running wait";

    $preload->on_sync("none");

    is join(" ", map { $_->status } @clients), join(" ", (200) x 41),
       "41 events are accepted";
    is scalar(my @now = synced($preload, "a.jsonl")), $n + 2,
       "these events share the running sync and one more";
}

is $nginx->alerts, "", "the error log has no alerts";


# a sync that fails

{
    my ($nginx, $preload) = nginx();

    $nginx->post(event("F-0"));

    $preload->on_sync("eio1");
    my $answer = $nginx->post(event("F-1"));

    is $answer->{status}, 503, "a sync that fails: the event gets a 503";
    like $answer->{body}, qr/"code":"log_unavailable"/,
         "the code is log_unavailable";
    like $answer->{head}, qr/^Retry-After: 5\r$/m, "there is a Retry-After";

    like $nginx->error_log, qr/\[error\].*a\.jsonl" cannot be synced, .*reopened \(5: Input/,
         "the error log says so, and that the file is reopened";

    is $nginx->post(event("F-2"))->{status}, 200, "the next event is accepted";

    # the lost bytes may end where the next line begins

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
         "the line after that one does not";

    $fail->("F-6");
    $nginx->stop('QUIT');
    $nginx->start;

    $nginx->post(event("F-7"));
    like $nginx->content("a.jsonl"), qr/"F-6"[^\n]*\n\n[^\n]*"F-7"[^\n]*\n\z/,
         "a new nginx puts a line feed in front of its first line, too";

    like $nginx->content("a.jsonl"), qr/"F-1"[^\n]*\n[^\n]*"F-2"[^\n]*\n/,
         "no empty line is written where it is not needed";

    # events that were written while the sync was running

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

    is tally(\%sent), "503: 10", "while syncs fail, no event is accepted";

    $preload->on_sync("none");

    $sent{$_} = $nginx->post(event($_))->{status} for map { "F-$_" } 30 .. 34;

    is tally(\%sent), "200: 5, 503: 10",
       "when syncs work again, events are accepted";

    my @messages = $nginx->error_log =~ /cannot be synced/g;
    cmp_ok scalar @messages, ">=", 2, "the failure is logged";
    is $nginx->too_often("cannot be synced"), "",
       "each worker logs the failure once a minute at most";
}


# after an error, another descriptor is used for syncs

{
    my ($nginx, $preload) = nginx();

    $nginx->post(event(id()));

    my ($pid) = $nginx->workers;

    # descriptors for reading only are those for syncs
    my $descriptor = sub {
        map { s/.*fdinfo/fd/r }
            grep { Enkod::File::slurp($_) =~ /^flags:\s+\d*0$/m
                   && (readlink s/fdinfo/fd/r) =~ /a\.jsonl$/ }
                 glob "/proc/$pid/fdinfo/*";
    };

    my @before = $descriptor->();
    is scalar @before, 1, "a worker has another descriptor for syncs";

    $preload->on_sync("eio1");
    $nginx->post(event(id()));
    is scalar(my @none = $descriptor->()), 0,
       "after an error, that descriptor is closed";

    $nginx->post(event(id()));
    is scalar(my @after = $descriptor->()), 1,
       "the next sync has a new descriptor";
}


# the folder

{
    my ($nginx, $preload) = nginx();

    $preload->on_sync("dir_eio");
    is $nginx->post(event("D-1"))->{status}, 503,
       "a folder that cannot be synced: the event gets a 503";
    like $nginx->error_log, qr/a\.jsonl" is in a folder that cannot be synced/,
         "the error log says so";

    $preload->on_sync("none");
    is $nginx->post(event("D-2"))->{status}, 200,
       "when the folder can be synced, an event is accepted";
    is $nginx->post(event("D-3"))->{status}, 200,
       "the next event is accepted, too";

    is scalar(my @ok = grep { $_->{rc} == 0 } folders($preload)), 1,
       "the folder is synced once";
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
       "through a symbolic link, the folder of the file itself is synced";
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
       "HTTP/2: a client that has not left is answered";
    $others[4]{client}->close;

    ok $nginx->stop('QUIT'), "nginx ends";
    is $nginx->alerts, "", "the error log has no alerts";
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

    is $stays->status, 200, "a client that has not left is answered";
    is $half->status, 200,
       "a client that has only closed its sending side is answered";

    is_deeply [problems({ "L-20" => 0, "L-21" => 0, "L-22" => 200,
                          "L-23" => 200 }, $nginx->path("a.jsonl"))], [],
       "the file is in order";
    is $nginx->alerts, "", "the error log has no alerts";
}


# several logs, with and without sync

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
       "an event whose if= is false does not wait";
    ok waits($nginx, $client), "an event for a log with sync waits";

    my $other = ask($nginx, id => "C-4", uri => "/also?c=1");
    ok waits($nginx, $other),
       "an event of another location waits for the same file";

    my $bad = $nginx->client;
    $bad->send(Enkod::Client::request("{}", uri => "/also"));
    wait_for(sub { $nginx->content("r.jsonl") =~ /missing_event/ });
    ok waits($nginx, $bad), "a refused event waits for a reject log with sync";

    $preload->on_sync("none");

    is $client->status, 200, "after the sync, the event is accepted";
    is $other->status, 200, "the event of the other location is accepted, too";
    is $bad->status, 422, "the refused event is refused";
    is scalar(my @c = synced($preload, "c.jsonl")), 2,
       "the two locations have shared the syncs of their file";
    is scalar(my @a = synced($preload, "a.jsonl")), 0,
       "a log without sync is not synced";
}


# a disk that is full, and a deleted file

{
    my ($nginx, $preload) = nginx(workers => 2);

    $nginx->post(event("X-0"));

    my $n = $preload->syncs;
    $preload->on_write("full");
    is $nginx->post(event("X-1"))->{status}, 503, "a full disk: 503";
    is scalar(my @now = $preload->syncs), $n, "a failed write needs no sync";
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
       "the new file has all accepted events";
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

        like $nginx->error_log, qr/cannot be (?:opened for syncing|synced).*\(13: P/,
             "the error log says so";

        chmod 0644, $nginx->path("d/a.jsonl");
        chmod 0755, $nginx->path("d");

        # the worker tries to open the file once a second
        ok wait_for(sub { $nginx->post(event("P-2"))->{status} == 200 }),
           "when the file can be read, events are accepted";
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

no_alerts();

done_testing;
