# A file only grows when write() fails or writes too little, and when a worker
# or the master dies: a piece of a line is ended by a line feed, and every
# accepted event has a whole line of its own.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Fcntl qw(O_NONBLOCK O_RDONLY);
use POSIX ();
use Test::More;

use Enkod::File qw(append);
use Enkod::Load qw(event problems tally acknowledged);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::Process;
use Enkod::Wait qw(wait_for);

my $location = "location / { enkod_webhook; enkod_log a.jsonl; }";

# that event, alone on its line
sub line_of { my ($id) = @_; qr/\{"received_at":[^\n{]*"$id"[^\n{]*\}\n/ }

my $dir = Enkod::Nginx->create(server => "")->{dir};

my $preload = Enkod::Preload->new("$dir/preload");

plan skip_all => "no compiler" if !$preload;


# write() that fails or writes too little

{
    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 1);
    my $file = $nginx->path("a.jsonl");
    my %sent = ("W-0" => $nginx->post(event("W-0"))->{status});

    for (["W-1", "eintr", 200, "an event whose write() is interrupted and repeated"],
         ["W-2", "short", 503, "an event of which half a line is written"],
         ["W-3", "none", 200, "the next event"],
         ["W-4", "full", 503, "an event for which there is no space"],
         ["W-5", "eio", 503, "an event that cannot be written"],
         ["W-6", "none", 200, "an event when write() works again"])
    {
        my ($id, $what, $expected, $title) = @$_;

        my $before = $nginx->content("a.jsonl");

        $preload->on_write($what);
        $sent{$id} = $nginx->post(event($id))->{status};
        $preload->on_write("none");

        is $sent{$id}, $expected, "$title: $expected";

        is substr($nginx->content("a.jsonl"), 0, length $before), $before,
           "$title: nothing of the file has changed";
    }

    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "each accepted event has a line of its own";

    my @lines = $nginx->lines("a.jsonl");

    is scalar(grep { !/\}\n\z/ } @lines), 1, "the piece has a line of its own";

    # a batch of events

    my @clients = map { $nginx->client } 1 .. 8;

    for (@clients) {
        $_->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        $_->status;
    }

    my @ids = map { "B-$_" } 1 .. 8;

    $preload->on_write("short");

    $nginx->frozen(sub {
        $clients[$_]->send(Enkod::Client::request(event($ids[$_])))
            for 0 .. 7;
    });

    @sent{@ids} = map { $_->status } @clients;

    like tally({ map { $_ => $sent{$_} } @ids }), qr/^200: [2-6], 503: [2-6]$/,
         "when half of a batch is written, some events are accepted";

    $sent{"B-9"} = $nginx->post(event("B-9"))->{status};

    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "events whose lines are complete are accepted";

    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;
}


# a line that follows another program's piece has to be written a second time,
# which fails

{
    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 1);
    my $file = $nginx->path("a.jsonl");
    my %sent = ("A-0" => $nginx->post(event("A-0"))->{status});

    append($file, "half a line");
    $preload->on_write("full_lf");
    $sent{"A-1"} = $nginx->post(event("A-1"))->{status};

    ok $preload->done,
       "the copy of a line that follows a piece cannot be written";
    is $sent{"A-1"}, 503, "the event of that line: 503";
    like $nginx->error_log, qr/cannot be written to, .*\(28: No space/,
         "the error log says why";

    $sent{"A-2"} = $nginx->post(event("A-2"))->{status};

    is $sent{"A-2"}, 200, "the next event: 200";
    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "the next event has a line of its own";
    $nginx->stop;
}


# a FIFO: a piece has a line of its own

