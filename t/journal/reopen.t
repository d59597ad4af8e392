# Rotation, reload, binary upgrade and stop under load: each acknowledged event
# is in one of the files, once, and none is acknowledged whose file was deleted
# before.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Load qw(event problems tally acknowledged);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Process;
use Enkod::Wait qw(wait_for);

my $location = "location / { enkod_webhook; enkod_log %s; }";


sub paths {
    my ($nginx) = @_;

    return glob "$nginx->{dir}/*.jsonl*";
}


# mv, and SIGUSR1

for my $user ("root", $> == 0 ? "nobody" : ()) {

    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2, user => $user);

    my $load = Enkod::Load->new($nginx->{port}, connections => 16);

    for my $n (1 .. 4) {
        $load->accepted(50);
        rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.$n");
        $load->accepted(50) if $n % 2;
        $nginx->reopen("a.jsonl") or die "no reopening";
    }

    $load->accepted(50);

    my $sent = $load->finish;
    note tally($sent);

    is tally($sent), "200: " . acknowledged($sent),
       "$user: while files are rotated, all events are accepted";

    cmp_ok acknowledged($sent), ">", 50, "$user: enough events are accepted";

    is_deeply [problems($sent, paths($nginx))], [],
       "$user: each accepted event is in one of the files";

    is scalar(grep { -s } paths($nginx)), 5,
       "$user: no file is empty";
    is $nginx->alerts, "", "$user: the error log has no alerts";
    ok $nginx->stop('QUIT'), "$user: nginx ends";
}


# SIGHUP, with another configuration each time

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2);

    my $load = Enkod::Load->new($nginx->{port}, connections => 16);

    for my $file ("b.jsonl", "b.jsonl; enkod_log c.jsonl if=0", "a.jsonl") {
        $load->accepted(50);
        ok $nginx->reload(server => sprintf $location, $file),
           "reload: the log is \"$file\"";
    }

    $load->accepted(50);
    ok $nginx->reload(workers => 3), "reload: more workers are started";
    $load->accepted(50);

    my $sent = $load->finish;
    note tally($sent);

    ok !(grep { $_ != 200 && $_ != 0 } values %$sent),
       "reload: no event is refused";
    cmp_ok acknowledged($sent), ">", 50, "reload: enough events are accepted";
    is_deeply [problems($sent, paths($nginx))], [],
       "reload: each accepted event is in one of the files";
    is -s $nginx->path("c.jsonl"), 0, "reload: a log that is not used is empty";
    is $nginx->alerts, "", "reload: the error log has no alerts";
    ok $nginx->stop('QUIT'), "reload: nginx ends";
}


# a worker that still has connections after a reload; the file is renamed
# meanwhile

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"));
    my $client = $nginx->client;
    my $request = Enkod::Client::request(event("R-1"));
    my ($old) = $nginx->workers;

    $client->send(substr $request, 0, -20);
    $client->taken;

    $nginx->configure;
    $nginx->signal('HUP');

    wait_for(sub { $nginx->workers == 2 });
    $nginx->leaving($old);

    rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.1");
    $nginx->signal('USR1');

    # the old worker is a child of the master, too
    wait_for(sub {
        grep { (readlink($_) || "") =~ /a\.jsonl$/ } glob "/proc/$old/fd/*";
    });

    $client->send(substr $request, -20);

    is $client->status, 200,
       "a worker of the old configuration finishes what it has begun";

    is_deeply [problems({ "R-1" => 200 }, $nginx->path("a.jsonl"))], [],
       "a worker of the old configuration writes to the reopened file";
}


# a worker that still has connections after several reloads, each with the
# maximum of other paths: the shared memory of its file is used for another path
# by then

{
    my $logs = sub {
        my ($set) = @_;

        return join "", map { "location /$set-$_ { enkod_webhook;"
                              . " enkod_log $set-$_.jsonl; }\n" } 1 .. 256;
    };

    my $nginx = Enkod::Nginx->new(server => $logs->("a"));
    my @clients = map { $nginx->client } 0 .. 2;

    for my $n (1, 2) {
        $clients[$n]->send(substr Enkod::Client::request(event("A-$n"),
                                                         uri => "/a-7"),
                           0, -20);
        $clients[$n]->taken;
    }

    for my $set ("b", "c") {
        my @before = $nginx->workers;

        $nginx->configure(server => $logs->($set));
        $nginx->signal('HUP');

        wait_for(sub { $nginx->post(event("X"), uri => "/$set-1")->{status}
                       == 200 });
        $nginx->leaving(@before);
    }

    # a-7 and c-7 have the same slot now

    my %sent;

    for my $n (1, 2) {
        $sent{"C-$n"} = $nginx->post(event("C-$n"), uri => "/c-7")->{status};

        my $client = $clients[$n];

        $client->send(substr Enkod::Client::request(event("A-$n"),
                                                    uri => "/a-7"), -20);
        $sent{"A-$n"} = $client->status;
    }

    is tally(\%sent), "200: 4",
       "with more paths than there are slots, old and new workers go on";
    is_deeply [problems(\%sent, map { $nginx->path("$_-7.jsonl") } "a", "c")],
       [], "each event is in its own file";
    is $nginx->alerts, "", "the error log has no alerts";
    ok $nginx->stop, "nginx ends";
}


