package Enkod::Port;

# A port of 127.0.0.1 that nobody listens on, for a server that is to have it
# more than once.  It is none that the kernel gives to clients: between two starts
# of the server one of these could be there.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;

our @EXPORT_OK = qw(free_port);

use constant LOWEST => 10000;

# tried before one gives up
use constant TRIES => 100;


sub free_port {
    my $clients = 32768;

    if (open my $range, '<', '/proc/sys/net/ipv4/ip_local_port_range') {
        ($clients) = split ' ', <$range>;
    }

    # or any, where clients have them all
    my ($lowest, $n) = $clients > LOWEST ? (LOWEST, $clients - LOWEST)
                                         : (1024, 64512);

    for (1 .. TRIES) {
        my $port = $lowest + int rand $n;

        return $port
            if IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                     LocalPort => $port, ReuseAddr => 1);
    }

    die "no free port on 127.0.0.1: $@\n";
}

1;
