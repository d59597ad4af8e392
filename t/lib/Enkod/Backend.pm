package Enkod::Backend;

# An upstream server that speaks HTTP/1.1, FastCGI, uwsgi or SCGI.  It keeps the
# requests that it gets, and answers as the arguments of the URI, or else of the
# last tell(), say:
#
#     status=503        retry=17            Retry-After
#     type=text/x       body=TEXT           header=Name:value
#     delay=0.5         before the answer, in seconds
#     big=BYTES         a body of that many bytes, chunked=1 in chunks
#     short=BYTES       closes with that much of the announced body missing
#     long=BYTES        sends more than it has announced
#     cut=1             FastCGI: sends no length and no record that ends it
#     early=1           answers when it has read only the beginning
#     raw=BYTES         sends that, and closes
#     garbage=1         sends something that is not HTTP
#     reset=1           RST instead of an answer, hang=1 no answer at all
#     hold=1            holds the answer until the next release()
#     part=BYTES        holds the rest of the answer after that many bytes
#     close=1           closes the connection after the answer
#
#     my $backend = Enkod::Backend->new(dir => ..., port => ...,
#                                       protocol => "http|fastcgi|uwsgi|scgi");
#     $backend->tell("status=503");   $backend->requests;   $backend->stop;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use Enkod::Wait qw(wait_for);

# so many bytes of a body are kept
use constant KEPT => 100_000;

my $json = JSON::PP->new->latin1->canonical;
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

    my $self = bless { protocol => "http", %o }, $class;

    $self->{name} ||= "backend.$self->{port}";
    push @all, $self;

    return $self->start;
}


sub start {
    my ($self) = @_;

    my $listen = wait_for(sub {
        IO::Socket::INET->new(Listen => 1024, ReuseAddr => 1, Blocking => 0,
                              LocalAddr => "127.0.0.1:$self->{port}");
    });

    die "backend on port $self->{port}: $!" if !$listen;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
        $SIG{PIPE} = 'IGNORE';

        # ends with the test at the latest
        alarm $Enkod::Wait::life;

        eval { $self->serve($listen); 1 } or warn $@;
        POSIX::_exit(1);
    }

    $self->{pid} = $pid;

    return $self;
}


sub stop {
    my ($self, $signal) = @_;

    my $pid = delete $self->{pid} or return;

    kill $signal || 'TERM', $pid;
    waitpid $pid, 0;
}


# sets how it answers from now on, where the URI does not say otherwise

sub tell {
    my ($self, $arguments) = @_;

    my $file = "$self->{dir}/$self->{name}.told";

    open my $fh, ">", "$file.new" or die "$file: $!";
    print $fh $arguments;
    close $fh;

    rename "$file.new", $file or die "$file: $!";
}


# Returns the requests in the order in which they ended: { method, uri, headers,
# head, body, length, n }; "n" is the number of the connection.

sub requests {
    my ($self) = @_;

    open my $fh, "<:raw", "$self->{dir}/$self->{name}.log" or return;

    return map { $json->decode($_) } <$fh>;
}


sub forget {
    my ($self) = @_;

    truncate "$self->{dir}/$self->{name}.log", 0;
}


# Waits for so many requests and returns them.

sub wait_requests {
    my ($self, $n) = @_;

    wait_for(sub { my @r = $self->requests; @r >= $n });

    return $self->requests;
}


# sends the answers that are held

sub release {
    my ($self) = @_;

    kill 'USR1', $self->{pid} or die "no backend: $!";
}


# The server.

