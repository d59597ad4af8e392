# A message about the same failure is logged once a minute at most, by the
# monotonic clock.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

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

# failures, and their messages

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

    is $said->(), 1, "$name is logged";
    is $said->(), 1, "a second failure at once logs nothing";

    $preload->set_uptime(30);
    $preload->set_clock(86400);
    is $said->(), 1, "setting the clock forward logs nothing";

    $preload->set_uptime(61);
    $preload->set_clock(-86400);
    is $said->(), 2,
       "a minute later, the failure is logged again, although the clock was set back";
}

$nginx->stop;

done_testing;