{
    my $nginx = Enkod::Nginx->create(
        server => "location / { enkod_webhook; enkod_log fifo; }",
        env => $preload->env, workers => 1);

    POSIX::mkfifo($nginx->path("fifo"), 0666) or die "mkfifo: $!";
    sysopen my $reader, $nginx->path("fifo"), O_RDONLY|O_NONBLOCK
        or die "fifo: $!";

    $nginx->start;
    $preload->on_write("short");

    my %sent = map { $_ => $nginx->post(event($_))->{status} } "F-1", "F-2";

    is tally(\%sent), "200: 1, 503: 1",
       "a FIFO that takes half a line: 503, then 200";

    sysread $reader, my $text, 65536;

    like $text, qr/\A\{[^\n]+[^\n}]\n@{[ line_of("F-2") ]}\z/,
         "in a FIFO, the next event follows a line feed";
    $nginx->stop;
}


# a worker is killed while it appends, and so holds the lock of the file

for my $how ("kill", "killed") {

    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 2);
    my @before = $nginx->workers;
    my $load = Enkod::Load->new($nginx->{port}, connections => 16);

    for my $round (1 .. 3) {
        my $size = -s $nginx->path("a.jsonl");

        wait_for(sub { -s $nginx->path("a.jsonl") > $size });

        $preload->on_write($how);

        ok wait_for(sub { $preload->done }),
           "\"$how\": a worker dies in write(), round $round";

        $size = -s $nginx->path("a.jsonl");

        ok wait_for(sub { -s $nginx->path("a.jsonl") > $size }),
           "\"$how\": the other workers go on, round $round";
    }

    my $sent = $load->finish;

    note tally($sent);

    my %before = map { $_ => 1 } @before;

    ok wait_for(sub { grep { !$before{$_} } $nginx->workers }),
       "\"$how\": a new worker is started";

    is_deeply [problems($sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "\"$how\": each accepted event has a line of its own";

    my @pieces = grep { !/\A\{.*\}\n\z/ } $nginx->lines("a.jsonl");

    is scalar(@pieces), $how eq "kill" ? 3 : 0,
       "\"$how\": each piece has a line of its own";

    is scalar(grep { /\A\n\z|received_at.*received_at/ }
                   $nginx->lines("a.jsonl")), 0,
       "\"$how\": no line follows a piece on its line";

    is $nginx->alerts("exited on signal 9"), "",
       "\"$how\": the error log has no other alerts";

    ok $nginx->stop, "\"$how\": nginx ends";
}


# each file has its own lock: a worker that is held up while it appends to one
# file, here by SIGSTOP, does not hold up events for another file

for (["stop_write", "write()", sub { }],
     ["stop_open", "open()", sub { unlink $_[0] }],
     ["stop_pread", "pread()", sub { append($_[0], "half a line") }])
{
    my ($stop, $call, $before) = @$_;

    my $nginx = Enkod::Nginx->new(
        env => $preload->env, workers => 2, listen => "reuseport",
        server => 'location /pid { return 200 "$pid\n"; }'
                  . join "", map { "location /$_ { enkod_webhook;"
                                   . " enkod_log $_.jsonl; }" } "a", "b");
    my (%client, %sent);

    # a connection to each of the workers

    wait_for(sub {
        my $client = $nginx->client;

        $client->send("GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n");
        $client->read->{body} =~ /^(\d+)$/ or return 0;
        $client{$1} = $client;

        return keys %client == 2;
    });

    my ($slow, $other) = keys %client;

    my $send = sub {
        my ($worker, $id, $uri) = @_;

        $client{$worker}->send(Enkod::Client::request(event($id),
                                                      uri => $uri));
    };

    for my $worker ($slow, $other) {
        $send->($worker, "P-$worker-$_", "/$_"), $client{$worker}->status
            for "a", "b";
    }

    $before->($nginx->path("a.jsonl"));
    $preload->on_write($stop);
    $send->($slow, "P-1", "/a");

    my $stopped = sub { Enkod::Process::stopped($slow) };

    ok wait_for($stopped), "a worker is held up by $call";

    $send->($other, "P-2", "/b");
    $sent{"P-2"} = $client{$other}->status;

    is $sent{"P-2"}, 200,
       "meanwhile, another worker accepts an event for another file";

    $send->($other, "P-3", "/a");
    $client{$other}->taken;

    ok $client{$other}->silent && $stopped->(),
       "an event for the same file waits";

    kill 'CONT', $slow;

    $sent{"P-1"} = $client{$slow}->status;
    $sent{"P-3"} = $client{$other}->status;

    is acknowledged(\%sent), 3, "after $call, all events are accepted";

    $nginx->put("ours", join "", grep { /"P-[123]"/ }
                                      map { $nginx->lines("$_.jsonl") }
                                          "a", "b");

    is_deeply [problems(\%sent, $nginx->path("ours"), { torn => 1 })], [],
       "each event has a line of its own";
    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;
}


# a worker that is killed when there is no master to free a lock of nginx

{
    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 2, listen => "reuseport");
    my @workers = $nginx->workers;
    my %sent;

    kill 'KILL', $nginx->{pid};
    wait_for(sub { !Enkod::Process::alive($nginx->{pid}) });

    $preload->on_write("kill");

    # connections that the kernel gives to the dead worker get no answer
    for my $n (1 .. 100) {
        my $status = $nginx->post(event("K-$n"), seconds => 1)->{status};

        $sent{"K-$n"} = $status == -1 ? 0 : $status;
        last if $preload->done && $sent{"K-$n"} == 200;
    }

    ok $preload->done, "without a master a worker dies in write()";

    cmp_ok acknowledged(\%sent), ">", 0, "the other worker accepts events";

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "each accepted event has a line of its own";

    kill 'TERM', @workers;
}


