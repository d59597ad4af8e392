package Enkod::Port;

# A free port of 127.0.0.1 for a server that is started more than once.  The
# port is outside the range from which the kernel gives ports to clients, as a
# client could get it while the server is down.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;

our @EXPORT_OK = qw(free_port);

use constant LOWEST => 10000;

# ports that are tried
use constant TRIES => 100;


sub free_port {
    my $clients = 32768;

    if (open my $range, '<', '/proc/sys/net/ipv4/ip_local_port_range') {
        ($clients) = split ' ', <$range>;
    }

    # any port where the range of clients begins at the lowest one
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
