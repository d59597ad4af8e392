package Enkod::SoakNginx;

# The nginx of Enkod::Soak, which may have two masters and a second generation
# of workers: finds, kills and restarts it.  Enkod::SoakFaults is a subclass.
#
# Functions: await($what, $code) waits, or dies and names what did not happen;
# pause() sleeps for a random time; start_again($nginx); stopped_or_gone($pid).

use strict;
use warnings;

use Exporter qw(import);
use List::Util qw(shuffle);
use Time::HiRes qw(sleep);

use Enkod::Client;
use Enkod::Load qw(event);
use Enkod::MemoryCheck;
use Enkod::Process qw(alive children stopped);
use Enkod::Wait qw(wait_for);

our @EXPORT_OK = qw(await pause start_again stopped_or_gone);

my $slow = $Enkod::MemoryCheck::slow;


sub say {
    my ($self, $text) = @_;

    $self->{say}->($text) if $self->{say};
}


# Starts nginx again, on the same port.

sub start_again {
    my ($nginx) = @_;

    for my $try (1 .. 50) {
        unlink glob "$nginx->{dir}/logs/nginx.pid*";

        my $why = $nginx->launch;
        return if !defined $why;

        die "nginx did not start: $why\n"
            if $try == 50 || $nginx->error_log !~ /Address already in use/;

        sleep 0.1;
    }
}


sub await {
    my ($what, $code) = @_;

    wait_for($code) or die "no $what\n";
}


sub pause {
    sleep $slow * (0.05 + rand 0.3);
}


sub masters {
    my ($self) = @_;

    return $self->{nginx}->upgraded;
}


# Kills all processes, also those that are being started: a process that was
# stopped before starts no more.

sub kill_all {
    my ($self) = @_;

    my @pids = $self->masters;
    my (%known, @new);

    # a master may start a worker meanwhile
    while (@new = grep { !$known{$_}++ } @pids) {
        kill 'STOP', @new;
        await("stop", sub { !grep { !stopped_or_gone($_) } @new });
        @pids = map { children($_) } @new;
    }

    $self->kill_in_anything(shuffle(keys %known));
    await("death", sub { !grep { alive($_) } keys %known });
}


sub stopped_or_gone {
    my ($pid) = @_;

    return !alive($pid) || stopped($pid);
}


# Sends an event, for when all other senders wait; its answer is not read.

sub one_more {
    my ($self) = @_;

    my $id = "N-" . ++$self->{serial};

    my $client = $self->{nginx}->client;
    $client->send(Enkod::Client::request(event($id)));

    $self->{more}{$id} = 0;
    push @{ $self->{clients} }, $client;

    sleep 0.005 * $slow;
}


sub workers_are_there {
    my ($self, $master) = @_;

    await("workers", sub {
        $self->workers_of($master || $self->{nginx}{pid})
            >= $self->{nginx}{workers}
    });
}


# A second master is a child of the first one, and not a worker.

sub workers_of {
    my ($self, $master) = @_;

    my %masters = map { $_ => 1 } $self->masters;

    return grep { !$masters{$_} } $self->{nginx}->workers($master);
}


# Each of the processes may be writing to a file.

sub kill_in_anything {
    my ($self, @pids) = @_;

    $self->{torn} += @pids;
    kill 'KILL', @pids;
}

1;
