# A file only grows when write() fails or writes too little, and when a worker or
# the master dies: a piece of a line is ended by a line feed, and every accepted
# event has a whole line of its own.

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


# write() that does not do what it should

{
    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 1);
    my $file = $nginx->path("a.jsonl");
    my %sent = ("W-0" => $nginx->post(event("W-0"))->{status});

    for (["W-1", "eintr", 200, "an interrupted write() is done again"],
         ["W-2", "short", 503, "an event with half a line in the file"],
         ["W-3", "none", 200, "the next event"],
         ["W-4", "full", 503, "an event for which there is no space"],
         ["W-5", "eio", 503, "an event that cannot be written"],
         ["W-6", "none", 200, "when it can again, an event"])
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

    is scalar(grep { !/\}\n\z/ } @lines), 1, "and the piece has one";

    # a batch

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
         "of a batch of which half is written some are accepted";

    $sent{"B-9"} = $nginx->post(event("B-9"))->{status};

    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "those whose lines are wholly in the file";

    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;
}


# a line that stands behind somebody else's piece has to be written once more,
# which fails

{
    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 1);
    my $file = $nginx->path("a.jsonl");
    my %sent = ("A-0" => $nginx->post(event("A-0"))->{status});

    append($file, "half a line");
    $preload->on_write("full_lf");
    $sent{"A-1"} = $nginx->post(event("A-1"))->{status};

    ok $preload->done, "a line behind a piece cannot be written once more";
    is $sent{"A-1"}, 503, "its event: 503";
    like $nginx->error_log, qr/cannot be written to, .*\(28: No space/,
         "and the error log says why";

    $sent{"A-2"} = $nginx->post(event("A-2"))->{status};

    is $sent{"A-2"}, 200, "the next event: 200";
    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "and it has a line of its own";
    $nginx->stop;
}


# the same rule for a FIFO: a piece stands alone on its line

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
       "a FIFO that takes half a line: 503, and then 200";

    sysread $reader, my $text, 65536;

    like $text, qr/\A\{[^\n]+[^\n}]\n@{[ line_of("F-2") ]}\z/,
         "and the next event stands behind a line feed";
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
           "\"$how\": the others go on, round $round";
    }

    my $sent = $load->finish;

    note tally($sent);

    my %before = map { $_ => 1 } @before;

    ok wait_for(sub { grep { !$before{$_} } $nginx->workers }),
       "\"$how\": there is a new worker";

    is_deeply [problems($sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "\"$how\": each accepted event has a line of its own";

    my @pieces = grep { !/\A\{.*\}\n\z/ } $nginx->lines("a.jsonl");

    is scalar(@pieces), $how eq "kill" ? 3 : 0,
       "\"$how\": and so have the pieces";

    is scalar(grep { /\A\n\z|received_at.*received_at/ }
                   $nginx->lines("a.jsonl")), 0,
       "\"$how\": alone, as whoever is next looks at the file first";

    is $nginx->alerts("exited on signal 9"), "",
       "\"$how\": the error log has no other alerts";

    ok $nginx->stop, "\"$how\": and ends";
}


# each file has a lock of its own: a worker that is held up by one file, here by
# SIGSTOP in the middle of an append, holds up no event for another file

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

    my $stopped = sub {
        Enkod::File::slurp("/proc/$slow/stat") =~ /^\d+ \(.*\) T /s;
    };

    ok wait_for($stopped), "a worker is held up by $call";

    $send->($other, "P-2", "/b");
    $sent{"P-2"} = $client{$other}->status;

    is $sent{"P-2"}, 200,
       "another worker takes an event for another file meanwhile";

    $send->($other, "P-3", "/a");
    $client{$other}->taken;

    ok $client{$other}->silent && $stopped->(),
       "it has one for the same file wait";

    kill 'CONT', $slow;

    $sent{"P-1"} = $client{$slow}->status;
    $sent{"P-3"} = $client{$other}->status;

    is acknowledged(\%sent), 3, "after $call, all are accepted";

    $nginx->put("ours", join "", grep { /"P-[123]"/ }
                                      map { $nginx->lines("$_.jsonl") }
                                          "a", "b");

    is_deeply [problems(\%sent, $nginx->path("ours"), { torn => 1 })], [],
       "and each has a line of its own";
    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;
}


# the same when the master has been killed before, which would free a lock of
# nginx's

{
    my $nginx = Enkod::Nginx->new(server => $location, env => $preload->env,
                                  workers => 2, listen => "reuseport");
    my @workers = $nginx->workers;
    my %sent;

    kill 'KILL', $nginx->{pid};
    wait_for(sub { !Enkod::Process::alive($nginx->{pid}) });

    $preload->on_write("kill");

    # the connections that the kernel still gives to the dead one are not answered
    for my $n (1 .. 100) {
        my $status = $nginx->post(event("K-$n"), seconds => 1)->{status};

        $sent{"K-$n"} = $status == -1 ? 0 : $status;
        last if $preload->done && $sent{"K-$n"} == 200;
    }

    ok $preload->done, "without a master a worker dies in write()";

    cmp_ok acknowledged(\%sent), ">", 0, "the other one goes on";

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "and each accepted event has a line of its own";

    kill 'TERM', @workers;
}


# workers who may not read the file: they cannot know how it ends

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

    is $sent{"N-3"}, 0, "a worker who cannot read the file dies in write()";

    $sent{$_} = $nginx->post(event($_))->{status} for map { "N-$_" } 4 .. 9;

    is acknowledged(\%sent), 8, "the others go on";

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
    $post->($two, 200, "the second one, too");

    # each order of whose write breaks off, and who is the next

    for my $next ($one, $two) {
        $preload->on_write("kill");
        $post->($one, 0, "a worker of the first dies in write()");
        $post->($next, 200, "the next event is that of "
                            . ($next == $one ? "the first" : "the second"));
        $post->($_, 200, "both go on") for $one, $two, $two, $one;

        $preload->on_write("short");
        $post->($one, 503, "a write of the first is short");
        $post->($next, 200, "the next event is that of "
                            . ($next == $one ? "the first" : "the second"));
        $post->($_, 200, "both go on") for $two, $one;
    }

    # one that starts when there is a piece

    $two->stop;
    $preload->on_write("kill");
    $post->($one, 0, "a worker of the first dies once more");
    $two->start;
    $post->($_, 200, "then the second one starts") for $two, $one;

    is_deeply [problems(\%sent, $log, { torn => 1 })], [],
       "each accepted event has a line of its own";
}

done_testing;
