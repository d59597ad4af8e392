# enkod_reject_log: a body that is refused with 400 or 422 is written to a file,
# byte for byte, before the sender gets its answer; no other bodies are.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Encode ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Test::More;

use Enkod::Client;
use Enkod::HTTP2;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Preload;

my $json = JSON::PP->new->utf8;

# without threads, the same without "sync"
my $sync = Enkod::NginxConf::threads() ? "sync" : "";

my $nginx = Enkod::Nginx->create(
    level => "info", listen => "http2", http => <<'END',
        enkod_max_event_size  64k;

        log_format  e  escape=none  '$status $enkod_result $enkod_error';
END
    server => <<'END' =~ s/%SYNC%/$sync/gr);
        access_log  logs/access.log  e;

        location / {
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  r.jsonl;
        }

        location /sync {
            enkod_webhook;
            enkod_log         s.jsonl  %SYNC%;
            enkod_reject_log  rs.jsonl  %SYNC%;
        }

        location /strict {
            enkod_webhook;
            enkod_log           a.jsonl;
            enkod_reject_log    strict.jsonl;
            enkod_token         $arg_token  "t";
            enkod_events        complaint;
            enkod_max_event_size  1k;
        }

        location /off {
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  off;
        }

        location /mirrored {
            mirror            /mirror;
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  mirrored.jsonl;
        }

        location = /mirror {
            return 204;
        }

        location /page {
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  page.jsonl;
            error_page        422 = @page;
        }

        location /first {
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  /dev/full;
            error_page        503 = @second;
        }

        location @second {
            enkod_webhook;
            enkod_log         a.jsonl;
            enkod_reject_log  second.jsonl;
        }

        location @page {
            return 299;
        }
END

# without HTTP/2 on the same port, which older nginx cannot do
my $http1 = Enkod::Nginx->create(map { $_ => $nginx->{$_} }
                                     qw(level http server));

my $preload = Enkod::Preload->new("$http1->{dir}/preload");
$http1->{env} = $preload->env if $preload;

$_->start for $nginx, $http1;


sub lines {
    my ($file) = @_;

    my @lines = $http1->lines($file || "r.jsonl");

    return map { $json->decode($_) } @lines;
}


sub post {
    my ($body, %o) = @_;

    return $http1->post($body, %o);
}


# the line of a refusal

my $bad = '{"event":"message open","message_id":"4"}';

is post($bad)->{status}, 422, "a refused event gets its 422";

my ($text) = $http1->lines("r.jsonl");

like $text, qr/^\{"received_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                "request_id":"[0-9a-f]{32}","remote_addr":"127\.0\.0\.1",
                "status":422,"code":"wrong_type","field":"\/message_id",
                "body":"\{\\"event\\":\\"message\ open\\",
                \\"message_id\\":\\"4\\"\}"\}\n\z/x,
     "the refused event is one line in the file";

my @r = lines();
is $r[0]{body}, $bad, "the line has the body";


# each code, with a field if there is one

my $open = event("R-1");
my @bodies = (
    [400, "empty_body",        "", undef],
    [400, "empty_body",        " \r\n\t", undef],
    [400, "invalid_json",      "{\"event\":", undef],
    [400, "invalid_json",      "$open,", undef],
    [400, "invalid_utf8",      "{\"event\":\"\xff\xfe\"}", undef],
    [400, "invalid_utf8",      "{\"event\":\"\xed\xa0\x80\"}", undef],
    [400, "invalid_utf8",      "{\"event\":\"\xef\xf0\xe8\"}", undef],
    [400, "invalid_utf8",      "{\"event\":\"\xf4\x90\x80\x80\"}", undef],
    [400, "invalid_utf8",      "{\"event\":\"\xc0\x80\"}", undef],
    [400, "invalid_json",      "{\"event\":\"\xd0", undef],
    [400, "lone_surrogate",    '{"event":"\ud800"}', undef],
    [400, "duplicate_field",   '{"event":"message open","to":"a","to":"b"}',
                               "/to"],
    [400, "too_deep",          '{"a":' . "[" x 40, undef],
    [400, "too_many_fields",   "{" . join(",", map { "\"f$_\":1" } 1 .. 65)
                               . "}", undef],
    [422, "not_object",        "[1,2]", undef],
    [422, "missing_event",     '{"a":1}', undef],
    [422, "unknown_event",     '{"event":"\u0001 \"x\" \\\\"}', undef],
    [422, "missing_field",     '{"event":"complaint","message_id":1}', "/"],
    [422, "wrong_type",        '{"event":"complaint","to":null}', "/to"],
    [400, "invalid_json",      join("", map { chr } 0 .. 127), undef],
    [422, "unknown_event",
     "{\"event\":\"\xd0\x96 \xf0\x9f\x98\x80 \xe2\x80\xa8\"}", undef],
);

