# Power cuts at certain moments, with "sync": acknowledged events are in the
# file afterwards, as whole lines, whatever else the cut has left
# (Enkod::PowerLoss), and nginx accepts events after that.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::DeliveryCheck;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::PowerLoss;
use Enkod::Preload;
use Enkod::Process;
use Enkod::Wait qw(wait_for);

use constant PAGE => 4096;

plan skip_all => "nginx has no threads" if !Enkod::NginxConf::threads();

my ($nginx, $preload, $power, %sent, $torn);


# Runs each case with several power cuts, which differ.

sub cases {
    my ($title, $code, %o) = @_;

    my @bad;

    for my $seed (1 .. 4) {
        setup(%o) or plan skip_all => "no compiler for the preloaded library";

        srand $seed;

        my @odd = eval { $code->() };
        push @odd, $@ if $@;

        cut();
        $nginx->start;

        # nginx appends to what the cut has left
        push @odd, "a fresh event is refused" if accept_it("fresh") != 200;
        push @odd, "nginx did not end" if !$nginx->stop('QUIT');

        my $v = Enkod::DeliveryCheck::check(sent => \%sent, torn => $torn,
                                     logs => [glob "$nginx->{dir}/files/*"]);

        @bad = map { "cut $seed: $_" } @odd, @{ $v->{defects} }
            or $nginx->forget, next;

        last;
    }

    is_deeply [@bad], [], $title;
}


sub setup {
    my (%o) = @_;

    $nginx = Enkod::Nginx->create(
        server => "location / { enkod_webhook;"
                  . " enkod_log files/a.jsonl sync; }", %o);

    my $files = "$nginx->{dir}/files";
    mkdir $files;
    chown $nginx->user, $files if $> == 0;

    $nginx->put("files/a.jsonl", $o{text}) if defined $o{text};

    $preload = Enkod::Preload->new("$nginx->{dir}/preload") or return 0;
    $nginx->{env} = $preload->env;
    $power = Enkod::PowerLoss->new($preload, $files);

    %sent = ();
    $torn = 0;

    $nginx->start;

    return 1;
}


sub accept_it {
    my ($id) = @_;

    return $sent{$id} = $nginx->post(event($id))->{status};
}


sub move_away {
    my ($n) = @_;

    my $file = $nginx->path("files/a.jsonl");

    rename $file, "$file.$n" or die "$file: $!\n";
    $power->renamed($file, "$file.$n");
}


# Sends an event and waits until the file has that many lines; returns its
# client.

sub sent_alone {
    my ($id, $lines) = @_;

    my $client = $nginx->client;

    $client->send(Enkod::Client::request(event($id)));
    wait_for(sub { $nginx->lines("files/a.jsonl") == $lines })
        or die "$id is not written\n";
    wait_for(sub { $preload->holding }) or die "no sync\n";

    return [$id, $client];
}


sub answered {
    return map { my ($id, $client) = @$_;
                 $sent{$id} = $client->status;
                 $sent{$id} == 200 ? () : "$id got $sent{$id}" } @_;
}


sub kill_all {
    my @pids = $nginx->processes;

    kill 'STOP', $nginx->{pid};
    wait_for(sub { Enkod::Process::stopped($nginx->{pid}) });

    @pids = $nginx->processes;
    kill 'KILL', @pids;

    wait_for(sub {
        $nginx->reap;
        !grep { Enkod::Process::alive($_) } @pids;
    }) or die "nginx lives on";
}


sub cut {
    kill_all();

    $preload->on_sync("none");
    $preload->on_write("none");

    note $_ for map { s{.*/}{}r } $power->cut;
    $torn += $power->{torn};
}


# Makes a file end at the border of a page with an event whose sync has failed.
# The file begins with empty lines.

sub fail_at_border {
    accept_it("P-1");
    $preload->on_sync("eio1");
    accept_it("P-2");

    return $sent{"P-2"} != 503 ? "the sync has not failed"
           : -s $nginx->path("files/a.jsonl") != 2 * PAGE ? "the file does not end at a border"
           : ();
}


# the length of the line of an event

