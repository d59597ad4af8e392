# On a machine that is too busy for measurements, make bench says so, in words and by
# its exit status, and prints no figures.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;

use Enkod::Command;
use Enkod::Nginx;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $nginx = Enkod::Nginx->create(server => "");
my $dir = $nginx->{dir};

plan skip_all => "the module is in nginx, and bench loads it"
    if defined $ENV{TEST_NGINX_LOAD_MODULES} && !$ENV{TEST_NGINX_LOAD_MODULES};


# Runs bench with a "wrk" that opens its connections, sends nothing, and prints the
# text when it is told to end.

sub bench {
    my ($said) = @_;

    $nginx->put("wrk", <<"END");
#!$^X
use IO::Socket::INET;

\$SIG{INT} = sub { print "$said"; exit };
my (\$n, \$to) = "\@ARGV" =~ m{-c (\\d+).*http://(\\S+)};
my \@connections = map { IO::Socket::INET->new(\$to) } 1 .. \$n;
sleep 1 while 1;
END
    chmod 0755, "$dir/wrk";

    local $ENV{PATH} = "$dir:$ENV{PATH}";
    local $ENV{BUILD} = File::Spec->abs2rel($dir, $top);
    local @ENV{qw(BENCH BENCH_ROUNDS BENCH_SECONDS)} = ("cpu", 1, 1);

    return Enkod::Command::run($dir, "sh", "-c", "cd '$top' && t/bench/bench");
}


my $done = "done requests=%d bytes=0 status=0 other=0 timeout=%d p50=0 p99=0"
           . " seconds=1\\n";

my ($status, $out, $err) = bench(sprintf $done, 0, 0);

is $status, 75, "no request was done: the exit status is that of a busy machine";
like $err, qr/^bench: not measured, the machine is too busy: .*no request was done$/m,
     "bench says that the machine is too busy";

($status, $out, $err) = bench(sprintf $done, 5, 3);

is $status, 75, "answers were late: the exit status is that of a busy machine";
like $err, qr/too busy: .*3 answers took longer than 10 s$/m, "bench says that answers were late";

($status, $out, $err) = bench("");

is $status, 1, "a wrk that fails is another failure";
like $err, qr/^bench: wrk failed/, "bench says that wrk failed";

done_testing;
