# enkod_log: which events are written, and to which files.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Fcntl qw(O_RDONLY O_RDWR O_NONBLOCK);
use JSON::PP ();
use POSIX ();
use Test::More;

use Enkod::File;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Wait qw(wait_for);

my %body = map { /([^\/]+)\.json$/ => Enkod::File::slurp($_) }
           glob dirname(__FILE__) . "/../bodies/*.json";

# an event that is not a test delivery, and one that is
my $open = event("A-1");
my $test = $body{"message-open"};


my $nginx = Enkod::Nginx->new(
    http => <<'END',
        enkod_log  inherited.jsonl;

        map $enkod_event $is_complaint {
            complaint  1;
            default    0;
        }

        map $enkod_event $is_open {
            "message open"  yes;
        }

        map $enkod_test $is_real {
            ""       1;
            default  "";
        }

        server {
            listen  127.0.0.1:%SECOND%;
            enkod_log  server.jsonl;

            location / {
                enkod_webhook;
            }

            location /shared {
                enkod_webhook;
                enkod_log  shared.jsonl;
            }
        }
END
    server => <<'END');
        location / {
            enkod_webhook;
        }

        location /own {
            enkod_webhook;
            enkod_log  own.jsonl;

            location /own/inner {
                enkod_webhook;
            }
        }

        location /off {
            enkod_webhook;
            enkod_log  off;
        }

        location /if {
            enkod_webhook;
            enkod_log  complaints.jsonl  if=$is_complaint;
            enkod_log  opens.jsonl       if=$is_open;
            enkod_log  real.jsonl        if=$is_real;
        }

        location /zero {
            enkod_webhook;
            enkod_log  zero.jsonl        if=0;
            enkod_log  zeros.jsonl       if=00;
            enkod_log  argument.jsonl    if=$arg_log;
        }

        location /all {
            enkod_webhook;
            enkod_log  one.jsonl;
            enkod_log  two.jsonl;
        }

        location /shared/a {
            enkod_webhook;
            enkod_log  shared.jsonl;
        }

        location /shared/b {
            enkod_webhook;
            enkod_log  %DIR%/shared.jsonl;
        }
END


sub lines {
    my ($file) = @_;

    return scalar $nginx->lines($file);
}


sub added {
    my ($uri, $body, @files) = @_;

    my @before = map { lines($_) } @files;
    my $status = $nginx->post($body, uri => $uri)->{status};
    my @after = map { lines($_) } @files;

    return join " ", $status, map { $after[$_] - $before[$_] } 0 .. $#files;
}


# one line for each event

for my $name (sort keys %body) {
    is added("/own", $body{$name}, "own.jsonl"), "200 1",
       "\"$name\" becomes one line";
}

my @events = map { JSON::PP::decode_json($_)->{event} }
             $nginx->lines("own.jsonl");

is_deeply [sort @events], [sort "message sent", "message open",
                           "message clicked", "delivery bounce", "complaint",
                           "mailing group subscribe",
                           "mailing group unsubscribe", "contact adding"],
   "every line is JSON and has its event";

is added("/own", "[]", "own.jsonl"), "422 0",
   "a refused event has no line";

is added("/own", substr($open, 0, -1), "own.jsonl"), "400 0",
   "invalid JSON has no line";


# inheritance

is added("/", $open, "inherited.jsonl", "own.jsonl"), "200 1 0",
   "a location inherits the enkod_log of http";
is added("/own", $open, "inherited.jsonl", "own.jsonl"), "200 0 1",
   "a location's own enkod_log replaces what it would inherit";
is added("/own/inner", $open, "inherited.jsonl", "own.jsonl"), "200 0 1",
   "a location inherits the enkod_log of the location around it";
is added("/off", $open, "inherited.jsonl", "own.jsonl"), "200 0 0",
   "\"off\" replaces what is inherited, and the event is accepted";


# if=

my @files = qw(complaints.jsonl opens.jsonl real.jsonl);

is added("/if", $body{complaint}, @files), "200 1 0 0",
   "if= takes the events for which its value is not empty and not \"0\"";
is added("/if", $open, @files), "200 0 1 1",
   "an event goes to every file whose if= applies";
is added("/if", $test, @files), "200 0 1 0",
   "if= can exclude test deliveries by \$enkod_test";
is added("/if", $body{"contact-adding"}, @files), "200 0 0 0",
   "an event for which no if= applies is accepted without a line";

