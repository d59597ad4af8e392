# A file only grows: nothing is cut off, a piece of a line is ended by a line
# feed, and each accepted event has a whole line of its own, whatever the file
# has before it and whatever other programs append.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Fcntl qw(F_SETLK F_RDLCK SEEK_SET);
use Test::More;

use Enkod::File qw(append);
use Enkod::Load qw(event problems acknowledged);
use Enkod::Nginx;
use Enkod::Wait qw(wait_for);

my $location = "location / { enkod_webhook; enkod_log a.jsonl; }";

my $line = qq({"received_at":"2026-11-23T03:44:01.123Z","event":"x"}\n);

# the first bytes of a line
sub piece { substr '{"received_at":"' . "x" x $_[0], 0, $_[0] }

# a line with that event and no other
sub line_of { my ($id) = @_; qr/\{"received_at":[^\n{]*"$id"[^\n{]*\}\n/ }


# the content of the file when nginx starts

for (["a file of whole lines", $line x 3, ""],
     ["an empty file", "", ""],
     ["a line feed alone", "\n", ""],
     ["a piece of a line", $line . piece(20), "\n"],
     ["a whole line that lacks its line feed", $line . substr($line, 0, -1),
      "\n"],
     ["one byte", "{", "\n"],
     ["a piece that ends with a sector", piece(512), "\n"],
     ["a long piece", piece(1024 * 1024), "\n"],
     ["other text", "not a line of ours", "\n"])
{
    my ($title, $before, $lf) = @$_;

    my $nginx = Enkod::Nginx->create(server => $location);

    $nginx->put("a.jsonl", $before);
    $nginx->start;

    is $nginx->post(event("T-1"))->{status}, 200,
       "$title: an event is accepted";

    my $text = $nginx->content("a.jsonl");

    ok substr($text, 0, length $before) eq $before,
       "$title: the file keeps its content";

    like substr($text, length $before), qr/\A$lf@{[ line_of("T-1") ]}\z/,
         "$title: then follows " . ($lf ? "a line feed and " : "") . "the event";

    $nginx->stop;
}


# one line feed for any number of workers

{
    my $nginx = Enkod::Nginx->create(server => $location, workers => 4,
                                     listen => "reuseport");

    $nginx->put("a.jsonl", "no line");
    $nginx->start;

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "F-$_" } 1 .. 40;

    is acknowledged(\%sent), 40, "four workers accept events after a piece";

    my ($first, @lines) = $nginx->lines("a.jsonl");

    is $first, "no line\n", "one worker has ended the piece";

    $nginx->put("lines", join "", @lines);

    is_deeply [problems(\%sent, $nginx->path("lines"))], [],
       "only the lines of these events follow";

    $nginx->stop;
}


# the file is reopened; workers of another user

SKIP: {
    skip "the workers' user can only be chosen by root", 5 if $>;

    my $nginx = Enkod::Nginx->create(server => $location, workers => 2,
                                     user => "nobody");
    $nginx->start;

    is $nginx->post(event("U-1"))->{status}, 200,
       "a worker that may not write to the folder has its file";

    rename $nginx->path("a.jsonl"), $nginx->path("a.old");
    $nginx->put("a.jsonl", $line . piece(20));

    ok $nginx->reopen("a.jsonl"), "the file is renamed and another one opened";

    is $nginx->post(event("U-2"))->{status}, 200, "an event is accepted";

    like $nginx->content("a.jsonl"),
         qr/\A\Q$line@{[ piece(20) ]}\E\n@{[ line_of("U-2") ]}\z/,
         "its line follows the piece that was in the file";

    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;
}


# other programs that append to the file or shorten it

{
    my $nginx = Enkod::Nginx->new(server => $location);
    my $file = $nginx->path("a.jsonl");
    my %sent = ("O-1" => $nginx->post(event("O-1"))->{status});

    append($file, "half a line");

    $sent{"O-2"} = $nginx->post(event("O-2"))->{status};

    append($file, "another");

    $sent{"O-3"} = $nginx->post(event("O-3"))->{status};

    append($file, "a line\n");

    $sent{"O-4"} = $nginx->post(event("O-4"))->{status};
    $sent{"O-5"} = $nginx->post(event("O-5"))->{status};

    is acknowledged(\%sent), 5,
       "while another program appends, events are accepted";
    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "each event has a line of its own";
    like $nginx->content("a.jsonl"),
         qr/a line\n@{[ line_of("O-4") ]}@{[ line_of("O-5") ]}\z/,
         "no line feed is added after whole lines";

    # the file is shortened within its last line

    truncate $file, (-s $file) - 20;

    delete $sent{"O-5"};
    $sent{"O-6"} = $nginx->post(event("O-6"))->{status};

    is $sent{"O-6"}, 200, "after the file was shortened, an event is accepted";
    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "the event has a line of its own";

    # a process that can read the file has an advisory lock

    open my $fh, "<", $file or die "$file: $!";
    my $lock = pack "s s x4 q q i x4", F_RDLCK, SEEK_SET, 0, 0, 0;
    fcntl $fh, F_SETLK, $lock or die "F_SETLK: $!";

    $sent{"O-7"} = $nginx->post(event("O-7"))->{status};

    is $sent{"O-7"}, 200, "an advisory lock of a reader does not hold up nginx";

    # two names of the file, in two locations

    link $file, $nginx->path("b.jsonl") or die "link: $!";
    $nginx->reload(server => "$location location /b {"
                             . " enkod_webhook; enkod_log b.jsonl; }");

    for (1 .. 4) {
        my $id = "O-1$_";
        append($file, "piece") if $_ % 2;
        $sent{$id} = $nginx->post(event($id), uri => $_ > 2 ? "/b" : "/")
                           ->{status};
    }

    is_deeply [problems(\%sent, $file, { torn => 1 })], [],
       "two names of one file: each event has a line of its own";

    is $nginx->alerts, "", "the error log has no alerts";
    $nginx->stop;
}


# a single process; a worker without free descriptors

{
    my $nginx = Enkod::Nginx->create(server => $location,
                                     main => "master_process off;",
                                     workers => 0);

    $nginx->put("a.jsonl", piece(30));
    $nginx->start;

    my %sent = ("S-1" => $nginx->post(event("S-1"))->{status});

    append($nginx->path("a.jsonl"), "half");

    $sent{"S-2"} = $nginx->post(event("S-2"))->{status};

    is acknowledged(\%sent), 2, "one process: events are accepted";
    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "one process: each event has a line of its own";
    $nginx->stop;
}

SKIP: {
    skip "valgrind has descriptors of its own", 3 if $ENV{TEST_NGINX_USE_VALGRIND};

    my $nginx = Enkod::Nginx->create(server => $location, workers => 1,
                                     main => "worker_rlimit_nofile 32;");
    $nginx->start;

    my $client = $nginx->client;
    my %sent;

    my $post = sub {
        $client->send(Enkod::Client::request(event($_[0])));
        $sent{$_[0]} = $client->status;
    };

    $post->("E-1");

    my @others = map { $nginx->client } 1 .. 40;

    ok wait_for(sub { $nginx->error_log =~ /Too many open files/ }),
       "the worker has no free descriptor";

    append($nginx->path("a.jsonl"), "half");
    $post->("E-2");
    $post->("E-3");

    is acknowledged(\%sent), 3, "without descriptors: events are accepted";
    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "without descriptors: each event has a line of its own";
    $nginx->stop;
}

done_testing;
