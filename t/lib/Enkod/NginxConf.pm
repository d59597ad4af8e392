package Enkod::NginxConf;

# The base class of Enkod::Nginx: writes nginx.conf and has nginx check it.
#
# An object has the keys that Enkod::Nginx->new() takes.  Class functions:
# binary(), the nginx that is tested; threads(), whether it can be used with
# "sync".

use strict;
use warnings;

use Cwd            ();
use File::Basename ();

use Enkod::Protocol;

my $tree = Cwd::abs_path(File::Basename::dirname(__FILE__) . "/../../..");

my $module = $ENV{TEST_NGINX_LOAD_MODULES};

if (!defined $module) {
    ($module) = grep { -f } "$tree/build/ngx_http_enkod_module.so";
}


sub configure {
    my ($self, %o) = @_;

    @$self{keys %o} = values %o;

    open my $fh, ">", "$self->{dir}/nginx.conf" or die "nginx.conf: $!";
    print $fh $self->text;
    close $fh or die "nginx.conf: $!";
}


# the beginning of nginx.conf: modules, user and processes

sub preamble {
    my ($self) = @_;

    my $load = join "", $self->{load} || "",
                        map { "load_module $_;\n" } split " ", $module || "";
    my $user = "";

    if ($> == 0) {
        $user = "user  $self->{user} " . getgrgid(($self->user)[1]) . ";";
    }

    my $daemon = $self->{daemon} ? "on" : "off";

    return <<"END";
$load
$user
daemon            $daemon;
pid               logs/nginx.pid;
worker_processes  $self->{workers};
END
}


# instead of nginx's own folders, to which the worker may have no access

sub temp_paths {
    return join "", map { "    ${_}_temp_path  tmp/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);
}


sub text {
    my ($self) = @_;

    my ($main, $events, $http, $server, $listen)
        = map { defined $self->{$_} ? $self->{$_} : "" }
              qw(main events http server listen);

    for ($main, $events, $http, $server) {
        s/%DIR%/$self->{dir}/g;
        s/%SECOND%/$self->{second}/g;
    }

    $listen .= " reuseport"
        if $ENV{TEST_NGINX_REUSE_PORT} && $listen !~ /reuseport/;
    $events .= "use $ENV{TEST_NGINX_EVENT_TYPE};"
        if $ENV{TEST_NGINX_EVENT_TYPE};
    $server .= Enkod::Protocol::listen($self->{protocol_port});

    return $self->preamble . <<"END" . $self->temp_paths . <<"END";
error_log         logs/error.log $self->{level};
$main

events {
    worker_connections  1024;
    $events
}

http {
    access_log              off;
    keepalive_requests      1000000;
    $Enkod::Protocol::early_read
    keepalive_timeout       3600s;
    client_header_timeout   3600s;
    client_body_timeout     3600s;
    send_timeout            3600s;
END
    $http

    server {
        listen  127.0.0.1:$self->{port} $listen;
        $server
    }
}
END
}


sub binary {
    my ($nginx) = grep { -x } map { "$_/nginx" }
                      split(/:/, $ENV{PATH}), "/usr/sbin", "/usr/local/sbin";

    return $ENV{TEST_NGINX_BINARY} || $nginx || "nginx";
}


# True if nginx was built with threads, and the event method can be used with
# them; "sync" needs both.

sub threads {
    my $binary = quotemeta binary();

    return ($ENV{TEST_NGINX_EVENT_TYPE} || "epoll") eq "epoll"
           && `$binary -V 2>&1` =~ /--with-threads/;
}


sub command {
    my ($self, @more) = @_;

    return (binary(), "-p", "$self->{dir}/", "-c", "nginx.conf",
            "-e", "logs/error.log", @more);
}


# Runs nginx -t; returns its output and whether it accepts the configuration.

sub check {
    my ($self) = @_;

    $self->configure;

    my @cmd = map { quotemeta } $self->command("-t");

    my $out = `@cmd 2>&1`;

    return wantarray ? ($out, $? == 0) : $out;
}

1;
