package Enkod::ScriptedServer;

# An HTTP server on a free port of 127.0.0.1, in a process of its own.  It keeps
# the requests that it gets, and a function of the test writes its answers, byte
# by byte.  It serves one connection after the other.
#
#     my $server = Enkod::ScriptedServer->new($folder, sub {
#         my ($n, $body) = @_;            # number of the request, from 1
#         return answer(200);             # or any bytes; undef sends nothing and
#     });                                 # closes the connection, \"bytes" sends
#                                         # them and closes it
#
# With a string instead of the function, the server sends that string before it
# has read the request, and does not read the rest.
#
# The server ends with the test, however the test ends.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);

use Enkod::Client;
use Enkod::File;
use Enkod::Wait qw(wait_for);

our @EXPORT_OK = qw(answer);

my $owner = $$;
my $serial = 0;
my %running;


END {
    if ($$ == $owner) {
        my $rc = $?;
        kill 'KILL', keys %running;
        waitpid $_, 0 for keys %running;
        $? = $rc;
    }
}


sub new {
    my ($class, $dir, $code) = @_;

    my $socket = IO::Socket::INET->new(Listen => 16, ReuseAddr => 1,
                                       LocalAddr => "127.0.0.1")
        or die "no port on 127.0.0.1: $@";

    my $self = bless { port => $socket->sockport,
                       file => "$dir/received." . ++$serial }, $class;

    open my $fh, ">", $self->{file} or die "$self->{file}: $!";

    $self->{pid} = fork;
    die "fork: $!" if !defined $self->{pid};

    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{ALRM} = 'DEFAULT';
        alarm $Enkod::Wait::life;

        $code = sub { answer(200) } if !defined $code;

        eval { ref $code ? serve($socket, $fh, $code) : answer_unread($socket, $code) };
        warn $@ if $@;
        POSIX::_exit(1);
    }

    $running{ $self->{pid} } = 1;

    return $self;
}


sub answer {
    my ($status, $body, $head) = @_;

    $body = "" if !defined $body;
    $head = "" if !defined $head;

    return "HTTP/1.1 $status X\r\n${head}Content-Length: " . length($body)
           . "\r\n\r\n$body";
}


sub serve {
    my ($socket, $fh, $code) = @_;

    my $connections = 0;
    my $n = 0;

    while (my $client = $socket->accept) {
        my $buf = "";

        $connections++;

        while (1) {
            my ($head, $body) = request($client, \$buf) or last;

            # at once, for tests that kill the sender meanwhile
            syswrite $fh, pack "N/a* N/a* N d", $head, $body, $connections,
                               time;

            my $answer = $code->(++$n, $body);
            my $close = !defined $answer || ref $answer;

            $answer = defined $answer ? $$answer : "" if $close;

            while (length $answer) {
                my $sent = syswrite $client, $answer or last;
                substr $answer, 0, $sent, "";
            }

            last if $close;
        }

        close $client;
    }
}


sub answer_unread {
    my ($socket, $answer) = @_;

    while (my $client = $socket->accept) {
        sysread $client, my $buf, 1;
        syswrite $client, $answer;
        wait_for(sub { !Enkod::Client::unread($client) });
        close $client;
    }
}


# Returns head and body, or nothing at the end of the connection.

sub request {
    my ($client, $buf) = @_;

    while (1) {
        if ($$buf =~ /\A(.*?\r\n)\r\n/s) {
            my ($head, $size) = ($1, length $&);
            my $length = $head =~ /^Content-Length: (\d+)/mi ? $1 : 0;

            if (length $$buf >= $size + $length) {
                my $request = substr $$buf, 0, $size + $length, "";
                return ($head, substr $request, $size);
            }
        }

        sysread $client, $$buf, 1 << 16, length $$buf or return;
    }
}


# Returns the requests: { head, body, connection => its number, time }.

sub requests {
    my ($self) = @_;

    my $data = Enkod::File::slurp($self->{file});
    my @list;

    while (length $data) {
        my ($head, $body, $connection, $time)
            = eval { unpack "N/a* N/a* N d", $data };

        # the last one is being written
        last if !defined $time;

        substr $data, 0, length(pack "N/a* N/a* N d", $head, $body, 0, 0), "";

        push @list, { head => $head, body => $body, time => $time,
                      connection => $connection };
    }

    return @list;
}


sub bodies {
    my ($self) = @_;

    return map { $_->{body} } $self->requests;
}


sub url {
    my ($self, $path) = @_;

    return "http://127.0.0.1:$self->{port}" . ($path || "/");
}


# Stops the server and returns its requests.

sub stop {
    my ($self) = @_;

    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $running{ $self->{pid} };

    my @requests = $self->requests;
    unlink $self->{file};

    return @requests;
}

1;
