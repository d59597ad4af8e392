package Enkod::Example;

# An nginx with the configuration of docs/examples/NAME.conf.  Only what a test
# cannot use is changed: ports, addresses and timeouts of other servers, paths,
# the user and TLS.  A directive that is to be changed and is missing is an
# error, so that the file and its test cannot diverge.
#
#     my $nginx = Enkod::Example->new(
#         name    => "clickhouse",
#         servers => { 8123 => $port },   # instead of 127.0.0.1:8123
#         http    => "...",               # more directives
#         without => qr/^ *enkod_spool .*\n/m,
#         timeout => "1s",                # of the other servers
#     );
#
# Its events go to $nginx->{port}, those of enkod-replay to $nginx->{second}.

use strict;
use warnings;

use File::Basename ();

use Enkod::File;
use Enkod::Nginx ();

our @ISA = qw(Enkod::Nginx);

my $examples = File::Basename::dirname(__FILE__) . "/../../../docs/examples";


sub text {
    my ($self) = @_;

    my $conf = Enkod::File::slurp("$examples/$self->{name}.conf");

    my $change = sub {
        my ($what, $from, $to, $may) = @_;
        $conf =~ s/$from/$to/g || $may
            or die "$self->{name}.conf has no $what\n";
    };

    for my $name (qw(load_module user worker_processes pid)) {
        $change->($name, qr/^$name\s.*\n/m, "");
    }

    $change->("error_log", qr/^error_log\s.*\n/m,
              "error_log  logs/error.log $self->{level};\n");

    $change->("server",
              qr/^\s*listen\s+\K(?:443 ssl http2|127\.0\.0\.1:8080)(?=;)/m,
              "127.0.0.1:$self->{port}");
    $change->("server for enkod-replay",
              qr/^\s*listen\s+\K127\.0\.0\.1:8081(?=;)/m,
              "127.0.0.1:$self->{second}");
    $change->("TLS", qr/^\s*ssl_.*\n/m, "", 1);

    for my $port (keys %{ $self->{servers} }) {
        $change->("server on $port",
                  qr/^\s*server\s+\K127\.0\.0\.1:$port(?=;)/m,
                  "127.0.0.1:$self->{servers}{$port}");
    }

    # on a busy machine, another server must not time out
    my $timeout = $self->{timeout} || "3600s";
    $change->("timeout", qr/^\s*proxy_(?:connect|read)_timeout\s+\K\w+/m,
              $timeout, 1);

    $change->("path of a log", qr{/var/log/nginx/}, "logs/", 1);
    $change->("path of events", qr{/var/log/enkod/}, "$self->{dir}/");
    $change->("directive to leave out", $self->{without}, "")
        if $self->{without};

    my $more = $self->temp_paths . ($self->{http} || "");

    $change->("http", qr/^http \{\n\K/m, $more);

    return $self->preamble . $conf;
}

1;
