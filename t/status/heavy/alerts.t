# The alerts of docs/examples/prometheus-alerts.yml fire for the series for which
# they should, and for no others.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../../lib";

use Cwd ();
use File::Temp qw(tempdir);
use Test::More;

use Enkod::Command;
use Enkod::File qw(put slurp);
use Enkod::Needs qw(need);

my $promtool = need("promtool", "prometheus");
my $here = Cwd::abs_path(dirname(__FILE__));
my $dir = tempdir("enkod-alerts-XXXXXX", TMPDIR => 1, CLEANUP => 1);

my $path = Cwd::abs_path("$here/../../../docs/examples/prometheus-alerts.yml");
my $rules = slurp($path);
my @alerts = $rules =~ /^ +- alert: (\w+)$/mg;

# when an alert must fire, and when it must not, in minutes
my (%fires, %silent);

my %tests = map { $_ => slurp("$here/$_.yml") } qw(alerts-test alerts-days-test);


cmp_ok scalar @alerts, ">=", 15, "there are alerts";

{
    my ($status, @output) = Enkod::Command::run($dir, $promtool, "check", "rules",
                                                "--lint=all", "--lint-fatal",
                                                $path);

    is $status, 0, "promtool check rules" or diag @output;
}

for my $name (sort keys %tests) {
    my ($status, $output) = test($name, $rules);

    is $status, 0, "promtool test rules $name.yml" or diag $output;
}


# each alert has a test in which it fires, and one in which it does not

for my $text (values %tests) {
    $silent{$1}{ minutes($2) } = 1
        while $text =~ /alertname: (\w+),?\s+eval_time: (\w+),?\s+exp_alerts: \[\]/g;
    $fires{$1}{ minutes($2) } = 1
        while $text =~ /alertname: (\w+)\s+eval_time: (\w+)\s+exp_alerts:\s+- /g;
}

for my $alert (@alerts) {
    ok $fires{$alert}, "there are series for which $alert fires";
    ok $silent{$alert}, "there are series for which $alert does not fire";
}


# promtool notices an alert that never fires, and one that always does

for (["never", "vector(0) > 1", \%fires], ["always", "vector(1)", \%silent]) {
    my ($when, $expression, $wrong) = @$_;

    my $other = $rules =~ s/(\ -\ alert:\ \w+\n)
                            \s+expr:\ (?:\|\n(?:\ {10}.*\n)+|.*\n)
                            (?:\s+for:\ .*\n)?
                           /$1        expr: $expression\n/gxr;

    my $output = join "", map { (test($_, $other))[1] } sort keys %tests;
    my %noticed;

    while ($output =~ /alertname: (\w+), time: (\w.*?), *$/mg) {
        $noticed{$1}{ minutes($2) } = 1;
    }

    for my $alert (@alerts) {
        my @missed = grep { !$noticed{$alert}{$_} }
                          keys %{ $wrong->{$alert} };

        is "@missed", "", "a rule of $alert that $when fires is noticed";
    }
}

done_testing();


# Runs the tests of a file with these rules; returns the status and the output.

sub test {
    my ($name, $text) = @_;

    put("$dir/rules.yml", $text);
    put("$dir/test.yml", $tests{$name}
                         =~ s/^rule_files: .*$/rule_files: [rules.yml]/mr);

    my ($status, @output) = Enkod::Command::run($dir, $promtool, "test", "rules",
                                                "test.yml");

    return ($status, join "", @output);
}


# 1h20m and 80m are the same time

sub minutes {
    my ($time) = @_;

    my %unit = (m => 1, h => 60, d => 60 * 24, w => 60 * 24 * 7);
    my $minutes = 0;

    $minutes += $1 * $unit{$2} while $time =~ /(\d+)([mhdw])/g;

    return $minutes;
}
