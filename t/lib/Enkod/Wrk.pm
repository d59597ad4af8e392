package Enkod::Wrk;

# Sends the eight bodies of t/bodies as requests, by wrk or by a client of its
# own, with the same bytes, and checks the answers and the lines in a file.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(basename dirname);
use IO::Socket::INET;

use Enkod::Statistics qw(too_busy);

our @EXPORT_OK = qw(bodies write_requests connection exchange wrk_command
                    wrk_result all_accepted count_lines lines_are);

my $tests = dirname(__FILE__) . '/../..';


sub bodies {
    my @bodies = sort glob("\Q$tests\E/bodies/*.json");

    @bodies == 8 or die "t/bodies has not the eight bodies\n";

    return @bodies;
}


# Writes each request to a file whose path begins with $begin; returns the
# paths.

sub write_requests {
    my ($begin, $port, $uri) = @_;

    my @paths;

    for my $path (bodies()) {
        my $body = slurp($path);

        push @paths, "$begin." . basename($path) . '.request';

        open my $file, '>:raw', $paths[-1] or die "$paths[-1]: $!\n";
        print $file "POST $uri HTTP/1.1\r\n"
                    . "Host: 127.0.0.1:$port\r\n"
                    . "Content-Type: application/json\r\n"
                    . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
        close $file or die "$paths[-1]: $!\n";
    }

    return @paths;
}


sub connection {
    my ($port) = @_;

    return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
           || die "cannot connect to port $port: $@\n";
}


# Sends "n" requests one after the other.  Each has to get a 200 without a body.
# Returns the size of the last answer.

sub exchange {
    my ($socket, $n, @paths) = @_;

    my @requests = map { slurp($_) } @paths;
    my $size = 0;

    for my $i (0 .. $n - 1) {
        alarm 120;

        my $request = $requests[$i % @requests];
        my $answer = '';

        syswrite($socket, $request) == length $request
            or die "cannot send a request: $!\n";

        until ($answer =~ /\r\n\r\n/) {
            sysread $socket, $answer, 4096, length $answer
                or die "no answer to request $i of $paths[0]\n";
        }

        $answer =~ m{^HTTP/1\.1[ ]200[ ].*^Content-Length:[ ]0\r\n(?:.*\r\n)?
                     \r\n\z}msix
            or die "request $i of $paths[0] was answered by\n$answer\n";

        $size = length $answer;
    }

    alarm 0;

    return $size;
}


# the command of wrk, with one thread, for the requests in these files

sub wrk_command {
    my ($port, $connections, $seconds, @paths) = @_;

    return ('wrk', '-t', 1, '-c', $connections, '-d', "${seconds}s",
            '--timeout', '10s', '-s', "$tests/bench/requests.lua",
            "http://127.0.0.1:$port", '--', @paths);
}


# From the output of wrk: requests and bytes; latencies, in milliseconds; and
# the time that it took, in seconds.  Dies if an answer was an error.

sub wrk_result {
    my ($what, $said) = @_;

    my ($line) = $said =~ /^done (.*)$/m or die "wrk failed: $said\n";
    my %seen = map { split /=/ } split / /, $line;

    $seen{requests} > 0 or too_busy("$what: no request was done");
    $seen{status} == 0 or die "$what: $seen{status} of $seen{requests} answers"
                              . " were errors\n";
    $seen{other} == 0 or die "$what: $seen{other} connections failed\n";
    $seen{timeout} == 0 or too_busy("$what: $seen{timeout} answers took longer"
                                    . " than 10 s");

    return \%seen;
}


# The number of requests, from the summary of wrk.

sub all_accepted {
    my ($said) = @_;

    # the status of timeout(1)
    $? >> 8 == 124 and too_busy("wrk does not end");
    $? == 0 or die "wrk failed: $said\n";

    my ($others, $late) = $said =~ /^\s*Socket errors: (.*), timeout (\d+)$/m;

    $said !~ /Non-2xx/ && ($others // "") !~ /[1-9]/
        or die "not all events were accepted: $said\n";
    $late and too_busy("$late answers were late");

    my ($n) = $said =~ /(\d+) requests in/ or die "wrk said $said\n";

    return $n || too_busy("no request was done");
}


# The number of lines in a log, whose last line has to be complete.

sub count_lines {
    my ($log) = @_;

    open my $file, '<:raw', $log or die "cannot read $log: $!\n";

    my $lines = 0;
    my $last = "\n";

    while (sysread $file, my $data, 1 << 20) {
        $lines += $data =~ tr/\n//;
        $last = substr $data, -1;
    }

    $last eq "\n" or die "$log: the last line is not complete\n";

    return $lines;
}


# Dies unless the log has a line for each acknowledged event, and at most "more"
# lines of events whose senders did not wait for the answer.

sub lines_are {
    my ($log, $acknowledged, $more) = @_;

    my $lines = count_lines($log);

    $lines >= $acknowledged && $lines <= $acknowledged + $more
        or die "$acknowledged events were acknowledged, at most $more more"
               . " were on their way, and there are $lines lines in $log\n";

    return $lines;
}


sub slurp {
    my ($path) = @_;

    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;

    return <$file>;
}

1;
