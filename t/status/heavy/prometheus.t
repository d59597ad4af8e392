# Prometheus scrapes enkod_status in both of its formats: the queries have the
# numbers that were sent, the alerts fire for real faults, and each query of the
# Grafana dashboard has data.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../../lib";

use Cwd ();
use JSON::PP ();
use List::Util qw(max sum);
use Test::More;
use Time::HiRes qw(time);

use Enkod::Backend;
use Enkod::Command;
use Enkod::File qw(put slurp);
use Enkod::Needs qw(need);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Port qw(free_port);
use Enkod::Prometheus;
use Enkod::Wait qw(wait_for);

my $promtool = need("promtool", "prometheus");

my $top = Cwd::abs_path(dirname(__FILE__) . "/../../..");
my $rules = "$top/docs/examples/prometheus-alerts.yml";
my $dashboard = "$top/docs/examples/grafana.json";

# how long a slow upstream takes, and the bound of a bucket below that
use constant { SLOW => 0.3, BELOW => 0.25 };

my $sync = Enkod::NginxConf::threads() ? "sync" : "";
my $back_port = free_port();

my $nginx = Enkod::Nginx->create(workers => 2, http => <<"END", server => <<"END2");
    log_format scrape '\$status \$sent_http_content_type';
END
    location = /enkod {
        enkod_webhook;
        enkod_log events.jsonl $sync;
        enkod_reject_log refused.jsonl;
    }

    location = /sent {
        enkod_webhook;
        enkod_events "message sent";
        enkod_log events.jsonl $sync;
    }

    location = /pass {
        enkod_webhook;
        enkod_pass \@crm;
        enkod_spool spool.jsonl;
    }

    location = /unspooled {
        enkod_webhook;
        enkod_pass \@crm;
    }

    location = /full {
        enkod_webhook;
        enkod_log /dev/full;
    }

    location \@crm {
        proxy_pass http://127.0.0.1:$back_port;
    }

    location = /metrics {
        access_log logs/access.log scrape;
        allow 127.0.0.1;
        deny all;
        enkod_status prometheus;
    }

    # the older format, whatever Prometheus prefers
    location = /text {
        proxy_set_header Accept "text/plain;version=0.0.4";
        proxy_pass http://127.0.0.1:\$server_port/metrics;
    }
END2

my $back = Enkod::Backend->new(dir => $nginx->{dir}, port => $back_port);
$nginx->start;

my @jobs = qw(enkod text);
my $prometheus = Enkod::Prometheus->new(
    rules   => $rules,
    targets => { enkod => "127.0.0.1:$nginx->{port}/metrics",
                 text  => "127.0.0.1:$nginx->{port}/text" });

# what must be counted: the series, without its job, and the number; and what there
# was after the first round
my (%sent, %before);

# seconds that the answers of /pass took
my @took;

# when each job had scraped the first round, and when the second
my (%begin, %end);


formats();

# from the start, so that rate() sees the first one
counted('enkod_events_total{event="message sent",location="/sent",result="accepted"}', 0);
counted('enkod_refusals_total{code="wrong_type",location="/enkod"}', 0);
counted('enkod_failures_total{code="log_unavailable",location="/enkod"}', 0);
scraped("a counter before its first event");

is number('count(enkod_events_total{job="enkod",location="/sent"})'), 1,
   "a location that takes one event has no counters of other ones";

send_round(1);
%begin = scraped("the first round");
%before = %sent;

send_round(2);
%end = scraped("the second round");

rates();
quantiles();
alerts();
dashboard();

my $scrapes = $nginx->content("logs/access.log");
like $scrapes, qr/^200 application\/openmetrics-text; version=1\.0\.0/m,
     "Prometheus has scraped OpenMetrics";
like $scrapes, qr/^200 text\/plain; version=0\.0\.4/m,
     "and the text format";

is $nginx->alerts, "", "the error log has no alerts";
done_testing();


# Both formats are as their readers expect.

