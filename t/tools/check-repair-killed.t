# enkod-check --repair is killed at each of its system calls, or another process
# appends to the file: no byte is lost that may be part of an event.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;

use Enkod::Command;
use Enkod::File;
use Enkod::MemoryCheck;
use Enkod::Nginx;

plan skip_all => "LeakSanitizer does not run in a process that is traced"
    if $Enkod::MemoryCheck::name eq "sanitizers";

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $check = $ENV{TEST_ENKOD_CHECK} || "$top/build/enkod-check";

my $nginx = Enkod::Nginx->create;       # for its folder
my $dir = $nginx->{dir};
my $cc = $ENV{CC} || "cc";

system("$cc -O1 -o '$dir/steps' '$top/t/lib/Enkod/stop_at_syscall.c'") == 0
    or plan skip_all => "there is no compiler";

my $line = '{"received_at":"2026-11-23T03:44:01.123Z","request_id":"9c1f8a52b7'
           . 'a94d5fbf6f0f0f5a1c2d3e","remote_addr":"192.0.2.7","event":"x"}';
my $lines = "$line\n" x 3;
my $piece = substr $line, 0, 70;

plan skip_all => "a process cannot be traced here"
    if steps($lines, 1, "kill") != 100;


# what is at the end of the file, and what the repair leaves of it

for (["a piece", $piece, ""], ["a whole line", $line, "$line\n"]) {
    my ($what, $tail, $repaired) = @$_;

    my ($before, $after) = ("$lines$tail", "$lines$repaired");
    my (@bad, %seen);

    for my $n (1 .. 10000) {
        my $status = steps($before, $n, "kill");

        last if $status == 101;

        my ($is, $copy) = (slurp("r"), slurp("r.bak"));

        $seen{$is eq $after ? "repaired" : "not repaired"}++;

        push @bad, "step $n: $status" if $status != 100;
        push @bad, "step $n: the file is another one" if $is ne $before && $is ne $after;
        push @bad, "step $n: the copy is another one" if $copy ne "" && $copy ne $before;
        push @bad, "step $n: there is no copy"
            if $is eq $after && $repaired eq "" && $copy eq "";
    }

    is_deeply \@bad, [], "$what: whenever it is killed, the file or its copy is complete";
    is join(" ", sort keys %seen), "not repaired repaired",
       "it was killed or stopped before and after the repair";
}

for (["a piece", $piece, ""], ["a whole line", $line, "$line\n"]) {
    my ($what, $tail, $repaired) = @$_;

    my ($before, $after) = ("$lines$tail", "$lines$repaired");
    my (@bad, %seen);

    for my $n (1 .. 10000) {
        my $status = steps($before, $n, "append", "$dir/r", "\n$line\n");

        last if $status == 101;

        my $is = slurp("r");

        $seen{$is eq "$after\n$line\n" ? "repaired" : "not repaired"}++;

        push @bad, "step $n: $status" if $status > 2;
        push @bad, "step $n: the file is another one"
            if $is ne "$before\n$line\n" && $is ne "$after\n$line\n";
    }

    is_deeply \@bad, [],
              "$what: whenever another process appends, its text is not cut off";
    is join(" ", sort keys %seen), "not repaired repaired",
       "it was killed or stopped before and after the repair";
}

done_testing;


# Repairs a file "r" with this text, up to the Nth system call.

sub steps {
    my ($text, $n, @what) = @_;

    unlink glob "$dir/r.bak*";
    $nginx->put("r", $text);

    return (Enkod::Command::run($dir, "$dir/steps", $n, @what, $check, "--repair", "r"))[0];
}


sub slurp { Enkod::File::slurp("$dir/$_[0]") }
