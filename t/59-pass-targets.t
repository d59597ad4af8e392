# Every kind of target of enkod_pass gets the same request, however the client's
# own got to the receiver, and an event counts as delivered only if the target
# has been sent all of it and has answered completely.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/lib";

use Test::More;

use Enkod::Backend;
use Enkod::Client;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Port qw(free_port);

my $slow = $Enkod::Nginx::slow;
my @protocols = qw(http fastcgi uwsgi scgi);

my %backend;
my ($targets, %port) = ("");

for my $kind (qw(fastcgi uwsgi scgi)) {
    for my $more ("", "-unbuffered") {
        my $options = $more ? "${kind}_buffering  off;" : "";

        $targets .= <<"END";
        location = /to/$kind$more {
            internal;
            $options
            ${kind}_param  REQUEST_METHOD  \$request_method;
            ${kind}_param  CONTENT_TYPE    \$content_type;
            ${kind}_param  CONTENT_LENGTH  \$content_length;
            ${kind}_param  URI             \$uri;
            ${kind}_param  BODY            \$request_body;
            ${kind}_param  LENGTH          \$request_length;
            ${kind}_pass   127.0.0.1:%\U$kind\E%;
        }
END
    }
}

my $nginx = Enkod::Nginx->create(workers => 1, http => <<'END',
        log_format  f  escape=none
            '$enkod_result|$enkod_error|$enkod_pass_status|$upstream_status';

        proxy_read_timeout  10s;
END
    server => <<"END");
        listen      127.0.0.1:%SECOND% http2;
        access_log  logs/access.log  f;

        location /by/ {
            enkod_webhook;
            enkod_log   lines.jsonl;
            enkod_pass  \$target;
        }

        # the ways of a request to a second receiver, which changes its method

        location = /error-page {
            set         \$target  /to/\$arg_to;
            enkod_webhook;
            enkod_pass  /to/nobody;
            error_page  502 /by/error-page;
        }

        location = /accel {
            set         \$target  /to/\$arg_to;
            proxy_pass  http://127.0.0.1:%HTTP%/accel?header=X-Accel-Redirect:/by/accel;
        }

        location = /rewritten {
            set      \$target  /to/\$arg_to;
            set      \$before  "\$request_method \$content_length \$request_length";
            rewrite  ^ /by/rewritten last;
        }

        location = /to/nobody {
            internal;
            proxy_pass  http://127.0.0.1:%CLOSED%;
        }

        location = /to/http {
            internal;
            proxy_set_header  X-Method    \$request_method;
            proxy_set_header  X-Length    \$content_length;
            proxy_set_header  X-Body      \$request_body;
            proxy_set_header  X-Request-Length  \$request_length;
            proxy_pass        http://127.0.0.1:%HTTP%;
        }

        location = /to/grpc {
            internal;
            grpc_set_header  X-Method    \$request_method;
            grpc_set_header  X-Body      \$request_body;
            grpc_pass  grpc://127.0.0.1:%SECOND%;
        }

        # what grpc_pass gets to

        location = /grpc {
            proxy_pass  http://127.0.0.1:%HTTP%;
        }

        $targets
END

$nginx->{server} =~ s/location = \/grpc/location = \/to\/grpc-server/;

for my $protocol (@protocols) {
    my $port = free_port();
    my $name = uc $protocol;

    $nginx->{server} =~ s/%$name%/$port/g;

    $backend{$protocol} = Enkod::Backend->new(dir => $nginx->{dir},
        port => $port, protocol => $protocol, name => $protocol);
}

$nginx->{server} =~ s/%CLOSED%/free_port()/ge;

$nginx->start;

kinds();

is($nginx->alerts("nothing"), "", "nothing alarming is in the error log");

done_testing();

sub kinds {
    for my $way (qw(rewritten error-page accel)) {
        for my $kind (@protocols) {
            my $at = $backend{$kind};
            $at->forget;
            my $answer = $nginx->post(event("k"), uri => "/$way?to=$kind");
            my ($got) = ($at->requests)[-1];
            my $line = ($nginx->lines("lines.jsonl"))[-1]; chomp $line;
            is($answer->{status}, 200, "$way, $kind");
            use Data::Dumper; diag "$way $kind ", Dumper($got, $answer->{body});
        }
    }
}
