package Enkod::Prometheus;

# A Prometheus for one test, on a free port of 127.0.0.1, with its files in a
# temporary folder.  The constructor starts it; it is stopped when the test
# ends.
#
#     my $prometheus = Enkod::Prometheus->new(
#         targets => { enkod => "127.0.0.1:$port/metrics" },   # by job
#         rules   => "alerts.yml",
#     );
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
use POSIX ();

use Enkod::File qw(put slurp);
use Enkod::Needs qw(need);
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

my $json = JSON::PP->new->utf8;
my $owner = $$;
my @all;


END {
    if ($$ == $owner) {
        my $rc = $?;
        $_->stop for @all;
        $? = $rc;
    }
}


sub new {
    my ($class, %o) = @_;

    my $self = bless { %o }, $class;

    $self->{binary} = need("prometheus", "prometheus");
    $self->{dir} = tempdir("enkod-prometheus-XXXXXX", TMPDIR => 1, CLEANUP => 1);

    push @all, $self;

    for my $try (1 .. 5) {
        $self->{port} = free_port();

        return $self if $self->start;

        die "Prometheus did not start: $self->{why}"
            if $self->{why} !~ /address already in use/ || $try == 5;
    }
}


sub config {
    my ($self) = @_;

    my $rules = $self->{rules} ? "rule_files: ['$self->{rules}']\n" : "";

    my $jobs = "";

    for my $job (sort keys %{ $self->{targets} }) {
        my ($address, $path) = $self->{targets}{$job} =~ /^(.*?)(\/.*)/;

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


sub start {
    my ($self) = @_;

    my $log = "$self->{dir}/log";

    put("$self->{dir}/prometheus.yml", $self->config);

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);
        $ENV{GOMAXPROCS} = 2;

        chdir $self->{dir};
        open STDIN, "<", "/dev/null";
        open STDOUT, ">", $log;
        open STDERR, ">&", \*STDOUT;

        exec $self->{binary}, "--config.file=prometheus.yml",
             "--storage.tsdb.path=data", "--web.enable-lifecycle",
             "--web.listen-address=127.0.0.1:$self->{port}"
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $self->{why} = "";

    my $up = wait_for(sub {
        if (waitpid($pid, POSIX::WNOHANG()) == $pid) {
            delete $self->{pid};
            return $self->{why} = slurp($log) || "it has ended";
        }

        return ($self->get("/-/ready"))[0] eq "200";
    });

    $self->{why} ||= "too slow: " . slurp($log) if !$up;

    return $self->{why} eq "";
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    kill 'TERM', $pid;
    wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid })
        || (kill('KILL', $pid) && waitpid $pid, 0);
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
