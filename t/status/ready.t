# enkod_status ready: whether events can be stored at present.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use JSON::PP;
use Test::More;

use Enkod::Disk;
use Enkod::Wait qw(wait_for);

Enkod::Disk::unshare();

plan skip_all => "a file system cannot be mounted here" if !$ENV{ENKOD_MOUNTS};

require Enkod::File;
require Enkod::Load;
require Enkod::Nginx;
require Enkod::ViewTest;
Enkod::Nginx->import;
Enkod::ViewTest->import(qw(get));
Enkod::Load->import(qw(event));

# root in a user namespace cannot set groups, which nginx logs
my $groups = "initgroups";

my $disk = Enkod::Disk::tmpfs("256k") or die "tmpfs: $!";

chmod 0777, $disk;

my $memory = Enkod::Disk::ramfs() or die "ramfs: $!";

chmod 0777, $memory;

my $nginx = Enkod::Nginx->create(server => <<"END");
location = /enkod {
    enkod_webhook;
    enkod_log  $disk/a.jsonl;
}
location = /other {
    enkod_webhook;
    enkod_reject_log  refused.jsonl;
    enkod_log         b.jsonl;
}
location = /folder {
    enkod_webhook;
    enkod_log  in/c.jsonl;
}
location = /memory {
    enkod_webhook;
    enkod_log  $memory/d.jsonl;
}
location = /ready {
    enkod_status ready;
}
location = /status {
    enkod_status json;
}
END

my $folder = $nginx->path("in");

mkdir $folder;
chmod 0777, $folder;
$nginx->start;

is_deeply ready(), { status => 200, ready => JSON::PP::true },
          "before the first event, it is ready";

is $nginx->post(event("A-1"), uri => "/enkod")->{status}, 200, "an event";
is_deeply ready(), { status => 200, ready => JSON::PP::true },
          "after it, with all space reserved for the file, it is ready";
is $nginx->post(event("D-1"), uri => "/memory")->{status}, 200,
   "an event in a file system that does not tell its size";
is_deeply ready(), { status => 200, ready => JSON::PP::true },
          "it is ready, though no free space is known";

my ($file) = grep { $_->{file} eq "$memory/d.jsonl" } @{ status()->{files} };

is $file->{free_bytes}, undef, "the JSON does not say that there is none";


# the disk is full

my $n = 1;
my $answer;

for (1 .. 2000) {
    $answer = $nginx->post(event("A-" . ++$n, 400), uri => "/enkod");
    last if $answer->{status} != 200;
}

is $answer->{status}, 503, "the file system is full";
cmp_ok $n, ">", 100, "that took many events";

my $full = { file => "$disk/a.jsonl", error => "No space left on device" };

is_deeply ready(), { status => 503, ready => JSON::PP::false,
                     problems => [$full] },
          "it is not ready, and says which file";

is $nginx->post(event("B-1"), uri => "/other")->{status}, 200,
   "another receiver stores its events";

($file) = grep { $_->{file} eq "$disk/a.jsonl" } @{ status()->{files} };

is $file->{error}, "No space left on device", "the JSON says so as well";

my $size = -s "$disk/a.jsonl";

ready() for 1 .. 3;

is -s "$disk/a.jsonl", $size, "asking writes nothing";


# and has space again

Enkod::File::put("$disk/a.jsonl", "");

is $nginx->post(event("A-again"), uri => "/enkod")->{status}, 200,
   "with space again, an event is stored";
is_deeply ready(), { status => 200, ready => JSON::PP::true },
          "it is ready again";


# somebody else fills the file system

Enkod::File::put("$disk/ballast", "");
open my $ballast, ">", "$disk/ballast" or die "ballast: $!";
$ballast->autoflush(1);
1 while syswrite $ballast, "x" x 4096;
close $ballast;

Enkod::File::put("$disk/a.jsonl", "");
open $ballast, ">>", "$disk/ballast" or die "ballast: $!";
1 while syswrite $ballast, "x" x 4096;
close $ballast;

is_deeply ready(), { status => 503, ready => JSON::PP::false,
                     problems => [$full] },
          "a full file system is noticed before an event fails";

unlink "$disk/ballast";

is_deeply ready(), { status => 200, ready => JSON::PP::true },
          "it is ready when there is space";

# the folder of a file is removed

unlink "$folder/c.jsonl";
rmdir $folder or die "$folder: $!";

is $nginx->post(event("C-1"), uri => "/folder")->{status}, 503,
   "without its folder, a file cannot be written";
is_deeply ready(), { status => 503, ready => JSON::PP::false,
                     problems => [{ file => "$folder/c.jsonl",
                                    error => "No such file or directory" }] },
          "it is not ready, because the last try has failed";

mkdir $folder;
chmod 0777, $folder;

# a worker tries to open a file once a second
ok wait_for(sub { $nginx->post(event("C-2"), uri => "/folder")->{status} == 200 }),
   "with the folder, events are stored again";
is_deeply ready(), { status => 200, ready => JSON::PP::true },
          "it is ready when a try has succeeded";

is $nginx->alerts($groups), "", "the error log has no alerts";

done_testing();


sub ready {
    my $answer = get($nginx, "/ready");

    like $answer->{body}, qr/\A\{.*\}\n\z/, "the answer is one line";

    return { status => $answer->{status}, %{ decode_json($answer->{body}) } };
}


sub status {
    return decode_json(get($nginx, "/status")->{body});
}
