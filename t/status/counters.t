# What is counted: each number is compared with what was sent.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::BadBodies qw(bad_bodies);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::PassTest qw(backends);
use Enkod::StatusTest;
use Enkod::Wait qw(wait_for);


my @events = ("message sent", "delivery bounce", "message open",
              "message clicked", "complaint", "mailing group subscribe",
              "mailing group unsubscribe", "contact adding");

my $sync = Enkod::NginxConf::threads() ? "sync" : "";

my $nginx = Enkod::Nginx->create(http => <<'END', server => <<"END");
    server {
        listen       127.0.0.1:%SECOND%;
        server_name  second.example other.example;

        location = /enkod {
            enkod_webhook;
            enkod_log  second.jsonl;
        }
    }

    server {
        listen       127.0.0.1:%SECOND%;
        server_name  third.example;

        location = /enkod {
            enkod_webhook;
            enkod_log  second.jsonl;
        }
    }

    # a second server of that name: their locations are added up
    server {
        listen       127.0.0.2:%SECOND%;
        server_name  third.example;

        location /enkod {
            enkod_webhook;
            enkod_log  second.jsonl;
        }
    }
END
        location = /status {
            enkod_status json;
        }

        location = /enkod {
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  rejected.jsonl;
        }

        location = /few {
            enkod_webhook;
            enkod_log     few.jsonl $sync;
            enkod_events  "message open" "complaint";
            enkod_token   \$arg_token s3cret;

            enkod_max_event_size  1k;

            if (\$arg_token = s3cret) {
                set  \$within  1;
            }
        }

        location ~ ^/any\$ {
            enkod_webhook;
            enkod_log            a.jsonl;
            enkod_unknown_event  accept;
            enkod_test           ack;
        }

        location = /full {
            enkod_webhook;
            enkod_log   /dev/full;
            error_page  503 = /spare;
        }

        location = /spare {
            enkod_webhook;
            enkod_log     spare.jsonl;
            enkod_events  complaint;
        }

        location = /page {
            enkod_webhook;
            enkod_log   /dev/full;
            error_page  503 /page.html;
        }

        location = /page.html {
            return  200  "sorry";
        }

        location /pass {
            enkod_webhook;
            enkod_pass  /to;
        }

        location /spool {
            enkod_webhook;
            enkod_pass   /to;
            enkod_spool  spool.jsonl;
        }

        location /to {
            internal;
            proxy_pass          http://127.0.0.1:%BACK%;
            proxy_read_timeout  3600s;
        }
END

my ($back) = backends($nginx, "BACK");

$nginx->start;


# before anything was sent

my $status = status($nginx);
my $all = receiver($status, "/enkod");

is_deeply [sort keys %{ $all->{events} }], [sort @events],
   "a location has all events that it takes";
is join("", map { results($all, $_) } @events), "", "all of them are 0";
is_deeply [grep { defined $_->{last_at} } values %{ $all->{events} }], [],
   "none of them has come";
is_deeply nonzero({ %{ $all->{refusals} }, %{ $all->{failures} } }), {},
   "there are no refusals or failures";
cmp_ok keys %{ $all->{refusals} }, ">=", 18, "each refusal exists";
cmp_ok keys %{ $all->{failures} }, ">=", 5, "each failure exists";
is_deeply [grep { exists $all->{failures}{$_} } keys %{ $all->{refusals} }],
   [], "nothing is both";

is_deeply [sort keys %{ receiver($status, "/few")->{events} }],
   ["complaint", "message open"], "enkod_events: others are not there";
is_deeply [sort keys %{ receiver($status, '^/any$')->{events} }],
   [sort @events, "other"], "enkod_unknown_event: there is \"other\"";

ok receiver($status, "/enkod", "second.example"),
   "a receiver is known by the first name of its server";
ok receiver($status, "/enkod", "third.example"),
   "locations of the same name are one receiver";
ok wait_for(sub { status($nginx)->{workers} == $nginx->{workers} }),
   "all workers count";

ok exists receiver($status, "/pass")->{pass}, "a location with enkod_pass";
ok !exists $all->{pass}, "a location without it";


# events

my %bytes;
my %answers;

for my $event (@events) {
    for my $n (0 .. $#events) {
        last if $events[$n] eq $event;
        post("/enkod", body($event));
    }
}

post("/enkod", Enkod::File::slurp("t/bodies/message-open.json"));
post("/enkod", body("message open"), chunked => [7]);

$status = status($nginx);
$all = receiver($status, "/enkod");

