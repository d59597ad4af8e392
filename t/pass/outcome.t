# What becomes of an event that is handed on: the sender gets a 200 only if the
# upstream has said so, in a complete answer; and however much that is, and
# whoever leaves meanwhile, nothing hangs and nothing is lost.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::Client;
use Enkod::HTTP2;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for now);

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

        limit_req_zone    $server_port  zone=slow:1m  rate=5r/s;
        proxy_cache_path  %DIR%/cache  keys_zone=cache:1m;

        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_connect_timeout  3600s;
        proxy_read_timeout     3600s;
        proxy_buffers          4 4k;
        proxy_buffer_size      4k;
        proxy_busy_buffers_size  4k;
END
        listen      127.0.0.1:%SECOND% http2;
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

        location = /first-success {
            enkod_webhook;
            enkod_pass  /to/proxy  success=$good_body;
            error_page  502 = @second-success;
        }

        location @second-success {
            enkod_webhook;
            enkod_pass  /to/other  success=$good_body;
        }

        location = /with-mirror {
            mirror      /mirror;
            enkod_webhook;
            enkod_pass  /to/length;
        }

        location = /mirror {
            internal;
            proxy_set_header  X-Length  $content_length;
            proxy_pass        http://127.0.0.1:%OTHER%;
        }

        location = /store {
            enkod_webhook;
            enkod_pass  /to/stored  success=$good_body;
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

        location = /to/no-temp-file {
            internal;
            proxy_max_temp_file_size  0;
            proxy_pass                http://back/;
        }

        location = /to/slowly {
            internal;
            proxy_limit_rate  200k;
            proxy_pass        http://back/;
        }

        location = /to/length {
            internal;
            proxy_set_header  X-Length  $content_length;
            proxy_pass        http://back;
        }

        location = /to/limited {
            internal;
            limit_req   zone=slow burst=20;
            proxy_pass  http://back;
        }

        location = /to/stored {
            internal;
            sendfile     on;
            proxy_store  %DIR%/stored;
            proxy_pass   http://back;
        }

        location = /to/cached {
            internal;
            %AIO%
            sendfile             off;
            output_buffers       1 4k;
            proxy_cache          cache;
            proxy_cache_methods  POST;
            proxy_cache_valid    200 1m;
            proxy_cache_key      $uri;
            proxy_pass           http://back;
        }

        location = /to/stale {
            internal;
            proxy_cache            cache;
            proxy_cache_methods    POST;
            proxy_cache_key        $uri;
            proxy_cache_use_stale  http_503;
            proxy_pass             http://back;
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

        # the second one has that long as well
        location @two-hangs {
            proxy_next_upstream  timeout non_idempotent;
            proxy_read_timeout   5s;
            proxy_pass           http://two;
        }
END

my %port = (CLOSED => free_port());
my %backend;

for my $name (qw(BACK OTHER)) {
    $port{$name} = free_port();
    $backend{$name} = Enkod::Backend->new(dir => $nginx->{dir},
                                          port => $port{$name});
}

for my $part (qw(http server)) {
    $nginx->{$part} =~ s/%(BACK|OTHER|CLOSED)%/$port{$1}/g;
}

my $aio = Enkod::Nginx::threads() ? "aio threads;" : "";
$nginx->{server} =~ s/%AIO%/$aio/;

my ($back, $other) = @backend{qw(BACK OTHER)};

$nginx->start;

statuses();
broken();
conditions();
large();
other_directives();
kept_alive();
no_lies();
next_upstream();
second_receiver();
both_sinks();
client_leaves();
failed_reload();
stops();

is($nginx->alerts("exited on signal 9|nowhere"), "", "nothing alarming is in the error log");

done_testing();


# The answer to an event, while the backend does as it is told.

sub try {
    my ($uri, $orders, $seconds) = @_;

    $back->tell($orders // "");

    my $answer = $nginx->post(event("t"), uri => $uri, seconds => $seconds);

    my ($code) = $answer->{body} =~ /"code":"(\w+)"/;
    $answer->{says} = join " ", $answer->{status}, $code // ();

    return $answer;
}


sub logged {
    return ($nginx->lines("logs/access.log"))[-1] // "";
}


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
                   "$status$body: its body stays behind");

            my $result = $expected{$status} eq "200" ? "accepted\\|" : "failed\\|"
                         . ($expected{$status} =~ s/^\d+ //r);

            ok(wait_for(sub {
                   logged() =~ /^$result\|$status\|$status\|\n/
               }), "$status$body: is in the access log");
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
           "another status has none");

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
       "an error_page of the webhook's location is used");

    my @messages = $nginx->error_log
                   =~ /enkod: ("\S+" did not take an event, its status was \d+)/g;

    is($messages[0], '"/to/$arg_to" did not take an event, its status was 300',
       "the error log has the first one");
    is($nginx->too_often("did not take an event"), "",
       "and for a minute no other");
}


