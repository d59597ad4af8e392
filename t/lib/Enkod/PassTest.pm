package Enkod::PassTest;

# For tests of enkod_pass: an nginx that hands events on to backends, which
# answer as they are told.
#
#     my ($back, $other) = backends($nginx, "BACK", "OTHER");
#     $nginx->start;
#     my $answer = try("/uri", "status=503");     # what $back is told
#     $answer->{says};                    # "503 upstream_busy"
#     logged();                           # the last line of logs/access.log
#
# In the configuration, %NAME% is the port of that backend.

use strict;
use warnings;

use Exporter qw(import);

use Enkod::Backend;
use Enkod::Load qw(event);
use Enkod::Port qw(free_port);

our @EXPORT = qw(backends try logged);

my ($nginx, $back);


# Starts backends for an nginx that has not been started.

sub backends {
    ($nginx, my @names) = @_;

    my @backends;

    for my $name (@names) {
        my $port = free_port();

        $nginx->{$_} =~ s/%$name%/$port/g
            for grep { defined $nginx->{$_} } qw(http server);
        push @backends, Enkod::Backend->new(dir => $nginx->{dir},
                                            port => $port);
    }

    $back = $backends[0];

    return @backends;
}


# Sends an event while the first backend does as it is told.  Returns the
# answer; "says" is its status and code.

sub try {
    my ($uri, $orders, $seconds) = @_;

    $back->tell($orders // "");

    my $answer = $nginx->post(event("t"), uri => $uri, seconds => $seconds);

    my ($code) = $answer->{body} =~ /"code":"(\w+)"/;
    $answer->{says} = join " ", $answer->{status}, $code // ();

    return $answer;
}


sub logged {
    return ($nginx->lines("logs/access.log"))[-1] // "";
}

1;
