# No message about an event that is passed on has a value of that event, whoever
# writes the message.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::File;
use Enkod::Nginx;
use Enkod::Port qw(free_port);

my $top = dirname(dirname(__FILE__));

my $nginx = Enkod::Nginx->create(http => <<'END', server => <<'END');
        upstream back {
            server     127.0.0.1:%HTTP%;
            keepalive  4;
        }

        map $enkod_event $target {
            "complaint"        /to/complaints?what=$enkod_to;
            "message clicked"  @clicks;
            "contact adding"   nowhere;
            "message sent"     "";
            "message open"     /to/opens/$enkod_name;
            default            /to/rest;
        }

        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        proxy_read_timeout  1s;
END
        location = /map {
            enkod_webhook;
            enkod_pass  $target;
        }

        location /to/ {
            internal;
            proxy_pass  http://back;
        }

        # targets with a value of the event that nginx could log

        location = /log/closed {
            enkod_webhook;
            enkod_pass  "/closed/$enkod_name?to=$enkod_to";
        }

        location = /log/rewritten {
            enkod_webhook;
            enkod_pass  @rewritten;
        }

        location = /log/hang {
            enkod_webhook;
            enkod_pass  /to/$enkod_name?hang=1;
        }

        location = /log/name {
            enkod_webhook;
            enkod_pass  @$enkod_name;
        }

        location = /log/unsafe {
            enkod_webhook;
            enkod_pass  /../$enkod_name;
        }

        location = /log/none {
            enkod_webhook;
            enkod_pass  $enkod_name;
        }

        location = /log/file {
            enkod_webhook;
            enkod_pass  /file/$enkod_name;
        }

        location /closed/ {
            internal;
            proxy_pass  http://127.0.0.1:%CLOSED%;
        }

        location @rewritten {
            rewrite     ^ /closed/$enkod_name?to=$enkod_to break;
            proxy_pass  http://127.0.0.1:%CLOSED%;
        }

        location /file/ {
            internal;
            root  /nowhere;
        }
END

my $port = free_port();

$nginx->{http} =~ s/%HTTP%/$port/;
$nginx->{server} =~ s/%CLOSED%/free_port()/ge;

my $backend = Enkod::Backend->new(dir => $nginx->{dir}, port => $port);

$nginx->start;

my %uri = (closed => "/closed/\$enkod_name", rewritten => "\@rewritten",
           hang => "/to/\$enkod_name", name => "\@\$enkod_name",
           unsafe => "/../\$enkod_name", none => "\$enkod_name");

my $event = Enkod::File::slurp("$top/bodies/message-open.json")
            =~ s/"name": *"[^"]*"/"name":"secret%0Ax%0d%7f\xc2\x9b"/r
            =~ s/"to": *"[^"]*"/"to":"secret\@example.com"/r;

for my $place (sort keys %uri) {
    my $before = length $nginx->error_log;
    my ($status) = hand_on("/log/$place", $event);

    like($status, qr/^50[24]$/, "$place: the event is not delivered");

    my $said = substr $nginx->error_log, $before;

    unlike($said, qr/secret/, "$place: no value is logged");

    # the module writes such a message once a minute
    like($said, qr/(?:enkod: |subrequest: )"\Q$uri{$place}\E"/,
         "$place: the message has the URI of the configuration")
        if $said =~ /./;
    # over HTTP/3, nginx names no host
    like($said, qr/upstream: "http:\/\/127\.0\.0\.1:\d+"(?:, host|$)/m,
         "$place: the message has the upstream")
        if $said =~ /upstream:/;
}

my ($status, $got) = hand_on("/map", $event);

is($status, 200, "an escaped line feed in a path: 200");
is($got->{uri}, "/to/opens/secret%250Ax%250d%257f%5Cu009b",
   "the escaped line feed is escaped once more");

my $before = length $nginx->error_log;
hand_on("/log/file", $event);

my @lines = split /\n/, substr $nginx->error_log, $before;

is(scalar(grep { !/^\d{4}/ } @lines), 0,
   "a target that is a file: no message has a line feed");

is($nginx->alerts, "", "the error log has no alerts");

done_testing();


# Sends a body to a location, and returns the status, and the last request that
# the backend has got since.

sub hand_on {
    my ($uri, $body) = @_;

    $backend->forget;

    my $answer = $nginx->post($body, uri => $uri);

    return ($answer->{status}, ($backend->requests)[-1] || {});
}
