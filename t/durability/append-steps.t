# Two who append to one file, in every order of their system calls: workers of
# one master, workers of two (as in a binary upgrade), somebody else who writes a
# piece of a line, one who is killed.  Whatever the order is, what was
# acknowledged is on a line of its own, and nothing that was in the file goes
# away or changes.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

# a connection is taken by the one worker that is not stopped
BEGIN { delete $ENV{TEST_NGINX_REUSE_PORT} }

use Enkod::Client;
use Enkod::File;
use Enkod::Follower;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::DeliveryCheck;
use Enkod::Preload;
use Enkod::SyscallStepper;
use Enkod::Wait qw(wait_for);

my $serial = 0;
my ($dir, $file, $stepper, $preload, %sent);


# Two masters that append to one file; of the first one, two workers.

my %nginx = map { $_ => Enkod::Nginx->create(workers => $_ eq "one" ? 2 : 1) }
                qw(one two);

$dir = $nginx{one}{dir};
$file = "$dir/files/a.jsonl";

mkdir "$dir/files";
chown $nginx{one}->user, "$dir/files" if $> == 0;

$preload = Enkod::Preload->new("$dir/preload");
$stepper = Enkod::SyscallStepper->new("$dir/step");

plan skip_all => "no compiler" if !$preload || !$stepper;

for my $nginx (values %nginx) {
    $nginx->{server} = "location / { enkod_webhook; enkod_log $file; }";
    $nginx->{env} = $preload->env;
    $nginx->start;
}

my $follower = Enkod::Follower->new("$dir/files");
my %actors;

sub actors { map { actor($_) } @_ }


# Somebody who appends: a worker that is traced, with a connection of its own.
# "a" and "b" are those of the first master, "c" that of the second.  One that
# has been killed comes again.

sub actor {
    my ($name) = @_;

    my $actor = $actors{$name};

    return $actor if $actor && $actor->{state} ne "gone";

    my $nginx = $nginx{$name eq "c" ? "two" : "one"};
    my %taken = map { $_->{pid} => 1 } grep { $_->{name} ne $name } values %actors;
    my ($pid, @others);

    wait_for(sub {
        ($pid, @others) = sort { !!$taken{$a} <=> !!$taken{$b} } $nginx->workers;
        @others + 1 == $nginx->{workers} && !$taken{$pid};
    }) or die "no worker\n";

    # it is this one that takes the connection
    $taken{$_} ? $stepper->hold($_) : halt($_) for @others;

    $actor = $actors{$name} = { name => $name, pid => $pid,
                                client => $nginx->client };

    $stepper->attach($pid)
        or plan skip_all => "processes cannot be traced here";

    append($actor);

    $taken{$_} ? $stepper->step($_) : kill 'CONT', $_ for @others;

    return $actor;
}


sub halt {
    my ($pid) = @_;

    kill 'STOP', $pid;

    wait_for(sub {
        Enkod::File::slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) T /s;
    }) or die "a process does not stop\n";
}


# Sends an event, and lets it go on to its first call.

sub begin {
    my ($actor) = @_;

    my $id = "$actor->{name}-" . ++$serial;

    $actor->{id} = $id;
    $sent{$id} = 0;
    $actor->{client}->send(Enkod::Client::request(event($id)));

    go_on($actor);
}


# It makes its call, and goes on to the next one, or is done, or has to wait.

sub go_on {
    my ($actor) = @_;

    for my $try (1 .. 10000) {
        my $is = $stepper->step($actor->{pid});

        if ($is eq "gone") {
            $actor->{state} = "gone";
            return;
        }

        if ($is ne "idle") {
            $actor->{state} = $is;
            return;
        }

        # done, or it has not even been woken up

        my $answer = $actor->{client}->read(0.001);

        if ($answer->{status} > 0) {
            $sent{$actor->{id}} = $answer->{status};
            $actor->{state} = "done";
            return;
        }
    }

    die "$actor->{name} neither goes on nor answers\n";
}


