# An event that was accepted is passed on even if its client leaves; a reload
# and a graceful stop wait for it.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::File;
use Enkod::HTTP2;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Process;
use Enkod::PassTest;
use Enkod::Wait qw(wait_for);


my $nginx = Enkod::Nginx->create(level => "info", workers => 1,
    http => <<'END', server => <<'END');
        upstream back {
            server     127.0.0.1:%BACK%;
            keepalive  2;
        }

        upstream two {
            server  127.0.0.1:%BACK% max_fails=0;
            server  127.0.0.1:%OTHER% backup;
        }

        log_format  f  escape=none  '$enkod_result|$enkod_error|$enkod_pass_status|$upstream_status|$enkod_pass_response';

        # its processes are children of the master as well
        proxy_cache_path  %DIR%/cache  keys_zone=cache:1m;

        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_connect_timeout  3600s;
        proxy_read_timeout     3600s;
        proxy_buffers          4 4k;
        proxy_buffer_size      4k;
        proxy_busy_buffers_size  4k;
END
        listen      127.0.0.1:%SECOND% http2;
        access_log  logs/access.log  f;

        location /by/ {
            enkod_webhook;
            enkod_pass  /to/$arg_to;
        }

        location = /two {
            enkod_webhook;
            enkod_pass  @two;
        }

        location = /both {
            enkod_webhook;
            enkod_log   both.jsonl;
            enkod_pass  /to/proxy;
        }

        location = /to/proxy {
            internal;
            proxy_pass  http://back;
        }

        location = /to/slowly {
            internal;
            proxy_limit_rate  200k;
            proxy_pass        http://back/;
        }

        location @two {
            proxy_next_upstream  error timeout http_503 non_idempotent;
            proxy_pass           http://two;
        }
END

my ($back, $other) = backends($nginx, "BACK", "OTHER");

$nginx->start;

client_leaves();
failed_reload();
stops();

is($nginx->alerts("exited on signal 9|nowhere"), "",
   "the error log has no alerts");

done_testing();


# An accepted event is delivered, whether the client waits or not.

sub client_leaves {
    my @ways = (
        ["half-closes", sub { $_[0]->shutdown }],
        ["closes", sub { $_[0]->close }],
        ["resets", sub { $_[0]->reset }]);

    for (@ways) {
        my ($title, $leave) = @$_;

        $back->tell("hold=1");
        $back->forget;

        my $client = $nginx->client;
        $client->send(Enkod::Client::request(event("gone"), uri => "/by/?to=proxy"));
        $back->wait_requests(1);
        $leave->($client);
        $nginx->settled;
        $back->release;

        is($client->status, 200, "a client that $title gets its answer")
            if $title eq "half-closes";

        ok(wait_for(sub { logged() =~ /^accepted\|\|204\|204/ }),
           "a client that $title: the event is delivered");
        spoil();
    }

    # a client that leaves before the next upstream is tried

    for my $way (qw(resets closes)) {

        $back->tell("hold=1&status=503");
        $other->tell("");
        $_->forget for $back, $other;

        my ($client, $h2, $stream);

        $h2 = Enkod::HTTP2->new($nginx->{second});
        (my $frames, $stream) = $h2->request(event("gone"), uri => "/two");
        $h2->send($frames);
        $back->wait_requests(1);

        if ($way eq "resets") {
            $h2->send(Enkod::HTTP2::frame(Enkod::HTTP2::RST_STREAM(), 0, $stream,
                                          pack "N", 8));
        } else {
            $h2->{client}->close;
        }

        $nginx->settled;
        $back->release;
        $other->wait_requests(1);

        is(scalar(() = $other->requests), 1,
           "an HTTP/2 client that $way: the next upstream is tried");
        ok(wait_for(sub {
               logged() =~ /^accepted\|\|204\|503, 204/
           }), "an HTTP/2 client that $way: the event is delivered");
        spoil();
    }

    # a client that leaves while the upstream sends its answer

    $back->tell("big=200000&part=100000");
    $back->forget;

    my $h2 = Enkod::HTTP2->new($nginx->{second});
    my ($frames, $stream) = $h2->request(event("gone"), uri => "/by/?to=slowly");

    $h2->send($frames);
    $back->wait_requests(1);

    # the backend has sent the first part when it answers another request
    my $direct = Enkod::Client->new($back->{port});
    $direct->send(Enkod::Client::request("", uri => "/?big=0&part=0"));
    is($direct->status, 204, "the upstream has sent half of its answer");
    $nginx->settled;

    $h2->send(Enkod::HTTP2::frame(Enkod::HTTP2::RST_STREAM(), 0, $stream,
                                  pack "N", 8));
    $nginx->settled;
    $back->release;

    ok(wait_for(sub { logged() =~ /^accepted\|\|200\|200/ }),
       "a client that resets while the answer comes: the event is delivered");

    is(try("/by/?to=proxy", "")->{says}, "200", "nginx accepts the next event");
}


# Adds another last line to the access log.

sub spoil {
    try("/by/?to=nothing");
    wait_for(sub { logged() =~ /^failed/ });
}


# the workers, without the processes of the cache

sub workers {
    return grep {
        Enkod::File::slurp("/proc/$_/cmdline") =~ /: worker process/
    } $nginx->workers;
}


# After a reload that has failed, the master starts workers with the
# configuration that it had.

sub failed_reload {
    my %was = map { $_ => $nginx->{$_} } qw(http server);

    $nginx->configure(http => "access_log nowhere/x.log;", server => "");
    $nginx->signal('HUP');

    ok(wait_for(sub { $nginx->error_log =~ /nowhere\/x\.log/ }),
       "a reload fails");

    $nginx->configure(%was);

    my ($old) = workers();
    kill 'KILL', $old;

    ok(wait_for(sub { grep { $_ != $old } workers() }),
       "another worker is started");

    is(try("/by/?to=proxy", "body=some")->{says}, "200",
       "the new worker hands events on");
}


sub stops {
    $back->tell("hold=1");
    $back->forget;

    my @clients = map { $nginx->client } 1 .. 20;

    $_->send(Enkod::Client::request(event("reload"), uri => "/both"))
        for @clients;
    $back->wait_requests(20);

    my @old = $nginx->workers;

    $nginx->signal('HUP');
    $nginx->leaving(@old);
    $back->release;

    is(join(" ", map { $_->status } @clients), join(" ", (200) x 20),
       "a reload waits for events that are being passed on");

    @clients = map { $nginx->client } 1 .. 5;
    $_->send(Enkod::Client::request(event("quit"), uri => "/both"))
        for @clients;
    $back->wait_requests(25);

    my $pid = $nginx->{pid};
    @old = $nginx->workers;
    kill 'QUIT', $pid;
    $nginx->leaving(@old);
    $back->release;

    is(join(" ", map { $_->status } @clients), join(" ", (200) x 5),
       "a graceful stop waits for events that are being passed on");
    ok(wait_for(sub {
           $nginx->reap;
           !Enkod::Process::alive($pid);
       }), "then nginx ends");
}
