package Enkod::Load;

# Senders that send events until they are told to stop.  Each event has an id,
# and its answer is noted; problems() compares the answers with the files.
#
#     my $load = Enkod::Load->new($port, connections => 64, processes => 2);
#     $load->accepted(100);               # waits for 100 more answers of 200
#     $load->refused(10);                 # the same with 503
#     my $sent = $load->finish;           # { id => status }, 0: no answer
#     is_deeply [problems($sent, @files)], [], "...";
#
# They are sent to uri => "/".  With refused => 0.1, one event in ten must be refused, and has an id that
# begins with "B"; with leave => 0.1, one sender in ten closes its connection
# before the answer.

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep);

use Enkod::Wait qw(wait_for now);

our @EXPORT_OK = qw(event refused_event line_of problems acknowledged tally);

my $serial = 0;
my @running;
my $owner = $$;

END {
    if ($$ == $owner) {
        my $rc = $?;
        kill 'KILL', @running if @running;
        waitpid $_, 0 for @running;
        $? = $rc;
    }
}


# Returns the body of an event with that id; its size depends on the id.

sub event {
    my ($id, $size) = @_;

    my $name = name($id, $size);

    return qq({"event":"message open","message_id":4,"message_uid":"$id",)
           . qq("sending_type":"instant","name":"$name",)
           . qq("from":"sender\@example.com","to":"recipient\@example.com"});
}


# the same with an error: 422 wrong_type at /message_id

sub refused_event {
    my ($id) = @_;

    return event($id) =~ s/"message_id":4/"message_id":"4"/r;
}


sub name {
    my ($id, $size) = @_;

    $size = unpack("%32C*", $id) * 31 % 401 if !defined $size;

    return substr "$id." x (1 + $size / length $id), 0, $size;
}


sub new {
    my ($class, $port, %o) = @_;

    my $self = bless { children => {} }, $class;

    my $processes = $o{processes} || 1;
    my $connections = $o{connections} || 8;
    my $parent = $$;

    for my $n (1 .. $processes) {
        my $file = File::Temp->new;
        my $name = join "-", "L", $$, ++$serial;

        my $pid = fork;
        die "fork: $!" if !defined $pid;

        if ($pid == 0) {
            eval { drive($port, int($connections / $processes), $name,
                         "$file", $parent, %o) };
            print STDERR "sender: $@" if $@;
            POSIX::_exit($@ ? 1 : 0);
        }

        $self->{children}{$pid} = $file;
        push @running, $pid;
    }

    return $self;
}


# Wait until so many more events have been answered with 200, or with 503.  Then
# these were sent after whatever the test did to nginx before.

sub accepted {
    my ($self, $n) = @_;

    return $self->answers(200, $n);
}


sub refused {
    my ($self, $n) = @_;

    return $self->answers(503, $n);
}


sub answers {
    my ($self, $status, $more) = @_;

    my $n = $self->count($status) + $more;

    return wait_for(sub { $self->count($status) >= $n })
           || die "there are no $more more answers of $status\n";
}


# the number of such answers until now

sub count {
    my ($self, $status) = @_;

    for my $file (values %{ $self->{children} }) {
        seek $file, 0, 1;
        while (my $line = <$file>) {
            $self->{count}{$1}++ if $line =~ / (\d+)$/;
        }
    }

    return $self->{count}{$status} || 0;
}


sub finish {
    my ($self) = @_;

    my %sent;

    kill 'TERM', keys %{ $self->{children} };

    for my $pid (keys %{ $self->{children} }) {
        waitpid $pid, 0;
        @running = grep { $_ != $pid } @running;

        my $file = $self->{children}{$pid};

        open my $fh, "<", "$file" or die "$file: $!";
        while (<$fh>) {
            my ($id, $status) = split;
            $sent{$id} = $status;
        }
    }

    return \%sent;
}


# in the child

