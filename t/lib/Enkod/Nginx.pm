package Enkod::Nginx;

# An nginx of a test's own: in a fresh folder under build/, on a free port of
# 127.0.0.1, with the module loaded, under valgrind if TEST_NGINX_USE_VALGRIND
# is set.  It is started by the constructor and stopped when the test ends,
# however it ends; its folder stays if a test has failed.
#
#     my $nginx = Enkod::Nginx->new(
#         server  => "location / { enkod_webhook; enkod_log a.jsonl; }",
#         http    => ..., main => ..., events => ..., listen => "http2",
#         load    => "load_module ...;",  # before the module
#         workers => 1,                   # where it has to be one
#         user => "nobody", level => "warn",
#         daemon  => 1,                   # has to be so for a binary upgrade
#         env     => { LD_PRELOAD => ... }, wrap => "ulimit -f 64; ",
#         dir     => another instance's folder, port => ...
#     );
#
# In the configuration, %DIR% is the folder and %SECOND% a second port.
#
# TEST_NGINX_EVENT_TYPE, TEST_NGINX_REUSE_PORT, TEST_ENKOD_WORKERS (where a test
# does not ask for a number), TEST_ENKOD_PROTOCOL (for post()) and
# TEST_ENKOD_EARLY_READ say in which way it runs.

use strict;
use warnings;

use Cwd            ();
use File::Basename ();
use File::Path     ();
use IO::Socket::INET;
use POSIX ();
use Test::More ();

use Enkod::Client;
use Enkod::File qw(slurp);
use Enkod::NginxConf;
use Enkod::Port qw(free_port);
use Enkod::Process qw(alive children cmdline stopped);
use Enkod::Protocol;
use Enkod::Wait qw(wait_for);

our @ISA = qw(Enkod::NginxConf);

my $valgrind = $ENV{TEST_NGINX_USE_VALGRIND};

my $tree = Cwd::abs_path(File::Basename::dirname(__FILE__) . "/../../..");

my $build = $ENV{TEST_NGINX_SERVROOT}
            ? File::Basename::dirname($ENV{TEST_NGINX_SERVROOT})
            : "$tree/build";

my $owner = $$;
my @all;
my $serial = 0;


# A test that hangs, or is told to stop, stops what it has started.  It gets
# refused() for its own.

sub import {
    no strict "refs";
    *{ caller() . "::refused" } = \&refused;

    $SIG{ALRM} = sub { die "the test takes longer than $Enkod::Wait::life s\n" };
    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
    $SIG{PIPE} = 'IGNORE';

    alarm $Enkod::Wait::life;
}


END {
    if ($$ == $owner) {
        my $rc = $?;
        local $SIG{ALRM} = 'IGNORE';

        $_->stop for @all;

        if ($rc == 0 && Test::More->builder->is_passing) {
            for my $self (@all) {
                $self->{cleanup}->() if $self->{cleanup};
                File::Path::remove_tree($self->{dir});
            }
        } else {
            Test::More::diag("see $_->{dir}") for @all;
        }

        $? = $rc;
    }
}


sub new {
    my ($class, %o) = @_;

    my $self = $class->create(%o);

    $self->start;

    return $self;
}


# as new(), but does not start it

sub create {
    my ($class, %o) = @_;

    my $name = File::Basename::basename($0, ".t");

    my $self = bless { workers => $ENV{TEST_ENKOD_WORKERS} || 1,
                       level => "warn", %o }, $class;

    $self->{user} ||= "root";

    my $root = $self->{user} ne "root" && !passable($build)
               ? "/tmp/enkod-servers" : "$build/servers";

    $self->{dir} ||= "$root/$name.$$." . ++$serial;

    for my $dir ($root, map { "$self->{dir}$_" } "", "/logs", "/tmp") {
        File::Path::make_path($dir);
        chmod 0755, $dir;
    }

    chown $self->user, "$self->{dir}/tmp" if $> == 0;

    $self->{port} ||= free_port();
    $self->{second} ||= free_port();
    $self->{protocol_port} ||= free_port();

    push @all, $self;

    return $self;
}


# uid and gid of the workers

sub user {
    my ($self) = @_;

    return (getpwnam $self->{user})[2, 3];
}


# can any user get there?

sub passable {
    my ($dir) = @_;

    for ( ; $dir ne "/"; $dir = File::Basename::dirname($dir)) {
        my @stat = stat $dir;
        return 0 if @stat && !($stat[2] & 01);
    }

    return 1;
}


# a test: nginx -t does not take that in http {}, and says why

