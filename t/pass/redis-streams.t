# Two nodes with docs/examples/redis-streams.conf add events to a stream of a
# real Redis, through a real webdis, and two consumers of one group read each
# event once.  When Redis or webdis is killed meanwhile, events that could not
# be added are in the spools, enkod-replay adds them, and no acknowledged event
# is missing.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use Enkod::Client;
use Enkod::Example;
use Enkod::File;
use Enkod::Nginx;
use Enkod::Redis;
use Enkod::Wait qw(wait_for now);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $replay = $ENV{TEST_ENKOD_REPLAY} || "$top/build/enkod-replay";
my $token = "replace-me-0f3a5f1d6f7c4be2a8d1";

my $json = JSON::PP->new->utf8->canonical;

my @children;
my $serial = 0;
my $owner = $$;

my $dir = tempdir("enkod-redis-XXXXXX", TMPDIR => 1, CLEANUP => 1);

my $redis = Enkod::Redis->new($dir)
    or plan skip_all => Enkod::Redis::why()
                        . ", see redis-tools and webdis in the Makefile";

END {
    if ($$ == $owner) {
        my $rc = $?;
        kill 'KILL', @children;
        waitpid $_, 0 for @children;
        $? = $rc;
    }
}

$redis->start($_) for qw(redis webdis);

# an enkod_log beside the stream has the lines that must be in the stream
my @nodes = map { Enkod::Example->new(name => "redis-streams", workers => 2,
                                      http => "enkod_log lines.jsonl;\n",
                                      servers => { 7379
                                                   => $redis->{port}{webdis} })
                } 1 .. 2;

$redis->connect->command(qw(XGROUP CREATE enkod readers $ MKSTREAM));

all_is_well();
refused_by_redis();
answered_too_late();
nothing_but_xadd();
killed($_) for qw(redis webdis);

is $_->alerts, "", "the error log has no alerts" for @nodes;

done_testing;


# All eight events, with any text that JSON allows in strings.

sub events {
    my ($prefix, $n) = @_;

    my @nasty = ('plain', 'say \"hi\" \\\\ \/',
                 'a\u0000\u0001\n\r\t\u001f\u007f',
                 "\xf0\x9f\x98\x80 \\ud83d\\ude00 \xd0\xa1\xe2\x80\xa8",
                 '* / . %2f %00 ?a=b&c+d #', '$request_id ${x}',
                 'x' x 3000, '');

    my @kinds = map { Enkod::File::slurp($_) } glob "$top/t/bodies/*.json";
    my %event;

    for my $i (1 .. $n) {
        my $id = "$prefix-$i";
        my $text = "$id $nasty[$i / 8 % @nasty]";

        $event{$id} = $kinds[$i % @kinds]
                      =~ s/"(name|group_name|email)": "\K[^"]*/$text/r
                      =~ s/\s*\}\s*\z/,"id":"$id"}/r;
    }

    return \%event;
}


sub send_one {
    my ($event, $client) = @_;

    $client ||= $nodes[0]->client;
    $client->send(Enkod::Client::request($event, uri => "/enkod?token=$token"));

    return $client->status;
}


# Sends the events to both nodes, over several connections.  %gate has names and
# fractions of the events: from that fraction on, nothing is sent until gate()
# is called with the name.  Returns the processes, each of which writes its
# answers to a file.

sub senders {
    my ($events, %gate) = @_;

    my @ids = sort keys %$events;
    my $n = 6;
    my @senders;

    for my $i (0 .. $n - 1) {
        my $node = $nodes[$i % @nodes];
        my $file = "$dir/sent." . ++$serial;

        my $pid = child(sub {
            open my $fh, ">", $file or die "$file: $!";

            my $client = $node->client;

            for (my $k = $i; $k < @ids; $k += $n) {
                for my $name (grep { $k >= $gate{$_} * @ids } keys %gate) {
                    wait_for(sub { -e "$dir/$name" }) or die "no $name\n";
                }

                my $status = send_one($events->{$ids[$k]}, $client);
                print $fh "$ids[$k] $status\n";
                $client = $node->client if $status <= 0;
            }

            close $fh or die "$file: $!";
        });

        push @senders, [$pid, $file];
    }

    return @senders;
}


