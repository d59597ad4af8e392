package Enkod::Soak;

# An episode: nginx under load, a reader that follows its files, faults one after
# the other, a phase without any, and the verdict of Enkod::DeliveryCheck.
#
#     my $episode = Enkod::Soak::episode(seed => 1, workers => 2, sync => 1,
#         reject => 1, faults => [qw(reload kill_all)], say => sub { ... });
#
# The names of faults are those of the functions at the end of this file, which
# begin with "fault_".  Everything random comes from the seed, but not the moment
# in which nginx meets it.

use strict;
use warnings;

use Digest::MD5 qw(md5);
use List::Util qw(shuffle);
use Time::HiRes qw(sleep time);

use Enkod::Client;
use Enkod::Follower;
use Enkod::Load qw(event refused_event);
use Enkod::Nginx ();
use Enkod::DeliveryCheck;
use Enkod::PowerLoss;
use Enkod::Preload;
use Enkod::Wait qw(wait_for);

my $slow = $Enkod::Nginx::slow;

# what nginx's error log says of faults that were meant
my $meant = "exited on signal 9";

# of them all, of those that concern a disk that syncs, and of those that concern
# the upstream of events that are handed on
our @FAULTS = qw(kill_worker kill_in_write kill_master kill_all reload rotate
                 upgrade roll_back disk_full no_space short_writes write_errors
                 file_size deleted others clock);
our @SYNC_FAULTS = qw(sync_errors sync_failures sync_slow sync_hangs
                      power_loss);
our @PASS_FAULTS = qw(upstream_down upstream_errors upstream_hangs);


# Options: seed; workers; sync, whether the files are; reject, whether there is a
# reject log; pass, whether events are handed on, and spooled; faults, their names
# in order; say, what takes a line of text; dir, for the files, if not nginx's
# own; size, of that file system.

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

    # and now all is well

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


# numbers that follow each other would give nearly the same first rand()

sub seed {
    my ($n) = @_;

    srand unpack "N", md5($n);
}


sub say {
    my ($self, $text) = @_;

    $self->{say}->($text) if $self->{say};
}


sub setup {
    my ($self) = @_;

    # the second binary of an upgrade gets only what is named
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


sub follow_no_more {
    my ($self) = @_;

    push @{ $self->{seen} }, (delete $self->{follower})->finish;
}


# Another nginx, to which nothing happens but what we want: what it has got is in
# its own file.

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

    # a fresh event passes

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

    # of every short write something stays
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


# nginx, again, on the same port

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


# the preloaded library does that for a while

sub goes_wrong {
    my ($self, $function, $what) = @_;

    $self->{preload}->$function($what);
    sleep $slow * (0.1 + rand 0.4);
    $self->{preload}->$function("none");
}


sub masters {
    my ($self) = @_;

    return $self->{nginx}->upgraded;
}


# also one that is about to be made: who has stopped makes no more

sub kill_all {
    my ($self) = @_;

    my @pids = $self->masters;
    my (%known, @new);

    # or a master makes another worker meanwhile
    while (@new = grep { !$known{$_}++ } @pids) {
        kill 'STOP', @new;
        await("stop", sub { !grep { !stopped($_) } @new });
        @pids = map { Enkod::Nginx::children($_) } @new;
    }

    $self->kill_in_anything(shuffle(keys %known));
    await("death", sub { !grep { Enkod::Nginx::alive($_) } keys %known });
}


sub stopped {
    my ($pid) = @_;

    return !Enkod::Nginx::alive($pid)
           || Enkod::Nginx::slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) T /s;
}


# an event when all other senders wait; nobody looks at the answer

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


# a second master is a child of the first one

sub workers_of {
    my ($self, $master) = @_;

    my %masters = map { $_ => 1 } $self->masters;

    return grep { !$masters{$_} } $self->{nginx}->workers($master);
}


# The faults.  Each leaves nginx running.

sub fault_kill_worker {
    my ($self) = @_;

    $self->kill_worker_of($self->{nginx}{pid});
}