sub append {
    my ($actor) = @_;

    begin($actor);
    go_on($actor) while $actor->{state} =~ /^call|^blocked/;

    return $sent{$actor->{id}};
}


# a piece, for which there is no lock

sub piece {
    open my $fh, ">>", $file or die "$file: $!";
    syswrite $fh, "####";
    close $fh;
}


# All of them at once, in the order that is chosen; the calls that were made.

sub in_some_order {
    my ($choose, $o, @actors) = @_;

    my ($piece, $victim) = ($o->{piece}, $o->{kill} && $actors[0]);
    my $switches = defined $o->{switches} ? $o->{switches} : 1000;
    my $last = "";
    my @trace;

    # the first one has the lock, if they have one together
    begin($_) for @actors;

    while (1) {
        go_on($_) for grep { $_->{state} eq "blocked" } @actors;

        my @able = grep { $_->{state} =~ /^call/ } @actors;

        last if !@able && !$piece;

        push @able, "others" if $piece;
        push @able, "kill" if $victim && $victim->{state} =~ /^call/;

        @able = $last if !$switches && grep { $_ eq $last } @able;

        my $actor = $able[@able > 1 ? $choose->(scalar @able) : 0];

        $switches-- if $last && $actor ne $last && grep { $_ eq $last } @able;
        $last = $actor;

        if ($actor eq "others") {
            piece();
            $piece = 0;
            push @trace, "others: write";
            next;
        }

        if ($actor eq "kill") {
            push @trace, "$victim->{name} is killed before its next call";
            $stepper->kill($victim->{pid});
            $victim->{state} = "gone";
            next;
        }

        push @trace, $actor->{state} =~ s/^call/$actor->{name}:/r;
        go_on($actor);
    }

    push @trace, "$_->{name} $_->{state}"
        for grep { $_->{state} eq "blocked" } @actors;

    return @trace;
}


# What is wrong with what was added since then.

sub defects {
    my ($from, $torn, $others) = @_;

    my $part = "$dir/part.jsonl";

    open my $in, "<", $file or die "$file: $!";
    seek $in, $from, 0;
    my $text = do { local $/; <$in> };
    close $in;

    open my $out, ">", "$part" or die "$part: $!";
    print $out defined $text ? $text : "";
    close $out;

    my $v = Enkod::DeliveryCheck::check(sent => \%sent, logs => [$part], torn => $torn,
                                 others => $others);

    %sent = ();

    return @{ $v->{defects} };
}


# Every order of one case: who appends; and who has done so before, so that what
# each of them knows of the file is right, or wrong, or nothing; "new", whether
# the file is a new one; "behind", whether there is a piece at its end; "piece",
# whether another piece comes at some time; "preload", what becomes of the write()
# that is the first; "kill", whether the first one is killed at some time.  With
# "switches", only those orders in which one who could go on has to wait for
# another that often.

sub all_orders {
    my ($title, %o) = @_;

    my (@bad, $from);

    my $n = Enkod::SyscallStepper::orders(sub {
        my ($choose) = @_;

        return if @bad;

        $from = $o{new} ? 0 : -s $file;

        my @trace = eval {
            my @actors = actors(@{ $o{actors} });

            new_file() if $o{new};
            append($_) for actors(@{ $o{before} || [] });
            piece() if $o{behind};

            $preload->on_write($o{preload}) if $o{preload};

            my @trace = in_some_order($choose, \%o, @actors);

            $preload->on_write("none");

            # nothing is glued to what they have left
            append($_) for grep { $_->{state} eq "done" } @actors;

            @trace;
        };

        my $died = $@;

        @bad = defects($from, ($o{preload} ? 1 : 0) + ($o{piece} ? 1 : 0)
                              + ($o{behind} ? 1 : 0),
                       $o{piece} || $o{behind}
                       || grep { $_ eq "c" } @{ $o{actors} },
                                             @{ $o{before} || [] });
        unshift @bad, $died if $died;
        push @bad, grep { / blocked$/ } @trace;

        diag join ", ", @trace if @bad;
    });

    is_deeply \@bad, [], "$title, in $n orders";
}


