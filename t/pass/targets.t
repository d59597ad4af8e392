# Every kind of target of enkod_pass gets the same request, however the client's
# request reached the receiver.  An event counts as delivered only if the whole
# event was sent to the target and the whole answer was received.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Port qw(free_port);

# the kinds of targets, and their additional directives
my %kinds = (proxy => "", "proxy-unbuffered" => "proxy_buffering off;",
             map { $_ => "", "$_-unbuffered" => "${_}_buffering off;" }
                 qw(fastcgi uwsgi scgi));

my @params = (["REQUEST_METHOD", '$request_method'],
              ["CONTENT_TYPE", '$content_type'],
              ["CONTENT_LENGTH", '$content_length'], ["URI", '$uri'],
              ["LENGTH", '$request_length'], ["BODY", '$request_body']);

my $targets = "";

for my $kind (sort keys %kinds) {
    my $protocol = $kind =~ s/-.*//r;
    my $params = join "", map {
        $protocol eq "proxy"
        ? "proxy_set_header X-" . ($_->[0] =~ s/_/-/r) . " $_->[1];\n"
        : "${protocol}_param $_->[0] $_->[1];\n" } @params;

    my $to = $protocol eq "proxy" ? "http://back" : "127.0.0.1:%\U$protocol\E%";

    my $pass = "$kinds{$kind} ${protocol}_pass $to;";

    $targets .= "location = /to/$kind { internal; $params $pass }\n";

    # without the body in a parameter, whose size is limited
    $params =~ s/.*_body;\n//;
    $targets .= "location = /to/large-$kind { internal; $params $pass }\n";
}

my $nginx = Enkod::Nginx->create(workers => 1, http => <<'END',
        upstream back {
            server  127.0.0.1:%PROXY%;
        }

        upstream two {
            server  127.0.0.1:%PROXY% max_fails=0;
            server  127.0.0.1:%OTHER% backup;
        }

        client_max_body_size  16m;
        enkod_max_event_size  16m;
        proxy_read_timeout    30s;
END
    server => <<"END");
        listen  127.0.0.1:%SECOND% http2;

        set  \$target  /to/\$http_x_to;

        location /by/ {
            enkod_webhook;
            enkod_log   lines.jsonl;
            enkod_pass  \$target;
        }

        location = /unlogged {
            enkod_webhook;
            enkod_pass  \$target;
        }

        # redirects to a second receiver, which change the method to GET

        location = /error-page {
            enkod_webhook;
            enkod_pass  /to/nobody;
            error_page  502 /by/error-page;
        }

        location = /accel {
            proxy_pass  http://back/accel?header=X-Accel-Redirect:/by/accel;
        }

        # variables that were evaluated before

        location = /asked {
            set      \$mine "\$request_method \$content_length \$request_body";
            rewrite  ^ /by/asked last;
        }

        location = /to/nobody {
            internal;
            proxy_pass  http://127.0.0.1:%CLOSED%;
        }

        location = /to/two {
            internal;
            proxy_next_upstream  error http_503 non_idempotent;
            proxy_pass           http://two;
        }

        # targets that limit the bodies of clients

        location = /to/small {
            internal;
            client_max_body_size  1k;
            proxy_pass            http://back;
        }

        location = /to/small-rewritten {
            internal;
            client_max_body_size  1k;
            rewrite               ^ /to/small last;
        }

        location = /to/small-tried {
            internal;
            try_files  /nothing  /to/small;
        }

        location = /to/small-accel {
            internal;
            rewrite     ^ /?header=X-Accel-Redirect:/to/small break;
            proxy_pass  http://back;
        }

        location \@small {
            client_max_body_size  1k;
            rewrite               ^ /to/small last;
        }

        location = /by-name {
            enkod_webhook;
            enkod_log   lines.jsonl;
            enkod_pass  \@small;
        }

        location = /to/grpc {
            internal;
            rewrite          ^ /grpc break;
            grpc_set_header  X-REQUEST-METHOD  \$request_method;
            grpc_set_header  X-CONTENT-LENGTH  \$content_length;
            grpc_set_header  X-LENGTH          \$request_length;
            grpc_set_header  X-BODY            \$request_body;
            grpc_pass        grpc://127.0.0.1:%SECOND%;
        }

        location = /grpc {
            proxy_pass  http://back;
        }

        $targets
END

my %backend;

for my $protocol (qw(proxy other fastcgi uwsgi scgi)) {
    my $port = free_port();
    my $name = uc $protocol;

    $nginx->{$_} =~ s/%$name%/$port/g for qw(http server);

    $backend{$protocol} = Enkod::Backend->new(dir => $nginx->{dir},
        port => $port, name => $protocol,
        protocol => $protocol =~ /gi$/ ? $protocol : "http");
}