sub refused {
    my ($http, $expected, $title) = @_;

    my ($out, $ok) = Enkod::Nginx->create(http => $http)->check;

    Test::More::ok(!$ok, "$title is refused");
    Test::More::like($out, $expected, "$title: nginx -t says why");
}


sub start {
    my ($self) = @_;

    for my $try (1 .. 5) {
        my $why = $self->launch;

        return $self if !defined $why;

        $why .= slurp("$self->{dir}/logs/error.log");

        if ($why !~ /Address already in use/ || $try == 5) {
            die "nginx did not start: $why\n";
        }

        $self->{port} = free_port();
        $self->{second} = free_port();
        $self->{protocol_port} = free_port();
    }
}


# undef if it runs, or what it has said

sub launch {
    my ($self) = @_;

    $self->configure;

    my @cmd = map { quotemeta } $self->command;

    unshift @cmd, "valgrind -q $valgrind" if $valgrind;

    my $stderr = "$self->{dir}/logs/stderr.log";

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        # nginx's own: inherited sockets
        delete $ENV{NGINX};

        my %env = %{ $self->{env} || {} };
        @ENV{keys %env} = values %env;

        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE);

        my $stdout = $self->{stdout} || $stderr;

        open STDOUT, ">>", $stdout;
        open STDERR, ">>", $stderr;
        open STDIN, "<", "/dev/null";

        exec("/bin/sh", "-c", ($self->{wrap} || "") . "exec @cmd")
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;

    my $why;

    my $up = wait_for(sub {
        if (waitpid($pid, POSIX::WNOHANG()) == $pid) {
            # a daemon's parent
            return $why = slurp($stderr) . "it has ended\n"
                if $? || !$self->{daemon};
            $self->{pid} = $self->wait_pid("nginx.pid");
        }

        # listening is the master's, but we want the workers
        return ($self->{pid} != $pid || !$self->{daemon})
               && ($self->{workers} eq "auto"
                   || $self->workers >= $self->{workers})
               && IO::Socket::INET->new(PeerAddr => "127.0.0.1",
                                        PeerPort => $self->{port});
    });

    return $up ? $why : "too slow: " . slurp($stderr);
}


sub wait_pid {
    my ($self, $name) = @_;

    return wait_for(sub {
        (slurp("$self->{dir}/logs/$name") =~ /^(\d+)\n/)[0];
    });
}


sub stop {
    my ($self, $signal) = @_;

    my @pids = $self->processes;

    for my $pid (@pids) {
        kill 'CONT', $pid;
    }

    for my $master (grep { defined } $self->{pid}, $self->upgraded) {
        kill $signal || 'TERM', $master if alive($master);
    }

    my $ended = sub {
        $self->reap;
        !grep { alive($_) } @pids;
    };

    my $gone = wait_for($ended);

    if (!$gone) {
        Test::More::diag("nginx in $self->{dir} had to be killed");
        kill 'KILL', grep { alive($_) } @pids;
        wait_for($ended);
    }

    delete $self->{pid};

    return $gone;
}


# one that has been stopped, and whose files nobody wants to see

sub forget {
    my ($self) = @_;

    @all = grep { $_ != $self } @all;

    File::Path::remove_tree($self->{dir});
}


sub reap {
    my ($self) = @_;

    waitpid $self->{pid}, POSIX::WNOHANG() if $self->{pid};
}


# the masters that a binary upgrade has made

sub upgraded {
    my ($self) = @_;

    return if !$self->{daemon};

    my @pids;

    for my $name (qw(nginx.pid nginx.pid.oldbin)) {
        my ($pid) = slurp("$self->{dir}/logs/$name") =~ /^(\d+)\n/;
        push @pids, $pid
            if $pid && cmdline($pid) =~ /\Q$self->{dir}\E/;
    }

    return @pids;
}


# all of them, masters first

sub processes {
    my ($self) = @_;

    my @masters = grep { defined && alive($_) } $self->{pid}, $self->upgraded;

    return (@masters, map { children($_) } @masters);
}


sub workers {
    my ($self, $master) = @_;

    return children($master || $self->{pid});
}


sub signal {
    my ($self, $signal, @pids) = @_;

    kill $signal, @pids ? @pids : $self->{pid};
}


# Stops the workers (not the master) until the code has run.

sub frozen {
    my ($self, $code) = @_;

    my @pids = $self->workers;

    kill 'STOP', @pids;

    wait_for(sub {
        !grep { !stopped($_) } @pids;
    });

    my @result = eval { $code->() };
    my $error = $@;

    kill 'CONT', @pids;

    die $error if $error;

    return @result;
}