sub new_file {
    rename $file, "$file." . ++$serial or die "$file: $!";

    $_->signal('USR1') for values %nginx;

    wait_for(sub {
        # what is traced gets no signal otherwise
        $stepper->step($_->{pid}) for values %actors;

        !grep { !has_open($_) } map { $_->workers } values %nginx;
    }) or die "no reopening\n";

    # what was sent before is in the other one
    %sent = ();
}


sub has_open {
    my ($pid) = @_;

    my @stat = stat $file or return 0;

    return grep { my @s = stat $_;
                  @s && $s[0] == $stat[0] && $s[1] == $stat[1] }
                glob "/proc/$pid/fd/*";
}


# workers go on and can be stopped when nobody traces them

END { undef $stepper }


actor("a");
%sent = ();

# workers of one master

for (["a", "b"], ["b", "a"]) {
    all_orders("two workers (@$_)", actors => $_);
    all_orders("two workers (@$_) that know the file", actors => $_,
               before => ["a"]);
    all_orders("two workers (@$_), behind a piece", actors => $_, behind => 1);
    all_orders("two workers (@$_), and a piece meanwhile", actors => $_,
               piece => 1);
    all_orders("two workers (@$_), and a new file", actors => $_, new => 1);
}

# of two masters; what each of them knows is right, or wrong, or nothing

# (one that appends twice knows the file, until the other one appends)

my %known = ("the first one remembers an old end of the file" => [qw(a a c c)],
             "the second one remembers an old end of the file" => [qw(c c a a)],
             "the first one remembers nothing of the file" => [qw(a a c c a)],
             "the second one remembers nothing of the file" => [qw(c c a a c)]);

for my $title (sort keys %known) {
    all_orders("two masters, $title", actors => ["a", "c"],
               before => $known{$title});
}

for my $title ("the first one remembers an old end of the file", "the second one remembers nothing of the file") {
    all_orders("two masters, $title, behind a piece",
               actors => ["a", "c"], before => $known{$title}, behind => 1);
    all_orders("two masters, $title, and a short write()",
               actors => ["a", "c"], before => $known{$title}, preload => "short");
}

my $known = $known{"the first one remembers an old end of the file"};

all_orders("two masters, and a write() that lacks a byte", preload => "most",
           actors => ["a", "c"], before => $known);
all_orders("two masters, and a write() that is short at the border of lines",
           actors => ["a", "c"], before => $known, preload => "border");
all_orders("two masters, and a new file", actors => ["a", "c"], new => 1,
           switches => 2);
all_orders("two masters, and a piece meanwhile", actors => ["a", "c"],
           before => $known, piece => 1, switches => 2);

# one is killed

for my $other ("b", "c") {
    my $who = $other eq "b" ? "a worker" : "a worker of another master";
    my %o = (actors => ["a", $other], before => $other eq "b" ? ["a"]
                 : $known{"the second one remembers an old end of the file"});

    all_orders("$who, and one that is killed", %o, kill => 1);
    all_orders("$who, and one that is killed behind a piece", %o, kill => 1,
               behind => 1, switches => 1);
    all_orders("$who, and one that is killed with a new file", %o, kill => 1,
               before => [], new => 1, switches => 1);
    all_orders("$who, and one that is killed within its write()", %o,
               preload => "kill");
    all_orders("$who, and one that is killed after its write()", %o,
               preload => "killed");
    all_orders("$who, and one that is killed after a short write()", %o,
               kill => 1, preload => "short", switches => 1);
}


is_deeply $follower->finish->{defects}, [],
   "a reader has seen nothing change or go away";

is $nginx{$_}->alerts("exited on signal 9"), "",
   "nginx ($_) has no other reason to complain" for qw(one two);

done_testing;
