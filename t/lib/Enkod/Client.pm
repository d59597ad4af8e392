package Enkod::Client;

# A connection to nginx: bytes out as they are given, answers in.

use strict;
use warnings;

use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);
use Enkod::Wait qw(wait_for now);


sub new {
    my ($class, $port) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
                                       PeerPort => $port,
                                       Timeout => $Enkod::Wait::limit)
        or die "connect to 127.0.0.1:$port: $@";

    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;

    return bless { socket => $socket, buf => "" }, $class;
}


# POST with that body: uri, headers (text), version, length, chunked (sizes),
# close

sub request {
    my ($body, %o) = @_;

    my $uri = $o{uri} || "/";
    my $version = $o{version} || "1.1";
    my $method = $o{method} || "POST";

    my $head = "$method $uri HTTP/$version\r\nHost: localhost\r\n"
               . ($o{headers} || "");

    $head .= "Connection: close\r\n" if $o{close};

    if ($o{chunked}) {
        return $head . "Transfer-Encoding: chunked\r\n\r\n"
               . chunked($body, @{ $o{chunked} });
    }

    my $length = defined $o{length} ? $o{length} : length $body;

    return $head . "Content-Length: $length\r\n\r\n" . $body;
}


# the body in chunks of these sizes, which repeat

sub chunked {
    my ($body, @sizes) = @_;

    my $out = "";
    my $i = 0;

    while (length $body) {
        my $chunk = substr $body, 0, $sizes[$i++ % @sizes], "";
        $out .= sprintf "%x\r\n%s\r\n", length $chunk, $chunk;
    }

    return $out . "0\r\n\r\n";
}


# Sends all of it, or says that it cannot.

sub send {
    my ($self, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;

        return 0 if !defined $n;

        substr $bytes, 0, $n, "";
    }

    return 1;
}


# Waits until nginx has read all that was sent, so that what is sent next is
# read by itself.  The kernel tells how much is still to be read at its end.

sub taken {
    my ($self) = @_;

    my $socket = $self->{socket};

    my $ends = sprintf " %08X:%04X %08X:%04X ",
                       unpack("L", $socket->peeraddr), $socket->peerport,
                       unpack("L", $socket->sockaddr), $socket->sockport;

    return wait_for(sub {
        open my $fh, "<", "/proc/net/tcp" or die "/proc/net/tcp: $!";

        return !grep { /$ends\w\w \w+:(?!00000000)/ } <$fh>;
    });
}


# Whatever comes, into the buffer: undef if nothing did in time, 0 at the end, or
# how much.

sub fill {
    my ($self, $seconds) = @_;

    $seconds ||= $Enkod::Wait::limit;

    my $bits = "";
    vec($bits, fileno $self->{socket}, 1) = 1;

    return undef if !select $bits, undef, undef, $seconds;

    my $n = sysread $self->{socket}, $self->{buf}, 65536,
                    length $self->{buf};

    return $n || 0;
}


# One answer: { status, head, body }; status 0 if the connection ended before
# there was one, -1 if nothing came in time.

sub read {
    my ($self, $seconds) = @_;

    my $end = now() + ($seconds || $Enkod::Wait::limit);

    while (1) {
        if ($self->{buf} =~ /^HTTP\/1\.[01] (\d+).*?\r\n\r\n/s) {
            my ($status, $head) = ($1, $&);

            if ($status == 100) {
                substr $self->{buf}, 0, length $head, "";
                $self->{continue} = 1;
                next;
            }

            my ($length) = $head =~ /^Content-Length: (\d+)/mi;
            $length ||= 0;

            if (length $self->{buf} >= length($head) + $length) {
                substr $self->{buf}, 0, length $head, "";
                return { status => $status, head => $head,
                         body => substr $self->{buf}, 0, $length, "" };
            }
        }

        my $left = $end - now();
        my $n = $left > 0 ? $self->fill($left) : undef;

        if (!$n) {
            my $status = defined $n ? 0 : -1;
            return { status => $status, head => "", body => $self->{buf} };
        }
    }
}


sub status {
    my ($self, $seconds) = @_;

    return $self->read($seconds)->{status};
}


# true if nginx closes the connection without sending anything more

sub closed {
    my ($self, $seconds) = @_;

    return 0 if length $self->{buf};

    my $n = $self->fill($seconds);

    return defined $n && $n == 0;
}


sub shutdown {
    my ($self) = @_;

    CORE::shutdown $self->{socket}, 1;
}


sub close {
    my ($self) = @_;

    CORE::close $self->{socket};
}


# RST

sub reset {
    my ($self) = @_;

    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0);
    CORE::close $self->{socket};
}

1;
