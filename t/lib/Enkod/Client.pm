package Enkod::Client;

# A connection to nginx: sends bytes as they are given, and reads answers.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(AF_INET IPPROTO_TCP SOCK_RAW SOL_SOCKET SO_LINGER TCP_NODELAY);
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


# The same over a unix domain socket; $local is the path of the client's socket.

sub unix {
    my ($class, $path, $local) = @_;

    my @local = defined $local ? (Local => $local) : ();

    my $socket = IO::Socket::UNIX->new(Peer => $path, @local)
        or die "connect to $path: $!";

    return bless { socket => $socket, buf => "" }, $class;
}


# The text of a POST with that body.  Options: uri; method; headers, as text;
# version; length; chunked, the sizes of the chunks; close.

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


# the body in chunks of these sizes, which are repeated

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


# Returns false if not all could be sent.

sub send {
    my ($self, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;

        return 0 if !defined $n;

        substr $bytes, 0, $n, "";
    }

    return 1;
}


# Waits until nginx has read all that was sent, so that it reads what is sent
# next separately.

sub taken {
    my ($self) = @_;

    my $socket = $self->{socket};

    return wait_for(sub { !unread($socket) });
}


# The number of bytes at the other end of a connection that have not been read;
# see linux/inet_diag.h.

sub unread {
    my ($socket) = @_;

    use constant { AF_NETLINK => 16, SOCK_DIAG => 4, SOCK_DIAG_BY_FAMILY => 20,
                   NLM_F_REQUEST => 1, ESTABLISHED => 1, CLOSE_WAIT => 8 };

    socket my $kernel, AF_NETLINK, SOCK_RAW, SOCK_DIAG or die "netlink: $!";

    my $id = pack "n n a16 a16 L Q", $socket->peerport, $socket->sockport,
                  $socket->peeraddr, $socket->sockaddr, 0, ~0;

    defined CORE::send $kernel, pack("L S S L L C C C x L a*", 16 + 56,
                               SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0,
                               AF_INET, IPPROTO_TCP, 0, ~0 & 0xffffffff, $id), 0
        or die "netlink: $!";
    defined recv $kernel, my $answer, 4096, 0 or die "netlink: $!";

    my ($type, $state, $queue) = unpack "x4 S x11 C x54 L", $answer;

    # 0 if the connection is closed
    return $type == SOCK_DIAG_BY_FAMILY
           && ($state == ESTABLISHED || $state == CLOSE_WAIT) ? $queue : 0;
}


# Reads into the buffer.  Returns the number of bytes, 0 at the end of the
# connection, or undef if nothing came in time.

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


# Reads an answer: { status, head, body }.  The status is 0 if the connection
# ended before an answer, and -1 if none came in time.

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


# True if nothing has come until now.  The caller first gives nginx the time for
# an answer, see settled() of Enkod::Nginx.

sub silent {
    my ($self) = @_;

    my $bits = "";
    vec($bits, fileno $self->{socket}, 1) = 1;

    return $self->{buf} eq "" && !select $bits, undef, undef, 0;
}


# True if nginx closes the connection and sends nothing before.

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


# closes the connection with RST

sub reset {
    my ($self) = @_;

    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0);
    CORE::close $self->{socket};
}

1;
