# Each symptom of docs/troubleshooting.md is provoked: the commands there do what
# they should, and each message that is shown is printed in this way.

use strict;
use warnings;

use File::Basename qw(dirname);
use IO::Socket::INET;
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::Client;
use Enkod::File;
use Enkod::Load qw(event refused_event);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Preload;
use Enkod::Process;
use Enkod::SymptomTest;
use Enkod::Wait qw(wait_for);

my $test = "enKod's test fails";
my $tests = "nginx -t refuses the configuration";

start();

first_look();
test_fails();
events_refused();
unavailable();
faulty_disk();
deleted_output();
upstream();
does_not_grow();
no_events();
twice();
not_json();
spool();
configuration();
module();
error_log();
shutting_down();
variables();

is join("\n", $page->unrun), "", "every command was run";

for my $block ($page->unseen) {
    fail "it is printed as the page shows it";
    diag "$block->{heading}:\n$block->{text}seen was:\n", $page->all($block);
}

{
    my $wrong = Enkod::Symptoms->new($text =~ s/^curl: \(6\) Could /$&really /mr);
    $wrong->{$_} = $page->{$_} for qw(seen excused);

    is scalar(() = $wrong->unseen), 1 + (() = $page->unseen),
       "a message that was not printed is noticed";
}

ok $nginx->stop, "nginx ends";

done_testing;


sub first_look {
    post(map { event("F$_") } 1 .. 4);
    post(map { refused_event("R$_") } 1, 2);
    $nginx->post(event("x"), uri => "/enkod");
    $nginx->post("", method => "GET", uri => $uri);

    full();
    is post(event("full")), 503, "on a full disk an event is refused";
    not_full();

    $page->run("First look", $site, n => $_) for 0, 1;

    like $page->run("First look", $site, n => 2), qr/nginx: worker process/,
         "processes are shown";
    logged("No space is left", qr/No space/);
}


# the log is a device that never has any space

sub full {
    my $log = $nginx->path("log/events.jsonl");

    rename $log, "$log.kept";
    symlink "/dev/full", $log;
    $nginx->reopen("/dev/full");
}


sub not_full {
    my $log = $nginx->path("log/events.jsonl");

    unlink $log;
    rename "$log.kept", $log;
    $nginx->reopen("log/events.jsonl");
}


sub test_fails {
    emptied();
    leads("tls");
    like $page->run($test, $site), qr/^HTTP\S+ 200 OK\r$/m, "a test works";
    is $nginx->content("log/events.jsonl"), "", "and leaves nothing";

    leads("closed");
    $page->run($test, $site, for => "curl cannot connect");

    # a queue that nobody takes anything from
    {
        my $listen = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
                                           LocalAddr => "127.0.0.1:$port{full}")
            or die "port $port{full}: $@";
        my @waiting = map {
            IO::Socket::INET->new(Blocking => 0,
                                  PeerAddr => "127.0.0.1:$port{full}")
        } 1 .. 4;

        local $site->{patience} = 1;
        leads("full");
        $page->run($test, $site, for => "curl cannot connect");
    }

    # a resolver that has no network is asked but once
    {
        local $ENV{HOME} = "/nonexistent";
        local $ENV{RES_OPTIONS} = "timeout:1 attempts:1";
        $page->run($test, $site, for => "curl cannot connect");
    }

    if ($tls) {
        for my $name (qw(chain expired name)) {
            leads($name);
            $page->run($test, $site, for => "The certificate");
        }

        local $site->{ports}{https} = ["http", $port{tls}];
        $page->run($test, $site, for => "400 with a page in HTML");

    } else {
        $page->excuse("The certificate", "400 with a page in HTML");
    }

    leads("tls");
    reconfigured("return 301 https://hooks.example.com\$request_uri;");
    $page->run($test, $site, for => "301 or 302");

    reconfigured("return 444;");
    $page->run($test, $site, for => "curl cannot connect");

    reconfigured($receiver =~ s/$token/another/r);
    $page->run($test, $site, for => "403");
    reconfigured($receiver . "deny all;\n");
    $page->run($test, $site, for => "403");
    logged("403", qr/forbidden by rule/);

    reconfigured($receiver, path => "= /enkod/");
    $page->run($test, $site, for => "404 or 405");
    like $page->run("The request goes to another location", $site),
         qr/location = \/enkod\/.*\n.*enkod_webhook/, "the location is found";

    $nginx->put("index.html", "A file.\n");
    reconfigured($receiver, path => "= /events", server => <<'END');
