# enkod_spool: an event that could not be passed on is written to the spool,
# with the status of the upstream, before the sender gets a 200.  If it cannot
# be written, there is no 200.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use JSON::PP ();
use Test::More;

use Enkod::Backend;
use Enkod::Client;
use Enkod::File;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Port qw(free_port);
use Enkod::Preload;
use Enkod::Wait qw(wait_for);

my $json = JSON::PP->new->utf8;
my $top = dirname(dirname(__FILE__));
my $sync = Enkod::NginxConf::threads() ? "sync" : "";
my $closed = free_port();

my $nginx = Enkod::Nginx->create(workers => 1, http => <<'END', server => <<"END");
        log_format  f  escape=none
            '$status|$enkod_result|$enkod_error|$enkod_pass_status';

        enkod_spool            http.jsonl;
        proxy_read_timeout     3600s;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
END
        access_log  logs/access.log  f;

        location = /log {
            enkod_webhook;
            enkod_log    log.jsonl;
            enkod_spool  spool.jsonl;
            enkod_pass   \@back;
        }

        location = /alone {
            enkod_webhook;
            enkod_spool  spool.jsonl;
            enkod_pass   \@back  success=\$arg_success;
        }

        location = /refused {
            enkod_webhook;
            enkod_spool  spool.jsonl;
            enkod_pass   \@closed;
        }

        location = /inherited {
            enkod_webhook;
            enkod_pass   \@back;
        }

        location = /off {
            enkod_webhook;
            enkod_spool  off;
            enkod_pass   \@back;
        }

        location = /none {
            enkod_webhook;
            enkod_log  log.jsonl;
        }

        location = /full {
            enkod_webhook;
            enkod_spool  /dev/full;
            enkod_pass   \@back;
        }

        location = /log-full {
            enkod_webhook;
            enkod_log    /dev/full;
            enkod_spool  spool.jsonl;
            enkod_pass   \@back;
        }

        location = /sync {
            enkod_webhook;
            enkod_spool  sync.jsonl $sync;
            enkod_pass   \@back;
        }

        location = /ack {
            enkod_webhook;
            enkod_test   ack;
            enkod_spool  spool.jsonl;
            enkod_pass   \@back;
        }

        location = /error-page {
            enkod_webhook;
            enkod_spool  /dev/full;
            enkod_pass   \@back;
            error_page   503 = \@spare;
        }

        location \@spare {
            enkod_webhook;
            enkod_spool  spare.jsonl;
            enkod_pass   \@back;
        }

        location = /log-hangs {
            enkod_webhook;
            enkod_log    log.jsonl;
            enkod_spool  spool.jsonl;
            enkod_pass   \@hangs;
        }

        location \@hangs {
            proxy_read_timeout  1s;
            proxy_pass          http://127.0.0.1:%SECOND%;
        }

        location \@back {
            proxy_pass  http://127.0.0.1:%SECOND%;
        }

        location \@closed {
            proxy_pass  http://127.0.0.1:$closed;
        }
END

my $preload = Enkod::Preload->new("$nginx->{dir}/preload");
$nginx->{env} = $preload->env if $preload;

my $backend = Enkod::Backend->new(dir => $nginx->{dir},
                                  port => $nginx->{second});

$nginx->start;

lines_of_failures();
where_there_is_none();
cannot_be_kept();
synced();
together();
client_leaves();
stops();
checked();
configuration();

is($nginx->alerts, "", "the error log has no alerts");

done_testing();


sub post {
    my ($uri, $body, $orders) = @_;

    $backend->tell($orders);

    return $nginx->post($body, uri => $uri);
}


sub last_line {
    my ($file) = @_;

    my $line = ($nginx->lines($file))[-1] // "";
    chomp $line;

    return $line;
}


sub count {
    my ($file) = @_;

    return scalar(() = $nginx->lines($file));
}


sub logged {
    my ($expected) = @_;

    return wait_for(sub { last_line("logs/access.log") eq $expected });
}


# The spool has the line of the log, with the status of the upstream.

