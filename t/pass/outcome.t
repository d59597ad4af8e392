# The outcome of an event that is passed on: the sender gets a 200 only if the
# upstream has confirmed the event, in a complete answer.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Nginx;
use Enkod::PassTest;
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);


my $nginx = Enkod::Nginx->create(level => "info", workers => 1,
    http => <<'END', server => <<'END');
        upstream back {
            server     127.0.0.1:%BACK%;
            keepalive  2;
        }

        upstream two {
            server  127.0.0.1:%BACK% max_fails=0;
            server  127.0.0.1:%OTHER% backup;
        }

        map $upstream_http_x_failed $good_header {
            ""       1;
            default  "";
        }

        map $enkod_pass_response $good_body {
            '~^\{\W+errors\W+false\W'  1;
            default                      0;
        }

        log_format  f  escape=none  '$enkod_result|$enkod_error|$enkod_pass_status|$upstream_status|$enkod_pass_response';

        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_connect_timeout  3600s;
        proxy_read_timeout     3600s;
        proxy_buffers          4 4k;
        proxy_buffer_size      4k;
        proxy_busy_buffers_size  4k;
END
        access_log  logs/access.log  f;

        location /by/ {
            enkod_webhook;
            enkod_pass  /to/$arg_to;
        }

        location = /header {
            enkod_webhook;
            enkod_pass  /to/proxy  success=$good_header;
        }

        location = /body {
            enkod_webhook;
            enkod_pass  /to/proxy  success=$good_body;
            add_header  X-Response  $enkod_pass_response  always;
        }

        location = /two {
            enkod_webhook;
            enkod_pass  @two;
        }

        location = /two/hangs {
            enkod_webhook;
            enkod_pass  @two-hangs;
        }

        location = /both {
            enkod_webhook;
            enkod_log   both.jsonl;
            enkod_pass  /to/proxy;
        }

        location = /first {
            enkod_webhook;
            enkod_pass  /to/proxy;
            error_page  502 504 = @second;
        }

        location @second {
            enkod_webhook;
            enkod_pass  /to/other;
        }

        location = /page {
            enkod_webhook;
            enkod_pass  /to/proxy;
            error_page  502 /sorry;
        }

        location = /sorry {
            internal;
            return  502  "sorry\n";
        }

        location = /to/proxy {
            internal;
            proxy_pass  http://back;
        }

        location = /to/unbuffered {
            internal;
            proxy_buffering  off;
            proxy_pass       http://back/;
        }

        location = /to/proxy/hangs {
            internal;
            proxy_read_timeout  1s;
            proxy_pass          http://back/;
        }

        location = /to/unbuffered/hangs {
            internal;
            proxy_read_timeout  1s;
            proxy_buffering     off;
            proxy_pass          http://back/;
        }

        location = /to/lies {
            internal;
            error_page             400 404 500 502 503 504 =200 /fine;
            proxy_intercept_errors  on;
            proxy_pass              http://back/;
        }

        location = /to/closed {
            internal;
            proxy_pass  http://127.0.0.1:%CLOSED%;
        }

        location = /to/other {
            internal;
            proxy_pass  http://127.0.0.1:%OTHER%;
        }

        location = /to/204 {
            internal;
            return  204;
        }

        location = /to/201 {
            internal;
            return  201;
        }

        location = /to/text {
            internal;
            return  200  "a text\n";
        }

        location = /to/444 {
            internal;
            return  444;
        }

        location = /to/408 {
            internal;
            return  408;
        }

        location = /to/file {
            internal;
            root  /nowhere;
        }

        location = /fine {
            return  200  "all is well\n";
        }

        location @two {
            proxy_next_upstream  error timeout http_503 non_idempotent;
            proxy_pass           http://two;
        }

        # the second upstream has the same timeout
        location @two-hangs {
            proxy_next_upstream  timeout non_idempotent;
            proxy_read_timeout   5s;
            proxy_pass           http://two;
        }
END

my ($back, $other) = backends($nginx, "BACK", "OTHER");

$nginx->{server} =~ s/%CLOSED%/free_port()/ge;

$nginx->start;

statuses();
broken();
conditions();
no_lies();
next_upstream();
second_receiver();
both_sinks();

