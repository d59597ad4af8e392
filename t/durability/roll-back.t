# Two masters of a binary upgrade, and a short write() of one of them at a
# moment when the other one might not notice it: the next line of the other one
# does not follow the piece on its line.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;
use Time::HiRes qw(sleep time);

# only the worker that is not stopped must accept a connection
BEGIN { delete $ENV{TEST_NGINX_REUSE_PORT} }

use Enkod::Client;
use Enkod::Follower;
use Enkod::DeliveryCheck;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::Process;
use Enkod::Wait qw(wait_for);

my ($nginx, $preload, $follower, $old, $new, %sent);


sub setup {
    $nginx = Enkod::Nginx->create(daemon => 1, workers => 1,
        server => "location / { enkod_webhook; enkod_log files/a.jsonl; }",
        main => "env LD_PRELOAD; env ENKOD_PRELOAD;");

    mkdir "$nginx->{dir}/files";
    chown $nginx->user, "$nginx->{dir}/files" if $> == 0;

    $preload = Enkod::Preload->new("$nginx->{dir}/preload")
        or plan skip_all => "no compiler for the preloaded library";

    $nginx->{env} = $preload->env;
    $nginx->start;

    $follower = Enkod::Follower->new("$nginx->{dir}/files");
    $old = $nginx->{pid};
    %sent = ();
}


sub await {
    my ($what, $code) = @_;

    wait_for($code) or die "no $what\n";
}


# Starts a second master, which has a worker.

sub upgrade {
    kill 'USR2', $old;

    await("second master", sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        $new && $new != $old && $nginx->workers($new) == 1;
    });
}


# the worker of the old master; the second master is its child, too

sub old_worker {
    my ($pid) = grep { $_ != $new } $nginx->workers($old);

    return $pid;
}


# a connection that this worker accepts, and not the other one

sub client_of {
    my ($pid, $other) = @_;

    if ($other) {
        kill 'STOP', $other;
        await("stop", sub { Enkod::Process::stopped($other) });
    }

    my $client = $nginx->client;

    $client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    my $status = $client->status;

    kill 'CONT', $other if $other;

    return $status == 200 ? $client : die "the worker does not answer\n";
}


sub send_it {
    my ($client, $id) = @_;

    $client->send(Enkod::Client::request(event($id)));

    return $sent{$id} = $client->status;
}


sub move_away {
    rename $nginx->path("files/a.jsonl"), $nginx->path("files/a.jsonl.1")
        or die "a.jsonl: $!";
}


sub judge {
    my ($title) = @_;

    kill 'QUIT', $old;
    await("end of the old master", sub { !Enkod::Process::alive($old) });
    $nginx->{pid} = $new;
    $nginx->stop('QUIT');

    my $v = Enkod::DeliveryCheck::check(sent => \%sent, torn => 1, others => 1,
                                 seen => [$follower->finish],
                                 logs => [glob "$nginx->{dir}/files/*"]);

    is_deeply $v->{defects}, [],
       "$title: the line of each acknowledged event is whole";
}


# The old master starts workers again (WINCH, and then HUP).  The file was
# rotated since it read its configuration, and the clock was set back, so its
# worker did not wait until the worker of the new master had to know of it.

for my $back (3600, 0) {
    my $title = "a roll-back"
                . ($back ? ", and a clock that was set back" : "");

    setup();

    my $first = client_of($nginx->workers);

    send_it($first, "one");
    move_away();
    $nginx->reopen("files/a.jsonl") or die "no reopening\n";
    send_it($first, "two");

    $preload->set_clock(-$back);

    upgrade();
    kill 'WINCH', $old;
    await("end of the old worker", sub { !old_worker() });

    my ($worker) = $nginx->workers($new);
    my $second = client_of($worker);

    send_it($second, "three");

    # the new master's worker checks once a second for another master
    sleep 2.02 - (time - int time);
    send_it($second, "four");

    kill 'HUP', $old;
    await("worker of the old master", \&old_worker);

    $preload->on_write("short");
    is send_it(client_of(old_worker(), $worker), "five"), 503,
       "$title: a short write()";
    is send_it($second, "six"), 200, "$title: an event of the other master";

    judge($title);
}


# The file is renamed and not reopened yet, so its name does not exist.

{
    my $title = "a file that was renamed";

    setup();
    upgrade();

    my ($worker) = $nginx->workers($new);
    my $first = client_of(old_worker(), $worker);
    my $second = client_of($worker, old_worker());

    send_it($first, "one");
    send_it($second, "two");
    sleep 1.1;
    send_it($first, "three");
    send_it($second, "four");

    move_away();

    $preload->on_write("short");
    is send_it($first, "five"), 503, "$title: a short write()";
    is send_it($second, "six"), 200, "$title: an event of the other master";

    judge($title);
}

done_testing;