location / { root .; try_files /index.html =404; }
END
    $page->run($test, $site, for => "404 or 405");

    reconfigured($receiver . "client_max_body_size 100;\n");
    $page->run($test, $site, for => "413");
    logged("413", qr/too large body/);
}


sub events_refused {
    my $heading = "400 and 422: events are refused";

    reconfigured($receiver);
    is post(map { refused_event("R$_") } 1, 2), 422, "events are refused";
    $page->run($heading, $site, n => $_) for 0, 1;

    configured($receiver, http => <<'END');
enkod_event  "message open"  message_id=string;
END
    $nginx->reload or die "nginx does not reload\n";
    $page->run($heading, $site, n => 2);
    is scalar(() = $nginx->lines("log/events.jsonl")), 2,
       "what was refused is accepted after all";
}


sub unavailable {
    reconfigured($receiver);

    full();
    is post(event("F1")), 503, "on a full disk an event is not kept";
    $page->run("503", $site, n => $_) for 0, 1;
    not_full();
    is post(event("F2")), 200, "with space an event is kept";

    if ($root) {
        emptied();
        unlink $nginx->path("log/events.jsonl");
        is post(event("D1")), 503, "a worker cannot make the file";
        logged("The file was deleted", qr/was deleted/);
        $page->run("The file was deleted", $site);
        ok wait_for(sub { post(event("D2")) == 200 }), "nginx itself can";

    } else {
        $page->excuse("The file was deleted");
    }

    if ($root && $threads) {
        my $log = $nginx->path("log/events.jsonl");

        unlink $log;
        $nginx->put("log/events.jsonl", "");
        chown 0, 0, $log;
        chmod 0600, $log;
        reconfigured($receiver =~ s/events\.jsonl/$& sync/r);
        is post(event("U1")), 503, "a worker cannot read the file";
        logged("The workers cannot read the file", qr/for syncing/);
        $page->run("The workers cannot read the file", $site);
        ok wait_for(sub { post(event("U2")) == 200 }), "then it can";

    } else {
        $page->excuse("The workers cannot read the file");
    }

    reconfigured($receiver . "limit_req zone=enkod;",
                 http => "limit_req_zone \$server_name zone=enkod:1m rate=1r/m;");
    post(event("L1"), event("L2"));
    $page->run("503 with an empty error", $site);
}


# A disk that fails, in an nginx of its own.

sub faulty_disk {
    my $nginx = Enkod::Nginx->create(workers => 1);
    my $site = Enkod::SymptomTest::Site->new($nginx);
    my $preload = Enkod::Preload->new("$nginx->{dir}/preload");
    my $heading = "A sync has failed";

    return $page->excuse($heading) if !$preload || !$threads;

    mkdir $nginx->path("log");
    $nginx->{env} = $preload->env;
    $nginx->{main} = "thread_pool default threads=1 max_queue=0;";
    $nginx->{server} = <<'END';
location /a { enkod_webhook; enkod_log %DIR%/log/events.jsonl sync; }
location /b { enkod_webhook; enkod_log %DIR%/log/others.jsonl sync; }
END
    $nginx->start;

    my $fails = sub {
        my ($title, $pattern) = @_;

        is $nginx->post($event, uri => "/a")->{status}, 503, "$title: 503";
        like $nginx->error_log, $pattern, "$title: the error log says so";
        $page->saw($heading, $site->shown($nginx->error_log));
    };

    $preload->on_fallocate("quota");
    $fails->("a quota", qr/written to, .* \(122: Disk quota exceeded\)/);
    $preload->on_fallocate("none");

    # another worker, as this one has said it
    $nginx->reload or die "nginx does not reload\n";

    $preload->on_write("eio");
    $fails->("an I/O error", qr/written to, .* \(5: Input\/output error\)/);
    $preload->on_write("none");

    $preload->on_sync("eio");
    $fails->("a sync that fails", qr/cannot be synced/);

    $preload->on_sync("hold");

    # as long as the only thread does not wait for work, there is a 503
    my $client;

    wait_for(sub {
        $client = $nginx->client;
        $client->send(Enkod::Client::request($event, uri => "/b"));
        wait_for(sub { $preload->holding || !$client->silent });
        $preload->holding;
    });
    $fails->("a full queue", qr/queue overflow/);

    $preload->on_sync("none");
    ok $nginx->stop, "nginx with a faulty disk ends";
}