is($nginx->alerts(), "",
   "the error log has no alerts");

done_testing();


sub statuses {
    my %expected = (
        (map { $_ => "200" } 200, 201, 202, 204, 299),
        (map { $_ => "502 upstream_failed" }
             300, 301, 302, 304, 307, 400, 401, 404, 408, 413, 422, 500, 501,
             502, 505, 599, 999),
        504 => "504 upstream_timeout", 429 => "503 upstream_busy",
        503 => "503 upstream_busy");

    for my $status (sort keys %expected) {
        for my $body ("", "&body=some%20text") {
            my $answer = try("/by/?to=proxy", "status=$status$body");

            is($answer->{says}, $expected{$status},
               "upstream's $status$body: $expected{$status}");
            unlike($answer->{body}, qr/some text/,
                   "$status$body: its body is not passed on");

            my $result = $expected{$status} eq "200" ? "accepted\\|" : "failed\\|"
                         . ($expected{$status} =~ s/^\d+ //r);

            ok(wait_for(sub {
                   logged() =~ /^$result\|$status\|$status\|\n/
               }), "$status$body: the access log has it");
        }
    }

    for (["status=503", 5], ["status=503&retry=17", 17], ["status=429&retry=3", 3],
         ["status=503&retry=Wed%2C%2021%20Oct%202026%2007:28:00%20GMT",
          "Wed, 21 Oct 2026 07:28:00 GMT"])
    {
        my ($orders, $expected) = @$_;
        my ($got) = try("/by/?to=proxy", $orders)->{head}
                    =~ /^Retry-After: (.*)\r$/m;

        is($got, $expected, "$orders: Retry-After is $expected");
    }

    unlike(try("/by/?to=proxy", "status=502&retry=9")->{head}, qr/Retry-After/,
           "an answer with another status has no Retry-After");

    my %target = (204 => "200", 201 => "200", text => "200",
                  closed => "502 upstream_failed", 444 => "502 upstream_failed",
                  408 => "502 upstream_failed", file => "502 upstream_failed",
                  nothing => "502 upstream_failed");

    for my $to (sort keys %target) {
        my $answer = try("/by/?to=$to");

        is($answer->{says}, $target{$to}, "a target that is $to: $target{$to}");
        is($answer->{body}, "", "$to: the answer is empty")
            if $target{$to} eq "200";
    }

    my $page = try("/page", "status=500");
    is("$page->{status} $page->{body}", "502 sorry\n",
       "error_page of the webhook's location is used");

    my @messages = $nginx->error_log
                   =~ /enkod: ("\S+" did not take an event, its status was \d+)/g;

    is($messages[0], '"/to/$arg_to" did not take an event, its status was 300',
       "the first failure is in the error log");
    is($nginx->too_often("did not take an event"), "",
       "later failures are not logged for a minute");
}


# An answer that breaks off is not a confirmation, whatever its status.

sub broken {
    for my $to (qw(proxy unbuffered)) {
        # nginx may use the closed connection once more, before it notices; so
        # the first is followed by one that fails in any case
        for (["body=abc&close=1", "200", "an answer, and then a closed connection"],
             ["reset=1", "502 upstream_failed", "no answer"],
             ["garbage=1", "502 upstream_failed", "an answer that is not HTTP"],
             ["hang=1", "504 upstream_timeout", "no answer"],
             ["body=abc&short=7", "502 upstream_failed",
              "an answer with too little body"],
             ["status=200&short=7", "502 upstream_failed", "an answer with no body"],
             ["big=100000&short=7", "502 upstream_failed",
              "a large answer that breaks off"],
             ["body=abc&chunked=1&short=1", "502 upstream_failed",
              "an answer in chunks without an end"],
             ["body=abc&chunked=1", "200", "an answer in chunks"],
             ["body=abc&long=7", "200", "an answer with too much body"])
        {
            my ($orders, $expected, $title) = @$_;
            my $hangs = $orders =~ /hang/ ? "/hangs" : "";

            is(try("/by/?to=$to$hangs", $orders)->{says}, $expected,
               "$to: $title: $expected");
        }
    }
}


sub conditions {
    is(try("/header", "")->{says}, "200", "success= holds");
    is(try("/header", "header=X-Failed:yes")->{says}, "502 upstream_failed",
       "success= does not hold, because of a header");
    is(try("/header", "status=400")->{says}, "502 upstream_failed",
       "success= holds, but the status is not 2xx");

    for (['{"errors":false}', "200"],
         ['{"errors":false}' . "x" x 3000, "200"],
         ['{"errors":true}', "502 upstream_failed"],
         ["", "502 upstream_failed"],
         ["a\r\nX-Evil: 1\r\n\r\n\x7f\0\tb\xc2\x9b\xe2\x80\xa8",
          "502 upstream_failed",
          'a\r\nX-Evil: 1\r\n\r\n\u007f\u0000\tb\u009b\u2028'],
         ["\xff\xc3(\xed\xa0\x80 \xd0\xb6\xf0\x9f\x98\x80\xf0\x9f",
          "502 upstream_failed",
          "\xef\xbf\xbd\xef\xbf\xbd(" . "\xef\xbf\xbd" x 3
          . " \xd0\xb6\xf0\x9f\x98\x80" . "\xef\xbf\xbd" x 2],
         ["x" x 5000 . '{"errors":false}', "502 upstream_failed"])
    {
        my ($body, $expected, $seen) = @$_;
        my $title = length($body) . " bytes that begin with "
                    . (substr($body, 0, 16) =~ s/[^ -~]/?/gr);

        $seen //= substr($body, 0, 4096) =~ s/"/\\"/gr;

        for my $more ("", "&chunked=1") {
            my $answer = try("/body", "body="
                             . ($body =~ s/(\W)/sprintf "%%%02x", ord $1/ger)
                             . $more);

            is($answer->{says}, $expected,
               "success= of $title$more: $expected");
            is(($answer->{head} =~ /^X-Response: (.*)\r$/m)[0] // "", $seen,
               "$title$more: as a header");
            unlike($answer->{head}, qr/^X-Evil/m,
                   "$title$more: the value has no line break");

            ok(wait_for(sub {
                   logged() =~ /\|\Q$seen\E\n/
               }), "$title$more: \$enkod_pass_response");
        }
    }
}


sub no_lies {
    for my $orders ("status=500", "status=503", "status=404&body=x",
                    "reset=1", "garbage=1")
    {
        like(try("/by/?to=lies", $orders)->{says}, qr/^50[23] upstream_/,
             "$orders: an error_page with =200 is not a confirmation");
    }

    is(try("/by/?to=lies", "")->{says}, "200",
       "with error_page =200, a good answer is a confirmation");

}


sub next_upstream {
    $other->tell("");

    for my $orders ("status=503", "reset=1", "hang=1") {
        $other->forget;

        my $uri = $orders =~ /hang/ ? "/two/hangs" : "/two";

        is(try($uri, $orders)->{says}, "200",
           "$orders: the next upstream takes it");

        my @got = $other->requests;

        is(scalar @got, 1, "$orders: the next upstream gets one request");
        is($got[0]{body}, ($back->requests)[-1]{body},
           "$orders: the same body is sent again");
    }
}


sub second_receiver {
    $other->tell("");
    $other->forget;

    is(try("/first", "status=500")->{says}, "200",
       "error_page can lead to another receiver");
    is(scalar(() = $other->requests), 1,
       "the other receiver has handed the event on");

    $other->tell("status=500");
    is(try("/first", "status=500")->{says}, "502 upstream_failed",
       "the event fails if the other receiver fails, too");
    $other->tell("");
}


sub both_sinks {
    $back->forget;

    is(try("/both", "status=500")->{says}, "502 upstream_failed",
       "the line is written and the upstream fails: 502");
    is(scalar(() = $nginx->lines("both.jsonl")), 1, "the log has the line");

    is(try("/both", "")->{says}, "200",
       "the line is written and the upstream confirms: 200");

    my @lines = $nginx->lines("both.jsonl");

    is(scalar @lines, 2, "the log has a second line");
    is(($back->requests)[-1]{body} . "\n", $lines[1],
       "the upstream has got the second line, too");
}