sub kill_worker_of {
    my ($self, $master) = @_;

    my @workers = $self->workers_of($master);

    $self->kill_in_anything($workers[rand @workers]) if @workers;
    sleep 0.02;
    $self->workers_are_there($master);
}


# each of them may just be writing to one of the files

sub kill_in_anything {
    my ($self, @pids) = @_;

    $self->{torn} += @pids;
    kill 'KILL', @pids;
}


# half of a batch is in the file, and its lock is held

sub fault_kill_in_write {
    my ($self) = @_;

    $self->{preload}->on_write("kill");
    await("write to die in", sub { $self->{preload}->done });
    $self->workers_are_there;
}


# the workers live on, and go on

sub fault_kill_master {
    my ($self) = @_;

    my $nginx = $self->{nginx};

    kill 'STOP', $nginx->{pid};
    await("stop", sub { stopped($nginx->{pid}) });

    my @workers = $nginx->workers;

    kill 'KILL', $nginx->{pid};
    pause();

    if (rand() < 0.5) {
        $self->kill_in_anything(@workers);

    } else {
        kill 'QUIT', @workers;
    }

    await("death", sub { !grep { Enkod::Nginx::alive($_) } @workers });

    start_again($self->{nginx});
}


sub fault_kill_all {
    my ($self) = @_;

    $self->kill_all;
    start_again($self->{nginx});
}


sub fault_reload {
    my ($self) = @_;

    $self->{nginx}->reload or die "no reload\n";
}


sub rename_files {
    my ($self) = @_;

    my $n = ++$self->{rotated};

    for my $name ("a.jsonl", $self->{reject} ? "r.jsonl" : (),
                  $self->{pass} ? "s.jsonl" : ())
    {
        my $file = "$self->{files}/$name";

        rename $file, "$file.$n" or die "$file: $!\n";
        $self->{power}->renamed($file, "$file.$n");
    }
}


sub fault_rotate {
    my ($self) = @_;

    $self->rename_files;
    pause() if rand() < 0.5;

    kill 'USR1', $self->masters;

    await("new file", sub { -e "$self->{files}/a.jsonl" });
    pause();
}


# a second master; returns both

sub second_master {
    my ($self) = @_;

    my $nginx = $self->{nginx};
    my $old = $nginx->{pid};
    my $new;

    $self->{others} = 1;
    kill 'USR2', $old;

    await("second master", sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        $new && $new != $old && -s "$nginx->{dir}/logs/nginx.pid.oldbin";
    });

    $self->workers_are_there($new);
    pause();

    return ($old, $new);
}


sub old_workers_end {
    my ($self, $old, $new) = @_;

    kill 'WINCH', $old;
    await("end of the old workers",
             sub { !grep { $_ != $new } $self->{nginx}->workers($old) });
}


# something that goes wrong while there are two

sub meanwhile {
    my ($self, @masters) = @_;

    my @kinds = (qw(nothing disk_full no_space rotate short_write short_writes
                    file_size deleted others kill_worker kill_in_write),
                 $self->{sync} ? qw(sync_errors sync_slow) : ());
    my $what = $kinds[rand @kinds];

    $self->say("    meanwhile: $what");

    if ($what eq "short_write") {
        $self->{preload}->on_write((qw(short most border))[rand 3]);
        await("short write", sub { $self->{preload}->done });
        pause();

    } elsif ($what eq "kill_worker") {
        $self->kill_worker_of($masters[rand @masters]);

    } elsif ($what eq "kill_in_write") {
        $self->fault_kill_in_write;
        $self->workers_are_there($_) for @masters;

    } elsif ($what ne "nothing") {
        $self->can("fault_$what")->($self);
    }
}


sub fault_upgrade {
    my ($self) = @_;

    my ($old, $new) = $self->second_master;

    $self->meanwhile($old, $new);
    $self->old_workers_end($old, $new);
    kill 'QUIT', $old;
    await("end of the old master", sub { !Enkod::Nginx::alive($old) });

    $self->{nginx}{pid} = $new;
    pause();
}


