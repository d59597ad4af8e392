# Every kind of target of enkod_pass gets the same request, however the client's
# own has got to the receiver, and an event counts as delivered only if the
# target has been sent all of it and has answered to the end.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/lib";

use Test::More;

use Enkod::Backend;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Port qw(free_port);

# what each kind is called, and what it needs besides
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

    $targets .= "location = /to/$kind { internal; $params $kinds{$kind} "
                . "${protocol}_pass $to; }\n";
}

my $nginx = Enkod::Nginx->create(workers => 1, http => <<'END',
        upstream back {
            server  127.0.0.1:%PROXY%;
        }
END
    server => <<"END");
        listen  127.0.0.1:%SECOND% http2;

        set  \$target  /to/\$http_x_to;

        location /by/ {
            enkod_webhook;
            enkod_log    lines.jsonl;
            enkod_pass   \$target;
            enkod_spool  spool.jsonl;
        }

        # ways of a request to a second receiver, which are a GET then

        location = /error-page {
            enkod_webhook;
            enkod_spool  off;
            enkod_pass   /to/nobody;
            error_page   502 /by/error-page;
        }

        location = /accel {
            proxy_pass  http://back/accel?header=X-Accel-Redirect:/by/accel;
        }

        # and with variables that were asked for before

        location = /asked {
            set      \$mine "\$request_method \$content_length \$request_body";
            rewrite  ^ /by/asked last;
        }

        location = /to/nobody {
            internal;
            proxy_pass  http://127.0.0.1:%CLOSED%;
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

for my $protocol (qw(proxy fastcgi uwsgi scgi)) {
    my $port = free_port();
    my $name = uc $protocol;

    $nginx->{$_} =~ s/%$name%/$port/g for qw(http server);

    $backend{$protocol} = Enkod::Backend->new(dir => $nginx->{dir},
        port => $port, name => $protocol,
        protocol => $protocol eq "proxy" ? "http" : $protocol);
}

$nginx->{server} =~ s/%CLOSED%/free_port()/ge;

$nginx->start;

same_request();

is($nginx->alerts, "", "nothing alarming is in the error log");

done_testing();


# An event of that size to a kind of target, by a way.

sub hand_on {
    my ($kind, %o) = @_;

    my $backend = $backend{$kind =~ s/-.*//r} || $backend{proxy};
    my $way = $o{way} || "/by/x";

    $backend->forget;

    my $answer = $nginx->post(event($kind, $o{size} || 0),
                              uri => $way, headers => "X-To: $kind\r\n");

    return ($answer->{status}, ($backend->requests)[-1] || {});
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