sub serve {
    my ($self, $listen) = @_;

    my $select = IO::Select->new($listen);
    my $n = 0;
    my $released = 0;
    my %connection;

    $SIG{USR1} = sub { $released = 1 };

    open my $log, ">>:raw", "$self->{dir}/$self->{name}.log" or die $!;
    $log->autoflush;

    $self->{log} = $log;

    while (1) {
        if ($released) {
            $released = 0;

            for my $c (values %connection) {
                $c->{due} = 0 if $c->{held};
                $c->{out} .= delete $c->{rest} // "";
            }
        }

        my @writing = grep { length $_->{out} && $_->{due} <= time }
                           values %connection;
        my @late = grep { length $_->{rest}
                          || (length $_->{out} && $_->{due} > time) }
                        values %connection;

        my $write = IO::Select->new(map { $_->{socket} } @writing);

        my ($readable, $writable)
            = IO::Select::select($select, $write, undef, @late ? 0.01 : 1);

        for my $socket (@{ $writable || [] }) {
            my $c = $connection{fileno $socket};
            my $sent = syswrite $socket, $c->{out}, 65536;

            substr $c->{out}, 0, $sent, "" if $sent;

            if ((!defined $sent && !$!{EAGAIN})
                || (length $c->{out} == 0 && $c->{close}))
            {
                $select->remove($socket);
                delete $connection{fileno $socket};
                close $socket;
            }
        }

        for my $socket (@{ $readable || [] }) {

            if ($socket == $listen) {
                my $client = $listen->accept or next;
                $client->blocking(0);
                $select->add($client);
                $connection{fileno $client} = { socket => $client, in => "",
                                                out => "", n => ++$n, due => 0,
                                                keep => $self->{protocol}
                                                        eq "http" };
                next;
            }

            my $c = $connection{fileno $socket} or next;
            my $read = sysread $socket, $c->{in}, 65536, length $c->{in};

            next if !defined $read && $!{EAGAIN};

            if ($read && (my %do = $self->orders(""))) {

                if ($do{early}) {
                    $c->{out} = $self->answer(%do);
                    $c->{close} = $do{close} || !$c->{keep};
                    $select->remove($socket);
                    next;
                }
            }

            my $end = !$read || !$self->work($c);

            if ($end) {
                $select->remove($socket);
                delete $connection{fileno $socket};
                close $socket;
            }
        }
    }
}


# Handles the complete requests; false if the connection is to be closed.

sub work {
    my ($self, $c) = @_;

    my $take = "take_$self->{protocol}";

    while (my $request = $self->$take($c)) {

        $request->{n} = $c->{n};
        $request->{length} = length $request->{body};
        substr $request->{body}, KEPT, length $request->{body}, ""
            if $request->{length} > KEPT;
        print { $self->{log} } $json->encode($request), "\n";

        my %do = $self->orders($request->{uri});

        if ($do{reset}) {
            setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0);
            return 0;
        }

        next if $do{hang};

        my $answer = $self->answer(%do);

        $c->{rest} = substr $answer, $do{part}, length $answer, ""
            if $do{part};
        $c->{out} .= $answer;
        $c->{held} = $do{hold};
        $c->{due} = $do{hold} ? "inf" : time + ($do{delay} || 0);
        $c->{close} = $do{close} || $do{short} || $do{garbage} || $do{raw}
                      || $do{cut} || !$c->{keep};
    }

    return 1;
}