@files = qw(zero.jsonl zeros.jsonl argument.jsonl);

is added("/zero", $open, @files), "200 0 1 0",
   "an if= of \"0\" or an empty value is false, one of \"00\" is true";
is added("/zero?log=0", $open, @files), "200 0 1 0",
   "an if= whose value is \"0\" is false";
is added("/zero?log=1", $open, @files), "200 0 1 1",
   "an if= can use any variable of the request";

is added("/all", $open, "one.jsonl", "two.jsonl"), "200 1 1",
   "several enkod_log without if= each get the line";

is(($nginx->lines("one.jsonl"))[-1], ($nginx->lines("two.jsonl"))[-1],
   "both files get the same line");


# shared files

is added("/shared/a", $open, "shared.jsonl"), "200 1",
   "a relative path is relative to the prefix";
is added("/shared/b", $open, "shared.jsonl"), "200 1",
   "two locations can name the same file, one of them by its full path";

{
    local @$nginx{qw(port protocol_port)} = $nginx->{second};

    is added("/", $open, "server.jsonl", "inherited.jsonl"), "200 1 0",
       "a server's enkod_log replaces that of http";
    is added("/shared", $open, "shared.jsonl"), "200 1",
       "two servers can name the same file";
}

my ($worker) = $nginx->workers;
my @open = grep { (readlink($_) || "") =~ /shared\.jsonl$/ }
                glob "/proc/$worker/fd/*";

is scalar @open, 1, "a file that is named several times is open once";


# logs that are not regular files

my $fifo = Enkod::Nginx->create(
    server => "location / { enkod_webhook; enkod_log fifo; }");

POSIX::mkfifo($fifo->path("fifo"), 0666) or die "mkfifo: $!";
sysopen my $reader, $fifo->path("fifo"), O_RDONLY|O_NONBLOCK or die "fifo: $!";

$fifo->start;

is $fifo->post(event("F-$_"))->{status}, 200, "a FIFO can be a log: event $_"
    for 1 .. 3;

sysread $reader, my $text, 65536;

is_deeply [$text =~ /"message_uid":"([^"]+)".*\}\n/g], ["F-1", "F-2", "F-3"],
   "the reader of the FIFO gets the lines";

close $reader;

my $status = $fifo->post(event("F-4"))->{status};

is $status, 503, "a FIFO without a reader: 503";

sysopen $reader, $fifo->path("fifo"), O_RDONLY|O_NONBLOCK or die "fifo: $!";

is $fifo->post(event("F-5"))->{status}, 200, "a FIFO with a reader again: 200";

$text = "";
sysread $reader, $text, 65536;

is_deeply [$text =~ /"message_uid":"([^"]+)".*\}\n/g], ["F-5"],
   "the new reader gets the line";

# a FIFO that is open and not read: its worker waits

my $stalled = Enkod::Nginx->create(
    workers => 2,
    server => "location /fifo { enkod_webhook; enkod_log fifo; } "
              . "location /file { enkod_webhook; enkod_log file.jsonl; }");

POSIX::mkfifo($stalled->path("fifo"), 0666) or die "mkfifo: $!";
sysopen my $idle, $stalled->path("fifo"), O_RDWR|O_NONBLOCK or die "fifo: $!";

$stalled->start;

while (defined syswrite $idle, "x" x 4096) {
    # until it is full
}

my $stuck = $stalled->client;
$stuck->send(Enkod::Client::request(event("F-6"), uri => "/fifo"));
$stuck->taken;

# one of these connections is accepted by the other worker

my @others;

ok wait_for(sub {
    push @others, $stalled->client;
    $others[-1]->send(Enkod::Client::request(event("F-7"), uri => "/file"));
    grep { !$_->silent } @others;
}), "a full FIFO does not hold up other workers";

sysread $idle, $text, 1048576;

is $stuck->status, 200, "the worker continues when the FIFO is read";

$stalled->stop;

my $stdout = Enkod::Nginx->create(
    server => "location / { enkod_webhook; enkod_log /dev/stdout; }");

pipe my $out, my $in or die "pipe: $!";

$stdout->{stdout} = "/dev/fd/" . fileno $in;

$stdout->start;

is $stdout->post(event("S-1"))->{status}, 200, "/dev/stdout can be a log";

$text = "";
sysread $out, $text, 65536;

like $text, qr/^\{.*"message_uid":"S-1".*\}\n\z/,
     "standard output gets the line";