sub fault_roll_back {
    my ($self) = @_;

    my ($old, $new) = $self->second_master;

    $self->old_workers_end($old, $new);
    pause();

    kill 'HUP', $old;
    await("workers of the old master",
             sub { $self->{nginx}->workers($old) > $self->{nginx}{workers} });

    $self->meanwhile($old, $new);
    kill 'QUIT', $new;
    await("end of the new master", sub { !Enkod::Nginx::alive($new) });
    pause();
}


# a real one, if there is a small file system for it

sub fault_disk_full {
    my ($self) = @_;

    return $self->goes_wrong(on_write => "full") if !$self->{dir};

    my $ballast = "$self->{files}/ballast";

    open my $fh, ">", $ballast or die "$ballast: $!\n";
    binmode $fh;
    $fh->autoflush(1);

    my $end = time + 5;

    for my $size (65536, 4096, 1) {
        1 while syswrite($fh, "x" x $size) && time < $end;
    }

    pause();
    close $fh;
    unlink $ballast;
}


# it is refused before anything is written; or only a chunk of it is

sub fault_no_space {
    my ($self) = @_;

    my $what = (qw(full chunk quota never random))[rand 5];

    $self->say("    $what");
    $self->goes_wrong(on_fallocate => $what);
}


# A limit that one of the workers gets, just above the size of the log.

sub fault_file_size {
    my ($self) = @_;

    my @workers = map { $self->workers_of($_) } $self->masters;
    my $pid = $workers[rand @workers];

    # it holds for what the preloaded library writes, too, which we need
    my ($size, @others) = map { -s $_ || 0 }
                          "$self->{files}/a.jsonl", glob "$self->{preload}{dir}/*s";

    return if !$pid || grep { $_ > $size - 100_000 } @others;

    limit($pid, $size + int rand 20_000);
    pause();
    limit($pid, "unlimited");
}


sub limit {
    my ($pid, $size) = @_;

    # it may have ended
    system "prlimit --pid $pid --fsize=$size:unlimited 2>/dev/null";
}


# What was written to it until then is found by whoever has it open.

sub fault_deleted {
    my ($self) = @_;

    my $file = "$self->{files}/a.jsonl";
    my $copy = "$self->{nginx}{dir}/deleted." . @{ $self->{deleted} };

    open my $from, "<:raw", $file or die "$file: $!\n";
    unlink $file or die "$file: $!\n";

    my $size = -s $from;

    await("new file", sub { -e $file });

    open my $to, ">:raw", $copy or die "$copy: $!\n";

    while ($size) {
        my $n = read $from, my $text, $size < 1 << 20 ? $size : 1 << 20 or last;
        print $to $text;
        $size -= $n;
    }

    close $to or die "$copy: $!\n";

    # that may be in the middle of a write()
    $self->{torn}++;
    push @{ $self->{deleted} }, $copy;
}


# Somebody else appends, too, and seldom to the end of a line.

sub fault_others {
    my ($self) = @_;

    my $file = "$self->{files}/a.jsonl";
    my $end = time + $slow * (0.05 + rand 0.2);

    $self->{others} = 1;

    while (time < $end) {
        open my $fh, ">>", $file or die "$file: $!\n";
        syswrite $fh, "#" x (1 + int rand 40) . (rand() < 0.2 ? "\n" : "");
        close $fh;

        $self->{torn}++;
        sleep rand 0.01;
    }
}


sub fault_short_writes {
    my ($self) = @_;

    $self->goes_wrong(on_write => "random");
}


sub fault_write_errors {
    my ($self) = @_;

    $self->goes_wrong(on_write => "eio");
}


sub fault_clock {
    my ($self) = @_;

    $self->{preload}->set_clock((-86400, -3600, -3, -1, 1, 3600, 86400)[rand 7]);
    pause();
    $self->{preload}->set_clock(0) if rand() < 0.5;
}


# some fail, some are slow

sub fault_sync_errors {
    my ($self) = @_;

    $self->goes_wrong(on_sync => "random");
}


sub fault_sync_failures {
    my ($self) = @_;

    $self->goes_wrong(on_sync => rand() < 0.5 ? "eio" : "dir_eio");
}


sub fault_sync_slow {
    my ($self) = @_;

    $self->goes_wrong(on_sync => "slow");
}


