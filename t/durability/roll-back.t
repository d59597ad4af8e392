# Two masters of a binary upgrade, and a short write() of one of them at a moment
# in which the other one could not know of it, or could not look at the file: the
# next line of the other one is not glued to the piece.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;
use Time::HiRes qw(sleep time);

# a connection is taken by the one worker that is not stopped
BEGIN { delete $ENV{TEST_NGINX_REUSE_PORT} }

use Enkod::Client;
use Enkod::File;
use Enkod::Follower;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::DeliveryCheck;
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


# a second master, which has a worker

sub upgrade {
    kill 'USR2', $old;

    await("second master", sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        $new && $new != $old && $nginx->workers($new) == 1;
    });
}


# that of the old one; the second master is its child, too

sub old_worker {
    my ($pid) = grep { $_ != $new } $nginx->workers($old);

    return $pid;
}


# a connection that is taken by this worker, and not by the other one

sub client_of {
    my ($pid, $other) = @_;

    if ($other) {
        kill 'STOP', $other;
        await("stop", sub {
            Enkod::File::slurp("/proc/$other/stat") =~ /^\d+ \(.*\) T /s });
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
       "$title: every line is whole that was acknowledged";
}


# The old master takes its workers back (WINCH, and then HUP).  The file has been
# rotated since it read its configuration, and the clock been set back: so its
# worker did not wait until that of the new one had to know of it.

for my $back (3600, 0) {
    my $title = "workers that are taken back"
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

    # the new master's worker looked once a second whether there was another
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


# Renamed, and not yet reopened: the name leads nowhere.

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
