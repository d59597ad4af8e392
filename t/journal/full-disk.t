# A file system of 64 KiB gets full, and has space again; and limits of file
# sizes.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Disk;
use Enkod::Wait qw(wait_for);

Enkod::Disk::unshare();

plan skip_all => "a file system cannot be mounted here" if !$ENV{ENKOD_MOUNTS};

require Enkod::Nginx;
require Enkod::Load;
Enkod::Nginx->import;
Enkod::Load->import(qw(event problems acknowledged tally));

# root in a user namespace cannot set groups, which nginx logs
my $groups = "initgroups";


# one event after the other

my $nginx = disk(workers => 1);
my %sent;
my $answer;
my $n = 0;

for (1 .. 1000) {
    my $id = "D-" . ++$n;

    $answer = $nginx->post(event($id));
    $sent{$id} = $answer->{status};

    last if $sent{$id} != 200;
}

is $answer->{status}, 503, "an event for which there is no space gets 503";
like $answer->{body}, qr/"code":"log_unavailable"/,
     "the code is log_unavailable";
like $answer->{head}, qr/^Retry-After: 5\r$/m, "there is a Retry-After";

cmp_ok acknowledged(\%sent), ">", 50, "other events were accepted before";

is_deeply [problems(\%sent, $nginx->path("disk/a.jsonl"))], [],
   "the file has exactly the accepted events";

my @larger = map { "D-" . ++$n } 1 .. 20;

$sent{$_} = $nginx->post(event($_, 600))->{status} for @larger;

is "@sent{@larger}", join(" ", (503) x 20), "larger events are refused, too";

is $nginx->too_often("No space left on device"), "",
   "the failure is logged once a minute at most";
like $nginx->error_log,
     qr/\[error\].*enkod: ".*a\.jsonl" cannot be written to, /,
     "the failure is logged as an error, with the file";

unlink $nginx->path("disk/ballast") or die "ballast: $!";

$sent{freed} = $nginx->post(event("freed"))->{status};

is $sent{freed}, 200, "when there is space again, events are accepted again";

is_deeply [problems(\%sent, $nginx->path("disk/a.jsonl"))], [],
   "the file has exactly the accepted events";

is $nginx->alerts($groups), "",
   "the error log has no alerts";

ok $nginx->stop, "nginx ends";


# under load

for my $workers (1, 4) {

    my $nginx = disk(workers => $workers);

    my $load = Enkod::Load->new($nginx->{port}, connections => 16,
                                processes => 2);

    ok wait_for(sub { $nginx->error_log =~ /No space left/ }),
       "$workers workers: the file system fills up under load";

    $load->refused(20);

    my $size = -s $nginx->path("disk/a.jsonl");

    unlink $nginx->path("disk/ballast") or die "ballast: $!";

    ok wait_for(sub { -s $nginx->path("disk/a.jsonl") > $size + 4096 }),
       "$workers workers: when there is space again, events are written";

    # wait until it is full again
    $load->refused(20);

    my $sent = $load->finish;
    my @refused = grep { $_ == 503 } values %$sent;

    note tally($sent);

    cmp_ok scalar @refused, ">", 10, "$workers workers: events were refused";

    is_deeply [problems($sent, $nginx->path("disk/a.jsonl"))], [],
       "$workers workers: the file has exactly the accepted events";

    is $nginx->too_often("No space left on device"), "",
       "$workers workers: each worker logs the failure once a minute at most";

    is $nginx->alerts($groups), "",
       "$workers workers: the error log has no alerts";

    ok $nginx->stop, "$workers workers: nginx ends";
}


# space is reserved ahead, and does not count for the size of the file

{
    my $nginx = disk(workers => 2, size => "1m");
    my $file = $nginx->path("disk/a.jsonl");
    my $ahead = sub { (stat $file)[12] * 512 };
    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "R-$_" } 1 .. 4;

    is $ahead->(), 256 * 1024, "256 KiB are reserved, by one worker for all";
    is_deeply [problems(\%sent, $file)], [],
       "the file has nothing but its lines";
}


# a file that was shortened, and has lost the reserved space as well

{
    my $nginx = disk(workers => 1);
    my $file = $nginx->path("disk/a.jsonl");
    my %sent;

    for my $n (1 .. 20) {
        $nginx->post(event("S-$n"));
    }

    truncate $file, 0;

    $sent{"S-21"} = $nginx->post(event("S-21"))->{status};

    fill($nginx->path("disk/more"));

    for my $n (22 .. 60) {
        $sent{"S-$n"} = $nginx->post(event("S-$n"))->{status};
    }

    like tally(\%sent), qr/^200: \d+, 503: \d+$/,
       "a shortened file: the file system fills up";
    is_deeply [problems(\%sent, $file)], [],
       "a shortened file has exactly the accepted events";
}


# a limit of file sizes, as of "ulimit -f", at which the kernel sends SIGXFSZ

my $limited = Enkod::Nginx->new(
    wrap => "ulimit -f 64; ", level => "error", workers => 2,
    server => "location / { enkod_webhook; enkod_log a.jsonl; }");

%sent = ();

for my $n (1 .. 1000) {
    $sent{"L-$n"} = $limited->post(event("L-$n"))->{status};
    last if $sent{"L-$n"} != 200;
}

