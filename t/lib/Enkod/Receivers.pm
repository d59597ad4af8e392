package Enkod::Receivers;

# The receivers that t/bench/peers compares: the same receiver in eight
# programs, and the floor, "return 200".  Each is one process, or one worker, on
# one CPU.
#
#     for my $receiver (Enkod::Receivers::all(
#         dir => folder, nginx => binary, module => file, wrapper => [...]))
#     {
#         eval { $receiver->{start}->(); 1 } or print "missing: $@";
#     }
#
# A receiver has "id", "title" and, unless it is the floor, "log"; once started,
# also "port", "uri", "connections" (for the load), "pid" (the process to stop),
# "worker" (the process that answers) and "version".  If it is nginx,
# "callgrind" starts it as one process under callgrind.

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use IO::Socket::INET;

use Enkod::Callgrind;
use Enkod::File qw(slurp);
use Enkod::Port qw(free_port);
use Enkod::BenchProcess qw(start output stop alive which child_of);
use Enkod::Wait qw(wait_for);
use Enkod::BenchNginx;

# each ends after so many seconds even if it is not stopped
use constant LIFE => 1800;

# of the load
use constant CONNECTIONS => 64;

my $top = Cwd::abs_path(dirname(__FILE__) . '/../../..');
my $sources = "$top/t/bench/receivers";


sub all {
    my %o = @_;

    my @all = (
        nginx('return', 'return 200', %o, server => sub { 'return 200;' }),

        nginx('enkod', 'this module', %o, load => [$o{module}],
              server => sub { "enkod_webhook; enkod_log $_[0]{log};" }),
        nginx('sync', 'this module, sync', %o, load => [$o{module}],
              server => sub { "enkod_webhook; enkod_log $_[0]{log} sync;" }),

        nginx('lua', 'nginx, lua + cjson', %o,
              modules => ['ndk_http_module', 'ngx_http_lua_module'],
              packages => [qw(libnginx-mod-http-lua libluajit2-5.1-2
                              lua-cjson)],
              http   => \&lua_http,
              server => sub { 'content_by_lua_block {'
                              . " require('receiver').handle() }" }),
        nginx('njs', 'nginx, njs', %o, modules => ['ngx_http_js_module'],
              packages => ['libnginx-mod-http-js'],
              http   => sub { "js_path $sources/njs;"
                              . ' js_import receiver.js;' },
              server => sub { "set \$events_log $_[0]{log};"
                              . ' js_content receiver.handle;' }),

        program('fastify', 'Node.js, Fastify', %o, command => \&fastify),
        program('fastify-sync', 'Node.js, Fastify, fdatasync', %o,
                command => sub { fastify(@_), 'sync' }),
        program('go', 'Go, net/http', %o, command => \&go),
        # it runs a process for each event, and these should not queue
        program('webhook', 'webhook, jq', %o, command => \&webhook,
                uri => '/hooks/enkod', connections => 4),

        # the floor again, as far from the first one as possible
        nginx('again', 'return 200, once more', %o,
              server => sub { 'return 200;' }),
    );

    return @all;
}


# a receiver in nginx

sub nginx {
    my ($id, $title, %o) = @_;

    my $self = { id => $id, title => $title, uri => '/enkod', nginx => 1,
                 connections => CONNECTIONS,
                 floor => $id eq 'return' || $id eq 'again' };
    my $dir = "$o{dir}/$id";

    $self->{log} = "$dir/events.jsonl" unless $self->{floor};

    my $launch = sub {
        my %with = @_;

        make_path($dir);
        unlink "$dir/events.jsonl";

        $self->{port} = free_port();

        return Enkod::BenchNginx::launch(
            dir => $dir, port => $self->{port}, binary => $o{nginx},
            load => [@{ $o{load} || [] },
                     map { module_of($o{nginx}, $_) } @{ $o{modules} || [] }],
            seconds => LIFE, %with,
            http   => "    client_body_buffer_size 64k;\n    "
                      . ($o{http} ? $o{http}->($self) : ''),
            server => '        location = /enkod { ' . $o{server}->($self)
                      . ' }');
    };

    $self->{start} = sub {
        @$self{qw(pid worker)} = $launch->(wrapper => $o{wrapper});
        $self->{version} = join ', ',
            output(5, $o{nginx}, '-v') =~ m{: nginx/(\S+)}
                ? "nginx $1" : 'nginx',
            map { "$_ " . package_version($_) } @{ $o{packages} || [] };
    };

    $self->{callgrind} = sub {
        my ($out) = @_;

        return $launch->(alone => 1,
                         wrapper => [Enkod::Callgrind::command($out)]);
    };

    return $self;
}


# the version of a Debian package, without epoch and revision

sub package_version {
    my ($name) = @_;

    return output(5, 'dpkg-query', '-W', '-f', '${Version}', $name)
           =~ /^(?:\d+:)?(.*)-/ ? $1 : '(unknown)';
}


