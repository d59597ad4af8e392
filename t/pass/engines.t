# Each configuration in docs/examples for an engine sends to that engine the
# requests that its documentation asks for, for every event and any value, and
# distinguishes its good answers from bad ones, which often have status 200,
# too.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

use Enkod::Backend;
use Enkod::Command;
use Enkod::Example;
use Enkod::File;
use Enkod::Nginx;
use Enkod::Port qw(free_port);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $replay = $ENV{TEST_ENKOD_REPLAY} || "$top/build/enkod-replay";

my $json = JSON::PP->new->utf8->allow_bignum;
my $token = "replace-me-0f3a5f1d6f7c4be2a8d1";

my @events = map { Enkod::File::slurp($_) }
                 sort glob dirname(__FILE__) . "/../bodies/*.json";

is scalar @events, 8, "there are eight events";

# values that could be taken for the end of a string, a variable, the end of a
# line or another encoding
push @events, map { my ($name, $more) = @$_;
    qq({"event":"message open","message_id":123456789012345678901234567890,)
    . qq("message_uid":"u","sending_type":"instant","name":"$name",)
    . qq("from":"a\@example.com","to":"b\@example.com"$more}) }
    [ 'say \"hi\", \\\\ \/ \\\\\" \u005c\u0022}]}', '' ],
    [ join("", map { sprintf "\\u%04x", $_ } 0 .. 31, 127), '' ],
    [ '\b\f\n\r\t \\\\n \\\\u0041 %22 %0a + &a=1 ;# \'', '' ],
    [ "\xf0\x9f\x98\x80 \\ud83d\\ude00 \xf0\x90\x8d\x88 \xe2\x80\xa8"
      . "\xe2\x80\xa9 \xc2\x85 \xef\xbb\xbf \xd0\xa1\xd0\xb0", '' ],
    [ '$request_id $enkod_line ${enkod_to} $1 \u0024msec', '' ],
    [ '', ',"a \"b\" \\\\":{"c":[1,2.50,1e400,true,null,"\ud83d\ude00\u0000"]},'
          . '"pass_status":1,"received_at":"x","\u0000":-0.0' ],
    [ "n" x 20000, '' ];

# two events that are not built in
my @others = ('{"event":"contact adding","email":null,"phone":"1",'
              . '"groups_names":[],"groups_ids":[]}',
              '{"event":"contact adding","email":"\"<a>\"@example.com",'
              . '"groups_names":["a\"]","\u2028"],"groups_ids":[0,-1]}');

push @events, @others;


# The expected request: method, URI, headers (except Content-Length), and
# whether the body has the line.  The answers: good ones, and bad ones with the
# status that the sender gets, 502 if none is given.

my $refused = '{"error_code":40301,"message":"Not authorized"}';
my %kafka_headers = (
    "content-type" => "application/vnd.kafka.json.v2+json",
    accept => "application/vnd.kafka.v2+json, application/json",
    host => "kafka_rest");

