# enkod_status for Prometheus: each line is parsed, and the numbers are those that
# were sent and those of the JSON.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Encode qw(encode);
use Test::More;

use Enkod::File qw(slurp);
use Enkod::Load qw(event refused_event);
use Enkod::Nginx;
use Enkod::StatusTest qw(status);
use Enkod::ViewTest;

my $threads = Enkod::NginxConf::threads();
my $sync = $threads ? "sync" : "";

# names that have to be escaped: a quote, a backslash, a line feed, Cyrillic, a
# byte that is not UTF-8
my $nginx = Enkod::Nginx->new(
    http => q(enkod_event "vendor \\\\ \"new\" событие" message_id=integer;)
            . qq(enkod_event "line\nfeed" a=any; enkod_event other a=any;),
    server => <<"END");
location = /enkod {
    enkod_webhook;
    enkod_log         events.jsonl;
    enkod_reject_log  refused.jsonl  $sync;
    enkod_events      "message open" "message sent" complaint "vendor \\\\ \\"new\\" событие"
                      "line\nfeed";
}
location = /pass {
    enkod_webhook;
    enkod_unknown_event  accept;
    enkod_pass           /target;
    enkod_spool          spool.jsonl;
}
location = /target {
    return 502;
}
location ~ "/re(g)ex\xff\\\\.\\"\$" {
    enkod_webhook;
    enkod_log  "quote\\".jsonl"  $sync;
}
location = /status {
    enkod_status;
}
END

my @location = (server => "_", location => "/enkod");


# what is there from the start