sub lines_of_failures {
    my %failure = ("status=400" => 400, "status=500" => 500,
                   "status=503&retry=7" => 503, "status=429" => 429,
                   "status=504" => 504, "status=301" => 301,
                   "status=999" => 999, "reset=1" => 502,
                   "hang=1" => 504, "body=abc&short=1" => 502,

                   # answers without a status (HTTP/0.9), or with an interim
                   # status only
                   "garbage=1" => 502,
                   "raw=HTTP/1.1%20100%20Continue%0d%0a%0d%0a" => 502,
                   "raw=HTTP/1.1%20103%20Early%20Hints%0d%0aLink:%20x"
                   . "%0d%0a%0d%0a" => 502);

    for my $orders (sort keys %failure) {
        for my $kind (qw(message-open contact-adding)) {

            my $body = Enkod::File::slurp("$top/bodies/$kind.json");
            my $n = count("spool.jsonl");
            my $uri = $orders =~ /hang/ ? "/log-hangs" : "/log";
            my $answer = post($uri, $body, $orders);
            my $line = last_line("spool.jsonl");
            my $title = "$orders, $kind";

            is($answer->{status}, 200, "$title: 200");
            is($answer->{body}, "", "$title: with an empty body");
            unlike($answer->{head}, qr/Retry-After/,
                   "$title: there is no Retry-After");
            is(count("spool.jsonl"), $n + 1, "$title: one line is in the spool");

            is($line, last_line("log.jsonl")
                      =~ s/"event"/"pass_status":$failure{$orders},"event"/r,
               "$title: it is the log's line, with the status");
            ok(logged("200|spooled||$failure{$orders}"),
               "$title: the access log has it");
        }
    }

    my $answer = post("/alone", event("c"), "body=fine");

    is($answer->{status}, 200, "success= does not hold: 200");
    like(last_line("spool.jsonl"), qr/"pass_status":200,"event":"message open"/,
         "the spool has the upstream's status");

    my $event = $json->decode(event("nasty"));
    $event->{name} = "\"quotes\"\r\n\0\x{1f600}";
    $event->{more} = { event => "event", pass_status => [1] };

    post("/log", $json->encode($event), "status=500");

    is_deeply($json->decode(last_line("spool.jsonl")),
              { %{ $json->decode(last_line("log.jsonl")) },
                pass_status => 500 },
              "values in the spool are those of the log");
}


sub where_there_is_none {
    my $n = count("spool.jsonl");

    is(post("/log", event("d"), "")->{status}, 200,
       "an event that is delivered: 200");
    ok(logged("200|accepted||204"), "the access log has \"accepted\"");
    is(post("/log", '{"event":"complaint"}', "status=500")->{status}, 422,
       "an event that is refused: 422");
    is(post("/none", event("d"), "status=500")->{status}, 200,
       "an event that is not passed on: 200");
    is(post("/ack", Enkod::File::slurp("$top/bodies/message-open.json"),
            "status=500")->{status}, 200,
            "a test delivery that is only acknowledged: 200");
    is(count("spool.jsonl"), $n, "none of these is in the spool");

    is(post("/inherited", event("d"), "status=500")->{status}, 200,
       "enkod_spool is inherited: 200");
    is(count("http.jsonl"), 1, "the spool has the line");
    is(post("/off", event("d"), "status=500")->{status}, 502,
       "enkod_spool off: 502");
    is(count("http.jsonl"), 1, "no line is written");
}


sub cannot_be_kept {
    for my $uri ("/full", "/log-full") {
        my $n = count("spool.jsonl");

        $backend->forget;

        my $answer = post($uri, event("f"), "status=429&retry=9");

        is($answer->{status}, 503, "$uri: 503");
        like($answer->{body}, qr/"code":"log_unavailable"/, "$uri: its code");
        like($answer->{head}, qr/^Retry-After: 5\r$/m, "$uri: Retry-After");
        is(count("spool.jsonl"), $n, "$uri: nothing is in the spool");
        is(scalar(() = $backend->requests), $uri eq "/full" ? 1 : 0,
           "$uri: the event is passed on only if its line was written");
    }

    ok(logged("503|failed|log_unavailable|"), "the access log has the failure");

    is(post("/error-page", event("e"), "status=500")->{status}, 200,
       "error_page can lead to a receiver whose spool works");
    like(last_line("spare.jsonl"), qr/"pass_status":500/,
         "the spool has the line");

  SKIP: {
        skip "no compiler for the disk to be full with", 8 if !$preload;

        for my $what ("full", "eio", "short") {
            my $n = () = $nginx->content("spool.jsonl") =~ /\n/g;

            $preload->on_write($what);
            is(post("/alone", event("s"), "status=500")->{status}, 503,
               "$what: 503");
            $preload->on_write("none");

            is(() = $nginx->content("spool.jsonl") =~ /\n/g, $n,
               "$what: no line is written");
        }

        is(post("/alone", event("s"), "status=500")->{status}, 200,
           "when there is space again: 200");
        like($nginx->content("spool.jsonl"),
             qr/\A(?:\{[^\n]*\}\n)+\{[^\n]*[^}\n]\n\{[^\n]*\}\n\z/,
             "the line is on its own line after the piece");
    }
}


sub synced {
  SKIP: {
        skip "no compiler, or no threads", 6 if !$preload || !$sync;

        $preload->on_sync("hold");
        $backend->tell("status=500");

        my $client = $nginx->client;
        $client->send(Enkod::Client::request(event("h"), uri => "/sync"));

        ok(wait_for(sub { $preload->holding }),
           "with \"sync\", the spool is synced");
        ok($nginx->settled && $client->silent,
           "there is no answer before the sync has ended");

        $preload->on_sync("none");

        is($client->status, 200, "after the sync, the answer is 200");
        is(count("sync.jsonl"), 1, "the spool has the line");

        $preload->on_sync("eio1");
        is(post("/sync", event("i"), "status=500")->{status}, 503,
           "a sync that fails: 503");
        is(post("/sync", event("j"), "status=500")->{status}, 200,
           "the next one: 200");
    }
}


