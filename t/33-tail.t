# No line is ever glued to one that was not finished: whoever opens a file or
# finds an append unfinished looks at its end first.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/lib";

use Test::More;

use Enkod::Load qw(event problems tally acknowledged);
use Enkod::Nginx seconds => 150;
use Enkod::Shim;

my $slow = $Enkod::Nginx::slow;
my $location = "location / { enkod_webhook; enkod_log a.jsonl; }";


# what is in the file when nginx starts

my $line = qq({"received_at":"2026-11-23T03:44:01.123Z","event":"x"}\n);

# the beginning of a line, of that many bytes
sub piece { substr '{"received_at":"' . "x" x $_[0], 0, $_[0] }

for (["a file of whole lines", $line x 3, $line x 3, 0],
     ["an empty file", "", "", 0],
     ["an incomplete line", $line . substr($line, 0, 20), $line, 20],
     ["a line that lacks but its line feed", $line . substr($line, 0, -1),
      $line, length($line) - 1],
     ["nothing but one byte", "{", "", 1],
     ["nothing but one incomplete line", piece(300), "", 300],
     ["nothing but a line feed", "\n", "\n", 0],
     ["4096 bytes of an incomplete line", $line . piece(4096), $line, 4096],
     ["4097 bytes of an incomplete line", $line . piece(4097), $line, 4097],
     ["10000 bytes of an incomplete line", $line . piece(10000), $line, 10000],
     ["10000 bytes without any line feed", piece(10000), "", 10000],

     # a path that was mistyped, or somebody else's text: it is not ours to cut
     ["what is no line of ours", $line . "x" x 5000, $line . "x" x 5000 . "\n",
      0])
{
    my ($title, $before, $after, $cut) = @$_;

    my $nginx = Enkod::Nginx->create(server => $location);

    $nginx->put("a.jsonl", $before);
    $nginx->start;

    is $nginx->post(event("T-1"))->{status}, 200,
       "$title: an event is accepted";

    my $text = $nginx->content("a.jsonl");

    is substr($text, 0, length $after), $after,
       "$title: the whole lines are as before";
    like substr($text, length $after),
         qr/^\{"received_at":[^\n{]*"T-1"[^\n{]*\}\n\z/,
         "$title: and then comes the new one";

    my @cuts = $nginx->error_log =~ /\[warn\].* incomplete line of (\d+) bytes/;

    is "@cuts", $cut || "",
       "$title: the error log " . ($cut ? "says so" : "is silent");

    $nginx->stop;
}


# too long to be looked through

{
    my $nginx = Enkod::Nginx->create(server => $location);

    $nginx->put("a.jsonl", $line . piece(17 * 1024 * 1024));
    $nginx->start;

    is $nginx->post(event("T-2"))->{status}, 200,
       "17 MiB of an incomplete line: an event is accepted";

    my @lines = $nginx->lines("a.jsonl");

    is $lines[0], $line, "17 MiB: the whole line is as before";
    like $lines[-1], qr/^\{"received_at":[^\n{]*"T-2"[^\n{]*\}\n\z/,
         "17 MiB: and the new one is a line";
}



# one line feed ends it, whatever the number of workers

{
    my $nginx = Enkod::Nginx->create(server => $location, workers => 4,
                                     listen => "reuseport");

    $nginx->put("a.jsonl", "no line of ours");
    $nginx->start;

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "T-$_" } 1 .. 40;

    is acknowledged(\%sent), 40, "four workers accept events behind other text";

    my ($first, @lines) = $nginx->lines("a.jsonl");

    is $first, "no line of ours\n", "which is left alone";

    $nginx->put("a.jsonl", join "", @lines);

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
       "and is followed by their lines only";

    $nginx->stop;
}


# reload and USR1 open files as well; the workers' user is another one, who
# cannot write into the folder

SKIP: {
    skip "the workers' user can only be chosen by root", 6 if $>;

    my $nginx = Enkod::Nginx->create(server => $location, workers => 2,
                                     user => "nobody");
    $nginx->start;

    is $nginx->post(event("U-1"))->{status}, 200,
       "a worker without the right to write there has its file";

    rename $nginx->path("a.jsonl"), $nginx->path("a.old");
    $nginx->put("a.jsonl", $line . piece(20));

    ok $nginx->reopen("a.jsonl"), "the file is moved away and another opened";

    is $nginx->post(event("U-2"))->{status}, 200, "an event is accepted";
    like $nginx->content("a.jsonl"), 
         qr/^\Q$line\E\{"received_at":[^\n{]*"U-2"[^\n{]*\}\n\z/,
         "and the end of a file that was opened by SIGUSR1 is looked at";

    is $nginx->alerts, "", "nginx has no reason to complain";

    ok $nginx->stop, "and ends";
}


my $dir = Enkod::Nginx->create(server => "")->{dir};

my $shim = Enkod::Shim->new("$dir/shim");

if (!$shim) {
    diag "no compiler: what happens when write() fails is not tested";
    done_testing;
    exit;
}


# write() that does not do what it should

my $nginx = Enkod::Nginx->new(server => $location, env => $shim->env,
                              workers => 1);
my %sent;

sub told {
    my ($id, $what, $expected, $title) = @_;

    $shim->do($what);

    $sent{$id} = $nginx->post(event($id))->{status};

    is $sent{$id}, $expected, $title;
}

$sent{"W-0"} = $nginx->post(event("W-0"))->{status};

told("W-1", "eintr", 200, "an interrupted write() is done again");
ok $shim->done, "it was interrupted";

told("W-2", "part", 200, "a short write() is continued");
ok $shim->done, "it was short";

told("W-3", "short", 503,
     "a line for which there is half the space is refused");
ok $shim->done, "there was half the space";

is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
   "and cut off at once";

told("W-4", "none", 200, "the next line is written");
told("W-5", "full", 503, "a line for which there is no space is refused");
told("W-6", "eio", 503, "a line that cannot be written is refused");
told("W-7", "none", 200, "until it can again");

is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
   "the file holds each accepted event, and nothing else";

is $nginx->alerts, "", "nginx has no reason to complain";


# a batch of which only a part fits is refused as a whole

my @clients = map { $nginx->client } 1 .. 8;

for (@clients) {
    $_->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $_->status;
}

my @ids = map { "B-$_" } 1 .. 8;

$shim->do("short");

$nginx->frozen(sub {
    $clients[$_]->send(Enkod::Client::request(event($ids[$_]))) for 0 .. 7;
});

@sent{@ids} = map { $_->status } @clients;

is "@sent{@ids}", "503 503 503 503 503 503 503 503",
   "a batch of which the half fits is refused, every event of it";

is_deeply [problems(\%sent, $nginx->path("a.jsonl"))], [],
   "and none of it stays in the file";

$nginx->stop;


# a worker that dies while it appends: the lock is free again, the line is
# cut off by the next one

for my $how ("kill", "killed") {

    my $nginx = Enkod::Nginx->new(server => $location, env => $shim->env,
                                  workers => 2);
    my @before = $nginx->workers;
    my $load = Enkod::Load->new($nginx->{port}, connections => 16);

    select undef, undef, undef, 0.3 * $slow;

    for my $round (1 .. 3) {
        $shim->do($how);

        ok Enkod::Client::wait_for(sub { $shim->done }, 5 * $slow),
           "\"$how\": a worker dies in write(), round $round";

        select undef, undef, undef, 0.3 * $slow;
    }

    my $sent = $load->finish;

    $sent->{last} = $nginx->post(event("last"))->{status};

    is $sent->{last}, 200, "\"$how\": then the others go on";
    note tally($sent);

    my %before = map { $_ => 1 } @before;
    is scalar(grep { !$before{$_} } $nginx->workers) > 0, 1,
       "\"$how\": there is a new worker";

    cmp_ok acknowledged($sent), ">", 20, "\"$how\": events were accepted";

    is_deeply [problems($sent, $nginx->path("a.jsonl"))], [],
       "\"$how\": the file holds each accepted event once, in a whole line";

    my @cuts = $nginx->error_log =~ /an incomplete line of \d+ bytes is cut/g;

    is scalar @cuts, $how eq "kill" ? 3 : 0,
       "\"$how\": " . ($how eq "kill" ? "and three were cut off"
                                      : "and nothing had to be cut off");

    is $nginx->alerts("exited on signal 9|was locked by"), "",
       "\"$how\": nginx has no other reason to complain";

    ok $nginx->stop, "\"$how\": and ends";
}


# the same with workers who may neither write into the folder nor read a file
# that the master has made

SKIP: {
    skip "the workers' user can only be chosen by root", 5 if $>;

    my $umask = umask 0077;
    my $nginx = Enkod::Nginx->create(server => $location, env => $shim->env,
                                     workers => 2, user => "nobody");
    $nginx->start;
    umask $umask;

    my %sent = map { $_ => $nginx->post(event($_))->{status} } "N-1", "N-2";

    $shim->do("kill");
    $sent{"N-3"} = $nginx->post(event("N-3"), seconds => 10)->{status};

    is $sent{"N-3"}, 0, "a worker who cannot read the file dies in write()";

    $sent{$_} = $nginx->post(event($_))->{status} 
        for map { "N-$_" } 4 .. 9;

    is acknowledged(\%sent), 8, "the other one goes on";

    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "the file holds each accepted event in a line of its own";

    my @lines = $nginx->lines("a.jsonl");

    is scalar(grep { !/^\{.*\}\n\z/ } @lines), 1,
       "and the line that was not finished, which could not be cut off";

    ok $nginx->stop, "and ends";
}


# two masters: nothing is cut off, as the other one may just be writing

my $log = "$dir/both.jsonl";
my $both = "location / { enkod_webhook; enkod_log $log; }";

my $one = Enkod::Nginx->new(server => $both, env => $shim->env, workers => 2);

%sent = ();
$sent{"M-1"} = $one->post(event("M-1"))->{status};

my $two = Enkod::Nginx->new(server => $both, env => $shim->env);

$sent{"M-2"} = $two->post(event("M-2"))->{status};

$shim->do("kill");
$sent{"M-3"} = $one->post(event("M-3"), seconds => 10)->{status};

is $sent{"M-3"}, 0, "with two masters, a worker of the first dies in write()";

my $size = -s $log;

$sent{"M-4"} = $one->post(event("M-4"))->{status};

is $sent{"M-4"}, 200, "the first goes on";

like substr(Enkod::Nginx::slurp($log), $size), qr/^\n\{[^\n{]*M-4[^\n{]*\}\n\z/,
   "with a line feed, and has cut off nothing";

$sent{$_} = $two->post(event($_))->{status} for "M-5", "M-6";
$sent{$_} = $one->post(event($_))->{status} for "M-7", "M-8";

is acknowledged(\%sent), 7, "both go on";

is_deeply [problems(\%sent, $log, { torn => 1 })], [],
   "and every accepted event has a line of its own";


# the other one is the first to append behind the incomplete line

$shim->do("kill");
$sent{"M-20"} = $one->post(event("M-20"), seconds => 10)->{status};

is $sent{"M-20"}, 0, "another worker of the first dies";

$sent{"M-21"} = $two->post(event("M-21"))->{status};

is $sent{"M-21"}, 200, "and the second is the next to append";

$sent{"M-22"} = $one->post(event("M-22"))->{status};

is_deeply [problems(\%sent, $log, { torn => 1 })], [],
   "which does not glue its event to the line that was not finished";


# a line that is incomplete only because the other one is still writing it

$size = -s $log;

my $client = $one->client;

$shim->do("slow");
$client->send(Enkod::Client::request(event("M-23")));

ok Enkod::Client::wait_for(sub { -s $log > $size }, 5 * $slow),
   "while the first has written the half of a line";

$sent{"M-24"} = $two->post(event("M-24"))->{status};
$sent{"M-23"} = $client->status;

is "@sent{'M-23', 'M-24'}", "200 200", "the second appends";

like substr(Enkod::Nginx::slurp($log), $size),
     qr/^\{[^\n{]*M-23[^\n{]*\}\n\{[^\n{]*M-24[^\n{]*\}\n\z/,
     "behind it, once it is whole, without an empty line between the two";


# a master that comes when the end is torn already and another one is there

$shim->do("kill");
$sent{"M-9"} = $one->post(event("M-9"), seconds => 10)->{status};

is $sent{"M-9"}, 0, "a worker of the first dies once more";

$two->stop;
$two->start;

$sent{"M-10"} = $two->post(event("M-10"))->{status};

is $sent{"M-10"}, 200, "a second master that starts then accepts events";

is_deeply [problems(\%sent, $log, { torn => 1 })], [],
   "and does not glue them to the line that was not finished";

$size = -s $log;

$two->stop;

$shim->do("kill");
$sent{"M-11"} = $one->post(event("M-11"), seconds => 10)->{status};
$sent{"M-12"} = $one->post(event("M-12"))->{status};

like substr(Enkod::Nginx::slurp($log), $size), qr/^\{[^\n{]*M-12[^\n{]*\}\n\z/,
   "a master that is alone again cuts off the incomplete line";

done_testing;