sub formats {
    my $text = metrics("text/plain;version=0.0.4");
    my $open = metrics("application/openmetrics-text;version=1.0.0");

    put("$nginx->{dir}/text", $text);
    put("$nginx->{dir}/openmetrics", $open);

    my ($status, @output)
        = Enkod::Command::run($nginx->{dir}, $promtool, "check", "metrics",
                              { stdin => "$nginx->{dir}/text" });

    is $status, 0, "promtool check metrics accepts the text";
    is join("", @output), "", "promtool check metrics prints nothing";

    my $parser = "from prometheus_client.openmetrics import parser;"
                 . "import sys;"
                 . "print(len(list("
                 . "parser.text_fd_to_metric_families(sys.stdin))))";

    ($status, @output)
        = Enkod::Command::run($nginx->{dir}, "/usr/bin/python3", "-c", $parser,
                              { stdin => "$nginx->{dir}/openmetrics" });

    is $status, 0, "python3-prometheus-client accepts the OpenMetrics text"
        or diag $output[1] =~ /ModuleNotFoundError/
                    ? "skipped: there is no python3-prometheus-client" : @output;
    is +(split " ", $output[0])[0], scalar(() = $open =~ /^# TYPE /mg),
       "it finds all metrics";
}


sub metrics {
    my ($accept) = @_;

    return $nginx->post("", uri => "/metrics", method => "GET",
                        headers => "Accept: $accept\r\n")->{body};
}


# Sends each event and each kind of error; the second round has more of them.

sub send_round {
    my ($n) = @_;

    my $i = 0;

    for my $file (glob "$top/t/bodies/*.json") {
        my $body = slurp($file);

        # as it is, it is a test delivery
        my $real = $body =~ s/0123456789_012_012_01234/5f0c1a7e_345_678_90123/r
                         =~ s/ \(test\)//r =~ s/80123456789/80123456780/r;

        my ($event) = $body =~ /"event": *"([^"]+)"/;
        $event =~ s/^[^a-z]+omplaint/complaint/;

        post("/enkod", $real, 200, event($event, "/enkod", "accepted"))
            for 1 .. $n + ++$i;
        post("/enkod", $body, 200, event($event, "/enkod", "test"));
    }

    my $open = '{"event":"message open","message_id":4,"message_uid":"u",'
               . '"sending_type":"instant","name":"n","from":"f","to":"t"}';
    my $type = $open =~ s/4/"4"/r;

    for my $code (["wrong_type", $type], ["missing_event", "{}"],
                  ["invalid_json", "{]"], ["unknown_event", '{"event":"e"}'])
    {
        post("/enkod", $code->[1], $code->[0] eq "invalid_json" ? 400 : 422,
             qq(enkod_refusals_total{code="$code->[0]",location="/enkod"}))
            for 1 .. $n + 1;
    }

    post("/full", $open, 503,
         'enkod_failures_total{code="log_unavailable",location="/full"}',
         qq(enkod_file_write_errors_total{file="/dev/full",use="log"}))
        for 1 .. $n + 2;

    for my $outcome (["", "delivered"], ["status=500", "failed"],
                     ["status=504", "timeout"], ["status=429", "busy"])
    {
        $back->tell($outcome->[0]);

        post("/pass", $open, 200, passed("/pass", $outcome->[1]),
             event("message open", "/pass", $outcome->[0] ? "spooled"
                                                          : "accepted"))
            for 1 .. $n + 1;
    }

    $back->tell("status=500");
    post("/unspooled", $open, 502, passed("/unspooled", "failed"),
         'enkod_failures_total{code="upstream_failed",location="/unspooled"}')
        for 1 .. $n;

    # a third of all subrequests of the round is slow
    $back->tell("delay=" . SLOW);
    @took = ();

    for (1 .. 2 * ($n + 1)) {
        my $began = time;
        post("/pass", $open, 200, passed("/pass", "delivered"),
             event("message open", "/pass", "accepted"));
        push @took, time - $began;
    }

    for (1 .. $n) {
        my $answer = $nginx->post("", uri => "/enkod", method => "GET");
        is $answer->{status}, 200, "a probe is answered"
            if $answer->{status} != 200;
        counted('enkod_probes_total{location="/enkod"}', 1);
    }
}


sub event {
    my ($event, $location, $result) = @_;

    return qq(enkod_events_total{event="$event",location="$location",)
           . qq(result="$result"});
}


sub passed {
    my ($location, $outcome) = @_;

    return qq(enkod_pass_total{location="$location",outcome="$outcome"});
}


# Sends a body; it must be answered so, and be counted in these series.

