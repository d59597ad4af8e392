package Enkod::StatusTest;

# For tests of what is counted: reads the JSON of a location "/status".
#
#     my $status = status($nginx);        # all of it
#     my $receiver = receiver($status, "/enkod", "localhost");  # "_" by default
#     my $file = file($status, "events.jsonl");     # the end of its path
#     results($receiver, "message open"); # "accepted=1 test=2", without zeros
#     nonzero($receiver->{refusals});     # { wrong_type => 3 }
#     body("complaint", ...);             # an event with these fields replaced

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

use Enkod::File qw(slurp);

our @EXPORT = qw(status receiver file results accepted nonzero count body);

my $json = JSON::PP->new->utf8->canonical;


sub status {
    my ($nginx, $uri) = @_;

    my $client = $nginx->client;

    $client->send("GET " . ($uri || "/status") . " HTTP/1.1\r\n"
                  . "Host: localhost\r\n\r\n");

    my $answer = $client->read;

    die "GET /status: $answer->{status}\n" if $answer->{status} != 200;

    return $json->decode($answer->{body});
}


sub receiver {
    my ($status, $location, $server) = @_;

    $server //= "_";

    my @found = grep { $_->{location} eq $location && $_->{server} eq $server }
                     @{ $status->{receivers} };

    die "$server $location is there " . @found . " times\n" if @found > 1;

    return $found[0];
}


sub file {
    my ($status, $name) = @_;

    my @found = grep { $_->{file} =~ m{(?:^|/)\Q$name\E$} }
                     @{ $status->{files} };

    die "$name is there " . @found . " times\n" if @found > 1;

    return $found[0];
}


sub results {
    my ($receiver, $event) = @_;

    my $counts = $receiver->{events}{$event} or return undef;

    return join " ", map { "$_=$counts->{$_}" }
                     grep { $counts->{$_} }
                     qw(accepted spooled test duplicate);
}


# how many events all receivers have accepted

sub accepted {
    my ($status) = @_;

    my $n = 0;

    for my $receiver (@{ $status->{receivers} }) {
        $n += $_->{accepted} for values %{ $receiver->{events} };
    }

    return $n;
}


sub nonzero {
    my ($counts) = @_;

    return { map { $_ => $counts->{$_} } grep { $counts->{$_} } keys %$counts };
}


# how many durations a histogram has, after a look at its form

sub count {
    my ($times) = @_;

    my $before = 0;

    for my $bucket (@{ $times->{buckets} }) {
        die "a bucket is smaller than the one before\n"
            if $bucket->{count} < $before;
        $before = $bucket->{count};
    }

    die "the last bucket is not the count\n" if $before != $times->{count};

    return $before;
}


# One of the vendor's bodies, but not a test delivery.

sub body {
    my ($event, %fields) = @_;

    my $name = $event =~ s/ /-/gr;
    my $body = slurp("t/bodies/$name.json");
    my $members = $json->decode($body);

    %fields = (message_uid => "1", %fields) if exists $members->{message_uid};
    %fields = (group_name => "1", %fields) if exists $members->{group_name};
    %fields = (phone => "1", %fields) if exists $members->{phone};

    return $json->encode({ %$members, %fields });
}

1;
