package EnkodTest::Client;

# A client of HTTP/1.1 for EnkodTest: sends requests as EnkodTest::Request makes
# them, and parses responses, of chunked ones too.
#
#     my $client = EnkodTest::Client->connect_to($port);
#     $client->send_request($request);
#     my $response = $client->read_response($request);
#
# parse() is for responses that another program has received.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;

use Enkod::Client;
use Enkod::Wait;


sub connect_to {
    my ($class, $port) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp')
        or die "cannot connect to port $port: $!";

    $socket->autoflush(1);

    return bless { socket => $socket, buffer => '' }, $class;
}


# A client whose buffer has all that there is.

sub parse {
    my ($class, $text, $request) = @_;

    my $self = bless { buffer => $text }, $class;

    return $self->read_response($request);
}


sub send_request {
    my ($self, $request) = @_;

    my $body = $request->{body};
    my @lines = ("$request->{method} $request->{uri} HTTP/$request->{version}");

    push @lines, 'Host: localhost';
    push @lines, @{ $request->{headers} // [] };

    if ($request->{chunks}) {
        push @lines, 'Transfer-Encoding: chunked';
        $body = join '', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
                         @{ $request->{chunks} }, '';

    } elsif (defined $body && !grep { /^Content-Length:/i } @lines) {
        push @lines, 'Content-Length: ' . length $body;
    }

    my $head = join "\r\n", @lines, '', '';
    $body //= '';

    if (my $size = $request->{split}) {
        for ($head, unpack "(a$size)*", $body) {
            $self->write($_);
            $self->taken;
        }
        return;
    }

    $self->write($head . $body);
}


# Waits until nginx has read all that was sent.

sub taken {
    my ($self) = @_;

    return Enkod::Client::taken($self);
}


sub write {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;
        last if !defined $n;
        substr $bytes, 0, $n, '';
    }
}

# Reads more bytes into the buffer; false at the end of the connection.

sub fill {
    my ($self) = @_;

    return 0 if !$self->{socket};

    if (!IO::Select->new($self->{socket})->can_read($Enkod::Wait::limit)) {
        $self->{timed_out} = 1;
        return 0;
    }

    return sysread $self->{socket}, $self->{buffer}, 65536,
                   length $self->{buffer};
}


sub at_end {
    my ($self) = @_;

    return !$self->fill && !$self->{timed_out} && $self->{buffer} eq '';
}

# Returns the final response, or undef: { version, status, phrase, head, headers
# => { name => [values] }, body, interim => the number of answers with 100, cut
# => 1 if the body is shorter than announced }.

sub read_response {
    my ($self, $request) = @_;

    my %response = (interim => 0, headers => {});

    while (1) {
        while ($self->{buffer} !~ /\r\n\r\n/) {
            return if !$self->fill;
        }

        $self->{buffer} =~ s/^(.*?)\r\n\r\n//s;

        my ($first, @lines) = split /\r\n/, $1;

        $first =~ m{^HTTP/(\S+) (\d{3}) ?(.*)$} or return;
        @response{qw(version status phrase)} = ($1, $2, $3);

        if ($2 == 100) {
            $response{interim}++;
            next;
        }

        $response{head} = join "\n", $first, @lines, '';

        for (@lines) {
            my ($name, $value) = /^([^:]+): *(.*)$/;
            push @{ $response{headers}{lc $name} }, $value;
        }

        last;
    }

    my $headers = $response{headers};
    my $length = $headers->{'content-length'};

    if (($request->{method} // '') eq 'HEAD' || $response{status} == 204) {
        $response{body} = '';

    } elsif ($length) {
        while (length $self->{buffer} < $length->[0]) {
            last if !$self->fill;
        }

        $response{cut} = length $self->{buffer} < $length->[0];
        $response{body} = substr $self->{buffer}, 0, $length->[0], '';

    } elsif ($headers->{'transfer-encoding'}) {
        $response{body} = '';

        while (1) {
            while ($self->{buffer} !~ /\r\n/) {
                return if !$self->fill;
            }

            $self->{buffer} =~ s/^([0-9a-f]+)\r\n//i or return;
            my $size = hex $1;

            while (length $self->{buffer} < $size + 2) {
                return if !$self->fill;
            }

            $response{body} .= substr $self->{buffer}, 0, $size, '';
            substr $self->{buffer}, 0, 2, '';
            last if $size == 0;
        }

    } else {
        1 while $self->fill;
        $response{body} = $self->{buffer};
        $self->{buffer} = '';
    }

    return \%response;
}

1;