$nginx->{server} =~ s/%CLOSED%/free_port()/ge;

$nginx->start;

same_request();
early();
broken();
size();

is($nginx->alerts, "", "the error log has no alerts");

done_testing();


# Sends an event of a size to a kind of target, through a location.

sub hand_on {
    my ($kind, %o) = @_;

    my ($protocol) = $kind =~ /(proxy|fastcgi|uwsgi|scgi)/;
    my $backend = $backend{$protocol // "proxy"};
    my $way = $o{way} || "/by/x";

    $backend->forget;

    my $answer = $nginx->post(event($kind, $o{size} || 0),
                              uri => $way, headers => "X-To: $kind\r\n");

    return ($answer->{status}, ($backend->requests)[-1] || {});
}


# An upstream that answers before the whole event is sent has not got it.

sub early {
    my $size = 6_000_000;

    for my $kind (sort keys %kinds) {
        my $backend = $backend{$kind =~ s/-.*//r};

        for (["status=204", 200], ["early=1&status=204", 502],
             ["early=1&body=fine", 502])
        {
            my ($orders, $expected) = @$_;

            $backend->tell($orders);
            is((hand_on("large-$kind", size => $size, way => "/unlogged"))[0],
               $expected, "$kind, a large event: $orders: $expected");
        }

        $backend->tell("");
    }

    $backend{proxy}->tell("early=1&status=503");
    $backend{other}->forget;
    is((hand_on("two", size => $size, way => "/unlogged"))[0], 200,
       "an early 503, and another upstream that gets the whole event: 200");

    my ($got) = $backend{other}->requests;

    cmp_ok($got->{length}, '>', $size,
           "the next upstream gets the whole event");
    $backend{proxy}->tell("");
}


# An answer that breaks off is not a confirmation.

sub broken {
    for my $kind (sort keys %kinds) {
        my ($protocol) = $kind =~ /^(\w+)/;

        for (["body=abc", 200], ["big=100000", 200], ["status=204", 200],
             ["body=abc&short=7", 502], ["status=200&short=7", 502],
             ["big=100000&short=7", 502],
             $protocol eq "fastcgi"
             ? (["body=abc&cut=1", 502], ["big=100000&cut=1", 502],
                ["status=200&cut=1", 502], ["status=204&cut=1", 502])
             : (["body=abc&cut=1", 200], ["big=100000&cut=1", 200]))
        {
            my ($orders, $expected) = @$_;

            $backend{$protocol}->tell("$orders&close=1");
            my ($status) = hand_on($kind, way => "/by/x");
            is($status, $expected, "$kind: $orders: $expected");
        }

        $backend{$protocol}->tell("");
    }
}


# What the receiver accepts can be passed on.

sub size {
    for my $kind (qw(small small-rewritten small-tried small-accel)) {
        my ($status, $got) = hand_on($kind, size => 3000, way => "/by/x");

        is($status, 200,
           "$kind: client_max_body_size does not apply to the event");
        is($got->{body}, last_line("lines.jsonl"),
           "$kind: the event is complete");
    }

    my ($status, $got) = hand_on("small", size => 3000, way => "/by-name");

    is($status, 200,
       "a named location: client_max_body_size does not apply to the event");
    is($got->{body}, last_line("lines.jsonl"), "the event is complete");
    is($got->{headers}{"content-length"}, length $got->{body},
       "its length is right");
}


sub last_line {
    my ($file) = @_;

    return (($nginx->lines($file))[-1] // "") =~ s/\n\z//r;
}


sub same_request {
    for my $way (qw(/by/x /asked /error-page /accel)) {
        for my $kind (sort keys %kinds, "grpc") {

            my ($status, $got) = hand_on($kind, way => $way);
            my $line = last_line("lines.jsonl");
            my $title = "$kind, by $way";

            my %param = %{ $got->{params} || {} };

            if (!$got->{params}) {
                $param{$_->[0]} = $got->{headers}{lc("x-$_->[0]") =~ s/_/-/r}
                    for @params;
            }

            is($status, 200, "$title: 200");
            is($got->{method}, "POST", "$title: the method");
            is($got->{body}, $line, "$title: the body is the line");
            is($got->{headers}{"content-length"}, length $line,
               "$title: its length");
            is($param{REQUEST_METHOD}, "POST", "$title: \$request_method");
            is($param{CONTENT_LENGTH}, length $line,
               "$title: \$content_length");
            is($param{LENGTH}, length $line, "$title: \$request_length");
            is($param{BODY}, $line, "$title: \$request_body");
        }
    }
}
