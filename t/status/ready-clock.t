# enkod_status ready: how long a failure counts, also when the clock is set.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use JSON::PP;
use Test::More;

use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::ViewTest qw(get);
use Enkod::Wait qw(wait_for);


my $nginx = Enkod::Nginx->create(server => <<'END');
        location = /ready {
            enkod_status ready;
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

$preload->on_write("eio");
is $nginx->post(event("e"))->{status}, 503, "a write fails";
$preload->on_write("none");

is ready(), 503, "it is not ready";

$preload->set_clock(31);
ok wait_for(sub { ready() == 200 }),
   "it is ready after half a minute: somebody has to try";

$preload->on_write("eio");
is $nginx->post(event("e"))->{status}, 503, "a write fails again";
$preload->on_write("none");

$preload->set_clock(-3600);
ok wait_for(sub { ready() == 200 }), "a failure in the future does not count";

done_testing;


sub ready {
    return get($nginx, "/ready")->{status};
}