# a file that is deleted

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2);

    is $nginx->post(event("D-0"))->{status}, 200, "an event is accepted";

    unlink $nginx->path("a.jsonl");

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "D-$_" } 1 .. 10;

    is acknowledged(\%sent), 10,
       "after a file was deleted, events are accepted";

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
       "these events are in a new file";

    like $nginx->error_log, qr/\[warn\].*a\.jsonl" was deleted and is reopened/,
         "the error log says that the file was deleted";

    # the folder is deleted as well

    $nginx->configure(server => sprintf $location, "sub/b.jsonl");
    mkdir $nginx->path("sub");
    $nginx->reload;

    is $nginx->post(event("D-20"))->{status}, 200, "an event is accepted";

    unlink $nginx->path("sub/b.jsonl");
    rmdir $nginx->path("sub") or die "rmdir: $!";

    %sent = map { $_ => $nginx->post(event($_))->{status} }
                map { "D-$_" } 21 .. 30;

    is tally(\%sent), "503: 10",
       "a deleted file that cannot be created anew: events are refused";

    mkdir $nginx->path("sub");

    # each worker tries to create the file once a second
    my $n = 30;

    ok wait_for(sub {
        my $id = "D-" . ++$n;
        ($sent{$id} = $nginx->post(event($id))->{status}) == 200;
    }), "events are accepted when the file can be created again";

    is_deeply [problems(\%sent, $nginx->path("sub/b.jsonl"))], [],
       "the new file has the accepted events";

    is $nginx->too_often("cannot be reopened"), "",
       "each worker logs the failure once a minute at most";

    like $nginx->error_log, qr/\[error\].*deleted and cannot be reopened,/,
         "the failure is logged as an error";
}


# workers that may not create the file

SKIP: {
    skip "the workers' user can only be chosen by root", 4 if $>;

    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2, user => "nobody");

    $nginx->post(event("P-0"));

    unlink $nginx->path("a.jsonl");

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "P-$_" } 1 .. 10;

    is tally(\%sent), "503: 10",
       "workers that may not create a deleted file refuse events";

    like $nginx->error_log, qr/reopened.*\(13: Permission denied\)/,
         "the error log says why";

    ok $nginx->reopen("a.jsonl"),
       "on SIGUSR1, the master opens the file for them";

    $sent{$_} = $nginx->post(event($_))->{status} for map { "P-$_" } 11 .. 20;

    is tally(\%sent), "200: 10, 503: 10", "after SIGUSR1, events are accepted";

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
       "the new file has the accepted events";
}


# a file that is deleted under load: events that were written before are lost
# with it, but no later ones

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2);

    my $load = Enkod::Load->new($nginx->{port}, connections => 8);

    wait_for(sub { -s $nginx->path("a.jsonl") });

    unlink $nginx->path("a.jsonl");

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "L-$_" } 1 .. 40;

    $load->finish;

    open my $fh, "<", $nginx->path("a.jsonl");
    my @ours = grep { /"message_uid":"([^"]+)/ && exists $sent{$1} } <$fh>;
    $nginx->put("ours", join "", @ours);

    is acknowledged(\%sent), 40,
       "after a file was deleted under load, all events are accepted";
    is_deeply [problems(\%sent, $nginx->path("ours"))], [],
       "both workers write to the same new file";
    is $nginx->alerts, "", "the error log has no alerts";
}


# a file that was rotated, and deleted to free its space: no worker, busy or
# idle, keeps a descriptor of it

for my $sync ("", Enkod::NginxConf::threads() ? "sync" : ()) {

    my $nginx = Enkod::Nginx->new(
        server => "location / { enkod_webhook; enkod_log a.jsonl $sync; }",
        workers => 2, listen => "reuseport");

    my @workers = $nginx->workers;
    my $title = "log" . ($sync && " with sync");

    my $have = sub {
        my ($path) = @_;

        return grep {
            my $pid = $_;
            grep { (readlink($_) || "") =~ /^\Q$path\E( \(deleted\))?$/ }
                 glob "/proc/$pid/fd/*";
        } @workers;
    };

    # wait until both workers have written, and so have opened the file

    my $path = $nginx->path("a.jsonl");
    my $n = 0;

    ok wait_for(sub {
        $nginx->post(event("I-" . ++$n));

        2 == grep {
            my $pid = $_;
            ($sync ? 2 : 1) == grep { (readlink($_) || "") eq $path }
                                    glob "/proc/$pid/fd/*";
        } @workers;
    }), "$title: both workers have the file open";

    rename $path, "$path.1";
    $nginx->signal('USR1');

    ok wait_for(sub { !$have->("$path.1") }),
       "$title: on SIGUSR1, workers close the file without another event";

    unlink "$path.1";

    is $nginx->post(event("I-0"))->{status}, 200,
       "$title: the workers accept events";
    is $nginx->alerts, "", "$title: the error log has no alerts";
    $nginx->stop;
}


