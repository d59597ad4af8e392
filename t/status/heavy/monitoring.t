# The section "Monitoring" of docs/operations.md: its configurations of nginx,
# Prometheus and HAProxy, its commands and its health answer do what is said there,
# while the disk of a node becomes full and heals.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../../lib";

use Cwd ();
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Test::More;

use Enkod::Client;
use Enkod::Command;
use Enkod::Daemon;
use Enkod::File qw(put slurp);
use Enkod::Load qw(event refused_event);
use Enkod::Needs qw(need);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::Procedure;
use Enkod::Prometheus;
use Enkod::Wait qw(wait_for);

my $haproxy = need("haproxy", "haproxy");
my $promtool = need("promtool", "prometheus");
my $blackbox = need("prometheus-blackbox-exporter",
                    "prometheus-blackbox-exporter");

my $top = Cwd::abs_path(dirname(__FILE__) . "/../../..");
my $page = "docs/operations.md";
my $dir = tempdir("enkod-monitoring-XXXXXX", TMPDIR => 1, CLEANUP => 1);

# two nodes, each with a disk that can become full
my (%node, %disk);

for my $name (qw(a b)) {
    my ($locations) = block("Locations", "nginx");

    $locations =~ s/^(\s+listen\s+)8081;/${1}127.0.0.1:%SECOND%;/m
        or die "$page: no server on port 8081";

    my $nginx = Enkod::Nginx->create(
        http   => $locations,
        server => "location = /enkod { enkod_webhook; enkod_log log/events.jsonl; }");

    mkdir $nginx->path("log");
    $disk{$name} = Enkod::Preload->new($nginx->{dir})
        or die "skipped: there is no C compiler\n";
    $nginx->{env} = $disk{$name}->env;
    $node{$name} = $nginx->start;
}

my $proxy = haproxy();
my $prometheus = prometheus();

both_ready();
full();
healed();
all_full();
command();
kubernetes();

done_testing();


sub block {
    my ($heading, $language, $n) = @_;

    my @blocks = Enkod::Procedure->blocks($page, $heading, $language);

    return $blocks[$n || 0] // die "$page: $heading: no block of $language\n";
}


# With their addresses and ports, the nodes of the page are those of the test.

sub adapt {
    my ($text) = @_;

    my %number = (a => 11, b => 12);

    for my $name (keys %node) {
        $text =~ s/10\.0\.0\.$number{$name}:8080/127.0.0.1:$node{$name}{port}/g;
        $text =~ s/10\.0\.0\.$number{$name}:8081/127.0.0.1:$node{$name}{second}/g;
        $text =~ s/^(\s+server\s+$name\s.*)$/$1 port $node{$name}{second}/m;
    }

    return $text;
}


# HAProxy with the configuration of the page, and a socket for its state.

sub haproxy {
    my $text = adapt(block("Load balancers", "haproxy"));

    $text =~ s/\bport 8081 // or die "$page: HAProxy checks no port 8081";
    $text =~ s/inter 2s/inter 100ms/ or die "$page: no interval";

    return Enkod::Daemon->new(dir => $dir, command => sub {
        my ($port) = @_;

        put("$dir/haproxy.cfg",
            "global\n    stats socket $dir/state\n\n"
            . $text =~ s/^(\s+bind\s+):80$/${1}127.0.0.1:$port/mr);

        return ($haproxy, "-db", "-f", "haproxy.cfg");
    });
}


# the state of a node: UP or DOWN

sub state {
    my ($name) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => "$dir/state") or return "";

    print $socket "show stat\n";

    my ($line) = grep { /^enkod,$name,/ } <$socket>;

    return (split /,/, $line // "")[17] // "";
}


# Prometheus with the configuration of the page, and the exporter that it names.

sub prometheus {
    my ($etc) = grep { -r } "/etc/prometheus/blackbox.yml",
                            "$top/build/unpacked/etc/prometheus/blackbox.yml";

    my $exporter = Enkod::Daemon->new(dir => $dir, command => sub {
        return ($blackbox, "--config.file=$etc",
                "--web.listen-address=127.0.0.1:$_[0]");
    });

    my $text = adapt(block("Prometheus", "yaml"));

    $text =~ s/"127\.0\.0\.1:9115"/"127.0.0.1:$exporter->{port}"/
        or die "$page: no address of the exporter";

    put("$dir/enkod-alerts.yml",
        slurp("$top/docs/examples/prometheus-alerts.yml"));
    put("$dir/prometheus.yml", $text);

    my ($status, @output)
        = Enkod::Command::run($dir, $promtool, "check", "config",
                              "prometheus.yml");

    is $status, 0, "promtool check config" or diag @output;

    $text =~ s/\benkod-alerts\.yml/$dir\/enkod-alerts.yml/;

    return Enkod::Prometheus->new(config => <<"END");
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
$text
END
}


sub get {
    my ($port, $uri) = @_;

    my $client = Enkod::Client->new($port);

    $client->send("GET $uri HTTP/1.1\r\nHost: localhost\r\n\r\n");

    return $client->read;
}


sub ready {
    my ($name) = @_;

    return get($node{$name}{second}, "/enkod/ready");
}