# workers that may not read the file and do not know how it ends

SKIP: {
    skip "the workers' user can only be chosen by root", 3 if $>;

    my $umask = umask 0077;
    my $nginx = Enkod::Nginx->create(server => $location, env => $preload->env,
                                     workers => 2, user => "nobody");
    $nginx->start;
    umask $umask;

    my %sent = map { $_ => $nginx->post(event($_))->{status} } "N-1", "N-2";

    $preload->on_write("kill");
    $sent{"N-3"} = $nginx->post(event("N-3"))->{status};

    is $sent{"N-3"}, 0, "a worker that cannot read the file dies in write()";

    $sent{$_} = $nginx->post(event($_))->{status} for map { "N-$_" } 4 .. 9;

    is acknowledged(\%sent), 8, "the other workers accept events";

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "each accepted event has a line of its own";

    $nginx->stop;
}


# two masters

{
    my $log = "$dir/both.jsonl";
    my $both = "location / { enkod_webhook; enkod_log $log; }";

    my $one = Enkod::Nginx->new(server => $both, env => $preload->env,
                                workers => 2);
    my $two = Enkod::Nginx->new(server => $both);

    my (%sent, $n);

    my $post = sub {
        my ($nginx, $expected, $title) = @_;
        my $id = "M-" . ++$n;

        $sent{$id} = $nginx->post(event($id))->{status};
        is $sent{$id}, $expected, $title;
    };

    $post->($one, 200, "the first of two masters accepts an event");
    $post->($two, 200, "the second of two masters accepts an event");

    # a piece by the first master, and the next line by either

    for my $next ($one, $two) {
        $preload->on_write("kill");
        $post->($one, 0, "a worker of the first master dies in write()");
        $post->($next, 200, "the next event goes to the "
                            . ($next == $one ? "first" : "second") . " master");
        $post->($_, 200,
        "workers of both masters accept events") for $one, $two, $two, $one;

        $preload->on_write("short");
        $post->($one, 503, "a write() of the first master is short");
        $post->($next, 200, "the next event goes to the "
                            . ($next == $one ? "first" : "second") . " master");
        $post->($_, 200,
        "workers of both masters accept events") for $two, $one;
    }

    # a master that starts when the file ends with a piece

    $two->stop;
    $preload->on_write("kill");
    $post->($one, 0, "another worker of the first master dies in write()");
    $two->start;
    $post->($_, 200,
    "the second master starts, and both accept events") for $two, $one;

    is_deeply [problems(\%sent, $log, { torn => 1 })], [],
       "each accepted event has a line of its own";
}

done_testing;