# 1000 events that fail at 50 connections: each is in the spool, and those that
# fail together share a write().

sub together {
    my @clients = map { $nginx->client } 1 .. 50;
    my %ids;

    my $before = count("spool.jsonl");
    my $writes = $preload ? () = $preload->writes : 0;

    for my $round (1 .. 20) {

        # the worker must not handle some events before the others arrive
        kill "STOP", $nginx->workers;

        for my $n (0 .. $#clients) {
            my $id = "r$round.$n";

            $ids{$id} = 1;
            $clients[$n]->send(Enkod::Client::request(event($id),
                                                      uri => "/refused"));
        }

        kill "CONT", $nginx->workers;

        my @status = grep { $_ != 200 } map { $_->status } @clients;

        is("@status", "", "round $round: all get their 200") if @status;
    }

    my @lines = ($nginx->lines("spool.jsonl"))[$before .. $before + 999];
    my %got;

    $got{ $json->decode($_)->{message_uid} }++ for @lines;

    is(scalar(() = $nginx->lines("spool.jsonl")) - $before, 1000,
       "1000 events at 50 connections: as many lines");
    is(join(" ", grep { ($got{$_} || 0) != 1 } sort keys %ids), "",
       "each event is in the spool once");

    if ($preload) {
        my $now = () = $preload->writes;

        cmp_ok($now - $writes, '<', 200,
               "events that fail together share write()s");
    }
}


sub client_leaves {
    my $n = count("spool.jsonl");

    $backend->tell("hold=1&status=500");
    $backend->forget;

    my $client = $nginx->client;
    $client->send(Enkod::Client::request(event("gone"), uri => "/alone"));
    $backend->wait_requests(1);
    $client->reset;
    $nginx->settled;
    $backend->release;

    ok(wait_for(sub { count("spool.jsonl") == $n + 1 }),
       "the client leaves, the upstream fails: the event is in the spool");
    like(last_line("spool.jsonl"), qr/"message_uid":"gone"/,
         "the spool has the event of the client that left");
}


sub stops {
    my $n = count("spool.jsonl");

    $backend->tell("hold=1&status=500");
    $backend->forget;

    my @clients = map { $nginx->client } 1 .. 20;

    $_->send(Enkod::Client::request(event("reload"), uri => "/alone"))
        for @clients;
    $backend->wait_requests(20);

    my @old = $nginx->workers;

    $nginx->signal('HUP');
    $nginx->leaving(@old);
    $backend->release;

    is(join(" ", map { $_->status } @clients), join(" ", (200) x 20),
       "a reload waits for events that are to be spooled");
    is(count("spool.jsonl"), $n + 20, "the spool has these events");

    rename $nginx->path("spool.jsonl"), $nginx->path("spool.1.jsonl")
        or die "spool.jsonl: $!";
    $nginx->reopen("spool.jsonl");

    is(post("/alone", event("new"), "status=500")->{status}, 200,
       "after a rotation: 200");
    is(count("spool.jsonl"), 1, "the line is in the new file");
    is(count("spool.1.jsonl"), $n + 20, "the line is not in the old file");
}


sub checked {
  SKIP: {
        my $check = $ENV{TEST_ENKOD_CHECK};
        skip "no enkod-check", 1 if !$check;

        my @files = map { quotemeta } glob "$nginx->{dir}/*.jsonl";
        my $out = `\Q$check\E @files 2>&1`;

        is($?, 0, "enkod-check finds no defect in the files") or diag $out;
    }
}


sub configuration {
    for (['enkod_spool;', qr/number of arguments in "enkod_spool"/, "no path"],
         ['enkod_spool a if=1;',
          qr/invalid parameter "if=1" in "enkod_spool", only "sync" may follow/,
          "a condition"],
         ['enkod_spool a$host;',
          qr/invalid path "a\$host" in "enkod_spool", it must be that of a file/,
          "a path with a variable"],
         ['enkod_spool a; enkod_spool b;',
          qr/"enkod_spool" directive is duplicate/, "the directive twice"],
         ['enkod_spool off sync;',
          qr/"enkod_spool" directive must stand alone if it is "off"/,
          "\"off\" with sync"],
         ['enkod_spool nowhere/a;', qr/nowhere\/a" failed \(2: No such file/,
          "a folder that does not exist"],
         ['enkod_log a; enkod_spool a;',
          qr/"enkod_log .*\/a" and "enkod_spool .*\/a" are the same file/,
          "the file of the log"])
    {
        my ($http, $expected, $title) = @$_;

        refused($http, $expected, $title);
    }

    refused('enkod_spool a; server { enkod_spool a sync; }',
            qr/conflicting "sync" in "enkod_spool", "a" is used elsewhere without/,
            "one path with and without sync") if $sync;
}