# Sends an event to HAProxy; returns the status.

my (%kept, $serial);

sub send_event {
    my $id = "event-" . ++$serial;
    my $client = Enkod::Client->new($proxy->{port});

    $client->send(Enkod::Client::request(event($id), uri => "/enkod"));

    my $status = $client->status;

    $kept{$id} = 1 if $status == 200;

    return $status;
}


# the number of lines of a node

sub lines {
    my ($name) = @_;

    return scalar(() = $node{$name}->lines("log/events.jsonl"));
}


# how the exporter has found a node

sub probed {
    my ($name) = @_;

    return $prometheus->number('probe_success{job="enkod-ready",instance='
        . qq("http://127.0.0.1:$node{$name}{second}/enkod/ready"})) // "";
}


sub both_ready {
    for my $name (qw(a b)) {
        my $answer = ready($name);

        is $answer->{status}, 200, "node $name is ready";
        is $answer->{body}, "{\"ready\":true}\n", "node $name says so";
        ok wait_for(sub { state($name) eq "UP" }), "HAProxy sends to node $name";
        ok wait_for(sub { probed($name) eq "1" }),
           "Prometheus sees that node $name is ready";
        ok wait_for(sub {
            ($prometheus->number('up{job="enkod",instance="127.0.0.1:'
                                 . $node{$name}{second} . '"}') // "") eq "1";
        }), "Prometheus has the metrics of node $name";
    }

    is send_event(), 200, "an event is accepted" for 1 .. 4;
    ok lines($_), "node $_ gets events" for qw(a b);
}


sub full {
    $disk{a}->on_write("full");

    my $failed = 0;

    # until it is the turn of the node with the full disk
    ok wait_for(sub {
        $failed ||= send_event() != 200;
        return ready("a")->{status} == 503;
    }), "a node whose disk is full is not ready";
    ok !$failed, "the other node has taken its events";

    my $shown = block("Load balancers", "json")
                =~ s{/var/log/enkod}{$node{a}{dir}/log}r;

    is ready("a")->{body}, $shown, "it says what is wrong, as shown";
    is ready("b")->{status}, 200, "the other node is ready";

    ok wait_for(sub { state("a") =~ /^DOWN/ }), "HAProxy does not send to it";
    ok wait_for(sub { probed("a") eq "0" }), "Prometheus sees that it is not ready";

    my ($a, $b) = map { lines($_) } qw(a b);

    is send_event(), 200, "an event is accepted" for 1 .. 4;
    is lines("a"), $a, "the node with the full disk gets none";
    is lines("b"), $b + 4, "the other node gets all";
}


sub healed {
    $disk{a}->on_write("none");

    # it would be ready after half a minute, too
    is $node{a}->post(event("direct"), uri => "/enkod")->{status}, 200,
       "when there is space again, the node accepts an event";
    $kept{direct} = 1;
    is ready("a")->{status}, 200, "it is ready";
    ok wait_for(sub { state("a") eq "UP" }), "HAProxy sends to it again";
    ok wait_for(sub { probed("a") eq "1" }), "Prometheus sees that it is ready";

    my $a = lines("a");

    is send_event(), 200, "an event is accepted" for 1 .. 4;
    cmp_ok lines("a"), ">", $a, "the node gets events";

    my $all = join "", map { $_->content("log/events.jsonl") } values %node;

    is join(" ", grep { $all !~ /"message_uid":"$_"/ } sort keys %kept), "",
       "each event that was answered with 200 is in a file";
}


sub all_full {
    $_->on_write("full") for values %disk;

    my $status = send_event();

    is $status, 503, "if no node can store an event, it is answered with 503";

    $_->on_write("none") for values %disk;
}


# The command for the shell shows what the page says.

sub command {
    $node{a}->post(refused_event("r"), uri => "/enkod");

    my $procedure = Enkod::Procedure->new($node{a}, urls => {
        8081 => $node{a}{second} });
    my ($status, $output) = $procedure->run(block("What to look at", "sh"));

    is $status, 0, "the command works" or diag $output;

    my ($location, $file) = map { decode_json($_) } split /\n/, $output;

    is $location->{location}, "/enkod", "it shows the location";
    like $location->{last}{"message open"}, qr/^\d{4}-\d\d-\d\dT.*Z$/,
         "and when an event last came";
    is $location->{errors}{wrong_type}, 1, "and what was refused";
    cmp_ok $location->{errors}{log_unavailable}, ">=", 1, "and what has failed";
    is $file->{error}, "No space left on device", "and the error of a file";
}


# The probes of the pod are those of the locations.

sub kubernetes {
    my $text = block("Load balancers", "yaml");
    my ($path, $port) = $text =~ /readinessProbe:\s+httpGet:
                                  \s+path:\ (\S+)\s+port:\ (\d+)/x;
    my $nginx = block("Locations", "nginx");

    like $nginx, qr/listen\s+$port;/, "Kubernetes asks the right server";
    like $nginx, qr/location = \Q$path\E \{\s+enkod_status\s+ready;/,
         "Kubernetes asks the right location";
    unlike $text, qr/livenessProbe:\s+httpGet/,
           "a node that is not ready is not killed";
}