sub deleted_output {
    my $nginx = Enkod::Nginx->create(workers => 1, server => <<'END');
location / { enkod_webhook; enkod_log /dev/stdout; }
END

    $nginx->{stdout} = $nginx->path("output");
    $nginx->start;
    unlink $nginx->{stdout};

    is $nginx->post($event)->{status}, 503, "standard output that was deleted";
    $page->saw("The file was deleted", $nginx->error_log);
    ok $nginx->stop, "nginx without an output ends";
}


sub upstream {
    my $pass = $receiver . "enkod_pass \@crm;\n";
    my $crm = "location \@crm { rewrite ^ /events break;"
              . " proxy_pass http://127.0.0.1:$nginx->{second};"
              . " proxy_read_timeout 100ms; }";

    reconfigured($pass, server => $crm);
    is post(event("U1")), 502, "no upstream";
    $page->run("502 and 504", $site, for => "The upstream is down");

    my $backend = Enkod::Backend->new(dir => $nginx->{dir},
                                      port => $nginx->{second});

    $backend->tell("status=404");
    reconfigured($pass, server => $crm);
    is post(event("U2")), 502, "an upstream that says no";
    $page->run("502 and 504", $site, for => "The upstream refuses the event");

    $backend->tell("hang=1");
    reconfigured($pass, server => $crm);
    is post(event("U3")), 504, "an upstream that says nothing";
    $page->run("502 and 504", $site,
               for => "The upstream does not answer in time");

    $backend->stop;
}


sub does_not_grow {
    my $heading = "No enkod_log applies";

    reconfigured(<<'END', http => <<'END');
enkod_webhook;
enkod_log  %DIR%/log/optouts.jsonl  if=$enkod_optout;
END
map $enkod_event $enkod_optout { complaint 1; }
END
    is post(event("G1")), 200, "an event is accepted";
    is $nginx->content("log/optouts.jsonl"), "", "and stands in no file";
    $page->run($heading, $site);

    $heading = "nginx writes to another file";
    reconfigured($receiver);
    rename $nginx->path("log/events.jsonl"), $nginx->path("log/events.jsonl.1");
    $nginx->put("log/events.jsonl", "");
    is post(event("G2")), 200, "an event after a rotation";
    like $nginx->content("log/events.jsonl.1"), qr/"G2"/, "is in the old file";
    $page->run($heading, $site, n => 0);
    $page->run($heading, $site, n => 1);
    ok wait_for(sub { post(event("G3")) == 200
                      && $nginx->content("log/events.jsonl") =~ /"G3"/ }),
       "nginx opens the new one";
    unlink $nginx->path("log/events.jsonl.1");
}


sub no_events {
    my $heading = "No events arrive";

    emptied();
    post(event("N1"));
    $page->run($heading, $site, n => 0);

    is $page->run($heading, $site, n => 1), "", "a new file is not found";
    utime time - 7200, time - 7200, $nginx->path("log/events.jsonl");
    isnt scalar $site->run($page->commands($heading, 1)), "", "an old one is";
    $page->run($heading, $site, n => 1);
}