sub orders {
    my ($self, $uri) = @_;

    my $told = "";

    if (open my $fh, "<", "$self->{dir}/$self->{name}.told") {
        $told = <$fh>;
    }

    my ($args) = $uri =~ /\?(.*)/s;

    return map { my ($name, $value) = split /=/, $_, 2;
                 $name => ($value // 1) =~ s/%(..)/chr hex $1/ger }
           grep { length }
           map { split /&/ } grep { defined } $told, $args;
}


# the bytes of an answer

sub answer {
    my ($self, %do) = @_;

    return "\x00\xffnonsense\r\n\r\n" if $do{garbage};
    return $do{raw} if $do{raw};

    my $answer = http_answer(%do);

    if ($self->{protocol} eq "fastcgi") {
        $answer =~ s/^HTTP\/1.1 /Status: /;
        $answer = join "", map { record(6, $_) } $answer =~ /.{1,32000}/gs;
        $answer .= record(6, "") . record(3, "\0" x 8)
            if !$do{short} && !$do{cut};
    }

    return $answer;
}


sub http_answer {
    my (%do) = @_;

    my $body = $do{body} // "";
    $body = "x" x $do{big} if $do{big};

    my $status = $do{status} || (length $body ? 200 : 204);
    my $length = length($body) + ($do{short} || 0);
    my $head = "HTTP/1.1 $status Status\r\n";

    $head .= "Content-Type: " . ($do{type} || "text/plain") . "\r\n";
    $head .= "Retry-After: $do{retry}\r\n" if defined $do{retry};
    $head .= ($do{header} =~ s/:/: /r) . "\r\n" if $do{header};

    if ($do{chunked}) {
        $body =~ s/(.{1,10000})/sprintf "%x\r\n%s\r\n", length $1, $1/ges;
        $body .= "0\r\n\r\n" if !$do{short};
        return $head . "Transfer-Encoding: chunked\r\n\r\n" . $body;
    }

    $head .= "Content-Length: $length\r\n" if $status != 204 && !$do{cut};

    return "$head\r\n$body" . "y" x ($do{long} || 0);
}


sub take_http {
    my ($self, $c) = @_;

    return if $c->{in} !~ /\r\n\r\n/;

    my $head = $` . "\r\n";
    my ($length) = $head =~ /^content-length: (\d+)\r$/mi;

    # nginx sends no chunked request here
    $length ||= 0;

    return if length $c->{in} < length($head) + 2 + $length;

    substr $c->{in}, 0, length($head) + 2, "";

    my ($method, $uri) = $head =~ /^(\S+) (.*) HTTP\/1\.[01]\r\n/;
    my %headers;

    $headers{lc $1} = $2 while $head =~ /^([^:\r\n]+): (.*)\r$/mg;

    return { method => $method, uri => $uri, head => $head,
             headers => \%headers, body => substr $c->{in}, 0, $length, "" };
}


# FastCGI 1.0, with one request at a time on a connection, as nginx does

sub record {
    my ($type, $content) = @_;

    return pack("CCnnCC", 1, $type, 1, length $content, 0, 0) . $content;
}


sub take_fastcgi {
    my ($self, $c) = @_;

    while (length $c->{in} >= 8) {
        my ($type, $length, $padding) = unpack "xCx2nC", $c->{in};

        return if length $c->{in} < 8 + $length + $padding;

        my $content = substr $c->{in}, 8, $length;
        substr $c->{in}, 0, 8 + $length + $padding, "";

        if ($type == 1) {
            $c->{keep} = (unpack "nC", $content)[1] & 1;
            next;
        }

        if ($type == 4) {
            $c->{params} .= $content;
            next;
        }

        $c->{stdin} .= $content if $type == 5;

        next if $type != 5 || $length;

        return cgi(fastcgi_params(delete $c->{params}),
                   delete $c->{stdin});
    }

    return;
}


sub fastcgi_params {
    my ($bytes) = @_;

    my %params;

    while (length $bytes) {
        my @length;

        for (1, 2) {
            my $n = unpack "C", $bytes;
            push @length, $n < 128 ? $n : unpack("N", $bytes) & 0x7fffffff;
            substr $bytes, 0, $n < 128 ? 1 : 4, "";
        }

        my $name = substr $bytes, 0, $length[0], "";
        $params{$name} = substr $bytes, 0, $length[1], "";
    }

    return %params;
}


# uwsgi: variables, each after a length of two bytes, then the body

sub take_uwsgi {
    my ($self, $c) = @_;

    return if length $c->{in} < 4;

    my $size = unpack "xv", $c->{in};

    return if length $c->{in} < 4 + $size;

    my %params = unpack "(v/a)*", substr $c->{in}, 4, $size;
    my $length = $params{CONTENT_LENGTH} || 0;

    return if length $c->{in} < 4 + $size + $length;

    my $body = substr $c->{in}, 4 + $size, $length;
    $c->{in} = "";

    return cgi(%params, $body);
}


# SCGI: a netstring of names and values, each followed by a NUL, then the body

sub take_scgi {
    my ($self, $c) = @_;

    my ($size) = $c->{in} =~ /^(\d+):/ or return;
    my $start = length($size) + 1;

    return if length $c->{in} < $start + $size + 1;

    my %params = unpack "(Z*)*", substr $c->{in}, $start, $size;
    my $length = $params{CONTENT_LENGTH};

    return if length $c->{in} < $start + $size + 1 + $length;

    my $body = substr $c->{in}, $start + $size + 1, $length;
    $c->{in} = "";

    return cgi(%params, $body);
}


sub cgi {
    my $body = pop;
    my %params = @_;

    return { method => $params{REQUEST_METHOD}, body => $body,
             uri => $params{URI}, params => \%params,
             headers => { "content-type" => $params{CONTENT_TYPE},
                          "content-length" => $params{CONTENT_LENGTH} } };
}

1;