my @engines = (
    {
        title => "Redis Streams", name => "redis-streams", port => 7379,
        method => "PUT", uri => "/XADD/enkod/*/line",
        headers => { host => "webdis", "content-type" => "application/json" },
        line => sub { $_[0] },
        good => [ ["200 OK", '{"XADD":"1795601397864-0"}'] ],
        bad => [
            ["200 OK", '{"XADD":[false,"OOM command not allowed when used'
                       . ' memory > \'maxmemory\'."]}'],
            ["200 OK", '{"GET":0,"XADD":"1-1"}'],
            ["200 OK", '{"XADD":"no id"}'],
            ["200 OK", '{"XADD":null}'],
            ["200 OK", ''],
            ["403 Forbidden", ''],
        ],
    },
    {
        title => "ClickHouse", name => "clickhouse", port => 8123,
        method => "POST",
        uri => qr{^/\?query=INSERT%20INTO%20enkod\.events%20FORMAT%20JSONEachRow
                  &async_insert=1&wait_for_async_insert=1&wait_end_of_query=1
                  &date_time_input_format=best_effort
                  &input_format_json_read_objects_as_strings=1
                  &input_format_skip_unknown_fields=0$}x,
        headers => { host => "clickhouse", "content-type" => "application/json",
                     "x-clickhouse-user" => "enkod",
                     "x-clickhouse-key" => "replace-me" },
        line => sub { $_[0] },
        good => [ ["200 OK", '',
                   'X-ClickHouse-Summary: {"written_rows":"1"}'] ],
        bad => [
            ["200 OK", '', "X-ClickHouse-Exception-Code: 241"],
            ["200 OK", "Code: 241. DB::Exception: Memory limit exceeded\n"],
            ["404 Not Found", "Code: 60. DB::Exception: no such table\n",
             "X-ClickHouse-Exception-Code: 60"],
        ],
        replays_lines => 1,
    },
    {
        title => "Kafka REST v2", name => "kafka-rest", port => 8082,
        method => "POST", uri => "/topics/enkod",
        headers => \%kafka_headers,
        line => sub {
            my ($body, $line) = @_;

            my $value = $json->decode($body);
            my ($id) = $line =~ /"request_id":"(\w+)"/;

            is_deeply $value, { records => [ { key => $id,
                                value => $json->decode($line) } ] },
                      "the body is what the documentation asks for";

            $body =~ /"value":(.*)\}\]\}$/s;
            return $1;
        },
        good => [ ["200 OK", '{"offsets":[{"partition":0,"offset":7,'
                             . '"error_code":null,"error":null}],'
                             . '"key_schema_id":null,'
                             . '"value_schema_id":null}'] ],
        bad => [
            ["200 OK", '{"offsets":[{"partition":null,"offset":null,'
                       . '"error_code":50003,"error":"not available"}],'
                       . '"key_schema_id":null,"value_schema_id":null}'],
            ["200 OK", ''],
            ["404 Not Found", '{"error_code":40401,"message":"no topic"}'],
        ],
    },
    {
        title => "Kafka REST v3", name => "kafka-rest", port => 8082,
        path => "/enkod/v3",
        method => "POST",
        uri => "/v3/clusters/replace-me/topics/enkod/records",
        headers => { %kafka_headers, "content-type" => "application/json" },
        line => sub {
            my ($body, $line) = @_;

            my $value = $json->decode($body);
            my ($id) = $line =~ /"request_id":"(\w+)"/;

            is_deeply $value, { key => { type => "STRING", data => $id },
                                value => { type => "JSON",
                                           data => $json->decode($line) } },
                      "the body is what the documentation asks for";

            $body =~ /"JSON","data":(.*)\}\}$/s;
            return $1;
        },
        good => [ ["200 OK", '{"error_code":200,"cluster_id":"replace-me",'
                             . '"topic_name":"enkod","partition_id":0,'
                             . '"offset":7,"timestamp":"2026-11-23T03:44:01Z",'
                             . '"value":{"type":"JSON","size":300}}'] ],
        bad => [
            ["200 OK", $refused],
            ["200 OK", '{"error_code":20001,"message":"no such code"}'],
            ["200 OK", ''],
            ["400 Bad Request", $refused],
        ],
        replay_is_elsewhere => 1,
    },
    {
        title => "Loki", name => "loki", port => 3100,
        method => "POST", uri => "/loki/api/v1/push",
        headers => { host => "loki", "content-type" => "application/json" },
        line => sub {
            my ($body, $line) = @_;

            my $event = $json->decode($line)->{event};
            my $value = $json->decode($body);
            my $entry = eval { $value->{streams}[0]{values}[0] } || [];
            my ($ns, $text) = @$entry;

            like $ns, qr/^\d{10}\d{3}000000$/, "the time is in nanoseconds";
            cmp_ok abs($ns / 1e9 - time), '<', 60, "the time is now";

            is_deeply $value, { streams => [ {
                                stream => { job => "enkod", event => $event },
                                values => [ [ $ns, $text ] ] } ] },
                      "the body is what the documentation asks for";

            utf8::encode($text);
            return $text;
        },
        good => [ ["204 No Content", ''] ],
        bad => [
            ["260 Blocked", "blocked"],
            ["200 OK", ''],
            ["400 Bad Request", "entry too far behind"],
        ],
    },
    {
        title => "Elasticsearch", name => "elasticsearch", port => 9200,
        method => "POST",
        uri => "/enkod/_bulk?filter_path=errors,items.*.status,"
               . "items.*.error.type",
        headers => { host => "elasticsearch",
                     "content-type" => "application/x-ndjson",
                     authorization => "ApiKey replace-me" },
        line => sub {
            my ($body, $line) = @_;

            my ($id) = $line =~ /"request_id":"(\w+)"/;
            my @lines = split /\n/, $body, -1;

            is scalar @lines, 3, "there are two lines";
            is $lines[2], "", "each line ends with a line feed";
            is_deeply $json->decode($lines[0]), { index => { _id => $id } },
                      "the first is what the documentation asks for";

            return $lines[1];
        },
        good => [ ["200 OK", '{"errors":false,"items":[{"index":'
                             . '{"status":201}}]}'],
                  ["200 OK", '{"errors":false,"items":[{"index":'
                             . '{"status":200}}]}'] ],
        bad => [
            ["200 OK", '{"errors":true,"items":[{"index":{"status":429,'
                       . '"error":{"type":"es_rejected_execution_exception"}}}'
                       . ']}'],
            ["200 OK", ''],
            ["401 Unauthorized", '{"error":{"type":"security_exception"}}'],
        ],
    },
);

