# A message about the same trouble comes once a minute, by a clock that nobody
# can set.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Preload;

my $nginx = Enkod::Nginx->create(workers => 1, server => <<'END');
        location = /enkod {
            enkod_webhook;
            enkod_log  a.jsonl;
        }

        location = /full {
            enkod_webhook;
            enkod_log  /dev/full;
        }

        location = /auth {
            auth_request  /enkod;
        }

        location = /pass {
            enkod_webhook;
            enkod_pass  /to/nobody;
        }

        location = /to/nobody {
            internal;
            return  404;
        }

        location = /nowhere {
            enkod_webhook;
            enkod_pass  $enkod_event;
        }
END

my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
    or plan skip_all => "there is no compiler";

$nginx->{env} = $preload->env;
$nginx->start;

# how to get into trouble, and what is said of it

my @troubles = (
    [ "a receiver in a subrequest",
      sub { $nginx->post(event(1), uri => "/auth") },
      qr/"enkod_webhook" does not work in a subrequest/ ],
    [ "a target that does not take an event",
      sub { $nginx->post(event(1), uri => "/pass") },
      qr/enkod: "\/to\/nobody" did not take an event/ ],
    [ "a target that is none",
      sub { $nginx->post(event(1), uri => "/nowhere") },
      qr/enkod: "\$enkod_event" in "enkod_pass" evaluates to/ ],
    [ "a file that cannot be written",
      sub { $nginx->post(event(1), uri => "/full") },
      qr/"\/dev\/full" cannot be written to/ ],
);


for (@troubles) {
    my ($name, $trouble, $message) = @$_;

    my $said = sub {
        $trouble->();
        return scalar(() = $nginx->error_log =~ /$message/g);
    };

    $preload->set_clock(0);
    $preload->set_uptime(0);

    is $said->(), 1, "$name is a message";
    is $said->(), 1, "and not a second one at once";

    $preload->set_uptime(30);
    $preload->set_clock(86400);
    is $said->(), 1, "nor because the clock is set forward";

    $preload->set_uptime(61);
    $preload->set_clock(-86400);
    is $said->(), 2, "but when a minute has passed, and the clock is set back";
}

$nginx->stop;

done_testing;