my ($last) = sort { $b <=> $a } map { /(\d+)/ } keys %sent;

is $sent{"L-$last"}, 503, "an event that would exceed the limit gets 503";
cmp_ok $last, ">", 30, "other events were accepted before";

is_deeply [problems(\%sent, $limited->path("a.jsonl"))], [],
   "the file has exactly the accepted events";

like $limited->error_log, qr/cannot be written to.*\(27: File too large\)/,
     "the error log names the reason";

rename $limited->path("a.jsonl"), $limited->path("b.jsonl");
ok $limited->reopen("a.jsonl"), "the file is rotated";

$sent{again} = $limited->post(event("again"))->{status};

is $sent{again}, 200, "after a rotation, events are accepted again";

is_deeply [problems(\%sent, map { $limited->path($_) } "a.jsonl", "b.jsonl")],
   [], "both files have exactly the accepted events";

is $limited->alerts, "", "no worker was killed by SIGXFSZ";


# a file at the limit that is shortened, as by "copytruncate"

SKIP: {
    my $nginx = Enkod::Nginx->new(
        wrap => "ulimit -f 64; ", level => "error", workers => 2,
        server => "location / { enkod_webhook; enkod_log a.jsonl; }");
    my $file = $nginx->path("a.jsonl");
    my $n = 0;

    wait_for(sub { $nginx->post(event("T-" . ++$n))->{status} == 503 });

    truncate $file, 0;

    my %sent = map { $_ => $nginx->post(event($_))->{status} }
                   map { "C-$_" } 1 .. 4;

    is tally(\%sent), "200: 4",
       "a file at the limit that was shortened takes events again";
    is_deeply [problems(\%sent, $file)], [],
              "the shortened file has these events";
}


# a limit that is set while a worker runs

SKIP: {
    my $nginx = Enkod::Nginx->new(
        server  => "location / { enkod_webhook; enkod_log a.jsonl; }",
        workers => 1);
    my ($worker) = $nginx->workers;
    my %sent = ("R-0" => $nginx->post(event("R-0"))->{status});

    my $limit = 100 + -s $nginx->path("a.jsonl");

    system("prlimit", "--pid", $worker, "--fsize=$limit:") == 0
        or skip "no prlimit", 4;

    $sent{$_} = $nginx->post(event($_))->{status} for "R-1", "R-2";

    is "@sent{'R-1', 'R-2'}", "503 503",
       "events beyond a limit that was set later get 503";

    system("prlimit", "--pid", $worker, "--fsize=unlimited:");

    $sent{"R-3"} = $nginx->post(event("R-3"))->{status};

    is $sent{"R-3"}, 200, "without the limit they are accepted";
    is "@{[ $nginx->workers ]}", $worker, "the worker is still the same";
    is_deeply [problems(\%sent, $nginx->path("a.jsonl"), { torn => 1 })], [],
       "each accepted event has a line of its own";
}


# a bind mount of a file that is deleted at its source

SKIP: {
    my $nginx = Enkod::Nginx->create(
        server => "location / { enkod_webhook; enkod_log a.jsonl; }");
    my ($file, $outside) = map { $nginx->path($_) } "a.jsonl", "outside";

    $nginx->put($_, "") for "a.jsonl", "outside";

    system("mount", "--bind", $outside, $file) == 0
        or skip "a file cannot be mounted here", 7;

    $nginx->{cleanup} = sub { system("umount -l \Q$file\E 2>/dev/null") };
    $nginx->start;

    is $nginx->post(event("M-1"))->{status}, 200, "a mounted file takes events";

    unlink $outside;

    is $nginx->post(event("M-2"))->{status}, 503,
       "when the mounted file is deleted at its source, an event gets 503";

    like $nginx->error_log,
         qr/\[error\].*a\.jsonl" leads to a deleted file.* 503/,
         "the error log says why";

    $nginx->signal('USR1');

    is $nginx->post(event("M-3"))->{status}, 503,
       "after SIGUSR1, an event still gets 503";

    system("umount", "-l", $file);

    my %sent;
    my $n = 3;

    ok wait_for(sub {
        my $id = "M-" . ++$n;
        ($sent{$id} = $nginx->post(event($id))->{status}) == 200;
    }), "when the path has a file again, events are accepted";

    is_deeply [problems(\%sent, $file)], [],
              "the new file has the accepted events";
    ok $nginx->stop, "nginx ends";
}

done_testing;


# An nginx whose log is on a small file system, of which a file "ballast" takes
# some space.

sub disk {
    my %o = (size => "64k", @_);
    my $nginx = Enkod::Nginx->create(
        %o, server => "location / { enkod_webhook; enkod_log disk/a.jsonl; }");

    my $disk = "$nginx->{dir}/disk";

    mkdir $disk or die "disk: $!";

    $nginx->{cleanup} = sub { system("umount", $disk) };

    system("mount", "-t", "tmpfs", "-o", "size=$o{size}", "none", $disk) == 0
        or die "cannot mount $disk";

    open my $fh, ">", "$disk/ballast" or die "ballast: $!";
    print $fh "x" x 20480;
    close $fh or die "ballast: $!";

    $nginx->start;

    return $nginx;
}


sub fill {
    my ($path) = @_;

    open my $fh, ">", $path or die "$path: $!";
    1 while syswrite $fh, "x" x 4096;
    close $fh;
}
