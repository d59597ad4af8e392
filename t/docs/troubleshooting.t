# Each symptom of docs/troubleshooting.md is provoked: the commands there do what
# they should, and each message that is shown is printed in this way.

use strict;
use warnings;

use File::Basename qw(dirname);
use IO::Socket::INET;
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::File;
use Enkod::Load qw(event refused_event);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Port qw(free_port);
use Enkod::Preload;
use Enkod::Procedure;
use Enkod::Process;
use Enkod::Symptoms;
use Enkod::Wait qw(wait_for);


# The commands of the page, for the nginx of the test.  "ports" says where the
# URLs of hooks.example.com lead to.

package Site {
    our @ISA = ("Enkod::Procedure");

    sub adapt {
        my ($self, $text) = @_;

        $text =~ s{\b(https?)://hooks\.example\.com(?::443)?/}
                  {$self->{ports}{$1}[0] . "://hooks.example.com:"
                   . $self->{ports}{$1}[1] . "/"}ge;
        $text =~ s{-m 10\b}{-m $self->{patience}} if $self->{patience};

        return $self->SUPER::adapt($text);
    }

    sub shown {
        my ($self, $text) = @_;

        $text =~ s{(hooks\.example\.com):\d+}{$1}g;
        $text =~ s{ port \d+}{ port 443};

        return $self->SUPER::shown($text);
    }
}

package main;

my $text = Enkod::File::slurp(dirname(__FILE__)
                               . "/../../docs/troubleshooting.md");
my $page = Enkod::Symptoms->new($text);

my $root = $> == 0 && getpwnam("www-data");
my $built = `${\ quotemeta Enkod::NginxConf::binary()} -V 2>&1`;
my $tls = $built =~ /--with-http_ssl_module/;
my $threads = Enkod::NginxConf::threads();

my $token = "replace-me-0f3a5f1d6f7c4be2a8d1";
my $uri = "/enkod?token=$token";
my $test = "enKod's test fails";

my $event = '{"event":"message open","message_id":4,"message_uid":"1_2_3_4",'
            . '"sending_type":"instant","name":"News",'
            . '"from":"sender@example.com","to":"recipient@example.com"}';

my %port = map { $_ => free_port() } qw(tls chain expired name closed full);

my $formats = <<'END';
log_format  enkod  '$remote_addr [$time_iso8601] "$request_method $uri" '
                   '$status $request_time $request_length '
                   'result=$enkod_result error=$enkod_error '
                   'event="$enkod_event" id=$request_id';
END

my $receiver = <<"END";
enkod_webhook;
enkod_token       \$arg_token  "$token";
enkod_test        ack;
enkod_log         %DIR%/log/events.jsonl;
enkod_reject_log  %DIR%/log/refused.jsonl;
END

plan skip_all => "valgrind gives processes other names"
    if $ENV{TEST_NGINX_USE_VALGRIND};

my $nginx = Enkod::Nginx->create(workers => 1,
                                 user => $root ? "www-data" : "root");
my $site = Site->new($nginx, urls => { 9000 => $nginx->{second} });

my $home = $ENV{HOME} = $nginx->path("home");

mkdir $nginx->path($_) for qw(log home tls);
chown 0, ($nginx->user)[1], $nginx->path("log") if $root;
chmod 0750, $nginx->path("log");

$tls &&= certificates();
trusting();

configured($receiver);
$nginx->start;

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


# Certificates of a root: for our name, for another one, of yesterday, and by an
# authority in between that is not sent.

sub certificates {
    my $dir = $nginx->path("tls");
    my $key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

    my $make = sub {
        my ($name, $by, $subject, $days, $extension) = @_;

        return <<"END";
openssl req -new $key -subj "/CN=$subject" -keyout $name.key -out $name.csr &&
printf '$extension' >$name.ext &&
openssl x509 -req -in $name.csr -CA $by.crt -CAkey $by.key -CAcreateserial \\
    -days $days -extfile $name.ext -out $name.crt || exit 1
END
    };

    my $names = "subjectAltName=DNS:hooks.example.com";
    my $commands = join "", "cd $dir\n",
        "openssl req -x509 $key -days 2 -subj /CN=root -keyout root.key"
            . " -out root.crt || exit 1\n",
        $make->("between", "root", "between", 2, "basicConstraints=CA:TRUE"),
        $make->("tls", "root", "hooks", 2, $names),
        $make->("chain", "between", "hooks", 2, $names),
        $make->("expired", "root", "hooks", -1, $names),
        $make->("name", "root", "other", 2, "subjectAltName=DNS:example.com");

    $nginx->put("tls/make", $commands);

    return system("/bin/sh '$dir/make' >'$dir/made' 2>&1") == 0;
}


# What curl knows: where our name is, and whose certificates are good.

sub trusting {
    $nginx->put("home/.curlrc", join "",
                (map { "resolve = hooks.example.com:$_:127.0.0.1\n" }
                 $nginx->{port}, values %port),
                $tls ? "cacert = $nginx->{dir}/tls/root.crt\n" : "");

    leads("tls", $nginx->{port});
}


# Where the page's URLs lead to.

sub leads {
    my ($name, $http) = @_;

    my $https = $tls && exists $port{$name} ? ["https", $port{$name}]
                                            : ["http", $nginx->{port}];

    $site->{ports} = { https => $https,
                       http => ["http", $http || $nginx->{port}] };
}


# The configuration, with that in the location.

sub configured {
    my ($location, %o) = @_;

    my $path = $o{path} || "= /enkod";
    my $others = "";

    for my $name ($tls ? qw(chain expired name) : ()) {
        $others .= <<"END";
server {
    listen               127.0.0.1:$port{$name} ssl;
    ssl_certificate      tls/$name.crt;
    ssl_certificate_key  tls/$name.key;
}
END
    }

    my $server = $o{server} || "location / { return 404; }";
    my $ssl = !$tls ? "" : <<"END";
listen               127.0.0.1:$port{tls} ssl;
ssl_certificate      tls/tls.crt;
ssl_certificate_key  tls/tls.key;
END

    $nginx->configure(
        level => "warn", main => "", load => "",
        (map { exists $o{$_} ? ($_ => $o{$_}) : () } qw(level main load)),
        http => $formats . $others . ($o{http} || ""),
        server => <<"END");
$ssl
server_name  hooks.example.com;
access_log   %DIR%/logs/enkod.access.log  enkod;

location $path {
$location
}

$server
END
}


sub reconfigured {
    my ($location, %o) = @_;

    configured($location, %o);
    $nginx->reload or die "nginx does not reload\n";
    emptied();
}


# Files begin anew.

sub emptied {
    for my $file (qw(logs/error.log logs/enkod.access.log log/events.jsonl
                     log/refused.jsonl log/spool.jsonl))
    {
        truncate $nginx->path($file), 0;
    }
}


# events from a client on this machine; the last status

sub post {
    my (@bodies) = @_;

    my $status;

    $status = $nginx->post($_, uri => $uri)->{status} for @bodies;

    return $status;
}


# Who has this symptom finds that in the error log.

sub logged {
    my ($heading, $pattern) = @_;

    my $found = wait_for(sub { $nginx->error_log =~ $pattern });

    ok $found, "$heading: the error log says so" or diag $nginx->error_log;
    $page->saw($heading, $site->shown($nginx->error_log));
}


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
    my $site = Site->new($nginx);
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
    is post($event), 502, "an event is not handed on";

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
    $page->run("nginx -t refuses the configuration", $site, for => $heading);
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
    my ($module) = ($nginx->preamble =~ /load_module (\S+);/);

    return $page->excuse($heading) if !$module;

    my $binary = do {
        open my $fh, "<:raw", $module or die "$module: $!";
        local $/;
        <$fh>;
    };

    my ($version) = `${\ quotemeta Enkod::NginxConf::binary()} -v 2>&1`
                    =~ /\/([\d.]+)/;
    my $number = sprintf "%d%03d%03d", split /\./, $version;

    my $check = $page->commands("nginx -t refuses the configuration");

    mkdir $nginx->path("modules");

    my $try = sub {
        my ($file, $load) = @_;

        if (defined $file) {
            open my $fh, ">:raw", $nginx->path("modules/ngx_http_enkod_module.so");
            print $fh $file;
            close $fh;
        }

        configured($receiver, %{ $load || {} });

        my $conf = $nginx->content("nginx.conf");
        my $path = $nginx->path("modules/ngx_http_enkod_module.so");

        $conf =~ s/\Q$module\E/$path/ if !$load;
        $conf =~ s/^load_module \Q$module\E;$//m if $load && $load->{none};
        $nginx->put("nginx.conf", $conf);

        my ($status, $output) = $site->run($check);

        $output =~ s/\Q$path\E/\/usr\/lib\/nginx\/modules\/ngx_http_enkod_module.so/g;
        $output =~ s/version $number instead of/version/;
        $page->saw($heading, $site->shown($output));
    };

    $try->(undef, { none => 1 });
    $try->(undef, { http => "}\nload_module $module;\nhttp {" });
    $try->(undef, { load => "load_module $module;\n" });
    $try->(undef);
    $try->($binary =~ s/libyajl\.so\.2/libyajl.so.0/r);
    $try->($binary =~ s/\d,\d,\d,[01]{10,}/9$&/r =~ s/9(\d),/9,/r);
    $try->($binary =~ s/\Q${\ pack "q<", $number}\E/pack "q<", 1026003/er);
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

    $page->run($heading, $site, n => 0);
    $page->run($heading, $site, n => 1);
    ok Enkod::Process::alive($old), "the old worker is still there";

    kill 'TERM', $old;
    ok wait_for(sub { !Enkod::Process::alive($old) }), "TERM ends it";
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
