# Prometheus scrapes enkod_status, and its queries show what was sent.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../../lib";

use Test::More;

use Enkod::Needs qw(need);
use Enkod::Nginx;
use Enkod::Prometheus;

my $nginx = Enkod::Nginx->new(server => <<'END');
location = /metrics {
    default_type text/plain;
    return 200 'enkod_probes_total{server="_",location="/enkod"} 7\n';
}
END

my $prometheus = Enkod::Prometheus->new(
    targets => { enkod => "127.0.0.1:$nginx->{port}" });

ok $prometheus->shows('enkod_probes_total{job="enkod"}', 7),
   "a counter is scraped";

done_testing();