sub drive {
    my ($port, $connections, $name, $file, $parent, %o) = @_;

    my $stop = 0;
    my ($seq, $end) = (0);
    my (@log, @conn);

    open my $fh, ">", $file or die "$file: $!";

    srand $$;

    $SIG{TERM} = sub { $stop = 1 };
    $SIG{$_} = 'DEFAULT' for qw(ALRM INT HUP);
    $SIG{PIPE} = 'IGNORE';
    alarm 0;

    my $ask = sub {
        my ($c) = @_;

        my $refused = $o{refused} && rand() < $o{refused};

        $c->{id} = "$name-" . ++$seq;
        $c->{id} =~ s/^L/B/ if $refused;
        $c->{buf} = "";

        my $body = $refused ? refused_event($c->{id}) : event($c->{id});

        if (!$c->{socket}) {
            $c->{socket} = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
                                                 PeerPort => $port);
            if (!$c->{socket}) {
                sleep 0.01;
                return;
            }

            setsockopt $c->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
        }

        syswrite $c->{socket},
                 "POST " . ($o{uri} || "/") . " HTTP/1.1\r\nHost: localhost\r\n"
                 . "Content-Length: " . length($body) . "\r\n\r\n$body";

        if ($o{leave} && rand() < $o{leave}) {

            if (rand() < 0.5) {
                # nginx cannot distinguish it from a client that has left
                shutdown $c->{socket}, 1;
                $c->{close} = 1;

            } else {
                setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack "ii", 1, 0
                    if rand() < 0.5;
                push @log, "$c->{id} 0\n";
                delete $c->{socket};
                return;
            }
        }

        $c->{busy} = 1;
    };

    @conn = map { {} } 1 .. $connections;

    while (1) {
        $stop = 1 if getppid != $parent;

        my $bits = "";
        my $busy = 0;

        for my $c (@conn) {
            $ask->($c) if !$c->{busy} && !$stop;

            if ($c->{busy}) {
                vec($bits, fileno $c->{socket}, 1) = 1;
                $busy++;
            }
        }

        $end //= now() + $Enkod::Wait::limit if $stop;

        last if $stop && (!$busy || now() > $end);

        # whole lines, and at once, as the parent may be waiting for them
        syswrite $fh, join "", splice @log;

        next if (select($bits, undef, undef, 0.1) || 0) <= 0;

        for my $c (@conn) {
            next if !$c->{busy} || !vec $bits, fileno $c->{socket}, 1;

            my $n = sysread $c->{socket}, $c->{buf}, 16384, length $c->{buf};

            if (!$n) {
                # accepted or not
                push @log, "$c->{id} 0\n";
                delete @$c{qw(socket busy close)};
                next;
            }

            $c->{buf} =~ /^HTTP\/1\.1 (\d+).*?\r\n\r\n/s or next;

            my ($status, $head) = ($1, $&);
            my ($length) = $head =~ /^Content-Length: (\d+)/m;

            next if length $c->{buf} < length($head) + ($length || 0);

            push @log, "$c->{id} $status\n";
            delete $c->{busy};
            delete @$c{qw(socket close)}
                if $head =~ /^Connection: close/m || $c->{close};
        }
    }

    syswrite $fh, join "", @log,
                  map { "$_->{id} 0\n" } grep { $_->{busy} } @conn;
    close $fh or die "$file: $!";
}


sub acknowledged {
    my ($sent) = @_;

    return scalar grep { $_ == 200 } values %$sent;
}


# "200: 1234, 503: 7"

sub tally {
    my ($sent) = @_;

    my %n;
    $n{$_}++ for values %$sent;

    return join ", ", map { "$_: $n{$_}" } sort { $a <=> $b } keys %n;
}


# If this is a whole line, returns the id of its event, and whether the event is
# as it was sent; otherwise nothing.

sub line_of {
    my ($line, $size) = @_;

    my ($id, $name) = $line =~ /^\{"received_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d
                                \.\d{3}Z","request_id":"[0-9a-f]{32}",
                                "remote_addr":"127\.0\.0\.1",
                                "event":"message\ open","message_id":4,
                                "message_uid":"([^"]+)",
                                "sending_type":"instant",
                                "name":"([^"]*)","from":"sender\@example\.com",
                                "to":"recipient\@example\.com"\}\n\z/x
        or return;

    return ($id, $name eq name($id, $size));
}


# Returns the defects of these files: an acknowledged event has to be there
# once, an event without an answer at most once, a refused event not at all;
# each line has to be whole.  Options: torn => 1 accepts lines that are not
# whole, refused => 1 accepts refused events.

sub problems {
    my ($sent, @files) = @_;

    my %o = ref $files[-1] ? %{ pop @files } : ();
    my (%seen, @bad);

    for my $file (@files) {
        open my $fh, "<", $file or do { push @bad, "$file: $!"; next };

        while (my $line = <$fh>) {

            my ($id, $same) = line_of($line, $o{size});

            if (!defined $id) {
                push @bad, "$file:$.: not a line: " . substr $line, 0, 300
                    if !$o{torn};
                next;
            }

            $seen{$id}++;

            if (!exists $sent->{$id}) {
                push @bad, "$file:$.: $id was never sent";

            } elsif (!$same) {
                push @bad, "$file:$.: $id has been altered";
            }
        }
    }

    for my $id (sort keys %$sent) {
        my $n = $seen{$id} || 0;
        my $status = $sent->{$id};

        if ($status == 200 ? $n != 1
            : $status == 0 || $o{refused} ? $n > 1
            : $n)
        {
            push @bad, "$id, answered with $status, is there $n times";
        }
    }

    if (@bad > 10) {
        my $more = @bad - 10;
        @bad = (@bad[0 .. 9], "... and $more more");
    }

    return @bad;
}

1;
