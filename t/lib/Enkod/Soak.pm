package Enkod::Soak;

# An episode of a soak test: nginx under load, a reader that follows its files,
# faults one after the other, a phase without faults, and a check by
# Enkod::DeliveryCheck.
#
#     my $episode = Enkod::Soak::episode(seed => 1, workers => 2, sync => 1,
#         reject => 1, faults => [qw(reload kill_all)], say => sub { ... });
#
# The names of faults are those of Enkod::SoakFaults.  Everything random comes
# from the seed, except for what nginx is doing at that moment.

use strict;
use warnings;

use Digest::MD5 qw(md5);
use Time::HiRes qw(sleep time);

use Enkod::DeliveryCheck;
use Enkod::Follower;
use Enkod::Load qw(event refused_event);
use Enkod::MemoryCheck;
use Enkod::Nginx ();
use Enkod::PowerLoss;
use Enkod::Preload;
use Enkod::SoakFaults;

our @ISA = qw(Enkod::SoakFaults);

my $slow = $Enkod::MemoryCheck::slow;

# what the error log says of faults that are intended
my $meant = "exited on signal 9";


# Options: seed; workers; sync, true if files are synced; reject, true for a
# reject log; pass, true if events are passed on and have a spool; faults, their
# names in order; say, a function that gets a line of text; dir, a folder for
# the files instead of nginx's; size, of the file system of that folder.

sub episode {
    my (%o) = @_;

    seed($o{seed});

    my $self = bless { %o, torn => 0, serial => 0, rotated => 0,
                     more => {}, seen => [], deleted => [] }, __PACKAGE__;

    $self->setup;

    my $start = time;
    my $load = Enkod::Load->new($self->{nginx}{port},
                                connections => $o{connections} || 32,
                                leave => 0.01, $o{reject} ? (refused => 0.05)
                                                          : ());
    my @done;

    for my $name (@{ $o{faults} }) {
        sleep $slow * (0.05 + rand 0.25);

        my $fault = $self->can("fault_$name") or die "no such fault: $name\n";

        $self->say($name);

        eval { $fault->($self); 1 } or do {
            $load->finish;
            return { defects => ["$name: $@"], missing => 0,
                     faults => [@done, $name], acknowledged => 0,
                     nginx => $self->{nginx} };
        };

        push @done, $name;
    }

    # the phase without faults

    eval { $load->accepted(500) };

    my $why = $@;

    delete $self->{clients};

    my $sent = $load->finish;
    my $verdict = $self->verdict({ %$sent, %{ $self->{more} } });

    push @{ $verdict->{defects} }, "after all faults: $why" if $why;

    $verdict->{faults} = \@done;
    $verdict->{seconds} = time - $start;
    $verdict->{nginx} = $self->{nginx};

    return $verdict;
}


# Consecutive numbers as seeds would give nearly the same first rand().

sub seed {
    my ($n) = @_;

    srand unpack "N", md5($n);
}


sub setup {
    my ($self) = @_;

    # nginx passes only these variables on to the binary of an upgrade
    my $nginx = Enkod::Nginx->create(workers => $self->{workers}, daemon => 1,
                                     main => "env LD_PRELOAD; env ENKOD_PRELOAD;");

    $self->{nginx} = $nginx;
    $self->{files} = $self->{dir} || "$nginx->{dir}/files";

    my $sync = $self->{sync} ? "sync" : "";
    my $reject = $self->{reject}
                 ? "enkod_reject_log $self->{files}/r.jsonl $sync;" : "";

    my $pass = "";

    if ($self->{pass}) {
        $self->{upstream} = upstream();

        $pass = "enkod_pass \@upstream; enkod_pass_body \$enkod_json;"
                . " enkod_spool $self->{files}/s.jsonl $sync;";

        $nginx->{http} = "proxy_read_timeout 1s; proxy_connect_timeout 1s;";
        $nginx->{server} = "location \@upstream { proxy_pass"
                           . " http://127.0.0.1:$self->{upstream}{port}; }";
    }

    $nginx->{server} .= " location / { enkod_webhook; $reject $pass"
                        . " enkod_log $self->{files}/a.jsonl $sync; }";

    mkdir $self->{files};
    chown $nginx->user, $self->{files} if $> == 0;
    unlink glob "$self->{files}/*";

    $self->{preload} = Enkod::Preload->new("$nginx->{dir}/preload")
        or die "no compiler for the faults\n";

    $nginx->{env} = $self->{preload}->env;

    $self->{power} = Enkod::PowerLoss->new($self->{preload}, $self->{files});

    $nginx->start;

    $self->{follower} = Enkod::Follower->new($self->{files});
}


# Another nginx, without faults of its own.  The events that it got are in
# delivered.jsonl.

sub upstream {
    return Enkod::Nginx->new(server => <<'END');
        location / {
            enkod_webhook;
            enkod_log  %DIR%/delivered.jsonl;

            if (-f %DIR%/fails) {
                return  503;
            }
        }
END
}


sub verdict {
    my ($self, $sent) = @_;

    my $nginx = $self->{nginx};

    # a new event is accepted, a new bad one refused

    my %fresh = ("fresh-1" => event("fresh-1"), "B-fresh" => undef);
    $fresh{"B-fresh"} = refused_event("B-fresh");

    $sent->{$_} = $nginx->post($fresh{$_})->{status} for keys %fresh;

    my @odd = ($sent->{"fresh-1"} == 200 ? () : "a fresh event got "
                                                . $sent->{"fresh-1"},
               $sent->{"B-fresh"} == 422 ? () : "a fresh refusal got "
                                                . $sent->{"B-fresh"});

    push @odd, "nginx did not end\n" if !$nginx->stop('QUIT');
    $self->follow_no_more;
    $self->{upstream}->stop if $self->{upstream};

    my $alerts = $nginx->alerts($meant);
    push @odd, $alerts if $alerts ne "";

    # each short write leaves a piece of a line
    my $v = Enkod::DeliveryCheck::check(
        sent => $sent, torn => $self->{torn} + $self->{preload}->cut_short,
        lost => $self->{lost}, others => $self->{others},
        seen => $self->{seen}, deleted => $self->{deleted},
        logs => [glob "$self->{files}/a.jsonl*"],
        $self->{reject} ? (rejects => [glob "$self->{files}/r.jsonl*"]) : (),
        $self->{pass} ? (spools => [glob "$self->{files}/s.jsonl*"],
                         delivered => ["$self->{upstream}{dir}/delivered.jsonl"])
                      : ());

    $self->{upstream}->forget if $self->{upstream} && !@{ $v->{defects} };

    push @{ $v->{defects} }, @odd;

    return $v;
}

1;