# An answer that breaks off is no confirmation, whatever its status was.

sub broken {
    for my $to (qw(proxy unbuffered)) {
        for (["reset=1", "502 upstream_failed", "no answer"],
             ["garbage=1", "502 upstream_failed", "no HTTP"],
             ["hang=1", "504 upstream_timeout", "an answer that never comes"],
             ["body=abc&short=7", "502 upstream_failed",
              "an answer with too little body"],
             ["status=200&short=7", "502 upstream_failed", "an answer with no body"],
             ["big=100000&short=7", "502 upstream_failed",
              "a large answer that breaks off"],
             ["body=abc&chunked=1&short=1", "502 upstream_failed",
              "an answer in chunks without an end"],
             ["body=abc&chunked=1", "200", "an answer in chunks"],
             ["body=abc&close=1", "200", "an answer and no connection"],
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
       "success= holds, but the status is none of 2xx");

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
            unlike($answer->{head}, qr/^X-Evil/m, "$title$more: of one line");

            ok(wait_for(sub {
                   logged() =~ /\|\Q$seen\E\n/
               }), "$title$more: \$enkod_pass_response");
        }
    }
}


# However much the upstream answers, it goes through the target's buffers.

sub large {
    my $size = 30_000_000;

    for my $to (qw(proxy unbuffered no-temp-file)) {

        try("/by/?to=$to", "big=1000000");

        my $before = resident();

        is(try("/by/?to=$to", "big=$size", 10 * $Enkod::Wait::limit)->{says}, "200",
           "$to: a very large answer is read away");
        cmp_ok(resident() - $before, '<', 1024,
               "$to: it takes no memory")
            if !$Enkod::MemoryCheck::name;
    }

    my $answer = try("/by/?to=proxy", "body=x");
    is($answer->{says}, "200", "and the next one is fine");

    unlike($nginx->error_log, qr/buffered to a temporary file/,
           "nothing of it gets to the disk");

    my $start = now();
    is(try("/by/?to=slowly", "big=300000")->{says}, "200",
       "proxy_limit_rate: 200");
    cmp_ok(now() - $start, '>', 0.8, "proxy_limit_rate works");
}


# Directives of the target, and of the webhook, that delay a request, look at
# what is remembered of it, or have an answer in a file.

sub other_directives {
    $back->tell("");

    my @clients = map { $nginx->client } 1 .. 4;

    $_->send(Enkod::Client::request(event("l"), uri => "/by/?to=limited"))
        for @clients;

    is(join(" ", map { $_->status } @clients), "200 200 200 200",
       "limit_req of the target delays events, and that is all");

    $_->forget for $back, $other;
    is(try("/with-mirror", "")->{says}, "200", "with a mirror beside it: 200");
    $other->wait_requests(1);

    my ($ours) = $back->requests;
    my ($mirrored) = $other->requests;

    is($ours->{headers}{"x-length"}, length $ours->{body},
       "\$content_length is that of the event that is handed on");
    is($mirrored->{headers}{"x-length"}, length $mirrored->{body},
       "and in the mirror that of the client's body");

    $other->tell('body={"errors":false}');
    is(try("/first-success", 'body={"errors":true}')->{says}, "200",
       "success= of a second receiver looks at the second answer");

    is(try("/store", 'body={"errors":false}' . "x" x 20000)->{says}, "200",
       "success= sees an answer that proxy_store puts into a file");

    is(try("/by/?to=cached", "big=300000")->{says}, "200",
       "an answer that gets into a cache: 200");
    $back->forget;
    is(try("/by/?to=cached", "big=300000")->{says}, "502 upstream_failed",
       "an answer that is read from there is no confirmation");
    is(scalar(() = $back->requests), 0, "as nobody has got the event");

    is(try("/by/?to=stale", "header=X-Accel-Expires:%401&body=fine")->{says},
       "200", "an answer that gets into a cache and is stale at once: 200");
    $back->forget;
    is(try("/by/?to=stale", "status=503")->{says}, "502 upstream_failed",
       "it confirms nothing when the upstream has refused the next event");
    is(scalar(() = $back->requests), 1, "which it has");
}


