package Enkod::SyncTest;

# For tests of "sync": an nginx with a log that is synced, and with a preloaded
# library that records, holds and fails the calls of fdatasync() and fsync().
#
#     use Enkod::SyncTest;                # exports all of its functions
#     needs_threads();                    # before any other
#     my ($nginx, $preload) = nginx(level => "info");
#     my ($client, $id) = ask($nginx);    # has sent an event
#     waits($nginx, $client);             # it has no answer yet
#     ...
#     no_alerts();                        # before done_testing

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Enkod::Client;
use Enkod::Load qw(event);
use Enkod::Nginx ();
use Enkod::NginxConf;
use Enkod::Preload;

our @EXPORT = qw(needs_threads nginx id ask waits synced folders no_alerts
                 $location);

our $location = "location / { enkod_webhook; enkod_log a.jsonl sync; }";

my $serial = 0;
my @all;


# Without threads there is no "sync", and only its refusal is tested.

sub needs_threads {
    return if Enkod::NginxConf::threads();

    my $why = join "|", 'it needs an nginx built with "--with-threads"',
                        'cannot be used with the event method "\w+"';

    Enkod::Nginx::refused(
        "server { location / { enkod_webhook; $_ a.jsonl sync; } }",
        qr/"sync" .*(?:$why)/, "without threads, $_ sync")
        for qw(enkod_log enkod_reject_log enkod_spool);

    done_testing;
    exit;
}


# Starts an nginx with a preloaded library of its own.

sub nginx {
    my (%o) = @_;

    my $nginx = Enkod::Nginx->create(workers => 1, server => $location, %o);
    my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
        or plan skip_all => "no compiler to hold fdatasync() with";

    $nginx->{env} = $preload->env;
    $nginx->start;

    push @all, $nginx;

    return ($nginx, $preload);
}


sub id {
    return "S-" . ++$serial;
}


# a client that has sent an event, and its id

sub ask {
    my ($nginx, %o) = @_;

    my $id = $o{id} || id();
    my $client = $nginx->client;

    $client->send(Enkod::Client::request(event($id), %o));

    return wantarray ? ($client, $id) : $client;
}


# True if there is no answer, although the worker has answered requests that
# came later.

sub waits {
    my ($nginx, $client) = @_;

    return $nginx->settled && $client->silent;
}


# the syncs of that file

sub synced {
    my ($preload, $path) = @_;

    return grep { $_->{what} eq "fdatasync" && $_->{path} =~ /\Q$path\E$/ }
                $preload->syncs;
}


# the syncs of folders

sub folders {
    my ($preload) = @_;

    return grep { $_->{dir} && $_->{what} eq "fsync" } $preload->syncs;
}


# A test for each nginx that nginx() has started; stops it.

sub no_alerts {
    for my $nginx (@all) {
        is $nginx->alerts(qr/exited on signal 9/), "",
           "the error log has no alerts";
        $nginx->stop('QUIT');
    }
}

1;
