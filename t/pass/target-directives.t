# Answers of an upstream that are large, and directives of the target that delay
# a request, limit its answer, or store or cache it.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::File;
use Enkod::Load qw(event);
use Enkod::MemoryCheck;
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::PassTest;
use Enkod::Wait qw(now);


my $nginx = Enkod::Nginx->create(level => "info", workers => 1,
    http => <<'END', server => <<'END');
        upstream back {
            server     127.0.0.1:%BACK%;
            keepalive  2;
        }

        map $enkod_pass_response $good_body {
            '~^\{\W+errors\W+false\W'  1;
            default                      0;
        }

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
        location /by/ {
            enkod_webhook;
            enkod_pass  /to/$arg_to;
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

        location = /to/proxy {
            internal;
            proxy_pass  http://back;
        }

        location = /to/unbuffered {
            internal;
            proxy_buffering  off;
            proxy_pass       http://back/;
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

        location = /to/other {
            internal;
            proxy_pass  http://127.0.0.1:%OTHER%;
        }
END

my ($back, $other) = backends($nginx, "BACK", "OTHER");

my $aio = Enkod::NginxConf::threads() ? "aio threads;" : "";
$nginx->{server} =~ s/%AIO%/$aio/;

$nginx->start;

large();
other_directives();
kept_alive();

is($nginx->alerts(), "",
   "the error log has no alerts");

done_testing();


# Large answers go through the buffers of the target.

sub large {
    my $size = 30_000_000;

    for my $to (qw(proxy unbuffered no-temp-file)) {

        try("/by/?to=$to", "big=1000000");

        my $before = resident();

        is(try("/by/?to=$to", "big=$size", 10 * $Enkod::Wait::limit)->{says}, "200",
           "$to: a very large answer is read and dropped");
        cmp_ok(resident() - $before, '<', 1024,
               "$to: a very large answer needs no memory")
            if !$Enkod::MemoryCheck::name;
    }

    my $answer = try("/by/?to=proxy", "body=x");
    is($answer->{says}, "200", "the next event is accepted");

    unlike($nginx->error_log, qr/buffered to a temporary file/,
           "nothing of the answer is written to a temporary file");

    my $start = now();
    is(try("/by/?to=slowly", "big=300000")->{says}, "200",
       "proxy_limit_rate: 200");
    cmp_ok(now() - $start, '>', 0.8, "proxy_limit_rate works");
}


# Directives of the target and of the webhook that delay a request, use its
# stored variables, or store the answer in a file.

sub other_directives {
    $back->tell("");

    my @clients = map { $nginx->client } 1 .. 4;

    $_->send(Enkod::Client::request(event("l"), uri => "/by/?to=limited"))
        for @clients;

    is(join(" ", map { $_->status } @clients), "200 200 200 200",
       "limit_req of the target delays events, and all are accepted");

    $_->forget for $back, $other;
    is(try("/with-mirror", "")->{says}, "200", "with a mirror: 200");
    $other->wait_requests(1);

    my ($ours) = $back->requests;
    my ($mirrored) = $other->requests;

    is($ours->{headers}{"x-length"}, length $ours->{body},
       "\$content_length is that of the event that is passed on");
    is($mirrored->{headers}{"x-length"}, length $mirrored->{body},
       "in the mirror, \$content_length is that of the client's body");

    $other->tell('body={"errors":false}');
    is(try("/first-success", 'body={"errors":true}')->{says}, "200",
       "success= of a second receiver looks at the second answer");

    is(try("/store", 'body={"errors":false}' . "x" x 20000)->{says}, "200",
       "success= sees an answer that proxy_store puts into a file");

    is(try("/by/?to=cached", "big=300000")->{says}, "200",
       "an answer that is stored in a cache: 200");
    $back->forget;
    is(try("/by/?to=cached", "big=300000")->{says}, "502 upstream_failed",
       "an answer from a cache is not a confirmation");
    is(scalar(() = $back->requests), 0, "the upstream has not got that event");

    is(try("/by/?to=stale", "header=X-Accel-Expires:%401&body=fine")->{says},
       "200", "an answer that is cached and is stale at once: 200");
    $back->forget;
    is(try("/by/?to=stale", "status=503")->{says}, "502 upstream_failed",
       "a stale answer does not confirm an event that the upstream has refused");
    is(scalar(() = $back->requests), 1, "the upstream has got that event");
}


# the memory of the worker in KiB

sub resident {
    my ($worker) = $nginx->workers;

    return (Enkod::File::slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+)/m)[0];
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
