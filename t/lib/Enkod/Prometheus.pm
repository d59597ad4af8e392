package Enkod::Prometheus;

# A Prometheus for one test, with its files in a temporary folder.  It is started
# and stopped as Enkod::Daemon says.
#
#     my $prometheus = Enkod::Prometheus->new(
#         targets => { enkod => "127.0.0.1:$port/metrics" },   # by job
#         rules   => "alerts.yml",
#     );                                  # or config => the text of its file
#
#     my @series = $prometheus->query('rate(x[1m])', $time);
#     my $number = $prometheus->number('sum(x)', $time);
#     my @alerts = $prometheus->alerts;
#
# A series is { metric => { label => value }, value => [time, number] }.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();

use Enkod::Daemon;
use Enkod::File qw(put);
use Enkod::Needs qw(need);

our @ISA = qw(Enkod::Daemon);

my $json = JSON::PP->new->utf8;


sub new {
    my ($class, %o) = @_;

    my $binary = need("prometheus", "prometheus");
    my $dir = tempdir("enkod-prometheus-XXXXXX", TMPDIR => 1, CLEANUP => 1);

    put("$dir/prometheus.yml", $o{config} // config(%o));

    return $class->SUPER::new(
        dir     => $dir,
        command => sub {
            return ($binary, "--config.file=prometheus.yml",
                    "--storage.tsdb.path=data",
                    "--web.listen-address=127.0.0.1:$_[0]");
        },
        ready => sub { (get({ port => $_[0] }, "/-/ready"))[0] eq "200" });
}


sub config {
    my (%o) = @_;

    my $rules = $o{rules} ? "rule_files: ['$o{rules}']\n" : "";
    my $jobs = "";

    for my $job (sort keys %{ $o{targets} }) {
        my ($address, $path) = $o{targets}{$job} =~ /^(.*?)(\/.*)/;

        $jobs .= <<"END";
  - job_name: $job
    metrics_path: $path
    static_configs: [{targets: ['$address']}]
END
    }

    return <<"END";
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
${rules}scrape_configs:
$jobs
END
}


# Returns the status and the body of an answer; the status is "" without one.

sub get {
    my ($self, $uri) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
                                       PeerPort => $self->{port})
        or return ("", "");

    print $socket "GET $uri HTTP/1.0\r\nHost: localhost\r\n\r\n";

    my $said = do { local $/; <$socket> } // "";
    my ($status, $body) = $said =~ /^HTTP\S+ (\d+).*?\r\n\r\n(.*)/s;

    return ($status // "", $body // "");
}


# the "data" of an answer of the API

sub api {
    my ($self, $path, %args) = @_;

    my $args = join "&", map { "$_=" . $args{$_} =~ s/([^\w.-])/sprintf "%%%02X", ord $1/ger }
                             grep { defined $args{$_} } sort keys %args;

    my ($status, $body) = $self->get("/api/v1/$path?$args");
    my $answer = eval { $json->decode($body) } || {};

    die "Prometheus: $path?$args: $status $body"
        if ($answer->{status} // "") ne "success";

    return $answer->{data};
}


sub query {
    my ($self, $query, $time) = @_;

    return @{ $self->api("query", query => $query, time => $time)->{result} };
}


# the only number of the result; undef if there is none

sub number {
    my ($self, $query, $time) = @_;

    my @series = $self->query($query, $time);

    die "$query has ", scalar @series, " series\n" if @series > 1;

    return @series ? $series[0]{value}[1] : undef;
}


# pending and firing alerts: { labels, annotations, state }

sub alerts {
    my ($self) = @_;

    return @{ $self->api("alerts")->{alerts} };
}

1;