for my $case (@bodies) {
    my ($status, $code, $body, $field) = @$case;

    for my $o ({}, { chunked => [7, 1, 30] }, { uri => "/sync" },
               { uri => "/mirrored" })
    {
        my $file = ($o->{uri} || "") eq "/sync" ? "rs.jsonl"
                   : $o->{uri} ? "mirrored.jsonl" : "r.jsonl";
        my $n = lines($file);
        my $answer = post($body, %$o);

        my @now = lines($file);
        my $line = $now[-1];

        is scalar @now, $n + 1, "$code: one line is added";

        is $answer->{status}, $status,
           "$code: the answer has the status of the refusal";
        is $line->{status}, $status, "the line has the same status";
        is $line->{code}, $code, "the line has the code";

        my $kept = exists $line->{body_base64}
                   ? decode_base64($line->{body_base64})
                   : Encode::encode("UTF-8", $line->{body});

        ok $kept eq $body, "the line has the body, byte for byte";

        my $text = eval { Encode::decode("UTF-8", my $copy = $body,
                                         Encode::FB_CROAK); 1 };

        is !exists $line->{body_base64}, !!$text,
           "the body is text if it is valid UTF-8, and base64 otherwise";

        my $answered = $json->decode($answer->{body});

        is $line->{field}, $answered->{field},
           "the field is that of the answer";
    }
}


# a body in two pieces, with the error in the first

for my $uri ("/", "/sync") {
    my $client = $http1->client;
    my $body = "[" . "1234567890," x 2000 . "1]";
    my $request = Enkod::Client::request($body, uri => $uri);

    $client->send(substr $request, 0, 300);
    $client->taken;
    $client->send(substr $request, 300);

    is $client->status, 422, "a long body in pieces is refused";
    is((lines($uri eq "/" ? "r.jsonl" : "rs.jsonl"))[-1]{body}, $body,
       "the rest of the body after the error is kept, too");
}


# a body that a mirror has read into a temporary file

{
    my $body = "[" . "1234567890," x 9000 . "1]";
    $body = substr($body, 0, 60000) . "]";

    is post($body, uri => "/mirrored")->{status}, 422,
       "a body in a temporary file is refused";
    is((lines("mirrored.jsonl"))[-1]{body}, $body, "the body is kept");
}


# HTTP/2

{
    my $h2 = Enkod::HTTP2->new($nginx->{port});
    my $body = '{"event":"message open","message_id":[1,2,3]}';
    my ($out, $stream) = $h2->request($body, split => 5);

    $h2->send($out);
    $h2->wait_for($stream);

    is $h2->{answers}{$stream}, 422, "over HTTP/2 a body is refused";

    my ($line) = map { $json->decode($_) } $nginx->lines("r.jsonl");
    is $line->{body}, $body, "the body is kept";
}


# requests that leave no line

{
    my $n = lines("strict.jsonl");

    is post($bad, uri => "/strict")->{status}, 403, "a wrong token";
    is post($bad, uri => "/strict?token=t", method => "PUT")->{status}, 405,
       "a method that is not allowed";
    is post($bad, uri => "/strict?token=t",
            headers => "Content-Encoding: gzip\r\n")->{status}, 415,
            "an encoded body";
    # over HTTP/2, curl does not show the status if the upload is cut off
    is post("x" x 2000, uri => "/strict?token=t", close => 1)->{status}, 413,
       "a body that is too large";
    is post(" " x 2000, uri => "/strict?token=t", chunked => [100])->{status},
       413, "a body that grows too large";
    is post("", uri => "/strict?token=t", method => "GET")->{status}, 200,
       "a probe";

    is scalar lines("strict.jsonl"), $n,
       "refusals with other statuses have no line";

    is post($open, uri => "/strict?token=t")->{status}, 422, "422:";
    is((lines("strict.jsonl"))[-1]{code}, "event_not_allowed",
       "an event that is not allowed has a line");

    $n = lines();
    is post($open)->{status}, 200, "an accepted event";
    is scalar lines(), $n, "an accepted event has no line";

    is post($bad, uri => "/off")->{status}, 422, "\"off\": the answer is a 422";
    is scalar lines(), $n, "with \"off\", there is no line";
}


# a body that is refused and then grows too large; with early reading, its size
# is found first

