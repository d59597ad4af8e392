package Enkod::ViewTest;

# For tests of what enkod_status answers.
#
#     my $answer = get($nginx, "/status", $accept);       as Enkod::Client has it
#     my $metrics = metrics($nginx, $openmetrics);        of /status, parsed; each
#                                                         fault is a failed test

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(dirname);
use Test::More;

use Enkod::File qw(slurp);
use Enkod::Load;
use Enkod::Metrics;

our @EXPORT = qw(get metrics test_event codes reference);


sub get {
    my ($nginx, $uri, $accept) = @_;

    my $client = $nginx->client;

    $client->send("GET $uri HTTP/1.1\r\nHost: localhost\r\n"
                  . (defined $accept ? "Accept: $accept\r\n" : "") . "\r\n");

    return $client->read;
}


sub metrics {
    my ($nginx, $openmetrics) = @_;

    my $type = $openmetrics ? "application/openmetrics-text;version=1.0.0"
                            : "text/plain;version=0.0.4";

    my $answer = get($nginx, "/status", $type);

    like $answer->{head}, qr/^Content-Type: \Q@{[$type =~ s,;.*,,r]}\E;/m,
         "the answer is of the type that was asked for";

    my $metrics = Enkod::Metrics->parse($answer->{body}, $openmetrics);

    is join("\n", @{ $metrics->{faults} }), "", "each line can be parsed";

    return $metrics;
}


sub test_event {
    return Enkod::Load::event("T")
           =~ s/"message_uid":"T"/"message_uid":"0123456789_012_012_01234"/r;
}


sub codes {
    my ($digit) = @_;

    my @codes = reference("Answers") =~ /^\| $digit\d\d \| `(\w+)` \|/mg;

    return sort @codes;
}


sub reference {
    my ($title) = @_;

    my ($part) = slurp(dirname(__FILE__) . "/../../../docs/directives.md")
                 =~ /^##+ $title\n(.*?)^##/ms;

    return $part;
}

1;
