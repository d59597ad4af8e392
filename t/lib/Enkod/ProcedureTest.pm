package Enkod::ProcedureTest;

# For t/docs/procedures.t: an nginx that writes files of every kind, events for
# it, and the tests that all of them were kept.
#
#     my ($nginx, $procedure) = receiver();
#     my %sent;
#     some($nginx, 20, \%sent);
#     ...                                 # a procedure, by $procedure
#     all_kept($nginx, "title", \%sent);
#     delivered($nginx, "title", $backend, \%sent);

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Enkod::DeliveryCheck;
use Enkod::File;
use Enkod::Load qw(event refused_event);
use Enkod::Nginx ();
use Enkod::Procedure;
use Enkod::Wait qw(wait_for);

our @EXPORT = qw(receiver some files all_kept ids delivered load goes_on
                 compress renamed);

my $production = "docs/production.md";
my $rotation = "The file and its rotation";

my $root = $> == 0;
my $www = $root && getpwnam("www-data") && getgrnam("adm");
my $serial = 0;


# An nginx that writes files of every kind: accepted events go to
# log/events.jsonl, and as their upstream is down, to log/spool.jsonl as well;
# refused events go to log/refused.jsonl.  Returns it and its Enkod::Procedure.
# With cold => 1 it is not started.

sub receiver {
    my (%o) = @_;

    my $nginx = Enkod::Nginx->create(
        workers => 2, user => $www ? "www-data" : "root", %o, server => <<'END');
location / {
    enkod_webhook;
    enkod_log         log/events.jsonl;
    enkod_reject_log  log/refused.jsonl;
    enkod_pass        @nobody;
    enkod_spool       log/spool.jsonl;
}
location @nobody { proxy_pass http://127.0.0.1:%SECOND%; }
END

    my $procedure = Enkod::Procedure->new($nginx, urls => $o{urls} || {});

    if ($root) {
        $procedure->works("the folder is made as $production says",
                          ($procedure->indented($production, $rotation))[0]);
        is sprintf("%o", 07777 & (stat $nginx->path("log"))[2]), "750",
           "other users cannot read the folder";

    } else {
        mkdir $nginx->path("log");
    }

    $nginx->start if !$o{cold};

    return ($nginx, $procedure);
}


# Sends some events, each with one that is refused, and notes their statuses in
# %$sent.  Returns the id of the last one.

sub some {
    my ($nginx, $n, $sent) = @_;

    for (1 .. $n || 3) {
        my $id = "P-" . ++$serial;

        $sent->{$id} = $nginx->post(event($id))->{status};
        $sent->{"B$id"} = $nginx->post(refused_event("B$id"))->{status};
    }

    return "P-$serial";
}


# The files that match a pattern; of compressed ones, an uncompressed copy.

sub files {
    my ($nginx, $pattern) = @_;

    return map {
        my $file = $_;

        if ($file =~ /\.gz\b/) {
            my $plain = $nginx->path("plain.") . ++$serial;
            system("gunzip -c '$file' >'$plain'") == 0 or die "$file";
            $file = $plain;
        }

        $file;
    } grep { -f } glob "$nginx->{dir}/$pattern";
}


# Tests that every event is where it has to be.

sub all_kept {
    my ($nginx, $title, $sent, %o) = @_;

    my $places = $o{places} || "{log,log/away,mnt/*/*}";

    my $v = Enkod::DeliveryCheck::check(
        sent    => $sent, torn => $o{torn} || 0,
        logs    => [files($nginx, "$places/events.*")],
        rejects => [files($nginx, "$places/refused.*")],
        spools  => [files($nginx, "$places/spool.*")]);

    is_deeply $v->{defects}, [], "$title: each event is kept once";
    cmp_ok $v->{acknowledged}, ">=", $o{least} || 3, "$title: there are enough events";
}


# the ids of the events that a backend has got

sub ids {
    my ($backend) = @_;

    return map { $_->{body} =~ /"message_uid":"([^"]+)"/ ? $1 : () }
               $backend->requests;
}


# Tests that every event has arrived at a backend, or is in a spool.

sub delivered {
    my ($nginx, $title, $backend, $sent) = @_;

    my %there = map { $_ => 1 } ids($backend);
    my @missing;

    for my $file (files($nginx, "log/spool.*")) {
        $there{$_} = 1 for Enkod::File::slurp($file) =~ /"message_uid":"([^"]+)"/g;
    }

    @missing = grep { $sent->{$_} == 200 && !$there{$_} } sort keys %$sent;

    is join(" ", splice @missing, 0, 9), "", "$title: every event has arrived";
    cmp_ok scalar(keys %there), ">=", 3, "$title: there are enough events";
}


# senders

sub load {
    my ($nginx) = @_;

    return Enkod::Load->new($nginx->{port}, connections => 8, refused => 0.1);
}


# Waits until more events have been accepted.

sub goes_on {
    my ($nginx, $file) = @_;

    my $size = -s $nginx->path($file) || 0;

    wait_for(sub {
        (-s $nginx->path($file) || 0) > $size }) or die "nothing arrives";
}


# as gzip does it: the uncompressed file goes

sub compress {
    my ($from, $to) = @_;

    system("gzip -c '$from' >'$to'") == 0 && unlink $from or die "$from: $!";
}


# Renames a file and has nginx reopen it, as an administrator would do by hand.

sub renamed {
    my ($nginx, $to, $file) = @_;

    $file ||= "log/events.jsonl";

    rename $nginx->path($file), $nginx->path($to) or die "$to: $!";
    $nginx->reopen($file) or die "no reopening";
}

1;