# and something else happens meanwhile

sub fault_sync_hangs {
    my ($self) = @_;

    $self->{preload}->on_sync("hold");
    pause();

    my $nginx = $self->{nginx};
    my @old = $nginx->workers;
    my $what = (qw(nothing reload rotate kill_worker))[rand 4];

    $self->say("    meanwhile: $what");

    if ($what eq "reload") {
        $nginx->signal('HUP');
        pause();

    } elsif ($what eq "rotate") {
        $self->fault_rotate;
        $self->one_more;

    } elsif ($what eq "kill_worker") {
        $self->kill_in_anything($old[rand @old]);
    }

    $self->{preload}->on_sync("none");

    if ($what eq "reload") {
        await("reload", sub {
            my %now = map { $_ => 1 } $nginx->workers;
            !grep { $now{$_} } @old;
        });
    }

    $self->workers_are_there;
}


# The upstream is away, whatever it was doing.

sub fault_upstream_down {
    my ($self) = @_;

    my $upstream = $self->{upstream};

    $upstream->stop(rand() < 0.5 ? 'TERM' : 'QUIT');
    pause();
    start_again($upstream);
}


# and the spool has its own troubles

sub fault_upstream_errors {
    my ($self) = @_;

    my $what = (qw(nothing rotate kill_worker disk_full no_space short_writes
                   write_errors))[rand 7];

    $self->say("    meanwhile: $what");

    $self->{upstream}->put("fails", "");
    pause();
    $self->can("fault_$what")->($self) if $what ne "nothing";
    unlink $self->{upstream}->path("fails");
}


# until nginx waits no longer

sub fault_upstream_hangs {
    my ($self) = @_;

    my @pids = $self->{upstream}->workers;

    kill 'STOP', @pids;
    sleep 1.2 * $slow;
    kill 'CONT', @pids;
}


# in the middle of something

sub fault_power_loss {
    my ($self) = @_;

    my $preload = $self->{preload};
    my @kinds = qw(nothing sync_errors sync_failed sync_hangs folder_fails
                   short_writes rename rotate hang_and_rotate upgrade
                   kill_worker);
    my $what = $kinds[rand @kinds];

    $self->say("    meanwhile: $what");

    if ($what eq "sync_errors") {
        $preload->on_sync("random");
        pause();

    } elsif ($what eq "sync_failed") {
        $preload->on_sync("eio1");
        pause() if rand() < 0.7;

    } elsif ($what eq "sync_hangs") {
        $preload->on_sync("hold");
        pause();

    } elsif ($what eq "folder_fails") {
        $preload->on_sync("dir_eio");
        $self->rename_files;
        kill 'USR1', $self->masters;
        pause();

    } elsif ($what eq "hang_and_rotate") {
        # before all senders wait
        $preload->on_sync("hold");
        sleep rand 0.004;
        $self->rename_files;
        kill 'USR1', $self->masters;
        pause();
        $self->one_more for 1 .. 3;
        $preload->on_sync("none");
        sleep rand 0.02;

    } elsif ($what eq "short_writes") {
        $preload->on_write("random");
        pause();

    } elsif ($what eq "rename") {
        $self->rename_files;
        pause() if rand() < 0.5;

    } elsif ($what eq "rotate") {
        $self->rename_files;
        kill 'USR1', $self->masters;
        sleep rand 0.1;

    } elsif ($what eq "upgrade") {
        kill 'USR2', $self->{nginx}{pid};
        sleep rand(3) * $slow;

    } elsif ($what eq "kill_worker") {
        my @workers = $self->{nginx}->workers;
        $self->kill_in_anything($workers[rand @workers]);
        sleep rand 0.02;
    }

    $self->kill_all;
    $self->follow_no_more;
    $self->{torn} += $preload->cut_short;

    $preload->on_write("none");
    $preload->on_sync("none");

    for my $done ($self->{power}->cut) {
        $done =~ s{.*/}{};
        $self->say("    $done");
    }

    $self->{torn} += $self->{power}{torn};

    $self->{follower} = Enkod::Follower->new($self->{files});
    start_again($self->{nginx});
}

1;
