# What is counted of a file that cannot be written to or synced for a while, and
# of the events that wait for it.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::HTTP2;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::NginxConf;
use Enkod::Preload;
use Enkod::StatusTest;
use Enkod::Wait qw(wait_for);


my $nginx = Enkod::Nginx->create(workers => 1, server => <<'END');
        location = /status {
            enkod_status json;
        }

        location = / {
            enkod_webhook;
            enkod_log  a.jsonl;
        }
END

my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
    or plan skip_all => "a library cannot be preloaded here";

$nginx->{env} = $preload->env;
$nginx->start;


# a write that fails

$preload->on_write("eio");
is $nginx->post(event("1"))->{status}, 503, "a write fails";

my $status = status($nginx);
my $file = file($status, "a.jsonl");

is $file->{error}, "Input/output error", "its error";
ok $file->{error_at} ge $status->{started_at}
   && $file->{error_at} le $status->{now}, "and its time";

$preload->on_write("none");
is $nginx->post(event("2"))->{status}, 200, "the next write succeeds";

$file = file(status($nginx), "a.jsonl");

is $file->{error}, undef, "that ends the error";
is $file->{error_at}, undef, "it has no time any more";
is "@$file{qw(writes write_errors lines)}", "2 1 1", "both are counted";


# a write of which only the first lines succeed

my @clients = map { $nginx->client } 1 .. 6;

# connections that have been accepted, so that all events arrive together
for (@clients) {
    $_->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $_->status;
}

$preload->on_write("border");

$nginx->frozen(sub {
    $_->send(Enkod::Client::request(event("3", 200))) for @clients;
});

my %answers;
$answers{$_->status}++ for @clients;

is_deeply [sort keys %answers], [200, 503], "a part of a batch is written";

my @lines = $nginx->lines("a.jsonl");

$file = file(status($nginx), "a.jsonl");

is $file->{lines}, @lines, "the lines that were written are counted";
is $file->{lines}, 1 + $answers{200}, "these are the accepted ones";
is $file->{bytes}, length join("", @lines), "and their bytes";
is $file->{error}, "No space left on device", "and the error of the others";

my $receiver = receiver(status($nginx), "/");

is $receiver->{failures}{log_unavailable}, 1 + $answers{503},
   "the others have failed";
is results($receiver, "message open"), "accepted=" . (1 + $answers{200}),
   "accepted events";

$nginx->stop;
$preload->on_write("none");


# sync

SKIP: {
    skip "this nginx has no threads", 1 if !Enkod::NginxConf::threads();

    my $nginx = Enkod::Nginx->new(workers => 1, env => $preload->env,
                                  server => <<'END');
        listen  127.0.0.1:%SECOND% http2;

        location = /status {
            enkod_status json;
        }

        location = / {
            enkod_webhook;
            enkod_log  a.jsonl sync;
        }
END

    $preload->on_sync("eio");
    is $nginx->post(event("1"))->{status}, 503, "a sync fails";

    my $file = file(status($nginx), "a.jsonl");

    is $file->{error}, "Input/output error", "its error";
    is "@$file{qw(writes write_errors)}", "1 0", "the write has not failed";

    $preload->on_sync("hold");

    my $client = $nginx->client;
    $client->send(Enkod::Client::request(event("2")));

    wait_for(sub { $preload->holding });

    my $status = status($nginx);

    is file($status, "a.jsonl")->{error}, "Input/output error",
       "a write does not end the error of a sync";
    is receiver($status, "/")->{waiting}, 1, "an event waits for the sync";

    my $h2 = Enkod::HTTP2->new($nginx->{second});

    $h2->send(($h2->request(event("3")))[0]);

    ok wait_for(sub { receiver(status($nginx), "/")->{waiting} == 2 }),
       "a second one waits";

    $h2->{client}->close;
    $nginx->settled;

    $preload->on_sync("none");
    is $client->status, 200, "the sync succeeds";

    ok wait_for(sub { receiver(status($nginx), "/")->{waiting} == 0 }),
       "then nothing waits, even if a client has left";

    $file = file(status($nginx), "a.jsonl");

    is $file->{error}, undef, "that ends the error";
    is $file->{sync_errors}, 1, "the error of the sync is counted";
    is count($file->{sync_seconds}), $file->{syncs} - 1,
       "a sync that succeeds has a duration";
    cmp_ok $file->{sync_seconds}{sum}, ">", 0, "which is not 0";
}

done_testing;