# headers that a client may send and that must not reach an engine
my $noise = "Authorization: Basic eDp5\r\nCookie: a=b\r\n"
            . "X-Scope-OrgID: evil\r\nContent-Type: text/plain; charset=x\r\nAccept: text/html\r\n"
            . "X-ClickHouse-User: default\r\nIf-None-Match: *\r\n";

for my $engine (@engines) {
    subtest $engine->{title} => sub { try($engine) };
}

unknown_event_has_the_label_other();

done_testing;


# one of them: an nginx with its configuration as it is shipped, and another
# one without a spool

sub try {
    my ($e) = @_;

    $e->{path} ||= "/enkod";
    $e->{backend} = backend();

    $e->{nginx} = example($e);
    $e->{spoolless} = example($e, without => qr/^ *enkod_spool .*\n/m);

    takes_all_events($e);
    knows_the_answers($e);
    takes_a_replay($e);

    is $_->alerts, "", "the error log has no alerts"
        for @$e{qw(nginx spoolless)};

    $e->{backend}->stop;
}


sub example {
    my ($e, @more) = @_;

    return Enkod::Example->new(name => $e->{name},
                               http => "enkod_log lines.jsonl;\n",
                               servers => { $e->{port} => $e->{backend}{port} },
                               @more);
}


sub status {
    my ($e, $nginx, $event) = @_;

    return $nginx->post($event, headers => $noise,
                        uri => "$e->{path}?token=$token")->{status};
}


sub takes_all_events {
    my ($e) = @_;

    my %connections;

    answer($e->{backend}, @{ $e->{good}[0] });

    for my $event (@events) {
        is status($e, $e->{nginx}, $event), 200,
           "accepted: " . substr $event, 0, 100;

        my @requests = taken($e->{backend});
        my $line = last_line($e->{nginx});

        is scalar @requests, 1, "the engine gets one request";
        asked($e, $requests[0], $line);
        holds($line, $event);
        $connections{$_->{n}} = 1 for @requests;
    }

    is scalar keys %connections, 1, "all requests use one connection";
    is $e->{nginx}->content("spool.jsonl"), "", "the spool is empty";
}


sub knows_the_answers {
    my ($e) = @_;

    for my $good (@{ $e->{good} }) {
        answer($e->{backend}, @$good);
        is status($e, $e->{nginx}, $events[0]), 200, "good: @$good";
        is $e->{nginx}->content("spool.jsonl"), "",
           "a good answer: the event is not spooled";
    }

    is_bad($e, 502, $_) for @{ $e->{bad} };

    # answers that any server can give
    is_bad($e, 503, ["503 Service Unavailable", '', 'Retry-After: 7']);
    is_bad($e, 503, ["429 Too Many Requests", '']);
    is_bad($e, 504, ["504 Gateway Timeout", '']);
    is_bad($e, 502, ["500 Internal Server Error", '']);
    is_bad($e, 502, ["302 Found", '', "Location: /"]);
    is_bad($e, 502, [undef]);

    taken($e->{backend});
}


# that answer: the event is spooled, and where there is no spool it has failed

sub is_bad {
    my ($e, $failed, $answer) = @_;

    my ($nginx, $event) = ($e->{nginx}, $events[2]);
    my $known = () = $nginx->lines("spool.jsonl");

    answer($e->{backend}, @$answer);

    is status($e, $nginx, $event), 200,
       "bad: " . join " ", map { defined $_ ? $_ : "none" } @$answer;

    my @spool = $nginx->lines("spool.jsonl");
    my $status = defined $answer->[0] ? $answer->[0] =~ s/ .*//r : 502;

    is scalar @spool, $known + 1, "the event is spooled";
    is $spool[-1], last_line($nginx) =~ s/(?=,"event":)/,"pass_status":$status/r
                   . "\n",
       "the spool has its line, with the status";

    is status($e, $e->{spoolless}, $event), $failed,
       "without a spool: $failed";
}


# what is in the spool by now, with the command that the file has for it