sub twice {
    my $heading = "Events are there twice";

    reconfigured($receiver . "enkod_pass \@crm;\n",
                 server => "location \@crm { proxy_pass"
                           . " http://127.0.0.1:$nginx->{second}; }");
    is post($event), 502, "an event is not passed on";

    my $backend = Enkod::Backend->new(dir => $nginx->{dir},
                                      port => $nginx->{second});
    $backend->tell("");
    is post($event), 200, "the same event, once more";
    $backend->stop;

    $page->run($heading, $site, n => 1);
    $page->run($heading, $site, n => 2);

    my @lines = $nginx->lines("log/events.jsonl");

    $nginx->put("log/events.jsonl", join "", @lines, $lines[0]);
    $page->run($heading, $site, n => 0);
}


sub not_json {
    my $heading = "A line is not JSON";
    my $piece = '{"received_at":"2026-11-23T03:44:01.123Z","request_id":"9c1';

    reconfigured($receiver);
    post($event);
    my $line = $nginx->content("log/events.jsonl");

    $nginx->put("log/events.jsonl", "$line$piece\n$line");
    $page->run($heading, $site);
    $nginx->put("log/events.jsonl", "$line$piece\n$line$piece");
    $page->run($heading, $site);
}


sub spool {
    my $heading = "The spool grows";

    reconfigured($receiver . "enkod_pass \@crm;\nenkod_spool %DIR%/log/spool.jsonl;\n",
                 server => "location \@crm { proxy_pass"
                           . " http://127.0.0.1:$nginx->{second}; }");
    is post(map { event("S$_") } 1 .. 3), 200, "events are spooled";

    $page->run($heading, $site, n => $_) for 0, 2, 1;

    my $backend = Enkod::Backend->new(dir => $nginx->{dir},
                                      port => $nginx->{second});

    $backend->tell("");
    $backend->forget;
    $page->run($heading, $site, n => 1);
    is scalar(() = $backend->requests), 3, "the spool is sent";
    $backend->stop;
}


# what nginx -t says of that

sub tested {
    my ($heading, $location, %o) = @_;

    configured($location, %o);
    $page->run($tests, $site, for => $heading);
}


sub configuration {
    my $heading = "The path of a file";
    my $log = "enkod_log %DIR%/log/events.jsonl";

    rename $nginx->path("log"), $nginx->path("log.away");
    tested($heading, $receiver);
    rename $nginx->path("log.away"), $nginx->path("log");

    tested($heading, "$receiver enkod_pass \@crm; enkod_spool %DIR%/log/events.jsonl;",
           server => "location \@crm { return 204; }"
                     . "location /x { enkod_webhook; $log; }");

    if ($threads) {
        tested($heading, $receiver,
               server => "location /x { enkod_webhook; $log sync; }");
    } else {
        $page->excuse($heading);
    }

    $heading = "The place of a directive";
    tested($heading, $receiver, server => "enkod_webhook;");
    tested($heading, "$receiver proxy_pass http://127.0.0.1:9;");
    tested($heading, "$receiver enkod_pass \@crm;");

    $heading = "Names of events and fields";
    tested($heading, "$receiver enkod_events message open;");
    tested($heading, $receiver, http => "enkod_event whatsapp message_id = string;");

    $heading = "Warnings";
    tested($heading, "enkod_webhook;");
    tested($heading, "$receiver client_max_body_size 1k;");
}


# The module as it is, and as it would be if it were for another nginx, or needed
# another library.

