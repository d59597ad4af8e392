package Enkod::Nginx;

# An nginx for one test: in a new folder under build/, on a free port of
# 127.0.0.1, with the module loaded, under valgrind if TEST_NGINX_USE_VALGRIND
# is set.  The constructor starts it; it is stopped when the test ends, however
# the test ends.  Its folder is kept if a test has failed.
#
#     my $nginx = Enkod::Nginx->new(
#         server  => "location / { enkod_webhook; enkod_log a.jsonl; }",
#         http    => ..., main => ..., events => ..., listen => "http2",
#         load    => "load_module ...;",  # before the module
#         workers => 1,                   # if there has to be one
#         user => "nobody", level => "warn",
#         daemon  => 1,                   # a binary upgrade needs that
#         env     => { LD_PRELOAD => ... }, wrap => "ulimit -f 64; ",
#         dir     => another instance's folder, port => ...
#     );
#
# In the configuration, %DIR% is the folder and %SECOND% a second port.
#
# The environment variables TEST_NGINX_EVENT_TYPE, TEST_NGINX_REUSE_PORT,
# TEST_ENKOD_WORKERS (where the test asks for no number), TEST_ENKOD_PROTOCOL
# (for post()) and TEST_ENKOD_EARLY_READ set how it runs.

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


# Exports refused(), and makes a test that hangs, or gets a signal, stop its
# servers.

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


# like new(), but does not start it

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


# True if every user may enter the folder.

sub passable {
    my ($dir) = @_;

    for ( ; $dir ne "/"; $dir = File::Basename::dirname($dir)) {
        my @stat = stat $dir;
        return 0 if @stat && !($stat[2] & 01);
    }

    return 1;
}


# Tests that nginx -t refuses these directives in http {}, and says why.

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


# Returns undef if it runs, or else its messages.

sub launch {
    my ($self) = @_;

    $self->configure;

    my @cmd = map { quotemeta } $self->command;

    unshift @cmd, "valgrind -q $valgrind" if $valgrind;

    my $stderr = "$self->{dir}/logs/stderr.log";

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        # nginx would take it for a list of inherited sockets
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
            # with daemon => 1, the parent ends
            return $why = slurp($stderr) . "it has ended\n"
                if $? || !$self->{daemon};
            $self->{pid} = $self->wait_pid("nginx.pid");
        }

        # the master listens before there are workers
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


# Removes the folder of an nginx that has been stopped.

sub forget {
    my ($self) = @_;

    @all = grep { $_ != $self } @all;

    File::Path::remove_tree($self->{dir});
}


sub reap {
    my ($self) = @_;

    waitpid $self->{pid}, POSIX::WNOHANG() if $self->{pid};
}


# the masters of a binary upgrade

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


# all processes, masters first

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


# Stops the workers with SIGSTOP while the code runs.

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


# Waits until these processes are shutting down or have ended.

sub leaving {
    my ($self, @pids) = @_;

    # under valgrind their titles do not say so
    return $valgrind
           || wait_for(sub {
                  !grep { alive($_) && cmdline($_) !~ /shutting down/ } @pids;
              });
}


# Waits until the only worker has handled all that its clients have sent until
# now: it answers two requests that have come later, the second one in another
# iteration of its event loop.

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


# Sends SIGHUP, and waits until all workers of the old configuration have ended.

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


# Sends SIGUSR1, and waits until all workers have opened the file anew.

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

    Enkod::File::put($self->path($file), $text);
    chown $self->user, $self->path($file) if $> == 0;
}


sub error_log {
    my ($self) = @_;

    return slurp("$self->{dir}/logs/error.log");
}


# The messages of the error log that a working nginx does not write, except
# those that match $but.

sub alerts {
    my ($self, $but) = @_;

    return join "", grep { /\[(?:alert|emerg|crit)\]|exited on signal/
                           && !($but && /$but/) }
                         split /^/, $self->error_log;
}


# Of messages that each worker is to write once a minute at most, those that
# come sooner.

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


# Sends one request on a connection of its own and returns the answer.
# "seconds" is a time limit, for requests that may get no answer.

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

    # names of headers as in HTTP/1.1
    $head =~ s/^([\w-]+)(?=:)/join "-", map { ucfirst } split "-", $1/gme;

    return { status => $status, head => $head, body => $rest };
}

1;
