# The status page of a real nginx, in Chromium: its numbers are those that were
# sent, and its verdict is right when a disk is full and when it is not any more.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../../lib";

use Test::More;

use Enkod::Disk;
use Enkod::File qw(slurp);
use Enkod::Wait qw(wait_for);

Enkod::Disk::unshare();

plan skip_all => "a file system cannot be mounted here" if !$ENV{ENKOD_MOUNTS};

require Enkod::Nginx;
require Enkod::Page;
Enkod::Nginx->import;

my $bodies = dirname(__FILE__) . "/../../bodies";
my %body = map { basename_of($_) => real(slurp($_)) } glob "$bodies/*.json";

my $nginx = Enkod::Nginx->create(workers => 2, server => <<'END');
location = /enkod {
    enkod_webhook;
    enkod_log  disk/events.jsonl;
    enkod_pass /crm;
    enkod_spool spool.jsonl;
}

location = /crm {
    return 204;
}

location = /status {
    enkod_status;
}
END


my $disk = "$nginx->{dir}/disk";

mkdir $disk or die "disk: $!";

$nginx->{cleanup} = sub { system("umount", $disk) };

system("mount", "-t", "tmpfs", "-o", "size=64m", "none", $disk) == 0
    or die "cannot mount $disk";

$nginx->start;

my $page = Enkod::Page->new("http://127.0.0.1:$nginx->{port}/status");


# nothing has come

$page->shows("#verdict", "No event yet", "before the first event");


# numbers

my %count = ("message-open" => 7, "message-sent" => 4, "message-clicked" => 2,
             "complaint" => 1, "contact-adding" => 3);

for my $name (sort keys %count) {
    $nginx->post($body{$name}, uri => "/enkod") for 1 .. $count{$name};
}

$nginx->post('{"event":"message open","message_id":"4"}', uri => "/enkod")
    for 1 .. 2;
$nginx->post("{", uri => "/enkod");

$page->shows("#verdict", "Events are being refused", "three bodies were wrong");
$page->shows(".line >> nth=0",
             qr/^3 in the last 5 min: 2 \S+, 1 invalid_json/,
             "the codes are next to it");

for my $name (sort keys %count) {
    my $event = $name =~ s/-/ /gr;

    is cell($event, 5), $count{$name}, "accepted events: $event";
    like cell($event, 2), qr/^(now|\d+ sec\. ago)$/, "when $event last came";
}

is cell("delivery bounce", 2), "never", "an event that has never come";
$page->shows("#hour", "17", "events of the last hour");
$page->shows("#refused", "3 \x{b7} 0" =~ s/\x{b7}/\xc2\xb7/r,
             "what was refused in the last hour");
$page->shows("#pass-delivered", "17", "delivered to the upstream");
$page->shows("#files li:first-child dl div:nth-child(4) dd", "17",
             "lines in the file");
like $page->text("#all-p50"), qr/^[\d.]+ (ms|sec)$/, "a time of answers";


# reload, and the death of a worker

ok $nginx->reload, "reloaded";

my @workers = $nginx->workers;

$nginx->signal('KILL', $workers[0]);
wait_for(sub { my @now = $nginx->workers;
               @now == 2 && !grep { $_ == $workers[0] } @now })
    or die "there is no new worker";

$nginx->post($body{"message-open"}, uri => "/enkod") for 1 .. 5;

$page->shows(row("message open") . " >> td >> nth=3", "12",
             "counts go on after a reload and the death of a worker");
isnt $page->text("#live-text"), "no answer", "the page is live";
is cell("complaint", 5), 1, "nothing is counted twice";


# a full disk

my $ballast = "$disk/ballast";

system("dd if=/dev/zero of=$ballast bs=4k 2>/dev/null");

my $answer;

# there is space that nginx has reserved
for (1 .. 3000) {
    $answer = $nginx->post($body{"message-open"}, uri => "/enkod");
    last if $answer->{status} != 200;
}

is $answer->{status}, 503, "the disk is full";

$page->shows("#verdict", "events.jsonl cannot be written",
             "the verdict says so");
$page->shows(".line >> nth=0", qr/No space left on device/, "and why");
$page->shows("#refusals code", qr/log_unavailable/, "the code is shown");

unlink $ballast or die "ballast: $!";

my $healed = wait_for(sub {
    $nginx->post($body{"message-open"}, uri => "/enkod");
    $page->text("#verdict") eq "Events could not be kept";
}, 60);

ok $healed, "the verdict changes when there is space again"
    or diag $page->text("#verdict"), " ", $page->text(".line");
unlike $page->text("#files"), qr/No space/, "the file can be written again";


# an upstream that fails

$nginx->{server} =~ s/return 204/return 500/;
ok $nginx->reload(), "the upstream fails";

$nginx->post($body{"message-sent"}, uri => "/enkod") for 1 .. 3;

$page->shows("#pass-failed", "3", "three subrequests have failed");
$page->shows("#spooled", "3", "three events are in the spool");
$page->shows(".verdict .words", qr/Events go to the spool/,
             "the page says where they are");

is_deeply [$page->faults], [], "no script of the page has failed";

done_testing();


sub row { return qq(#events tr:has(.name:text-is("$_[0]"))) }

# the text in a column of an event
sub cell {
    my ($event, $number) = @_;

    return $page->text(row($event) . " >> :nth-match(th, 1)") if $number == 1;
    return $page->text(row($event) . " >> td >> nth=" . ($number - 2));
}

# the event, not as a test delivery

sub real {
    my ($body) = @_;

    return $body =~ s/0123456789_012_012_01234/5f0c1a7e_345_678_90123/r
                 =~ s/80123456789/79260000001/r;
}

sub basename_of { return $_[0] =~ s{.*/|\.json$}{}gr }