my $full = Enkod::Nginx->new(
    server => "location / { enkod_webhook; enkod_log /dev/full; }");

$status = $full->post($open);

is $status->{status}, 503, "a log without space: 503";
like $status->{body}, qr/"code":"log_unavailable"/,
     "the code is log_unavailable";
like $status->{head}, qr/^Retry-After: 5\r$/m, "there is a Retry-After";


# the line of an event that could not be written, when there is an error_page

my $lost = Enkod::Nginx->new(
    http => "log_format line escape=none '\$enkod_line';",
    server => "location / { enkod_webhook; enkod_log /dev/full; "
              . "error_page 503 /page; access_log lost.jsonl line; } "
              . "location = /page { internal; access_log lost.jsonl line; "
              . "return 503 'page'; }");

is $lost->post(event("L-1"))->{status}, 503,
   "an error_page is the answer to an event that cannot be written";

# the access log is written after the answer
wait_for(sub { $lost->content("lost.jsonl") =~ /\n\z/ });

like $lost->content("lost.jsonl"), qr/^\{"received_at":.*"L-1".*\}\n\z/,
     "the access log still has the line of that event";


# what nginx -t says

my $server = "server { listen 127.0.0.1:1; location / { enkod_webhook;";

refused("enkod_log;", qr/number of arguments in "enkod_log"/,
        "an enkod_log without a path");
refused("enkod_log a.jsonl if=\$arg_a if=\$arg_b;",
        qr/invalid parameter "if=\$arg_b" in "enkod_log", only one "sync" and /,
        "a second if=");
refused("enkod_log a.jsonl combined;",
        qr/invalid parameter "combined" in .*, only one "sync" and one "if=C/,
        "an unknown parameter");
refused("enkod_log a.jsonl if=;", qr/invalid parameter "if=" in "enkod_log"/,
        "an empty if=");
refused("enkod_log a.jsonl if=\$no_such_variable;",
        qr/unknown "no_such_variable" variable/, "an unknown variable in if=");
refused("enkod_log logs/\$host.jsonl;",
        qr/invalid path "logs\/\$host.jsonl" in "enkod_log", .*no variables/,
        "a path with a variable");
refused("enkod_log syslog:server=127.0.0.1;",
        qr/invalid path "syslog:server=127.0.0.1" in "enkod_log", it must be/,
        "syslog:");
refused("enkod_log \"\";", qr/invalid path "" in "enkod_log"/,
        "an empty path");
refused("enkod_log a.jsonl; enkod_log a.jsonl;",
        qr/duplicate path "a.jsonl" in "enkod_log"/, "a duplicate path");
refused("$server enkod_log a.jsonl if=\$arg_a; enkod_log a.jsonl; } }",
        qr/duplicate path "a.jsonl" in "enkod_log"/,
        "a duplicate path with another if=");
refused("enkod_log off; enkod_log a.jsonl;",
        qr/"enkod_log" directive must stand alone if it is "off"/,
        "a path after \"off\"");
refused("enkod_log a.jsonl; enkod_log off;",
        qr/"enkod_log" directive must stand alone if it is "off"/,
        "\"off\" after a path");
refused("enkod_log off if=\$arg_a;",
        qr/"enkod_log" directive must stand alone if it is "off"/,
        "\"off\" with a condition");
refused("enkod_log off; enkod_log off;",
        qr/"enkod_log" directive must stand alone if it is "off"/,
        "\"off\" twice");
refused("enkod_log nowhere/a.jsonl;",
        qr/nowhere\/a\.jsonl" failed \(2: No such file/,
        "a path in a folder that does not exist");

refused(join("", map { "enkod_log $_.jsonl;" } 1 .. 10000),
        qr/too many files in "enkod_log", the maximum is \d+/,
        "a configuration with too many files");

my $unwritable = Enkod::Nginx->create(
    server => "location / { enkod_webhook; enkod_log logs; }");

{
    # nginx does not free its memory then
    local $ENV{TEST_NGINX_USE_VALGRIND};
    local $ENV{ASAN_OPTIONS} = "detect_leaks=0";

    ok !eval { $unwritable->start }, "nginx does not start without its log";
}

like $@, qr/open\(\) "[^"]*logs" failed \(21: Is a directory\)/,
     "the message names the file";

is $nginx->alerts . $fifo->alerts . $full->alerts, "",
   "the error log has no alerts";

done_testing;
