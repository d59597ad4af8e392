package Enkod::BenchNginx;

# The nginx of a benchmark: one worker, and a configuration of nothing but what
# is measured.
#
#     my ($pid, $worker) = Enkod::BenchNginx::launch(
#         dir     => folder, port => port, binary => "nginx",
#         load    => [modules], main => text, http => text, server => text,
#         connections => 2000,
#         seconds => 1200,            # it ends then even if it is not stopped
#         alone   => 1,               # without a master: one process
#         wrapper => [qw(taskset -c 1)]
#     );
#
# $pid is the process to stop.

use strict;
use warnings;

use File::Basename ();
use File::Path qw(make_path);

use Enkod::File qw(slurp);
use Enkod::Statistics qw(too_busy);
use Enkod::BenchProcess qw(start stop alive child_of);
use Enkod::Wait qw(wait_for);

# the worker's user is the owner of the tree, so that it can write to build/
my @owner = (stat File::Basename::dirname(__FILE__))[4, 5];


sub launch {
    my %o = @_;
    my $dir = $o{dir};

    make_path("$dir/tmp");
    chown @owner, $dir, "$dir/tmp" if $> == 0;
    unlink "$dir/error.log", "$dir/nginx.pid";

    open my $conf, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!\n";
    print $conf text(%o);
    close $conf or die "$dir/nginx.conf: $!\n";

    my $pid = start('nginx', "$dir/stderr.log", 'timeout', $o{seconds},
                    @{ $o{wrapper} || [] }, $o{binary}, '-p', "$dir/",
                    '-c', "$dir/nginx.conf", '-e', "$dir/error.log");

    # nginx listens before it writes its process id
    wait_for(sub { -s "$dir/nginx.pid" || !alive($pid) }, 120)
        or too_busy("nginx has not started in two minutes");

    unless (alive($pid)) {
        my $why = slurp("$dir/stderr.log") . slurp("$dir/error.log");
        stop($pid);
        die "nginx did not start: $why\n";
    }

    return $pid if $o{alone};

    my ($master) = slurp("$dir/nginx.pid") =~ /(\d+)/;
    my $worker;

    wait_for(sub { $worker = child_of($master) })
        or die "nginx has no worker\n";

    return ($pid, $worker);
}


sub text {
    my %o = @_;

    my $user = '';

    if ($> == 0 && !$o{alone}) {
        $user = sprintf 'user %s %s;', (getpwuid $owner[0])[0],
                        (getgrgid $owner[1])[0];
    }

    my $master = $o{alone} ? 'off' : 'on';
    my $load = join "", map { "load_module $_;\n" } @{ $o{load} };
    my $connections = $o{connections} || 2000;
    my ($main, $http, $server) = map { $o{$_} // '' } qw(main http server);

    return <<"END";
$load
daemon            off;
master_process    $master;
worker_processes  1;
$user
$main

pid        $o{dir}/nginx.pid;
error_log  $o{dir}/error.log;

events {
    worker_connections  $connections;
}

http {
    access_log  off;

    keepalive_requests  100000000;
    keepalive_timeout   600s;

    client_body_temp_path  $o{dir}/tmp/body;
    proxy_temp_path        $o{dir}/tmp/proxy;
    fastcgi_temp_path      $o{dir}/tmp/fastcgi;
    uwsgi_temp_path        $o{dir}/tmp/uwsgi;
    scgi_temp_path         $o{dir}/tmp/scgi;

$http
    server {
        listen  127.0.0.1:$o{port};

$server
    }
}
END
}

1;