# Waits until these processes know that they are to end, and go on only with what
# they have, or are gone.

sub leaving {
    my ($self, @pids) = @_;

    # in valgrind they have another title
    return $valgrind
           || wait_for(sub {
                  !grep { alive($_) && cmdline($_) !~ /shutting down/ } @pids;
              });
}


# Waits until the one worker has seen all that its clients have done until now,
# and has done what came of it: it answers two that have come after them, the
# second in another turn of its event loop.

sub settled {
    my ($self) = @_;

    my $answers = 0;

    for (1, 2) {
        my $client = $self->client;

        $client->send("GET /settled HTTP/1.1\r\nHost: localhost\r\n\r\n");
        $answers++ if $client->status > 0;
    }

    return $answers == 2;
}


# SIGHUP, and waits until all workers of the old configuration are gone

sub reload {
    my ($self, %o) = @_;

    my @old = $self->workers;

    $self->configure(%o);
    $self->signal('HUP');

    return wait_for(sub {
        my @now = $self->workers;
        my %now = map { $_ => 1 } @now;
        @now >= $self->{workers} && !grep { $now{$_} } @old;
    });
}


# SIGUSR1, and waits until every worker has done so

sub reopen {
    my ($self, $file) = @_;

    my $path = $self->path($file);

    $self->signal('USR1');

    return wait_for(sub {
        my @stat = stat $path or return 0;

        for my $pid ($self->workers) {
            return 0 if !grep { my @s = stat $_;
                                @s && $s[0] == $stat[0] && $s[1] == $stat[1] }
                             glob "/proc/$pid/fd/*";
        }

        return 1;
    });
}


sub path {
    my ($self, $file) = @_;

    return $file =~ m{^/} ? $file : "$self->{dir}/$file";
}


sub content {
    my ($self, $file) = @_;

    return slurp($self->path($file));
}


sub lines {
    my ($self, $file) = @_;

    return split /^/, $self->content($file);
}


sub put {
    my ($self, $file, $text) = @_;

    open my $fh, ">", $self->path($file) or die "$file: $!";
    print $fh $text;
    close $fh or die "$file: $!";

    chown $self->user, $self->path($file) if $> == 0;
}


sub error_log {
    my ($self) = @_;

    return slurp("$self->{dir}/logs/error.log");
}


# What nginx would not say if all were well.  SIGKILL is not worth a word here
# where the test has sent it.

sub alerts {
    my ($self, $but) = @_;

    return join "", grep { /\[(?:alert|emerg|crit)\]|exited on signal/
                           && !($but && /$but/) }
                         split /^/, $self->error_log;
}


# Those of the messages of which each worker is to write one a minute that come
# sooner than that behind another one.

sub too_often {
    my ($self, $pattern) = @_;

    my (%last, @sooner);

    for (grep { /$pattern/ } split /^/, $self->error_log) {
        my ($y, $mon, $d, $h, $min, $s, $pid)
            = /^(\d+)\/(\d+)\/(\d+) (\d+):(\d+):(\d+) \[\w+\] (\d+)#/
            or next;
        my $at = POSIX::mktime($s, $min, $h, $d, $mon - 1, $y - 1900);

        push @sooner, $_ if defined $last{$pid} && $at - $last{$pid} < 59;
        $last{$pid} = $at;
    }

    return join "", @sooner;
}


sub client {
    my ($self) = @_;

    return Enkod::Client->new($self->{port});
}


# one request on a connection of its own; "seconds" is how long it may take, and
# has to be given where no answer is expected

sub post {
    my ($self, $body, %o) = @_;

    my @headers = split /\r\n/, $o{headers} || "";

    return $self->post_protocol($body, %o, headers => \@headers)
        if $self->{protocol_port} && Enkod::Protocol::goes(@headers)
           && !grep { defined $o{$_} } qw(version length chunked close);

    my $client = $self->client;

    $client->send(Enkod::Client::request($body, %o));

    return $client->read($o{seconds});
}


sub post_protocol {
    my ($self, $body, %o) = @_;

    my $said = Enkod::Protocol::curl($self->{protocol_port}, $o{uri} || "/",
                                     %o, body => $body);

    my ($head, $rest) = $said =~ /^(HTTP.*?\r\n\r\n)(.*)/s
        or return { status => 0, head => "", body => "" };

    my ($status) = $head =~ /^HTTP\/\S+ (\d+)/;

    # names as HTTP/1.1 has them
    $head =~ s/^([\w-]+)(?=:)/join "-", map { ucfirst } split "-", $1/gme;

    return { status => $status, head => $head, body => $rest };
}

1;