for my $openmetrics (0, 1) {
    my $metrics = metrics($nginx, $openmetrics);

    is_deeply $metrics->series("enkod_events_total"),
              { map { ($_ => 0) } events("/enkod", "accepted", "message open",
                    "message sent", "complaint", 'vendor \\ "new" событие',
                    "line\nfeed"),
                events("/pass", "accepted", qw(complaint other), built_in(),
                       'vendor \\ "new" событие', "line\nfeed"),
                events("/re(g)ex\xef\xbf\xbd\\.\"\$", "accepted", qw(complaint other), built_in(),
                       'vendor \\ "new" событие', "line\nfeed") },
       "each event that a location takes has been accepted 0 times";

    my $codes = $metrics->series("enkod_refusals_total");
    my $failures = $metrics->series("enkod_failures_total");

    is_deeply [grep { /location=\/enkod,/ } sort keys %$codes],
              [map { "code=$_,location=/enkod,server=_" } codes(4)],
       "each code of a refusal is there";
    is_deeply [grep { /location=\/enkod,/ } sort keys %$failures],
              [map { "code=$_,location=/enkod,server=_" } codes(5)],
       "each code of a failure is there";
    is join(" ", grep { $_ } values %$codes, values %$failures), "",
       "all of them are 0";

    is_deeply $metrics->series("enkod_last_event_timestamp_seconds"), {},
       "no event was the last one";
    is_deeply [sort keys %{ $metrics->series("enkod_pass_total") }],
              [map { "location=/pass,outcome=$_,server=_" }
                   qw(busy delivered failed timeout)],
       "the outcomes are those of the location with enkod_pass";

    is_deeply [sort grep { /^enkod_/ } keys %{ $metrics->{type} }],
              [sort map { $openmetrics ? s/_(?:total|info)$//r : $_ } documented()],
       "the metrics are those of the reference";
}


# what was sent is what is shown

my $began = time;

is $nginx->post(event("O-$_"), uri => "/enkod")->{status}, 200, "an event"
    for 1 .. 3;
is $nginx->post(test_event(), uri => "/enkod")->{status}, 200, "a test delivery";
is $nginx->post(q({"event":"vendor \\\\ \"new\" событие","message_id":1}),
                uri => "/enkod")->{status}, 200, "a declared event";
is $nginx->post(refused_event("R-$_"), uri => "/enkod")->{status}, 422,
   "a wrong one" for 1, 2;
is $nginx->post("{", uri => "/enkod")->{status}, 400, "no JSON";
is $nginx->post('{"event":"contact adding","email":"a"}', uri => "/enkod")
         ->{status}, 422, "an event that is not allowed";
is $nginx->post(event("P-$_"), uri => "/pass")->{status}, 200,
   "an event that goes to the spool" for 1 .. 4;
is $nginx->post('{"event":"whatever"}', uri => "/pass")->{status}, 200,
   "an unknown event";
is $nginx->post('{"event":"other","a":1}', uri => "/pass")->{status}, 200,
   "a declared event of the name for unknown ones";

for my $openmetrics (0, 1) {
    my $metrics = metrics($nginx, $openmetrics);
    my $events = $metrics->series("enkod_events_total");

    delete $events->{$_} for grep { $events->{$_} == 0 } keys %$events;

    is_deeply $events,
              { map { @$_ }
                [(events("/enkod", "accepted", "message open"))[0], 3],
                [(events("/enkod", "test", "message open"))[0], 1],
                [(events("/enkod", "accepted", 'vendor \\ "new" событие'))[0], 1],
                [(events("/pass", "spooled", "message open"))[0], 4],
                [(events("/pass", "spooled", "other"))[0], 2] },
       "events are counted by location, name and result";

    my $codes = $metrics->series("enkod_refusals_total");

    delete $codes->{$_} for grep { $codes->{$_} == 0 } keys %$codes;

    is_deeply $codes,
              { map { ("code=$_->[0],location=/enkod,server=_" => $_->[1]) }
                [wrong_type => 2], [invalid_json => 1],
                [event_not_allowed => 1] },
       "refusals are counted by code";

    my $last = $metrics->series("enkod_last_event_timestamp_seconds");

    is_deeply [sort keys %$last],
              [sort map { s/,result=.*?(?=,|$)//r }
                    events("/enkod", "", "message open",
                           'vendor \\ "new" событие'),
                    events("/pass", "", "message open", "other")],
       "the last event has a time where one was accepted";
    is join(" ", grep { $_ < $began - 1 || $_ > time + 1 } values %$last), "",
       "it is the present time";

    cmp_ok $metrics->value("enkod_start_time_seconds"), "<=", time + 1,
           "the start is a time";
    is $metrics->value("enkod_build_info", version => version(),
                       nginx => status($nginx)->{nginx},
                       yajl => status($nginx)->{yajl}), 1,
       "there are versions";

    compare($metrics, status($nginx));
}

is $nginx->alerts, "", "the error log has no alerts";

done_testing();


# The metrics are the same numbers as the JSON.

sub compare {
    my ($metrics, $json) = @_;

    my %want;

    for my $receiver (@{ $json->{receivers} }) {
        my @key = map { ($_ => utf8($receiver->{$_})) } qw(server location);

        for my $event (sort keys %{ $receiver->{events} }) {
            my $numbers = $receiver->{events}{$event};

            for (qw(accepted spooled test duplicate)) {
                want(\%want, "enkod_events_total", $numbers->{$_}, @key,
                     event => utf8($event), result => $_)
                    if $numbers->{$_} || $_ eq "accepted";
            }
        }

        for my $kind (qw(refusals failures)) {
            want(\%want, "enkod_${kind}_total", $receiver->{$kind}{$_}, @key,
                 code => $_) for keys %{ $receiver->{$kind} };
        }

        want(\%want, "enkod_probes_total", $receiver->{probes}, @key);
        want(\%want, "enkod_received_bytes_total", $receiver->{received_bytes},
             @key);
        want(\%want, "enkod_waiting_events", $receiver->{waiting}, @key);
        histogram(\%want, "enkod_answer_seconds", $receiver->{answer_seconds},
                  @key);

        my $pass = $receiver->{pass} or next;

        want(\%want, "enkod_pass_total", $pass->{$_}, @key, outcome => $_)
            for qw(delivered failed timeout busy);
        histogram(\%want, "enkod_pass_seconds", $pass->{seconds}, @key);
    }

    for my $file (@{ $json->{files} }) {
        my @key = (file => utf8($file->{file}), use => $file->{use});

        want(\%want, "enkod_file_${_}_total", $file->{$_}, @key)
            for qw(lines bytes writes write_errors),
                $file->{sync} ? qw(syncs sync_errors) : ();
        histogram(\%want, "enkod_file_sync_seconds", $file->{sync_seconds}, @key)
            if $file->{sync};
        want(\%want, "enkod_file_size_bytes", $file->{size_bytes}, @key);
    }

    my %got = map { (Enkod::Metrics::key($_->[0], $_->[1]) => 0 + $_->[2]) }
              grep { $_->[0] !~ /_free_bytes$|_timestamp_|_start_time|_build/ }
              @{ $metrics->{samples} };

    is_deeply \%got, \%want, "the numbers are those of the JSON";
}


sub want {
    my ($want, $name, $value, %label) = @_;

    $want->{Enkod::Metrics::key($name, \%label)} = $value;
}


sub histogram {
    my ($want, $name, $times, %label) = @_;

    for (@{ $times->{buckets} }) {
        my $le = $_->{le} // "+Inf";

        $le .= ".0" if $le =~ /^\d+$/;
        want($want, "${name}_bucket", $_->{count}, %label, le => $le);
    }

    want($want, "${name}_sum", $times->{sum}, %label);
    want($want, "${name}_count", $times->{count}, %label);
}


sub events {
    my ($location, $result, @names) = @_;

    return map { "event=$_,location=$location,result=$result,server=_" } @names;
}


sub built_in {
    return ("message sent", "delivery bounce", "message open",
            "message clicked", "mailing group subscribe",
            "mailing group unsubscribe", "contact adding");
}


sub documented {
    # these need an event, or a file that is synced
    return grep { $threads || !/_sync/ }
           grep { !/_last_event_/ }
           reference("Metrics") =~ /^\| `(enkod_\w+)` \|/mg;
}


sub version {
    return (slurp(dirname(__FILE__) . "/../../CHANGES")
            =~ /^Changes with \S+ (\S+)$/m)[0];
}


sub utf8 {
    return encode("UTF-8", $_[0]);
}