sub gate {
    my ($name) = @_;

    open my $fh, ">", "$dir/$name" or die "$name: $!";
}


# { id => status }

sub answers {
    my %status;

    for (@_) {
        my ($pid, $file) = @$_;
        waitpid $pid, 0;
        @children = grep { $_ != $pid } @children;
        %status = (%status, split " ", Enkod::File::slurp($file));
    }

    return \%status;
}


sub child {
    my ($code) = @_;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP ALRM);
        eval { $code->() };
        print STDERR $@ if $@;
        POSIX::_exit($@ ? 1 : 0);
    }

    push @children, $pid;

    return $pid;
}


# A consumer of the group: reads the entries that it got before and did not
# acknowledge, then new ones, until it is told to stop and there are no more.

sub consumer {
    my ($name, $file) = @_;

    my ($stop, $end) = (0);
    $SIG{TERM} = sub { $stop = 1; $end = now() + $Enkod::Wait::limit };

    open my $fh, ">", $file or die "$file: $!";

    while (!$stop || now() < $end) {
        my $done = eval {
            my $c = $redis->connect or die "not there\n";

            while (consume($c, $name, "0", $fh)) { }

            # now it has its share, and knows how to be told to stop
            gate("ready.$name");

            while (1) {
                my $last = $stop;
                next if consume($c, $name, ">", $fh);
                return 1 if $last;
            }
        };

        if ($done) {
            close $fh or die "$file: $!";
            return;
        }

        sleep 0.02;
    }

    die "consumer $name: $@";
}


# Returns the number of entries.

sub consume {
    my ($c, $name, $from, $fh) = @_;

    my $answer = $c->command(qw(XREADGROUP GROUP readers), $name,
                             qw(COUNT 5 BLOCK 100 STREAMS enkod), $from);

    my @entries = map { @{ $_->[1] } } @{ $answer || [] };

    for my $entry (@entries) {
        my ($id, $fields) = @$entry;

        # written before it is acknowledged, so that it cannot be lost
        print $fh $json->encode([$id, map { unpack "H*", $_ } @$fields]), "\n";
        $fh->flush;

        $c->command(qw(XACK enkod readers), $id);
    }

    return scalar @entries;
}


# Consumers while code runs; returns what they got, [consumer, id, fields].

sub consumed {
    my ($code) = @_;

    my %consumer;

    for my $name (qw(one two)) {
        my $file = "$dir/consumed." . ++$serial;

        unlink "$dir/ready.$name";
        $consumer{$name} = [child(sub { consumer($name, $file) }), $file];

        wait_for(sub { -e "$dir/ready.$name" }) or die "no consumer $name\n";
    }

    $code->();

    my @all;

    for my $name (sort keys %consumer) {
        my ($pid, $file) = @{ $consumer{$name} };

        kill 'TERM', $pid;
        waitpid $pid, 0;
        is $?, 0, "consumer $name ends well";
        @children = grep { $_ != $pid } @children;

        for (split /^/, Enkod::File::slurp($file)) {
            my ($id, @fields) = @{ $json->decode($_) };
            push @all, [$name, $id, map { pack "H*", $_ } @fields];
        }
    }

    return @all;
}


# the id of the event of a line

sub id_of {
    my ($line) = @_;

    return ($line =~ /"extra":\{"id":"([\w-]+)"\}\}\n?\z/)[0];
}


# The lines that the nodes' logs have of these events, { line => id }