sub module {
    my $heading = "The module does not load";
    my ($module) = $nginx->preamble =~ /load_module (\S+);/;

    return $page->excuse($heading) if !$module;

    my $path = $nginx->path("ngx_http_enkod_module.so");
    my $load = "load_module $module;\n";

    my $sees = sub {
        my (%conf) = @_;

        configured($receiver, %conf);

        my $text = $nginx->content("nginx.conf");

        $text =~ s/^\Q$load\E/$conf{instead}/m if defined $conf{instead};
        $nginx->put("nginx.conf", $text);

        my ($status, $output) = $site->run($page->commands($tests));

        $output =~ s{\Q$path\E}{/usr/lib/nginx/modules/ngx_http_enkod_module.so}g;
        $page->saw($heading, $site->shown($output));
    };

    $sees->(instead => "");
    $sees->(http => "}\n${load}http {");
    $sees->(load => $load);
    $sees->(instead => "load_module $path;\n");

    my $binary = Enkod::File::slurp($module);
    my ($version) = `${\ quotemeta Enkod::NginxConf::binary()} -v 2>&1`
                    =~ /\/([\d.]+)/;
    my $number = sprintf "%d%03d%03d", split /\./, $version;

    for ([qr/libyajl\.so\.2/, "libyajl.so.0"],
         [qr/\d(?=,\d,\d,[01]{10})/, "9"],
         [quotemeta pack("q<", $number), pack "q<", $number + 1])
    {
        my ($part, $other) = @$_;

        $nginx->put("ngx_http_enkod_module.so", $binary =~ s/$part/$other/r);
        $sees->(instead => "load_module $path;\n");
    }
}


sub error_log {
    my $heading = "Nothing is in the error log";

    reconfigured($receiver);
    post(refused_event("E1"));
    $nginx->post(event("E2"), uri => "/enkod");
    is $nginx->error_log, "", "a refusal is not in the error log";
    like $page->run($heading, $site), qr/error_log +logs\/error\.log warn/,
         "its level is found";

    reconfigured($receiver, level => "info");
    post(refused_event("E1"));
    $nginx->post(event("E2"), uri => "/enkod");
    logged($heading, qr/403 forbidden/);
}


sub shutting_down {
    my $heading = "A worker does not end after a reload";

    reconfigured($receiver);

    my ($old) = $nginx->workers;
    my $client = $nginx->client;

    $client->send("POST $uri HTTP/1.1\r\nHost: localhost\r\n"
                  . "Content-Length: 1000\r\n\r\n{");
    $nginx->settled;
    $nginx->signal('HUP');
    wait_for(sub { Enkod::Process::cmdline($old) =~ /shutting down/
                   && $nginx->workers == 2 });

    $page->run($heading, $site, n => $_) for 0, 1;
    ok Enkod::Process::alive($old), "the old worker is still there";

    kill 'TERM', $old;
    ok wait_for(sub { !Enkod::Process::alive($old) }), "TERM ends it";

    # nginx 1.25.4 has silenced it, and so has Angie
    my ($version) = `${\ quotemeta Enkod::NginxConf::binary()} -v 2>&1`
                    =~ m{nginx/([\d.]+)};

    if (sprintf("%d%03d%03d", split /\./, $version // "2.0.0") >= 1_025_004) {
        return $page->excuse($heading);
    }

    logged($heading, qr/open socket/);
}


sub variables {
    my $heading = "A variable is empty";

    reconfigured(<<"END", http => <<'END');
set         \$early  \$enkod_event;
if (\$remembered) { return 400; }
if (\$asked) { return 400; }
enkod_webhook;
enkod_log   %DIR%/log/events.jsonl;
access_log  %DIR%/logs/enkod.access.log  empty;
access_log  %DIR%/logs/enkod.access.log  escaped;
END
map $enkod_event $remembered { complaint complaint; }
map $enkod_event $asked { volatile; complaint complaint; }
log_format  empty    'set="$early" map="$remembered" volatile="$asked" event="$enkod_event"';
log_format  escaped  'name="$enkod_name"';
END
    is post($event =~ s/message open/complaint/r =~ s/News/Say \\"hi\\"/r), 200, "an event with quotes";
    wait_for(sub { $nginx->content("logs/enkod.access.log") =~ /name/ });
    $page->saw($heading, $nginx->content("logs/enkod.access.log"));
}