# an upgrade: SIGUSR2, then SIGWINCH and SIGQUIT to the old master

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2, daemon => 1);

    my $load = Enkod::Load->new($nginx->{port}, connections => 16);
    my $old = $nginx->{pid};

    $load->accepted(50);

    $nginx->signal('USR2');

    my $oldbin = "$nginx->{dir}/logs/nginx.pid.oldbin";
    my $new;

    ok wait_for(sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        -s $oldbin && $new && $new != $old && $nginx->workers($new) >= 2;
    }), "upgrade: a second master is started";

    $load->accepted(100);

    rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.1");
    kill 'USR1', $old, $new;

    $load->accepted(50);

    $nginx->signal('WINCH', $old);

    ok wait_for(sub {
        # the new master is a child of the old one
        !grep { $_ != $new } $nginx->workers($old);
    }), "upgrade: the workers of the first master end";

    $load->accepted(50);

    $nginx->signal('QUIT', $old);

    ok wait_for(sub { !Enkod::Process::alive($old) }),
       "upgrade: the first master ends";

    $nginx->{pid} = $new;

    $load->accepted(50);

    my $sent = $load->finish;
    note tally($sent);

    ok !(grep { $_ != 200 && $_ != 0 } values %$sent),
       "upgrade: no event is refused";
    cmp_ok acknowledged($sent), ">", 50, "upgrade: enough events are accepted";
    is_deeply [problems($sent, paths($nginx))], [],
       "upgrade: each accepted event is in one of the files, once, in a whole line";

    is $nginx->alerts, "", "upgrade: the error log has no alerts";

    $sent = { last => $nginx->post(event("last"))->{status} };
    is $sent->{last}, 200, "upgrade: the new master's workers accept events";

    ok $nginx->stop, "upgrade: nginx ends";
}


# a roll-back: SIGHUP to the old master

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  daemon => 1);
    my $old = $nginx->{pid};
    my $new;

    $nginx->signal('USR2');

    ok wait_for(sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        $new && $new != $old && $nginx->workers($new) >= 1;
    }), "roll-back: a second master is started";

    $nginx->signal('WINCH', $old);

    ok wait_for(sub {
        !grep { $_ != $new } $nginx->workers($old);
    }), "roll-back: the workers of the first master end";

    rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.1");
    kill 'USR1', $old, $new;

    ok wait_for(sub { -e $nginx->path("a.jsonl") }),
       "roll-back: a new file is opened";

    my %sent = (before => $nginx->post(event("before"))->{status});

    # only a new worker of the first master can answer
    kill 'STOP', $nginx->workers($new);

    $nginx->signal('HUP', $old);
    $sent{after} = $nginx->post(event("after"))->{status};

    kill 'CONT', $nginx->workers($new);

    is_deeply \%sent, { before => 200, after => 200 },
              "roll-back: workers of both masters accept events";

    kill 'QUIT', $new;

    ok wait_for(sub { !Enkod::Process::alive($new) }),
       "roll-back: the second master ends";
    is_deeply [problems(\%sent, paths($nginx))], [],
              "roll-back: each accepted event is in a whole line";
    is $nginx->alerts, "", "taken back: the error log has no alerts";
    ok $nginx->stop, "taken back: nginx ends";
}


# nginx gives reopened files the descriptors of closed ones

{
    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"));
    my $piece = '{"received_at":"2026';

    for my $n (1 .. 4) {
        rename $nginx->path("a.jsonl"), $nginx->path("a.jsonl.$n");
        $nginx->put("a.jsonl", $piece);

        for (1 .. $n) {
            $nginx->reopen("a.jsonl") or die "no reopening";
        }

        $nginx->post(event("N-$n"));

        like $nginx->content("a.jsonl"),
             qr/^\Q$piece\E\n\{"received_at":[^{]+"N-$n"[^{]+\}\n\z/,
             "the end of a file is checked after $n times SIGUSR1";
    }

    ok $nginx->stop, "nginx ends";
}


# a graceful stop, and a fast one

for my $signal ('QUIT', 'TERM') {

    my $nginx = Enkod::Nginx->new(server => sprintf($location, "a.jsonl"),
                                  workers => 2);

    my $load = Enkod::Load->new($nginx->{port}, connections => 16);
    $load->accepted(50);

    ok $nginx->stop($signal), "SIG$signal under load: nginx ends";

    my $sent = $load->finish;
    note tally($sent);

    cmp_ok acknowledged($sent), ">", 20,
           "SIG$signal under load: some events were accepted before";

    is_deeply [problems($sent, $nginx->path("a.jsonl"))], [],
       "SIG$signal under load: every accepted event is in the file";

    is $nginx->alerts, "", "SIG$signal under load: nothing is left open";
}

done_testing;
