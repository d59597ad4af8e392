package Enkod::HTTP2;

# A client of HTTP/2 (RFC 9113) that can only POST, on several streams of a
# connection, frame by frame.

use strict;
use warnings;

use Enkod::Client;
use Enkod::Wait qw(now);

use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4,
               PING => 6, GOAWAY => 7 };
use constant { END_STREAM => 1, ACK => 1, END_HEADERS => 4 };


sub new {
    my ($class, $port) = @_;

    my $self = bless { client => Enkod::Client->new($port), buf => "",
                       next => 1, answers => {}, reset => {} }, $class;

    $self->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(SETTINGS, 0, 0, ""));

    return $self;
}


sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack("N", length $payload), 1)
           . pack("CCN", $type, $flags, $stream) . $payload;
}


# literals without indexing and without Huffman coding (RFC 7541)

sub literal {
    my ($name, $value) = @_;

    return "\x00" . integer(length $name) . $name
           . integer(length $value) . $value;
}


sub integer {
    my ($n) = @_;

    return chr $n if $n < 127;
    $n -= 127;
    return "\x7f" . chr $n if $n < 128;
    return "\x7f" . chr($n % 128 + 128) . chr($n >> 7);
}


# Returns the frames of a POST and the number of its stream; "open" leaves the
# stream open, "split" is the size of the DATA frames.

sub request {
    my ($self, $body, %o) = @_;

    my $stream = $self->{next};
    $self->{next} += 2;

    my $headers = join "", map { literal(@$_) }
                      [":method", "POST"], [":scheme", "http"],
                      [":path", $o{uri} || "/"], [":authority", "localhost"],
                      $o{length} ? ["content-length", $o{length}] : ();

    my $out = frame(HEADERS, END_HEADERS, $stream, $headers);

    my @parts = $o{split} ? unpack "(a$o{split})*", $body : ($body);

    while (@parts) {
        my $part = shift @parts;
        my $flags = @parts || $o{open} ? 0 : END_STREAM;
        $out .= frame(DATA, $flags, $stream, $part);
    }

    return ($out, $stream);
}


sub send {
    my ($self, $bytes) = @_;

    return $self->{client}->send($bytes);
}


# Waits until nginx has answered a PING, and so has read what was sent before.

sub ping {
    my ($self) = @_;

    $self->{pong} = 0;
    $self->send(frame(PING, 0, 0, "ping" x 2));

    while (!$self->{pong}) {
        $self->{client}->fill or return 0;
        $self->take;
    }

    return 1;
}


# Reads until these streams are answered or reset.

sub wait_for {
    my ($self, @streams) = @_;

    my $end = now() + $Enkod::Wait::limit;

    while (grep { !$self->{answers}{$_} && !$self->{reset}{$_} } @streams) {

        my $left = $end - now();
        return 0 if $left <= 0;

        my $n = $self->{client}->fill($left);
        return 0 if !$n;

        $self->take;
    }

    return 1;
}


sub take {
    my ($self) = @_;

    for my $buf ($self->{client}{buf}) {

        while (length $buf >= 9) {
            my $length = unpack "N", "\0" . substr $buf, 0, 3;

            last if length $buf < 9 + $length;

            my ($type, $flags, $stream) = unpack "x3 C C N", $buf;
            my $payload = substr $buf, 9, $length;
            substr $buf, 0, 9 + $length, "";

            if ($type == HEADERS) {
                $self->{answers}{$stream} = status($payload);

            } elsif ($type == RST_STREAM) {
                $self->{reset}{$stream} = 1;

            } elsif ($type == GOAWAY) {
                $self->{goaway} = 1;

            } elsif ($type == SETTINGS && !($flags & ACK)) {
                $self->send(frame(SETTINGS, ACK, 0, ""));

            } elsif ($type == PING && !($flags & ACK)) {
                $self->send(frame(PING, ACK, 0, $payload));

            } elsif ($type == PING) {
                $self->{pong} = 1;
            }
        }
    }
}


# the status in a block of headers, where nginx puts it first

sub status {
    my ($block) = @_;

    my %static = (8 => 200, 9 => 204, 10 => 206, 11 => 304, 12 => 400,
                  13 => 404, 14 => 500);

    # an update of the table size
    $block =~ s/^[\x20-\x3f]//;

    my $first = ord $block;

    return $static{$first & 0x7f} if $first & 0x80;
    return $1 if $block =~ /^[\x08\x48]\x03(\d{3})/;
    return unpack "H*", $block;
}

1;
