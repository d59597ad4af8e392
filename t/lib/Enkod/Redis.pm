package Enkod::Redis;

# A Redis and a webdis for one test, on free ports of 127.0.0.1, with the
# settings from docs/engines.md and docs/examples/webdis.json, and a client that
# speaks as much of Redis' protocol as a consumer needs.
#
#     my $redis = Enkod::Redis->new($dir);    # undef if not installed: why()
#     $redis->start("redis");                 # "webdis"
#     $redis->kill("redis");                  # SIGKILL
#     my $c = $redis->connect;                # undef if it is down
#     $c->command("XLEN", "enkod");           # dies if the connection breaks

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Path ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

use Enkod::File qw(put);
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

my $tree = Cwd::abs_path(File::Basename::dirname(__FILE__) . "/../../..");
my $owner = $$;
my $why;
my @all;

END {
    if ($$ == $owner) {
        my $rc = $?;
        for my $self (@all) {
            $self->kill($_) for qw(redis webdis);
        }
        $? = $rc;
    }
}


sub why {
    return $why;
}


# finds a program in PATH, or where make unpacks packages

sub program {
    my (@names) = @_;

    for my $name (@names) {
        my ($path) = grep { -x } map { "$_/$name" }
                         split(/:/, $ENV{PATH}), "$tree/build/unpacked/usr/bin";
        return $path if $path;
    }

    $why = "there is no $names[0]";

    return undef;
}


sub new {
    my ($class, $dir) = @_;

    # redis-tools has the same program by another name
    my $server = program("redis-server", "redis-check-rdb") or return undef;
    my $webdis = program("webdis") or return undef;

    File::Path::make_path($dir);

    my $self = bless { dir => $dir, pid => {},
                       port => { map { $_ => free_port() }
                                     qw(redis webdis) } }, $class;

    symlink $server, "$dir/redis-server" or die "redis-server: $!";

    $self->{command} = {
        redis => ["$dir/redis-server", "$dir/redis.conf"],
        webdis => [$webdis, "$dir/webdis.json"],
    };

    my ($settings) = Enkod::File::slurp("$tree/docs/engines.md")
                     =~ /^```redis\n(.*?)^```/ms
        or die "docs/engines.md has no settings for Redis\n";

    put("$dir/redis.conf", <<"END");
$settings
port $self->{port}{redis}
dir $dir
logfile $dir/redis.log
daemonize no
END

    my $json = JSON::PP->new->canonical;
    my $conf = $json->decode(
        Enkod::File::slurp("$tree/docs/examples/webdis.json"));

    $conf->{redis_port} = $self->{port}{redis};
    $conf->{http_port} = $self->{port}{webdis};
    $conf->{logfile} = "$dir/webdis.log";
    $conf->{daemonize} = JSON::PP::false;
    delete $conf->{pidfile};

    put("$dir/webdis.json", $json->encode($conf));

    push @all, $self;

    return $self;
}


sub start {
    my ($self, $what) = @_;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);
        open STDIN, "<", "/dev/null";
        open STDOUT, ">>", "$self->{dir}/$what.out";
        open STDERR, ">&", \*STDOUT;
        exec @{ $self->{command}{$what} } or POSIX::_exit(127);
    }

    $self->{pid}{$what} = $pid;

    my $ready = $what eq "redis"
                ? sub { my $c = $self->connect;
                        $c && eval { $c->command("PING") } }
                : sub { open_port($self->{port}{webdis}) };

    wait_for($ready)
        or die "$what does not start, see $self->{dir}/$what.out\n";
}


sub kill {
    my ($self, $what) = @_;

    my $pid = delete $self->{pid}{$what} or return;

    CORE::kill 'KILL', $pid;
    waitpid $pid, 0;
}


sub open_port {
    my ($port) = @_;

    return IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port);
}


sub connect {
    my ($self) = @_;

    my $socket = open_port($self->{port}{redis}) or return undef;

    return bless { socket => $socket, buf => "" }, "Enkod::Redis::Connection";
}


package Enkod::Redis::Connection;

# https://redis.io/docs/latest/develop/reference/protocol-spec/

sub command {
    my ($self, @args) = @_;

    my $out = join "", "*", scalar @args, "\r\n",
                   map { ("\$", length, "\r\n", $_, "\r\n") } @args;

    defined syswrite $self->{socket}, $out or die "Redis: $!\n";

    return $self->reply;
}


# Returns undef, a string or a list; dies if Redis answers with an error.

sub reply {
    my ($self) = @_;

    my $line = $self->take(undef);
    my ($type, $rest) = $line =~ /^(.)(.*)$/s;

    die "Redis: $rest\n" if $type eq "-";

    if ($type eq "\$") {
        return undef if $rest < 0;
        return $self->take($rest);
    }

    if ($type eq "*") {
        return undef if $rest < 0;
        return [ map { $self->reply } 1 .. $rest ];
    }

    return $rest;
}


# Reads so many bytes and a line end, or a line.

sub take {
    my ($self, $length) = @_;

    while (1) {
        my $end = defined $length ? $length : index $self->{buf}, "\r\n";

        if ($end >= 0 && length $self->{buf} >= $end + 2) {
            my $bytes = substr $self->{buf}, 0, $end, "";
            substr $self->{buf}, 0, 2, "";
            return $bytes;
        }

        sysread $self->{socket}, $self->{buf}, 65536, length $self->{buf}
            or die "Redis: the connection is closed\n";
    }
}

1;
