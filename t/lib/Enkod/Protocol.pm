package Enkod::Protocol;

# The protocol of requests for which it does not matter: HTTP/1.1, which the
# clients of the tests speak themselves, or http/2 or http/3 if
# TEST_ENKOD_PROTOCOL says so.  These two are left to curl (TEST_ENKOD_CURL), on
# a port of their own:
#
#     listen($port)       directives for server {}
#     goes(@headers)      true if curl can send a request with these headers
#     curl($port, $uri, method => ..., headers => [ ... ], body => ...,
#          unsized => 1, seconds => ...)
#                         what curl -i prints; "unsized" announces no length,
#                         "seconds" sets a time limit and allows one try only
#
# run() runs curl with any options.
#
# With TEST_ENKOD_EARLY_READ, nginx (1.31.5 or newer) reads the body of each
# request before it chooses the location; $early_read is the directive for http
# {}, or "".

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Temp ();
use POSIX ();

use Enkod::Wait;

# curl's exit status
use constant TIMED_OUT => 28;

my $protocol = $ENV{TEST_ENKOD_PROTOCOL} || "http/1.1";

my $by_curl = $protocol ne "http/1.1";

my %option = ("http/2" => ["--http2-prior-knowledge", "http"],
              "http/3" => ["--http3-only", "-k", "https"]);

our $early_read = $ENV{TEST_ENKOD_EARLY_READ} ? "client_body_early_read 1;"
                                              : "";

die "TEST_ENKOD_PROTOCOL: $protocol" if $by_curl && !$option{$protocol};

my @options = @{ $option{$protocol} || [] };
my $scheme = pop @options;


sub listen {
    my ($port) = @_;

    return "" if !$by_curl;

    if ($protocol eq "http/2") {
        # nginx warns of "listen ... http2" from 1.25.1 on, where "http2 on"
        # begins
        return http2_directive() ? "listen 127.0.0.1:$port; http2 on;"
                                 : "listen 127.0.0.1:$port http2;";
    }

    # reuseport: all packets of a connection go to one worker
    return "listen 127.0.0.1:$port quic reuseport; " . certificate();
}


sub http2_directive {
    # a fork prints its own version first
    my ($minor, $patch) = `"$ENV{TEST_NGINX_BINARY}" -V 2>&1`
                          =~ /^nginx version: \w+\/1\.(\d+)\.(\d+)/m;

    return $minor > 25 || ($minor == 25 && $patch >= 1);
}


sub certificate {
    my $path = dirname($ENV{TEST_NGINX_SERVROOT}) . "/quic";

    if (!-s "$path.crt") {
        system("openssl req -x509 -newkey ec"
               . " -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650"
               . " -subj /CN=localhost -keyout '$path.key' -out '$path.crt'"
               . " 2>/dev/null") == 0
            or die "openssl cannot make a certificate\n";
    }

    return "ssl_certificate $path.crt; ssl_certificate_key $path.key;";
}


sub goes {
    my (@headers) = @_;

    return $by_curl
           && !grep { /^(?:Connection|Content-Length|Expect|Host|Keep-Alive|TE
                         |Transfer-Encoding|Upgrade)\b/xi } @headers;
}


sub curl {
    my ($port, $uri, %o) = @_;

    my $method = $o{method} || "POST";
    my @args = (@options, "--path-as-is", "-g", "-H", "User-Agent:",
                "-H", "Accept:");

    push @args, $method eq "HEAD" ? "-I" : ("-X", $method);

    # an empty value is written with a semicolon
    push @args, map { ("-H", s/:\s*$/;/r) } @{ $o{headers} || [] };

    if (defined $o{body}) {
        push @args, "--data-binary", "\@-";
        push @args, "-H", "Content-Type:"
            if !grep { /^Content-Type:/i } @{ $o{headers} || [] };
        push @args, "-H", "Content-Length:" if $o{unsized};
    }

    push @args, "$scheme://127.0.0.1:$port$uri";

    return run($o{body}, "--max-time", $o{seconds}, @args) if $o{seconds};

    # With poll and select, nginx 1.26 misses one HTTP/3 request in some
    # thousands, of any location, and has it in no access log.  If it had got
    # the event after all, a test would find two lines.
    if ($protocol eq "http/3"
        && ($ENV{TEST_NGINX_EVENT_TYPE} || "epoll") ne "epoll")
    {
        my $said = run($o{body}, "--max-time", $Enkod::Wait::limit / 2, @args);

        return $said if $? >> 8 != TIMED_OUT;

        warn "no answer to $method $uri, which is sent again\n";
    }

    return run($o{body}, @args);
}


# Returns the output of curl; $? is its status.

sub run {
    my ($body, @args) = @_;

    my $in = File::Temp->new;
    print $in defined $body ? $body : "";
    close $in;

    my $out = File::Temp->new;

    my $pid = fork;
    die "cannot fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDIN, "<", $in->filename or POSIX::_exit(126);
        open STDOUT, ">", $out->filename or POSIX::_exit(126);
        open STDERR, ">", "/dev/null" or POSIX::_exit(126);
        exec $ENV{TEST_ENKOD_CURL} || "curl", "-s", "-i", "--max-time",
             $Enkod::Wait::limit, @args or POSIX::_exit(127);
    }

    waitpid $pid, 0;

    local $/;

    return scalar <$out>;
}

1;
