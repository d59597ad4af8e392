# Four workers append to one file under load: each acknowledged event is in the
# file once, and each line is whole.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use JSON::PP ();
use Test::More;

use Enkod::Load qw(problems tally acknowledged);
use Enkod::Nginx;

# with reuseport, all workers get connections

my $nginx = Enkod::Nginx->new(
    workers => 4, listen => "reuseport", level => "info",
    server => "location / { enkod_webhook; enkod_log a.jsonl; }");

my $load = Enkod::Load->new($nginx->{port}, connections => 64,
                            processes => 2);
$load->accepted($ENV{TEST_NGINX_USE_VALGRIND} ? 20 : 3000) for 1 .. 20;

my $sent = $load->finish;

note tally($sent);

is tally($sent), "200: " . acknowledged($sent), "all events are accepted";

cmp_ok acknowledged($sent), ">", 100, "enough events are accepted";

is_deeply [problems($sent, $nginx->path("a.jsonl"))], [],
   "the file has each accepted event once, in a whole line";

my @lines = $nginx->lines("a.jsonl");

is scalar @lines, acknowledged($sent), "the file has no other lines";

# the pattern of problems() is stricter than JSON, so a sample shows that lines
# are JSON as well

my $json = JSON::PP->new->utf8;

is_deeply [grep { !eval { $json->decode($_) } }
                map { $lines[rand @lines] } 1 .. 300], [],
   "300 of the lines, at random, are JSON";

my %ids;
$ids{$_}++ for map { /"request_id":"([0-9a-f]+)"/ } @lines;

is scalar(keys %ids), scalar @lines, "each line has a different request id";

is $nginx->alerts, "", "the error log has no alerts";

is_deeply [$nginx->error_log =~ /(enkod: .*)/g], [],
   "the module logs nothing";

ok $nginx->stop('QUIT'), "nginx ends";

done_testing;
