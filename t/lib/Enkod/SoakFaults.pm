package Enkod::SoakFaults;

# The faults of Enkod::Soak, of which it is the base class: what happens to
# nginx, to its files and to the disk.  A fault is a method whose name begins
# with "fault_"; it leaves nginx running.
#
# @FAULTS are the names of faults for every configuration, @SYNC_FAULTS those
# for files that are synced, and @PASS_FAULTS those for events that are handed
# on.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Enkod::Follower;
use Enkod::MemoryCheck;
use Enkod::Process qw(alive);
use Enkod::SoakNginx qw(await pause start_again stopped_or_gone);

our @ISA = qw(Enkod::SoakNginx);

my $slow = $Enkod::MemoryCheck::slow;

our @FAULTS = qw(kill_worker kill_in_write kill_master kill_all reload rotate
                 upgrade roll_back disk_full no_space short_writes write_errors
                 file_size deleted others clock);
our @SYNC_FAULTS = qw(sync_errors sync_failures sync_slow sync_hangs
                      power_loss);
our @PASS_FAULTS = qw(upstream_down upstream_errors upstream_hangs);


sub follow_no_more {
    my ($self) = @_;

    push @{ $self->{seen} }, (delete $self->{follower})->finish;
}


# The preloaded library does something for a while.

sub goes_wrong {
    my ($self, $function, $what) = @_;

    $self->{preload}->$function($what);
    sleep $slow * (0.1 + rand 0.4);
    $self->{preload}->$function("none");
}


# The faults

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


# the worker has written half of a batch, and holds the lock of the file

sub fault_kill_in_write {
    my ($self) = @_;

    $self->{preload}->on_write("kill");
    await("write to die in", sub { $self->{preload}->done });
    $self->workers_are_there;
}


# The workers live on and accept events.

sub fault_kill_master {
    my ($self) = @_;

    my $nginx = $self->{nginx};

    kill 'STOP', $nginx->{pid};
    await("stop", sub { stopped_or_gone($nginx->{pid}) });

    my @workers = $nginx->workers;

    kill 'KILL', $nginx->{pid};
    pause();

    if (rand() < 0.5) {
        $self->kill_in_anything(@workers);

    } else {
        kill 'QUIT', @workers;
    }

    await("death", sub { !grep { alive($_) } @workers });

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


# Starts a second master; returns both.

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


# A fault while there are two masters.

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
    await("end of the old master", sub { !alive($old) });

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
    await("end of the new master", sub { !alive($new) });
    pause();
}


# A file system that is full, if there is a small one; otherwise write() says
# so.

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


# fallocate() refuses the space before anything is written, or only a chunk of
# it.

sub fault_no_space {
    my ($self) = @_;

    my $what = (qw(full chunk quota never random))[rand 5];

    $self->say("    $what");
    $self->goes_wrong(on_fallocate => $what);
}


# One of the workers gets a limit of file sizes, just above the size of the log.

sub fault_file_size {
    my ($self) = @_;

    my @workers = map { $self->workers_of($_) } $self->masters;
    my $pid = $workers[rand @workers];

    # the limit must not affect the files of the preloaded library
    my ($size, @others) = map { -s $_ || 0 }
                          "$self->{files}/a.jsonl", glob "$self->{preload}{dir}/*s";

    return if !$pid || grep { $_ > $size - 100_000 } @others;

    limit($pid, $size + int rand 20_000);
    pause();
    limit($pid, "unlimited");
}


sub limit {
    my ($pid, $size) = @_;

    # the process may have ended
    system "prlimit --pid $pid --fsize=$size:unlimited 2>/dev/null";
}


# The log is deleted; its content is read through a descriptor.

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

    # a write() may be in progress
    $self->{torn}++;
    push @{ $self->{deleted} }, $copy;
}


# Another program appends as well, mostly pieces of lines.

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


# Some syncs fail, some are slow.

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


# Syncs hang while something else happens.

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


# The upstream stops, and is started again.

sub fault_upstream_down {
    my ($self) = @_;

    my $upstream = $self->{upstream};

    $upstream->stop(rand() < 0.5 ? 'TERM' : 'QUIT');
    pause();
    start_again($upstream);
}


# The upstream answers with errors, while the spool may have a fault as well.

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


# The upstream hangs until nginx gives up.

sub fault_upstream_hangs {
    my ($self) = @_;

    my @pids = $self->{upstream}->workers;

    kill 'STOP', @pids;
    sleep 1.2 * $slow;
    kill 'CONT', @pids;
}


# A power cut, in the middle of something.

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
        # while there are senders that do not wait yet
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