# KiB

sub resident {
    my ($worker) = $nginx->workers;

    return (Enkod::Nginx::slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+)/m)[0];
}


sub kept_alive {
    for my $orders ("", "body=some", "big=50000", "body=some&chunked=1",
                    "status=400&body=no")
    {
        $back->tell($orders);
        try("/by/?to=proxy", $orders);
        $back->forget;

        my $client = $nginx->client;

        for (1 .. 20) {
            $client->send(Enkod::Client::request(event("k$_"),
                                                 uri => "/by/?to=proxy"));
            $client->read;
        }

        my %connection = map { $_->{n} => 1 } $back->requests;

        is(scalar(() = $back->requests), 20, "\"$orders\": 20 requests");
        is(scalar(keys %connection), 1, "\"$orders\": one connection for them");
    }
}


sub no_lies {
    for my $orders ("status=500", "status=503", "status=404&body=x",
                    "reset=1", "garbage=1")
    {
        like(try("/by/?to=lies", $orders)->{says}, qr/^50[23] upstream_/,
             "$orders: an error_page with =200 is no confirmation");
    }

    is(try("/by/?to=lies", "")->{says}, "200", "a good answer is one");

}


sub next_upstream {
    $other->tell("");

    for my $orders ("status=503", "reset=1", "hang=1") {
        $other->forget;

        my $uri = $orders =~ /hang/ ? "/two/hangs" : "/two";

        is(try($uri, $orders)->{says}, "200",
           "$orders: the next upstream takes it");

        my @got = $other->requests;

        is(scalar @got, 1, "$orders: once");
        is($got[0]{body}, ($back->requests)[-1]{body},
           "$orders: the same body is sent again");
    }
}


sub second_receiver {
    $other->tell("");
    $other->forget;

    is(try("/first", "status=500")->{says}, "200",
       "another receiver can step in by error_page");
    is(scalar(() = $other->requests), 1, "it has handed the event on");

    $other->tell("status=500");
    is(try("/first", "status=500")->{says}, "502 upstream_failed",
       "unless that fails, too");
    $other->tell("");
}


sub both_sinks {
    $back->forget;

    is(try("/both", "status=500")->{says}, "502 upstream_failed",
       "the line is written, the upstream fails: 502");
    is(scalar(() = $nginx->lines("both.jsonl")), 1, "the line is there");

    is(try("/both", "")->{says}, "200", "both are fine: 200");

    my @lines = $nginx->lines("both.jsonl");

    is(scalar @lines, 2, "there is a second line");
    is(($back->requests)[-1]{body} . "\n", $lines[1],
       "which the upstream has got, too");
}


# The event is accepted, so it is delivered, whether anybody waits or not.