sub line_length {
    my ($id) = @_;

    return length('{"received_at":"2026-11-23T03:44:01.123Z","request_id":"",'
                  . '"remote_addr":"127.0.0.1",') + 32 + length event($id);
}

my $empty = "\n" x (2 * PAGE - line_length("P-1") - line_length("P-2"));


cases("the first event of a new file is kept", sub {
    accept_it("N-1") == 200 ? () : "it is refused";
});


cases("the first event after a rotation is kept, and the last one before it",
      sub {
    accept_it("R-1");

    move_away(1);
    accept_it("R-2");

    $nginx->reopen("files/a.jsonl") or return "no reopening";
    accept_it("R-3");

    return grep { $sent{$_} != 200 } map { "R-$_" } 1 .. 3;
});


# then a new file can have the descriptor of the old one

cases("the first event after several rotations within a second is kept", sub {
    my $n = 0;

    for my $times (1 .. 4) {
        accept_it("D-$times");

        for (1 .. $times) {
            move_away(++$n);
            $nginx->reopen("files/a.jsonl") or return "no reopening";
        }
    }

    return accept_it("D-5") == 200 ? () : "it is refused";
});


cases("an event is not accepted while the folder of its new file cannot be "
      . "synced", sub {
    $preload->on_sync("dir_eio");
    accept_it("F-1") == 503 && accept_it("F-2") == 503 ? () : "it is accepted";
});


cases("an event after a failed sync is kept", sub {
    accept_it("E-1");
    $preload->on_sync("eio1");
    accept_it("E-2");
    accept_it("E-3");

    return join(" ", @sent{qw(E-1 E-2 E-3)}) eq "200 503 200" ? ()
           : "not as expected";
});


cases("an event that arrives while a sync runs waits for the next one", sub {
    $preload->on_sync("hold");

    my @clients = map { sent_alone("S-$_", $_) } 1, 2;

    $preload->on_sync("none");

    return answered(@clients);
});


cases("an event that arrives while a sync runs is kept if its file is rotated", sub {
    $preload->on_sync("hold");

    my @clients = map { sent_alone("T-$_", $_) } 1, 2;

    move_away(1);
    $nginx->reopen("files/a.jsonl") or return "no reopening";

    push @clients, sent_alone("T-3", 1);

    $preload->on_sync("none");

    return answered(@clients);
});


cases("with four workers, none accepts an event that the failed sync of another "
      . "one has lost", sub {

    my @clients = map { $nginx->client } 1 .. 32;
    my @ids = map { "W-$_" } 1 .. 32;

    $preload->on_sync("hold");

    $clients[$_]->send(Enkod::Client::request(event($ids[$_]))) for 0 .. 31;
    wait_for(sub { $preload->holding >= 2 })
        or return "one worker does it all";

    # all are in the file, before one of the syncs fails
    wait_for(sub { 32 == $nginx->lines("files/a.jsonl") })
        or return "they are not all in the file";

    $preload->on_sync("eio1");

    $sent{$ids[$_]} = $clients[$_]->status for 0 .. 31;

    return grep { $sent{$_} != 503 } @ids;

}, workers => 4, listen => "reuseport");


# the line feed before it may be on a page that is lost

cases("a line after a failed sync at the border of a page is whole", sub {
    my @odd = fail_at_border();

    return @odd, accept_it("P-3") == 200 ? () : "it is refused";

}, text => $empty);


cases("a line after a failed sync and a restart of nginx is whole", sub {
    my @odd = fail_at_border();

    $nginx->stop('QUIT');
    $nginx->start;

    return @odd, accept_it("P-3") == 200 ? () : "it is refused";

}, text => $empty);


cases("events that wait while a sync hangs may be kept or lost", sub {
    accept_it("H-1");
    $preload->on_sync("hold");

    my @clients = map { $nginx->client } 1 .. 8;

    for my $n (2 .. 9) {
        $clients[$n - 2]->send(Enkod::Client::request(event("H-$n")));
        $sent{"H-$n"} = 0;
    }

    wait_for(sub { $nginx->lines("files/a.jsonl") == 9 })
        ? () : "they are not written";
});

done_testing;