# the path of a module of this nginx

sub module_of {
    my ($binary, $name) = @_;

    my $says = output(5, $binary, '-V');
    my ($prefix) = $says =~ /--prefix=(\S+)/;
    my ($path) = $says =~ /--modules-path=(\S+)/;
    my $file = ($path || ($prefix || '/usr/local/nginx') . '/modules')
               . "/$name.so";

    -f $file or die "there is no $file\n";

    return $file;
}


sub lua_http {
    my ($self) = @_;

    return <<"END";
lua_package_path "$sources/lua/?.lua;;";
    init_worker_by_lua_block { require("receiver").open("$self->{log}") }
END
}


# a receiver that is a program of its own

sub program {
    my ($id, $title, %o) = @_;

    my $dir = "$o{dir}/$id";
    my $self = { id => $id, title => $title, dir => $dir,
                 uri => $o{uri} || '/enkod', log => "$dir/events.jsonl",
                 connections => $o{connections} || CONNECTIONS };

    $self->{start} = sub {
        make_path($dir);
        unlink $self->{log};

        $self->{port} = free_port();

        local $ENV{GOMAXPROCS} = 1;
        local $ENV{EVENTS_LOG} = $self->{log};
        local $ENV{RECEIVER} = "$sources/webhook/append";

        my @command = $o{command}->($self);
        my $said = "$dir/output.log";
        my $pid = start($id, $said, 'timeout', LIFE, @{ $o{wrapper} },
                        @command);

        my $up = wait_for(sub {
            !alive($pid) || IO::Socket::INET->new(
                PeerAddr => "127.0.0.1:$self->{port}", Timeout => 1)
        });

        unless ($up && alive($pid)) {
            stop($pid);
            die "it does not start: " . slurp($said) . "\n";
        }

        @$self{qw(pid worker)} = ($pid, child_of($pid));
    };

    return $self;
}


# The commands of programs.  What npm and go build is kept in build/, together
# with the sources.

sub fastify {
    my ($self) = @_;

    which($_) or die "there is no $_\n" for qw(node npm);

    my $dir = dirname($self->{dir}) . '/node';
    my $same = fresh("$sources/fastify", $dir,
                     qw(package.json package-lock.json server.js));

    unless ($same && -d "$dir/node_modules") {
        my $said = output(300, 'npm', 'ci', '--prefix', $dir, '--no-audit',
                          '--no-fund', '--ignore-scripts');
        $? == 0 or die "npm cannot install fastify: $said\n";
    }

    my ($fastify) = slurp("$dir/node_modules/fastify/package.json")
                    =~ /"version": "([^"]+)"/;

    $self->{version} = "Node.js " . (output(5, 'node', '-v') =~ /v(\S+)/)[0]
                       . ", Fastify $fastify";

    return ('node', "$dir/server.js", $self->{port}, $self->{log});
}


sub go {
    my ($self) = @_;

    which('go') or die "there is no go\n";

    fresh("$sources/go", $self->{dir}, qw(go.mod main.go));

    local $ENV{GOCACHE} = "$self->{dir}/cache";
    local $ENV{GOFLAGS} = '-mod=mod';
    local $ENV{GOPROXY} = 'off';
    local $ENV{GOTOOLCHAIN} = 'local';

    my $said = output(300, 'env', '-C', $self->{dir}, 'go', 'build', '-o',
                      'receiver');
    $? == 0 or die "go does not build it: $said\n";

    $self->{version} = (output(5, 'go', 'version') =~ /go(\d\S+)/)[0];
    $self->{version} = "Go $self->{version}";

    return ("$self->{dir}/receiver", $self->{port}, $self->{log});
}


sub webhook {
    my ($self) = @_;

    local $ENV{PATH} = "$ENV{PATH}:$top/build/unpacked/usr/bin";

    my ($program) = grep { -x } map { "$_/webhook" } split /:/, $ENV{PATH};

    $program or die "there is no webhook\n";
    which('jq') or die "there is no jq\n";

    $self->{version} = join ', ',
        output(5, $program, '-version') =~ /(\d[\d.]*)/
        ? "webhook $1" : 'webhook',
        output(5, 'jq', '--version') =~ s/\s+\z//r;

    return ($program, '-ip', '127.0.0.1', '-port', $self->{port},
            '-hooks', "$sources/webhook/hooks.json", '-template');
}


# Copies files; true if the same files were there already.

sub fresh {
    my ($from, $to, @names) = @_;

    make_path($to);

    my $same = !grep { !-f "$to/$_" || slurp("$to/$_") ne slurp("$from/$_") }
               @names;

    for my $name (@names) {
        copy("$from/$name", "$to/$name") or die "cannot copy $name: $!\n";
    }

    return $same;
}

1;