sub post {
    my ($uri, $body, $status, @series) = @_;

    my $answer = $nginx->post($body, uri => $uri);

    if ($answer->{status} != $status) {
        is $answer->{status}, $status, "$uri: the status";
        diag $answer->{body};
    }

    counted($_, 1)
        for @series, qq(enkod_answer_seconds_count{location="$uri"});
    counted(qq(enkod_received_bytes_total{location="$uri"}), length $body);
}


sub counted {
    my ($series, $n) = @_;

    $sent{$series} += $n;
}


# Waits until both jobs have all numbers.  Returns when they were scraped.

sub scraped {
    my ($when) = @_;

    my (%time, %last);

    for my $job (@jobs) {
        ok wait_for(sub {
            %last = map { name($_->{metric}) => $_->{value}[1] }
                    $prometheus->query(qq({job="$job",__name__=~"enkod_.*"}));

            # none if this scrape has failed
            $time{$job} = number(
                qq{timestamp(enkod_start_time_seconds{job="$job"})});

            return $time{$job}
                   && !grep { !defined $last{$_} || $last{$_} != $sent{$_} }
                            keys %sent;
        }), "$job: $when is scraped";

        for my $series (sort keys %sent) {
            next if ($last{$series} // "none") eq $sent{$series};
            diag "$series: ", $last{$series} // "none", ", not $sent{$series}";
        }
    }

    return %time;
}


# a series as it is in %sent

sub name {
    my ($labels) = @_;

    return "$labels->{__name__}\{"
           . join(",", map { qq($_="$labels->{$_}") }
                       grep { !/^(?:__name__|job|instance|server)$/ }
                       sort keys %$labels)
           . "}";
}


sub number {
    return $prometheus->number(@_);
}


# a query about the time between the two rounds

sub between {
    my ($job, $query) = @_;

    # later versions leave out a sample at the beginning
    my $range = sprintf "%.0fms", 1000 * ($end{$job} - $begin{$job}) + 1;

    return number($query =~ s/\{/{job="$job",/r =~ s/\[\]/[$range]/r,
                  sprintf "%.3f", $end{$job});
}


# rate() shows what was sent in the second round.

sub rates {
    for my $job (@jobs) {
        my $seconds = $end{$job} - $begin{$job};
        my $wrong = "";

        for my $series (sort keys %sent) {
            my $sent = $sent{$series} - ($before{$series} // 0);
            my $rate = between($job, "rate($series\[])") // "none";

            $wrong .= "$series: $rate/s in $seconds s, not $sent\n"
                if $rate eq "none" || !near($rate * $seconds, $sent);
        }

        is $wrong, "", "$job: rate() has the numbers that were sent";
    }
}


sub near {
    my ($got, $expected) = @_;

    return abs($got - $expected) <= 0.001 * $expected;
}


# histogram_quantile() is the same as from the buckets of the text, and it is the
# time that the upstream took.

sub quantiles {
    for my $job (@jobs) {
        my $of = '{location="/pass"}';

        for my $metric (qw(enkod_answer_seconds enkod_pass_seconds)) {
            my %bucket = buckets($job, "$metric\_bucket$of");
            my $quantile = sub {
                between($job, "histogram_quantile($_[0], sum by (le)"
                              . " (rate($metric\_bucket$of\[])))");
            };

            for my $q (0.5, 0.9, 0.99) {
                my ($got, $expected) = ($quantile->($q), quantile($q, %bucket));

                ok near($got, $expected), "$job: the quantile $q of $metric"
                    or diag "$got, not $expected";
            }

            # a third of the subrequests of the second round was slow
            my ($bound) = grep { $_ >= max(@took) }
                               sort { $a <=> $b } keys %bucket;
            my $slow = $quantile->(0.9);

            cmp_ok $slow, ">", BELOW, "$job: it is in the bucket of "
                                      . SLOW . " seconds, or higher";
            cmp_ok $slow, "<=", $bound, "$job: it is not more than the client saw";
        }

        my $seconds = between($job, "increase(enkod_pass_seconds_sum$of\[])");

        cmp_ok $seconds, ">=", 0.999 * SLOW * @took,
               "$job: the sum has all slow subrequests";
        cmp_ok $seconds, "<=", 1.001 * sum(@took, between($job,
               "increase(enkod_answer_seconds_sum$of\[])")),
               "$job: and not more";
    }
}


# how much the buckets have grown between the rounds, by their bound

sub buckets {
    my ($job, $selector) = @_;

    my %bucket;

    for ([$end{$job}, 1], [$begin{$job}, -1]) {
        my ($time, $sign) = @$_;

        $bucket{ $_->{metric}{le} } += $sign * $_->{value}[1]
            for $prometheus->query($selector =~ s/\{/{job="$job",/r,
                                   sprintf "%.3f", $time);
    }

    return map { s/^\+//r => $bucket{$_} } keys %bucket;
}


# the quantile by linear interpolation in its bucket

sub quantile {
    my ($q, %bucket) = @_;

    my $rank = $q * $bucket{Inf};
    my ($from, $below) = (0, 0);

    for my $bound (sort { $a <=> $b } keys %bucket) {
        if ($bucket{$bound} >= $rank) {
            return $from if $bound eq "Inf";
            return $from + ($bound - $from)
                           * ($rank - $below) / ($bucket{$bound} - $below);
        }

        ($from, $below) = ($bound, $bucket{$bound});
    }
}


# Alerts fire for what has happened here, and those of the other kind do not.

sub alerts {
    my %firing;

    wait_for(sub {
        %firing = ();
        $firing{ $_->{labels}{alertname} } .= "$_->{annotations}{summary}; "
            for grep { $_->{state} eq "firing" && $_->{labels}{job} eq "enkod" }
                     $prometheus->alerts;

        $firing{EnkodWriteErrors} && $firing{EnkodFailed}
            && $firing{EnkodRefused};
    });

    my $instance = "127.0.0.1:$nginx->{port}";

    is $firing{EnkodWriteErrors}, "$instance cannot write /dev/full; ",
       "an alert about a file that cannot be written fires";
    like $firing{EnkodFailed}, qr/could not keep events: log_unavailable/,
       "an alert about events that are not kept fires";
    like $firing{EnkodRefused}, qr/were refused with wrong_type/,
       "an alert about refused events fires";

    is join(" ", grep { $firing{$_} }
                      qw(EnkodNodeDown EnkodNoNodes EnkodSilent EnkodSyncErrors
                         EnkodForbidden EnkodStuck)),
       "", "no alert fires about what has not happened";

    # each metric of the alerts is one that there is
    for my $metric (names(slurp($rules))) {
        ok $prometheus->query("{job=\"enkod\",__name__=\"$metric\"}"),
           "$metric of the alerts is a metric of enkod_status";
    }
}


sub names {
    my ($text) = @_;

    $text =~ s/^ *#.*//mg;

    my %name = map { $_ => 1 } $text =~ /\b(enkod_\w+)/g;

    return sort keys %name;
}


# Each query of the dashboard has data.

sub dashboard {
    my $d = JSON::PP->new->utf8->decode(slurp($dashboard));
    my %variable = map { $_->{name} => $_ } @{ $d->{templating}{list} };

    cmp_ok $d->{schemaVersion}, ">=", 42, "the dashboard has the current schema";

    my %value = (job => "enkod", instance => ".*", location => ".*",
                 __rate_interval => "1h", __range => "1h");
    my $fill = sub { $_[0] =~ s/\$(\w+)/$value{$1} \/\/ die "no \$$1"/ger };

    for my $name (grep { $_ ne "datasource" } sort keys %variable) {
        my ($selector, $label) = $variable{$name}{query}{query}
                                 =~ /^label_values\((.*), (\w+)\)$/;

        ok scalar(grep { defined $_->{metric}{$label} }
                       $prometheus->query($fill->($selector))),
           "the variable $name has values";
    }

    my %ids = map { $_->{id} => 1 } @{ $d->{panels} };

    is scalar keys %ids, scalar @{ $d->{panels} }, "each panel has its own id";

    for my $panel (@{ $d->{panels} }) {
        for my $query (map { $_->{expr} } @{ $panel->{targets} || [] }) {
            my @series = grep { $_->{value}[1] ne "NaN" }
                              $prometheus->query($fill->($query));

            ok scalar @series, "dashboard: $panel->{title}: $query";
        }
    }

    # an annotation marks what is rare: it has no data here
    for my $query (map { $_->{expr} // () } @{ $d->{annotations}{list} }) {
        ok eval { $prometheus->query($fill->($query)); 1 },
           "dashboard: the annotation is a query: $query" or diag $@;
    }
}