sub client_leaves {
    my @ways = (
        ["half-closes", sub { $_[0]->shutdown }],
        ["closes", sub { $_[0]->close }],
        ["resets", sub { $_[0]->reset }]);

    for (@ways) {
        my ($title, $leave) = @$_;

        $back->tell("hold=1");
        $back->forget;

        my $client = $nginx->client;
        $client->send(Enkod::Client::request(event("gone"), uri => "/by/?to=proxy"));
        $back->wait_requests(1);
        $leave->($client);
        $nginx->settled;
        $back->release;

        is($client->status, 200, "a client that $title gets its answer")
            if $title eq "half-closes";

        ok(wait_for(sub { logged() =~ /^accepted\|\|204\|204/ }),
           "a client that $title: the event is delivered");
        spoil();
    }

    # and when another upstream has to be tried

    for my $way (qw(resets closes)) {

        $back->tell("hold=1&status=503");
        $other->tell("");
        $_->forget for $back, $other;

        my ($client, $h2, $stream);

        $h2 = Enkod::HTTP2->new($nginx->{second});
        (my $frames, $stream) = $h2->request(event("gone"), uri => "/two");
        $h2->send($frames);
        $back->wait_requests(1);

        if ($way eq "resets") {
            $h2->send(Enkod::HTTP2::frame(Enkod::HTTP2::RST_STREAM(), 0, $stream,
                                          pack "N", 8));
        } else {
            $h2->{client}->close;
        }

        $nginx->settled;
        $back->release;
        $other->wait_requests(1);

        is(scalar(() = $other->requests), 1,
           "an HTTP/2 client that $way: the next upstream is tried");
        ok(wait_for(sub {
               logged() =~ /^accepted\|\|204\|503, 204/
           }), "an HTTP/2 client that $way: the event is delivered");
        spoil();
    }

    # and when the upstream is in the middle of its answer

    $back->tell("big=200000&part=100000");
    $back->forget;

    my $h2 = Enkod::HTTP2->new($nginx->{second});
    my ($frames, $stream) = $h2->request(event("gone"), uri => "/by/?to=slowly");

    $h2->send($frames);
    $back->wait_requests(1);

    # the backend has sent the first part when it answers another request
    my $direct = Enkod::Client->new($port{BACK});
    $direct->send(Enkod::Client::request("", uri => "/?big=0&part=0"));
    is($direct->status, 204, "half of an answer comes");
    $nginx->settled;

    $h2->send(Enkod::HTTP2::frame(Enkod::HTTP2::RST_STREAM(), 0, $stream,
                                  pack "N", 8));
    $nginx->settled;
    $back->release;

    ok(wait_for(sub { logged() =~ /^accepted\|\|200\|200/ }),
       "a client that resets while the answer comes: the event is delivered");

    is(try("/by/?to=proxy", "")->{says}, "200", "and nginx is fine");
}


# so that the access log has another last line

sub spoil {
    try("/by/?to=nothing");
    wait_for(sub { logged() =~ /^failed/ });
}


# without the processes of the cache, which are children of the master as well

sub workers {
    return grep {
        Enkod::Nginx::slurp("/proc/$_/cmdline") =~ /: worker process/
    } $nginx->workers;
}


# A master that has read another configuration, and could not use it, makes its
# next worker from what it had.

sub failed_reload {
    my %was = map { $_ => $nginx->{$_} } qw(http server);

    $nginx->configure(http => "access_log nowhere/x.log;", server => "");
    $nginx->signal('HUP');

    ok(wait_for(sub { $nginx->error_log =~ /nowhere\/x\.log/ }),
       "a reload fails");

    $nginx->configure(%was);

    my ($old) = workers();
    kill 'KILL', $old;

    ok(wait_for(sub { grep { $_ != $old } workers() }),
       "another worker is made");

    is(try("/by/?to=proxy", "body=some")->{says}, "200",
       "and hands events on as the first one did");
}


sub stops {
    $back->tell("hold=1");
    $back->forget;

    my @clients = map { $nginx->client } 1 .. 20;

    $_->send(Enkod::Client::request(event("reload"), uri => "/both"))
        for @clients;
    $back->wait_requests(20);

    my @old = $nginx->workers;

    $nginx->signal('HUP');
    $nginx->leaving(@old);
    $back->release;

    is(join(" ", map { $_->status } @clients), join(" ", (200) x 20),
       "a reload waits for what is under way");

    @clients = map { $nginx->client } 1 .. 5;
    $_->send(Enkod::Client::request(event("quit"), uri => "/both"))
        for @clients;
    $back->wait_requests(25);

    my $pid = $nginx->{pid};
    @old = $nginx->workers;
    kill 'QUIT', $pid;
    $nginx->leaving(@old);
    $back->release;

    is(join(" ", map { $_->status } @clients), join(" ", (200) x 5),
       "so does a graceful stop");
    ok(wait_for(sub {
           $nginx->reap;
           !Enkod::Nginx::alive($pid);
       }), "nothing is left that would hold it");
}