for my $n (0 .. $#events) {
    my $expected = $n ? "accepted=" . ($n + ($events[$n] eq "message open"))
                      : "";

    $expected .= " test=1" if $events[$n] eq "message open";

    is results($all, $events[$n]), $expected, "accepted: $events[$n]";

    my $last = $all->{events}{$events[$n]}{last_at};

    ok $n ? $last ge $status->{started_at} && $last le $status->{now}
          : !defined $last, "$events[$n]: when the last one came";
}

post("/any", body("complaint"));
post("/any", '{"event":"a"}');
post("/any", '{"event":"b"}');
post("/any", Enkod::File::slurp("t/bodies/message-sent.json"));

my $any = receiver(status($nginx), '^/any$');

is results($any, "complaint"), "accepted=1", "an event of the schema";
is results($any, "other"), "accepted=2", "all other events are \"other\"";
is results($any, "message sent"), "test=1", "enkod_test ack: it is a test";


# refusals and probes

my %refused;

for my $case (bad_bodies()) {
    my ($code) = post("/enkod", $case->[1])->{body} =~ /"code":"(\w+)"/;
    $refused{$code}++;
}

for my $body ("", "[]", "{}", '{"event":"message open","a":1',
              '{"event":"message open",'
              . join(",", map { "\"m$_\":1" } 1 .. 70) . "}")
{
    my ($code) = post("/enkod", $body)->{body} =~ /"code":"(\w+)"/;
    $refused{$code}++;
}

$nginx->post("", method => "PUT", uri => "/enkod");
$refused{method_not_allowed}++;

post("/enkod", body("complaint"), headers => "Content-Encoding: gzip\r\n");
$refused{unsupported_encoding}++;

probe("/enkod", "GET");
probe("/enkod", "HEAD");
probe("/enkod", "HEAD");

$all = receiver(status($nginx), "/enkod");

cmp_ok keys %refused, ">", 12, "there are many kinds of refusals";
is_deeply nonzero($all->{refusals}), \%refused, "refusals by code";
is_deeply nonzero($all->{failures}), {}, "they are no failures";
is $all->{probes}, 3, "probes";
is $all->{received_bytes}, $bytes{"/enkod"}, "bytes of bodies";
is count($all->{answer_seconds}), $answers{"/enkod"},
   "each answer to a POST has a duration";
is $all->{waiting}, 0, "nothing waits";


# refusals before the body

my $token = "/few?token=s3cret";

post("/few", body("complaint"));
post("/few?token=x", body("complaint"));
probe("/few", "GET");
probe($token, "GET");
post($token, body("complaint"));
post($token, body("message sent"));

# curl shows no status of an HTTP/2 response that comes before the body was sent
is $nginx->post(body("complaint", name => "x" x 1024),
                uri => $token, version => "1.1")->{status},
   413, "a body that is announced as too large";

my $few = receiver(status($nginx), "/few");

is_deeply nonzero($few->{refusals}),
   { forbidden => 3, event_not_allowed => 1, too_large => 1 },
   "refusals before the body has been read";
is $few->{probes}, 1, "a probe that is refused is no probe";
is results($few, "complaint"), "accepted=1", "an \"if\" has no numbers of its own";
is count($few->{answer_seconds}), $answers{"/few"},
   "an answer before the end of the body has no duration";
is $few->{received_bytes}, $bytes{"/few"}, "bytes of bodies";


# files that cannot be written to, and a spare receiver

is post("/full", body("complaint"))->{status}, 200,
   "a spare receiver stores the event";
is post("/page", body("complaint"))->{status}, 503,
   "an error_page that is no receiver";

$status = status($nginx);

is_deeply nonzero(receiver($status, "/full")->{failures}),
   { log_unavailable => 1 }, "the first receiver has failed";
is results(receiver($status, "/full"), "complaint"), "", "and accepted nothing";
is results(receiver($status, "/spare"), "complaint"), "accepted=1",
   "the spare one has accepted it, once";
is_deeply nonzero(receiver($status, "/spare")->{failures}), {},
   "and has not failed";
is results(receiver($status, "/spare"), "other"), undef,
   "an event that it does not take has no numbers yet";

for my $event ("message open", "message sent") {
    post("/full", body($event));
}

$status = status($nginx);

is results(receiver($status, "/spare"), "other"), "accepted=2",
   "an event that the spare one does not take itself counts as \"other\"";
ok receiver($status, "/spare")->{events}{other}{last_at}, "it has a time";
is results(receiver($status, "/full"), "message open"), "",
   "and is not counted by the first one";

is_deeply nonzero(receiver($status, "/page")->{failures}),
   { log_unavailable => 1 }, "an answer that an error_page replaces is counted";

my $full = file($status, "full");

