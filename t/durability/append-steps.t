# Two processes append to one file, in every order of their system calls:
# workers of one master, workers of two masters (as in a binary upgrade),
# another program that writes a piece of a line, a worker that is killed.  In
# any order, each acknowledged event is on a line of its own, and no byte of the
# file changes or disappears.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

# only the worker that is not stopped must accept a connection
BEGIN { delete $ENV{TEST_NGINX_REUSE_PORT} }

use Enkod::Client;
use Enkod::Follower;
use Enkod::DeliveryCheck;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::Process;
use Enkod::SyscallStepper;
use Enkod::Wait qw(wait_for);

my $serial = 0;
my ($dir, $file, $stepper, $preload, %sent);


# Two masters that append to one file; the first one has two workers.

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


# A traced worker with a connection of its own: "a" and "b" of the first master,
# "c" of the second.  A worker that was killed is replaced.

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

    # this worker has to accept the connection
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

    wait_for(sub { Enkod::Process::stopped($pid) })
        or die "a process does not stop\n";
}


# Sends an event, and lets the worker run to its first call.

sub begin {
    my ($actor) = @_;

    my $id = "$actor->{name}-" . ++$serial;

    $actor->{id} = $id;
    $sent{$id} = 0;
    $actor->{client}->send(Enkod::Client::request(event($id)));

    go_on($actor);
}


# Lets a worker run to its next call, to its answer, or until it has to wait.

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

        # it has answered, or it has not woken up yet

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


# Appends a piece of a line, without a lock.

sub piece {
    open my $fh, ">>", $file or die "$file: $!";
    syswrite $fh, "####";
    close $fh;
}


# Runs all workers at once, in the order that is chosen; returns their calls.

sub in_some_order {
    my ($choose, $o, @actors) = @_;

    my ($piece, $victim) = ($o->{piece}, $o->{kill} && $actors[0]);
    my $switches = defined $o->{switches} ? $o->{switches} : 1000;
    my $last = "";
    my @trace;

    # the first worker has the lock, if they share one
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


# Returns the defects of what was added since an offset.

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


# Tests all orders of one case.  "actors" append; "before" have appended before,
# which decides whether what a worker knows about the end of the file is right,
# wrong or nothing; "new", the file is new; "behind", the file ends with a
# piece; "piece", another piece is appended at some time; "preload", what the
# first write() does; "kill", the first worker is killed at some time.
# "switches" limits how often a worker that could continue has to wait for
# another one.

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

            # the next lines do not follow a piece on its line
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
        # a traced process gets signals only when it continues
        $stepper->step($_->{pid}) for values %actors;

        !grep { !has_open($_) } map { $_->workers } values %nginx;
    }) or die "no reopening\n";

    # earlier events are in the other file
    %sent = ();
}


sub has_open {
    my ($pid) = @_;

    my @stat = stat $file or return 0;

    return grep { my @s = stat $_;
                  @s && $s[0] == $stat[0] && $s[1] == $stat[1] }
                glob "/proc/$pid/fd/*";
}


# untraced workers continue and can be stopped

END { undef $stepper }


actor("a");
%sent = ();

# two workers of one master

for (["a", "b"], ["b", "a"]) {
    all_orders("two workers (@$_)", actors => $_);
    all_orders("two workers (@$_) that know the file", actors => $_,
               before => ["a"]);
    all_orders("two workers (@$_), after a piece", actors => $_, behind => 1);
    all_orders("two workers (@$_), and a piece meanwhile", actors => $_,
               piece => 1);
    all_orders("two workers (@$_), and a new file", actors => $_, new => 1);
}

# workers of two masters

# (a worker that appends twice knows the end of the file until another one
# appends)

my %known = ("the first one remembers an old end of the file" => [qw(a a c c)],
             "the second one remembers an old end of the file" => [qw(c c a a)],
             "the first one remembers nothing of the file" => [qw(a a c c a)],
             "the second one remembers nothing of the file" => [qw(c c a a c)]);

for my $title (sort keys %known) {
    all_orders("two masters, $title", actors => ["a", "c"],
               before => $known{$title});
}

for my $title ("the first one remembers an old end of the file", "the second one remembers nothing of the file") {
    all_orders("two masters, $title, after a piece",
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

# one of the workers is killed

for my $other ("b", "c") {
    my $who = $other eq "b" ? "a worker" : "a worker of another master";
    my %o = (actors => ["a", $other], before => $other eq "b" ? ["a"]
                 : $known{"the second one remembers an old end of the file"});

    all_orders("$who, and one that is killed", %o, kill => 1);
    all_orders("$who, and one that is killed after a piece", %o, kill => 1,
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
   "no byte that a reader has seen has changed or disappeared";

is $nginx{$_}->alerts("exited on signal 9"), "",
   "the error log of nginx ($_) has no other alerts" for qw(one two);

done_testing;