sub takes_a_replay {
    my ($e) = @_;

    return if $e->{replay_is_elsewhere};

    my $nginx = $e->{nginx};
    my @spool = $nginx->lines("spool.jsonl");

    for my $bad (@{ $e->{bad} }) {
        answer($e->{backend}, @$bad);
        my ($status, $err) = drained($e);
        is $status, 1, "replay: not delivered: @$bad";
        like $err, qr/^enkod-replay: lines that are left: \d+\n\z/m,
             "replay: the failure is named";
        is $nginx->content("spool.jsonl"), "",
           "replay: the event is not spooled again";
    }

    taken($e->{backend});
    answer($e->{backend}, @{ $e->{good}[0] });
    is join(" ", drained($e)), "0 ", "replay: accepted";

    my @requests = taken($e->{backend});

    is scalar @requests, @spool, "replay: all events are sent";
    is join(" ", glob "$nginx->{dir}/spool.jsonl*"),
       "$nginx->{dir}/spool.jsonl", "replay: the file is removed";

    my $sent = $e->{replays_lines} ? $spool[-1] =~ s/"pass_status":\d+,|\n//gr
                                   : last_line($nginx);

    asked($e, $requests[-1], $sent);
}


# Runs the command that is in the configuration, which is the documented one;
# status and messages.

sub drained {
    my ($e) = @_;

    my $nginx = $e->{nginx};
    my $conf = Enkod::File::slurp("$top/docs/examples/$e->{name}.conf");
    my ($command) = $conf =~ /^    #     (enkod-replay (?:.*\\\n)*.*)/m
        or die "$e->{name}.conf has no command for the spool\n";

    $command =~ s/\s*\\\n\s*#\s*/ /g;

    ok index(Enkod::File::slurp("$top/docs/engines.md"), "$command\n") >= 0,
       "the command is in the documentation";

    $command =~ s{/var/log/enkod/}{$nginx->{dir}/};
    $command =~ s{/run/nginx\.pid}{$nginx->{dir}/logs/nginx.pid};
    $command =~ s{127\.0\.0\.1:8081}{127.0.0.1:$nginx->{second}};
    $command =~ s{^enkod-replay}{"$replay" --quiet};

    my ($status, $out, $err) = Enkod::Command::run($nginx->{dir}, "sh", "-c",
                                                   $command);

    return ($status, $err);
}


sub backend {
    return Enkod::Backend->new(dir => tempdir(TMPDIR => 1, CLEANUP => 1),
                               port => free_port());
}


# what it answers from now on: status, body and header, or nothing at all

sub answer {
    my ($backend, $status, $body, $header) = @_;

    return $backend->tell("reset=1") if !defined $status;

    my %do = (status => $status =~ s/ .*//r, body => $body, header => $header);

    $backend->tell(join "&", map { "$_=" . escaped($do{$_}) }
                             grep { length $do{$_} } sort keys %do);
}


sub escaped {
    my ($text) = @_;

    return $text =~ s/(\W)/sprintf "%%%02x", ord $1/ger;
}


# what it was asked since the last time

sub taken {
    my ($backend) = @_;

    my @requests = $backend->requests;
    $backend->forget;

    return @requests;
}


sub last_line {
    my ($nginx) = @_;

    my @lines = $nginx->lines("lines.jsonl");

    return @lines ? $lines[-1] =~ s/\n\z//r : "";
}


sub asked {
    my ($e, $request, $line) = @_;

    my %headers = %{ $request->{headers} || {} };
    my $length = delete $headers{"content-length"};

    is $request->{method}, $e->{method}, "by $e->{method}";

    if (ref $e->{uri}) {
        like $request->{uri}, $e->{uri}, "the URI is right";
    } else {
        is $request->{uri}, $e->{uri}, "the URI is right";
    }

    is_deeply \%headers, $e->{headers},
              "the request has these headers and no others";
    is $length, length($request->{body} || ""), "the length is right";
    is $e->{line}($request->{body}, $line), $line, "it has the line";
}


# Tests that the line has the values of the event.

sub holds {
    my ($line, $event) = @_;

    my $got = $json->decode($line);
    my $sent = $json->decode($event);
    my $extra = delete $got->{extra} || {};

    my %documented = map { $_ => 1 } qw(event message_id message_uid
        sending_type name from to error_message click_url email phone group_id
        group_name channel groups_names groups_ids);

    # the homoglyph
    $sent->{event} =~ s/^\x{441}/c/;

    my %extra = map { $_ => delete $sent->{$_} }
                    grep { !$documented{$_} } keys %$sent;

    delete @$got{qw(received_at request_id remote_addr test)};

    is_deeply [$got, $extra], [$sent, \%extra], "the line has the event";
}


# an unknown event name must not create a stream

sub unknown_event_has_the_label_other {
    my $backend = backend();

    my $nginx = Enkod::Example->new(name => "loki",
                                    http => "enkod_unknown_event accept;\n",
                                    servers => { 3100 => $backend->{port} });

    is $nginx->post('{"event":"\"x\", a\n"}',
                    uri => "/enkod?token=$token")->{status}, 200,
       "Loki: an unknown event";

    my ($request) = taken($backend);

    is $json->decode($request->{body})->{streams}[0]{stream}{event}, "other",
       "Loki: an unknown event has the label of unknown events";
}