is "@$full{qw(lines bytes writes write_errors)}", "0 0 4 4",
   "/dev/full: write errors";
is $full->{error}, "No space left on device", "the error of the last write";
ok $full->{error_at} ge $status->{started_at}
   && $full->{error_at} le $status->{now}, "its time";
is $full->{size_bytes}, undef, "a device has no size";


# passes

my @outcomes = (204, 200, 500, 302, 429, 503, 504);

for my $code (@outcomes) {
    $back->tell("status=$code");
    post("/pass", body("complaint"));
}

$back->tell("status=500");
post("/spool", body("complaint"));
$back->tell("");
post("/spool", body("complaint"));

$status = status($nginx);

my $pass = receiver($status, "/pass");

is_deeply { %{ $pass->{pass} }, seconds => undef },
   { delivered => 2, failed => 2, busy => 2, timeout => 1, seconds => undef },
   "outcomes of subrequests";
is count($pass->{pass}{seconds}), @outcomes, "each of them has a duration";
is_deeply nonzero($pass->{failures}),
   { upstream_failed => 2, upstream_busy => 2, upstream_timeout => 1 },
   "failures";
is results($pass, "complaint"), "accepted=2", "delivered events are accepted";

my $spool = receiver($status, "/spool");

is results($spool, "complaint"), "accepted=1 spooled=1", "a spooled event";
is_deeply nonzero($spool->{failures}), {}, "it has not failed";
is $spool->{pass}{failed}, 1, "its subrequest has";
is file($status, "spool.jsonl")->{lines}, 1, "it is in the spool";


# events that wait

$back->tell("hold=1");

my @clients = map { $nginx->client } 1 .. 3;

for (@clients) {
    $_->send(Enkod::Client::request(body("complaint"), uri => "/pass"));
}

ok wait_for(sub { receiver(status($nginx), "/pass")->{waiting} == 3 }),
   "three events wait for the upstream";

$clients[0]->close;
$back->tell("");
$back->release;

is $_->status, 200, "they are answered" for @clients[1, 2];

ok wait_for(sub { receiver(status($nginx), "/pass")->{waiting} == 0 }),
   "then nothing waits, even if a client has left";


# files

# lines that share a write

my @together = map { $nginx->client } 1 .. 5;

# they have been accepted when the events arrive
for (@together) {
    $_->send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $_->status;
}

$nginx->frozen(sub {
    for (@together) {
        $_->send(Enkod::Client::request(body("complaint"), uri => "/enkod"));
    }
});

is join(" ", map { $_->status } @together), "200 200 200 200 200",
   "events that arrive together";

$status = status($nginx);

for my $name (qw(a.jsonl few.jsonl rejected.jsonl spare.jsonl spool.jsonl)) {
    my $file = file($status, $name);
    my $content = $nginx->content($name);

    is $file->{lines}, ($content =~ tr/\n//), "$name: lines";
    is $file->{bytes}, length $content, "$name: bytes";
    is $file->{size_bytes}, length $content, "$name: its size";
    cmp_ok $file->{free_bytes}, ">", 0, "$name: free space of its file system";
    cmp_ok $file->{writes}, ">", 0, "$name: writes";
    is $file->{write_errors}, 0, "$name: no errors";
    is $file->{error}, undef, "$name: no last error";
}

is file($status, "a.jsonl")->{use}, "log", "the use of a log";
is file($status, "rejected.jsonl")->{use}, "reject", "of a reject log";
is file($status, "spool.jsonl")->{use}, "spool", "of a spool";

my $few_file = file($status, "few.jsonl");

SKIP: {
    skip "this nginx has no threads", 3 if !$sync;

    ok $few_file->{sync}, "a file with sync";
    is $few_file->{syncs}, 1, "its syncs";
    is count($few_file->{sync_seconds}), 1, "their durations";
}

ok !file($status, "a.jsonl")->{sync}, "a file without sync";
ok !exists file($status, "a.jsonl")->{sync_seconds}, "it has no durations";

is $nginx->alerts(qr/full/), "", "the error log has no alerts";

$nginx->stop;

done_testing;


sub post {
    my ($uri, $body, %o) = @_;

    my $location = $uri =~ s/\?.*//r;

    $bytes{$location} += length $body;
    $answers{$location}++;

    return $nginx->post($body, uri => $uri, %o);
}


sub probe {
    my ($uri, $method) = @_;

    my $client = $nginx->client;

    $client->send("$method $uri HTTP/1.1\r\nHost: localhost\r\n"
                  . "Connection: close\r\n\r\n");

    # the answer to HEAD has no body
    1 while $client->fill;
}
