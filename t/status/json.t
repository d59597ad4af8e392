# enkod_status as JSON: its members, and the numbers are those that were sent.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use JSON::PP;
use Test::More;

use Enkod::Load qw(event refused_event);
use Enkod::Nginx;
use Enkod::StatusTest qw(status);
use Enkod::ViewTest;
use Enkod::Wait qw(wait_for);

my $threads = Enkod::NginxConf::threads();
my $sync = $threads ? "sync" : "";
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

my $nginx = Enkod::Nginx->new(
    workers => 2,
    http => qq(enkod_event "quote \\" backslash \\\\ tab \t событие" a=any;),
    server => <<"END");
server_name first.example.com second.example.com;
location = /enkod {
    enkod_webhook;
    enkod_log         events.jsonl  $sync;
    enkod_reject_log  refused.jsonl;
    enkod_events      "message open" "quote \\" backslash \\\\ tab \t событие";
}
location = "/pa\\"ss\xff" {
    enkod_webhook;
    enkod_unknown_event  accept;
    enkod_pass           /target;
    enkod_spool          spool.jsonl;
}
location = /target {
    return 502;
}
location = /status {
    enkod_status;
}
END


# before anything is sent

my $text = get($nginx, "/status")->{body};
my $json = eval { decode_json($text) };

like $text, qr/\A[^\n]+\n\z/, "the JSON is one line";
is ref $json, "HASH", "it is an object";

is join(" ", sort keys %$json),
   "files history nginx now receivers schema started_at version workers yajl zones",
   "it has its members";
is $json->{schema}, 1, "the schema has a number";
ok wait_for(sub { status($nginx)->{workers} == 2 }), "both workers count";
like $json->{$_}, $time, "$_ is a time" for qw(now started_at);
cmp_ok $json->{started_at}, "le", $json->{now}, "the start is before now";

my $version = $nginx->binary;
like `$version -v 2>&1`, qr/\Q$json->{nginx}\E/, "nginx is that version"
    if `$version -v 2>&1` =~ /nginx version: nginx\//;
like $json->{yajl}, qr/^2\.\d+\.\d+$/, "yajl is 2";

my ($enkod, $pass) = @{ $json->{receivers} };

is scalar @{ $json->{receivers} }, 2, "there are two receivers";
is_deeply [@$enkod{qw(server location)}], ["first.example.com", "/enkod"],
   "the first one has its names";
is $pass->{location}, "/pa\"ss\x{fffd}",
   "a byte that is not UTF-8 becomes U+FFFD";
is_deeply [sort keys %{ $enkod->{events} }],
          ["message open", "quote \" backslash \\ tab \t " . cyrillic()],
   "it has the events that it takes";
is scalar keys %{ $pass->{events} }, 10,
   "the other one takes all events, and other ones";
ok $pass->{events}{other}, "these are called other";

is_deeply $enkod->{events}{"message open"},
          { accepted => 0, spooled => 0, test => 0, duplicate => 0,
            last_at => undef }, "no event has come";
is_deeply [sort keys %{ $enkod->{refusals} }], [codes(4)],
   "there are the codes of refusals";
is_deeply [sort keys %{ $enkod->{failures} }], [codes(5)],
   "there are the codes of failures";
is join(" ", grep { $_ } map { values %$_ } @$enkod{qw(refusals failures)}), "",
   "there are no refusals and failures";
is_deeply [sort keys %$enkod],
          [qw(answer_seconds events failures location probes received_bytes
              refusals server waiting)], "a receiver has its members";
is_deeply [sort keys %$pass], [sort keys %$enkod, "pass"],
   "one with enkod_pass has one more";
is_deeply [sort keys %{ $pass->{pass} }],
          [qw(busy delivered failed seconds timeout)],
   "that has the outcomes";

histogram($enkod->{answer_seconds}, "answers");
histogram($pass->{pass}{seconds}, "passes");

my $history = $json->{history};

is_deeply [@$history{qw(step_seconds steps)}], [10, 360],
   "the history is an hour";
like $history->{end_at}, $time, "it has an end";
is_deeply $history->{receivers},
          [map { { server => $_->{server}, location => $_->{location},
                   events => {} } } $enkod, $pass],
   "series of zeros are left out";


# and afterwards

is $nginx->post(event("O-$_"), uri => "/enkod")->{status}, 200, "an event"
    for 1 .. 5;
is $nginx->post(test_event(), uri => "/enkod")->{status}, 200,
   "a test delivery";
is $nginx->post(refused_event("R-$_"), uri => "/enkod")->{status}, 422,
   "a refused one" for 1 .. 3;
is $nginx->post(event("S"), uri => "/pa%22ss%FF")->{status}, 200,
   "an event for the spool";
is $nginx->post('{"event":"o"}', uri => "/pa%22ss%FF")->{status}, 200,
   "an unknown event";

$json = status($nginx);
($enkod, $pass) = @{ $json->{receivers} };

my $open = $enkod->{events}{"message open"};

is_deeply [@$open{qw(accepted spooled test duplicate)}], [5, 0, 1, 0],
   "events and a test delivery are counted";
like $open->{last_at}, $time, "the last one has a time";
cmp_ok $open->{last_at}, "le", $json->{now}, "it is not in the future";
cmp_ok $open->{last_at}, "ge", $json->{started_at}, "nor before the start";
is $enkod->{refusals}{wrong_type}, 3, "refusals are counted";
is $pass->{events}{"message open"}{spooled}, 1, "the spool is counted";
is $pass->{events}{other}{spooled}, 1, "an unknown event is counted as other";

is $nginx->alerts, "", "the error log has no alerts";

done_testing();


sub histogram {
    my ($times, $name) = @_;

    is_deeply [sort keys %$times], [qw(buckets count sum)],
       "$name: a histogram has its members";
    is join(" ", map { $_->{le} // "null" } @{ $times->{buckets} }),
       "0.0001 0.00025 0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 "
       . "1 2.5 5 10 null", "$name: it has its bounds";
    is $times->{buckets}[-1]{count}, $times->{count},
       "$name: all are below the last one";
}


sub cyrillic {
    my $word = "событие";

    utf8::decode($word);

    return $word;
}