sub lines {
    my ($events) = @_;

    return map { s/\n\z//r => id_of($_) }
               grep { $events->{id_of($_) || ""} }
                    map { $_->lines("lines.jsonl") } @nodes;
}


# The spools' lines, { id => line }

sub spooled {
    return map { id_of($_) => $_ } map { $_->lines("spool.jsonl") } @nodes;
}


sub wrong_values {
    my ($events, @lines) = @_;

    return grep {
        my $got = $json->decode($_);
        my $sent = $json->decode($events->{$got->{extra}{id}});

        $got->{id} = delete($got->{extra})->{id};
        delete @$got{qw(received_at request_id remote_addr test)};
        $sent->{event} =~ s/^\x{441}/c/;

        $json->encode($got) ne $json->encode($sent);
    } @lines;
}


sub all_is_well {
    my $events = events("A", 600);
    my $n = keys %$events;
    my $sent;

    my @got = consumed(sub { $sent = answers(senders($events)) });

    is scalar(grep { $_ == 200 } values %$sent), $n, "all events are accepted";
    is scalar(keys %{ { spooled() } }), 0, "no event is in a spool";

    my %line = lines($events);
    my %times;

    $times{$_->[3] || ""}++ for @got;

    is scalar keys %line, $n, "each event has its line";
    is scalar(grep { @$_ == 4 && $_->[2] eq "line" } @got), $n,
       "the consumers have got as many entries of one field";
    is scalar(grep { !$times{$_} } keys %line), 0,
       "the stream has each line, byte for byte";
    is scalar(grep { $_ > 1 } values %times), 0,
       "the stream has each line once";
    is scalar(keys %{ { map { $_->[1] => 1 } @got } }), $n,
       "each entry has its own id";
    is scalar(wrong_values($events, keys %line)), 0,
       "the lines have the values that were sent";

    my %share;
    $share{$_->[0]}++ for @got;

    note "consumer $_: $share{$_}" for sort keys %share;
    is scalar keys %share, 2, "both consumers have got entries";

    my $c = $redis->connect;

    is $c->command(qw(XLEN enkod)), $n, "the stream has no more entries";
    is $c->command(qw(XPENDING enkod readers))->[0], 0,
       "all entries are acknowledged";

    for my $node (@nodes) {
        cmp_ok scalar(my @some = $node->lines("lines.jsonl")), ">", $n / 3,
               "each node has got events";
    }
}


# An error of Redis, which webdis passes on with status 200.

sub refused_by_redis {
    my $c = $redis->connect;
    my $events = events("R", 2);
    my @ids = sort keys %$events;

    $c->command(qw(CONFIG SET maxmemory 1));
    is send_one($events->{$ids[0]}), 200,
       "Redis has no memory: the event is accepted";
    like { spooled() }->{$ids[0]}, qr/"pass_status":200,"event"/,
         "the event is in the spool";
    $c->command(qw(CONFIG SET maxmemory 0));

    is send_one($events->{$ids[1]}), 200,
       "Redis has memory again: the next event is accepted";
    ok !{ spooled() }->{$ids[1]}, "the next event is not in the spool";

    replay_all();

    my @got = map { id_of($_->[3]) } consumed(sub { });

    is join(" ", sort @got), "@ids",
       "after a replay, the stream has both events";
}


# A Redis that hangs has got the command all the same, and adds the entry when
# it continues.  Then the event is in the stream twice.

sub answered_too_late {
    my $events = events("H", 1);
    my ($id) = keys %$events;

    # how long a node waits; for what follows, it is long again
    $_->reload(timeout => "1s") for @nodes;

    kill 'STOP', $redis->{pid}{redis};
    is send_one($events->{$id}), 200, "Redis hangs: the event is accepted";
    kill 'CONT', $redis->{pid}{redis};

    like { spooled() }->{$id}, qr/"pass_status":504,"event"/,
         "the event is in the spool";

    $_->reload(timeout => undef) for @nodes;
    replay_all();

    my @got = map { $_->[3] } consumed(sub { });
    my @ids = map { /"request_id":"(\w+)"/ } @got;

    is join(" ", map { id_of($_) } @got), "$id $id",
       "the stream has the event twice";
    isnt $ids[0], $ids[1], "the two entries have different request ids";

    s/"received_at":"[^"]+","request_id":"\w+"// for @got;
    is $got[0], $got[1], "the two entries are otherwise the same";
}


# With the shipped webdis.json, webdis allows neither reading nor deleting.