SKIP: {
    skip "it is too large before it is wrong", 3 if $Enkod::Protocol::early_read;

    my $body = "x" . "y" x 5000;
    my $answer = post($body, uri => "/strict?token=t", chunked => [300]);

    is $answer->{status}, 400, "a body that is wrong before it is too large";

    my $line = (lines("strict.jsonl"))[-1];
    is $line->{code}, "invalid_json", "the body has a line";
    is $line->{body}, substr($body, 0, 1024),
       "the line has as many bytes of the body as an event may have";
}


# an error_page

{
    is post($bad, uri => "/page")->{status}, 299, "an error_page for 422";
    is((lines("page.jsonl"))[-1]{body}, $bad,
       "the line has the body all the same");
}


# a refusal that a second receiver keeps

{
    is post($bad, uri => "/first")->{status}, 422,
       "a refusal that is kept by way of an error_page gets its 422";
    is((lines("second.jsonl"))[-1]{body}, $bad, "the second file has the line");
}


# a line that cannot be written

SKIP: {
    skip "no compiler for the disk to be full with", 12 if !$preload;

    $http1->put("logs/access.log", "");

    for my $uri ("/", "/sync") {
        my $file = $uri eq "/" ? "r.jsonl" : "rs.jsonl";
        my $n = lines($file);

        $preload->on_write("full");
        my $answer = post($bad, uri => $uri);
        $preload->on_write("none");

        is $answer->{status}, 503, "a refusal that cannot be kept gets a 503";
        like $answer->{body}, qr/"code":"log_unavailable"/,
             "the code is log_unavailable";
        like $answer->{head}, qr/^Retry-After: 5\r$/m, "there is a Retry-After";
        is scalar lines($file), $n, "no line is written";

        is post($bad, uri => $uri)->{status}, 422,
           "when there is space again, the answer is 422";
        is scalar lines($file), $n + 1, "the refusal has a line";
    }
}


# a client that leaves before its answer

{
    my $n = lines();

    $http1->frozen(sub {
        my $client = $http1->client;
        $client->send(Enkod::Client::request($bad));
        $client->reset;
    });

    is post($bad)->{status}, 422, "a refusal after a client that has left";
    cmp_ok scalar lines(), "<=", $n + 2, "each refusal has one line at most";
}


# enkod-check accepts all of these files

SKIP: {
    my $check = $ENV{TEST_ENKOD_CHECK};
    skip "no enkod-check", 1 if !$check;

    my @files = map { quotemeta } glob "$http1->{dir}/*.jsonl";
    my $out = `\Q$check\E @files 2>&1`;

    is $?, 0, "enkod-check finds no defect in the files" or diag $out;
}


# configuration

refused("enkod_reject_log;", qr/number of arguments in "enkod_reject_log"/,
        "an enkod_reject_log without a path");
refused("enkod_reject_log r.jsonl if=1;",
        qr/invalid parameter "if=1" in "enkod_reject_log", only "sync" may/,
        "a condition");
refused("enkod_reject_log r.jsonl; enkod_reject_log q.jsonl;",
        qr/"enkod_reject_log" directive is duplicate/, "a second one");
refused("enkod_reject_log off; enkod_reject_log q.jsonl;",
        qr/"enkod_reject_log" directive is duplicate/, "one after \"off\"");
refused("enkod_reject_log off sync;",
        qr/"enkod_reject_log" directive must stand alone if it is "off"/,
        "\"off\" with sync");
refused("enkod_reject_log r-\$host.jsonl;",
        qr/invalid path "r-\$host.jsonl" in "enkod_reject_log", it must be/,
        "a path with a variable");
refused("enkod_reject_log r.jsonl; server { enkod_reject_log r.jsonl sync; }",
        qr/conflicting "sync" in "enkod_reject_log", "r.jsonl" is used elsewhe/,
        "one path without and with sync") if $sync;
refused("enkod_reject_log nowhere/r.jsonl;",
        qr/nowhere\/r\.jsonl" failed \(2: No such file/,
        "a path in a folder that does not exist");

my @levels = Enkod::Nginx->create(
    http => "enkod_reject_log http.jsonl;", server => <<'END')->start;
        enkod_log off;

        location / {
            enkod_webhook;
        }

        location /own {
            enkod_webhook;
            enkod_reject_log  own.jsonl;
        }
END

$levels[0]->post($bad);
$levels[0]->post($bad, uri => "/own");

is scalar(my @inherited = $levels[0]->lines("http.jsonl")), 1,
   "a location inherits its enkod_reject_log";
is scalar(my @own = $levels[0]->lines("own.jsonl")), 1,
   "a location's own enkod_reject_log replaces the inherited one";

is $http1->alerts . $nginx->alerts . $levels[0]->alerts, "",
   "the error log has no alerts";

ok $_->stop('QUIT'), "nginx ends" for $http1, $nginx, @levels;

done_testing;