sub nothing_but_xadd {
    my $length = $redis->connect->command(qw(XLEN enkod));

    for my $command ("XRANGE/enkod/-/+", "DEL/enkod", "FLUSHALL",
                     "EVAL/return%20redis.call('FLUSHALL')/0",
                     "CONFIG/GET/*", "0/DEL/enkod", "XDEL/enkod/1-1")
    {
        my $client = Enkod::Client->new($redis->{port}{webdis});
        $client->send("GET /$command HTTP/1.1\r\nHost: localhost\r\n\r\n");
        is $client->status, 403, "webdis refuses $command";
    }

    is $redis->connect->command(qw(XLEN enkod)), $length,
       "the stream has not changed";
}


# Redis or webdis is killed under load, and started again.

sub killed {
    my ($what) = @_;

    my $events = events(uc substr($what, 0, 1), 1200);
    my ($sent, %spooled);

    my $n = keys %$events;

    my @got = consumed(sub {
        my $before = count("lines.jsonl");

        unlink "$dir/killed", "$dir/started";
        my @senders = senders($events, killed => 0.4, started => 0.8);

        grows("lines.jsonl", $before + $n / 5);
        $redis->kill($what);
        gate("killed");
        grows("spool.jsonl", $n / 10);
        $redis->start($what);
        gate("started");

        $sent = answers(@senders);
        %spooled = spooled();
        replay_all();
    });

    my %line = lines($events);

    is scalar(grep { $_ == 200 } values %$sent), $n,
       "$what was killed: all events are accepted";
    note scalar(keys %spooled), " of $n events are in the spools";

    cmp_ok scalar keys %spooled, ">=", $n / 10, "some events are in the spools";
    cmp_ok scalar keys %spooled, "<=", $n * 9 / 10,
           "not all events are in the spools";

    my %status;
    $status{$_}++ for map { /"pass_status":(\d+),"event"/ } values %spooled;
    note join ", ", map { "pass_status $_: $status{$_}" } sort keys %status;

    my %known = map { $_ => 1 } map { s/\n\z//r } keys %line;
    is scalar(grep { !$known{s/"pass_status":\d+,//r =~ s/\n\z//r} }
                   values %spooled), 0,
       "the spools have the lines, with the status";

    my (%times, %delivered);

    for my $text (map { $_->[3] } @got) {
        $times{id_of($text) || ""}++;
        $delivered{$text}++;
    }

    is scalar(grep { !$times{$_} } keys %$events), 0,
       "with what enkod-replay has added, none is missing in the stream";
    is scalar(grep { !$line{$_} } keys %delivered), 0,
       "each entry is the line of an event";

    my @twice = grep { $times{$_} > 1 } keys %times;

    note scalar(@twice), " events are there more than once";
    is scalar(grep { !$spooled{$_} && !again($what, $_, \%delivered, \%line) }
                   @twice), 0,
       "only those more than once that were spooled or read again";
    is scalar(wrong_values($events, map { $_->[3] } @got)), 0,
       "the entries have the values that were sent";
}


# the number of lines of both nodes

sub count {
    my ($file) = @_;

    return scalar map { $_->lines($file) } @nodes;
}


sub grows {
    my ($file, $n) = @_;

    wait_for(sub { count($file) >= $n })
        or die "there are not $n lines in $file\n";
}


# True if a consumer whose XACK was lost has read the same entry again: then the
# two are the same line.

sub again {
    my ($what, $id, $delivered, $line) = @_;

    return $what eq "redis"
           && 1 == grep { ($line->{$_} || "") eq $id } keys %$delivered;
}


# Sends the spools as an administrator does.

sub replay_all {
    for my $node (@nodes) {
        my $spool = $node->path("spool.jsonl");

        next if !-s $spool;

        my $url = "http://127.0.0.1:$node->{second}/";
        my $pid = "$node->{dir}/logs/nginx.pid";
        my $out = `"$replay" --drain --pid "$pid" --send event "$spool" $url 2>&1 </dev/null`;

        is $?, 0, "enkod-replay has delivered it" or diag $out;
        is join(" ", glob "$spool*"), $spool,
           "enkod-replay has removed the file";
        ok !-s $spool, "the new spool is empty";
    }
}
