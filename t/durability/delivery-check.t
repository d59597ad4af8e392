# Enkod::DeliveryCheck finds the defects of a file, Enkod::Follower notices
# bytes that change or disappear, and Enkod::PowerLoss removes what a power cut
# may remove, and no more.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Temp qw(tempdir);
use Test::More;

use Enkod::Follower;
use Enkod::Load qw(event refused_event);
use Enkod::DeliveryCheck;
use Enkod::PowerLoss;
use Enkod::Preload;

my $dir = tempdir(CLEANUP => 1);
my $envelope = '{"received_at":"2026-11-23T03:44:01.123Z","request_id":"'
               . "0123456789abcdef" x 2 . '","remote_addr":"127.0.0.1",';


sub line {
    my ($id) = @_;

    return $envelope . substr(event($id), 1) . "\n";
}


sub refusal {
    my ($id) = @_;

    return $envelope . '"status":422,"code":"wrong_type",'
           . '"field":"/message_id","body":"'
           . refused_event($id) =~ s/"/\\"/gr . "\"}\n";
}


sub put {
    my ($name, $text) = @_;

    open my $fh, ">", "$dir/$name" or die "$name: $!";
    print $fh $text;
    close $fh;

    return "$dir/$name";
}


sub defects {
    my ($log, $rejects, %o) = @_;

    my $v = Enkod::DeliveryCheck::check(
        sent => { "L-1" => 200, "L-2" => 200, "L-3" => 0, "L-4" => 503,
                  "B-1" => 422, "B-2" => 0 },
        logs => [put("a.jsonl", $log)], rejects => [put("r.jsonl", $rejects)],
        %o);

    return join "\n", @{ $v->{defects} };
}

my ($one, $two, $three, $four, $five) = map { line("L-$_") } 1 .. 5;
my ($bad, $worse) = map { refusal("B-$_") } 1 .. 2;

is defects($one . $two, $bad), "",
   "a file with the acknowledged events has no defects";
is defects($two . $four . $one . $three, $worse . $bad), "",
   "a file may have events without an answer or with a 503, in any order";
is defects("$one\n$two", $bad), "", "a file may have empty lines";

for (["without an acknowledged line", $one, $bad, qr/^L-2.*is missing$/],
     ["without a refused body", $one . $two, "", qr/^B-1.*not in a reject log$/],
     ["with a line twice", $one . $two . $one, $bad, qr/^L-1 is there 2 times$/],
     ["with an unanswered line twice", $one . $two . $three x 2, $bad,
      qr/^L-3 is there 2 times$/],
     ["with a refused body twice", $one . $two, $bad x 2,
      qr/^B-1 is in a reject log 2 times$/],
     ["with a line that was not sent", $one . $two . $five, $bad,
      qr/^L-5 was never sent$/],
     ["with an altered line", $one . $two =~ s/"name":"L/"name":"M/r, $bad,
      qr/L-2 has been altered$/],
     ["with an altered body", $one . $two, $bad =~ s/sender/Sender/r,
      qr/B-1 has been altered$/],
     ["with a refused event", $one . $two . line("B-2"), $bad,
      qr/B-2, to be refused, is in a log/],
     ["with other things", $one . $two . "{}\n", $bad, qr/at byte \d+: not a line: \{\}$/],
     ["with an incomplete line at its end", $one . $two . substr($three, 0, 90),
      $bad, qr/^1 incomplete lines, there may be 0$/],
     ["with an incomplete line in the middle",
      $one . substr($three, 0, 90) . "\n$two", $bad,
      qr/^1 incomplete lines, there may be 0$/],
     ["with lines on one line", $one =~ s/\n//r . $two, $bad,
      qr/not a line.*L-1, acknowledged, is missing.*L-2, ack/s],
     ["with a line after an incomplete one", $one . substr($three, 0, 90)
      . $two, $bad, qr/not a line.*L-2, acknowledged, is missing/s],
     ["with a line after zeros", "$one\0\0$two", $bad,
      qr/^L-2, acknowledged, is missing/],
     ["that lacks its last line feed", $one . $two =~ s/\n//r, $bad,
      qr/L-2, acknowledged, is missing.*1 incomplete lines/s])
{
    my ($title, $log, $rejects, $expected) = @$_;

    like defects($log, $rejects), $expected, "a file $title has a defect";
}

is defects($one . substr($three, 0, 90) . "\n$two", $bad, torn => 1), "",
   "a file may have as many incomplete lines as expected";
is defects($one . $two . $three =~ s/recipient/\0\0\0/r, $bad, torn => 1), "",
   "an incomplete line may have zeros from a power cut";
like defects($one . $two =~ s/recipient/\0\0\0/r, $bad, torn => 1),
     qr/^L-2, acknowledged, is missing$/,
     "an acknowledged event must not have zeros";

# beside another master or program, a line can follow a piece

my $piece = substr $three, 0, 90;
my %beside = (torn => 1, others => 1);

is defects("$one$piece$two$two", $bad, %beside), "",
   "beside another master, a line may follow a piece if it is repeated";
like defects("$one$piece$two", $bad, %beside),
     qr/^L-2, acknowledged, is missing$/,
     "a line that follows a piece must be repeated";
like defects("$one$piece$two$two", $bad, torn => 1), qr/not a line/,
     "where all share a lock, a line must not follow a piece";
is defects("$one$piece$four$two", $bad, %beside), "",
   "a line with a 503 need not be repeated";
is defects($one . $three =~ s/\n//r . "$two$two", $bad, %beside), "",
   "a line may follow a line without its line feed";
is defects($one . $two, $worse =~ s/\n//r . $bad . $bad, %beside), "",
   "in a reject log, a line may follow a piece";
is defects("$one$piece" . substr($four, 0, 90) . "\n$two", $bad, %beside), "",
   "a piece may follow another one";
like defects("$one$piece$two$two", $bad, others => 1),
     qr/^1 incomplete lines, there may be 0$/,
     "a piece before a line counts as an incomplete line";
like defects($one . $piece . $two =~ s/recipient/x/r . $two, $bad, %beside),
     qr/not a line/, "an altered line must not follow a piece";

is defects("$one###\n##$two$two", $bad, %beside, torn => 2), "",
   "a line may follow text of other programs if it is repeated";
like defects("$one##$two", $bad, %beside), qr/^L-2, acknowledged, is missing$/,
     "a line that follows text of other programs must be repeated";
like defects("$one##x$two$two", $bad, %beside), qr/not a line/,
     "a line must not follow unknown text";

# deleted files

is defects($one, $bad, deleted => [put("gone.jsonl", $two)]), "",
   "an acknowledged line may be in a file that was deleted";
is defects($one . $two, $bad, deleted => [put("gone.jsonl", $two)]), "",
   "an event in a deleted file may be in another file, too";
like defects($one . $two, $bad, deleted => [put("gone.jsonl", $five)]),
     qr/^L-5 was never sent$/, "a deleted file must not have other events";

# a reader that follows the files

like defects($one . $two, $bad, seen => [{ defects => ["a.jsonl is shorter"] }]),
     qr/^a reader: a.jsonl is shorter$/, "what a reader has noticed is a defect";

is defects($one, $bad, lost => { "L-2" => 1 }), "",
   "an acknowledged event may be missing if it is expected to be lost";

# where events are passed on

sub handed_on {
    my ($spool, $delivered, %o) = @_;

    return defects($one . $two . $four, $bad,
                   spools => [put("s.jsonl", $spool)],
                   delivered => [put("d.jsonl", $delivered)], %o);
}

my ($spooled, $again) = map { s/"event"/"pass_status":502,"event"/r } $two, $four;

is handed_on($spooled, $one), "",
   "an acknowledged event may be delivered or in the spool";
is handed_on($spooled, $one . $two), "",
   "an acknowledged event may be delivered and in the spool";
is handed_on($spooled, $one), "",
   "the log may have an event with a 503 that the spool has not";

for (["an acknowledged event that is in neither", "", $one,
      qr/^L-2, acknowledged, is neither delivered nor in a spool$/],
     ["a line of the spool without a status", $two, $one,
      qr/not a line.*L-2, acknowledged, is neither/s],
     ["one that is there twice", $spooled x 2, $one,
      qr/^L-2 is in a spool 2 times$/],
     ["one that was delivered twice", $spooled, $one x 2,
      qr/^L-1 is delivered 2 times$/],
     ["one that was never sent", $spooled, $one . $five,
      qr/^L-5 was never sent$/],
     ["one that was to be refused", $spooled, $one . line("B-2"),
      qr/^B-2, to be refused, was passed on$/])
{
    my ($title, $spool, $delivered, $expected) = @$_;

    like handed_on($spool, $delivered), $expected, "$title is a defect";
}

is handed_on($spooled . $again, $one), "",
   "an event with a 503 may be in the spool";

my $v = Enkod::DeliveryCheck::check(sent => { "B-1" => 200, "L-1" => 422,
                                       "L-2" => 500 },
                             logs => [put("a.jsonl", $one)]);

like join("\n", @{ $v->{defects} }),
     qr/^B-1\ was\ to\ be\ refused.*^L-1\ was\ to\ be\ accepted
        .*^L-1,\ refused,\ is\ in\ a\ log.*^L-2\ got\ 500/msx,
     "wrong answers are defects";


# a reader, while this test appends

for (["only grows", sub { }, ""],
     ["is cut within a line, and grows again",
      sub { truncate $_[0], 150; print { $_[0] } "b" x 200 },
      qr/^a\.jsonl is not at byte 150 what was read there/],
     ["is cut", sub { truncate $_[0], 150 },
      qr/^a\.jsonl has got shorter: 300 bytes were read of it, and it has 150$/],
     ["is overwritten", sub { open my $fh, "+<", "$dir/follow/a.jsonl";
                               sysseek $fh, 50, 0; syswrite $fh, "c";
                               print { $_[0] } "b" },
      qr/^a\.jsonl is not at byte 50 what was read there/],
     ["is overwritten where it was read before",
      sub { open my $fh, "+<", "$dir/follow/a.jsonl.1"; syswrite $fh, "c" },
      qr/^a\.jsonl does not hold what was read of it$/],
     ["is cut after it was renamed",
      sub { truncate "$dir/follow/a.jsonl.1", 20000 },
      qr/^a\.jsonl has got shorter/],
     ["is deleted", sub { unlink "$dir/follow/a.jsonl" }, ""])
{
    my ($title, $code, $expected) = @$_;

    mkdir "$dir/follow";
    unlink glob "$dir/follow/*";

    open my $fh, ">>", "$dir/follow/a.jsonl" or die "a.jsonl: $!";
    $fh->autoflush(1);

    my $follower = Enkod::Follower->new("$dir/follow");

    print $fh "a" x 100 for 1 .. 300;
    rename "$dir/follow/a.jsonl", "$dir/follow/a.jsonl.1" or die "a.jsonl: $!";

    open my $next, ">>", "$dir/follow/a.jsonl" or die "a.jsonl: $!";
    $next->autoflush(1);
    print $next "a" x 100 for 1 .. 3;

    # both files were read to their ends
    $follower->has(30300) or die "the follower does not follow\n";

    $code->($next);

    my $seen = $follower->finish;

    like join("\n", @{ $seen->{defects} }), $expected || qr/^\z/,
         "a file that $title has " . ($expected ? "a defect" : "no defect");
}


# power cuts, while a small program writes

my $preload = Enkod::Preload->new("$dir/preload");

SKIP: {
    skip "no compiler for the preloaded library", 14 if !$preload;

    my $source = put("writer.c", <<'END');
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    int   i, fd, dir, other, mode;
    char  path[4096];

    fd = open(argv[1], O_RDWR|O_APPEND|O_CREAT, 0644);
    other = open(argv[1], O_RDONLY);
    dir = open(argv[2], O_RDONLY);

    snprintf(path, sizeof(path), "%s/sync", getenv("ENKOD_PRELOAD"));
    mode = open(path, O_WRONLY);

    for (i = 3; i < argc; i++) {
        if (strcmp(argv[i], "sync") == 0) {
            printf("%d", fdatasync(fd) == 0);

        } else if (strcmp(argv[i], "other") == 0) {
            printf("%d", fdatasync(other) == 0);

        } else if (strcmp(argv[i], "open") == 0) {
            close(other);
            other = open(argv[1], O_RDONLY);

        } else if (strcmp(argv[i], "child") == 0) {
            fflush(stdout);

            if (fork() == 0) {
                printf("%d", fdatasync(fd) == 0);
                return 0;
            }

            wait(NULL);

        } else if (strcmp(argv[i], "fail") == 0) {
            pwrite(mode, "I", 1, 0);

        } else if (strcmp(argv[i], "name") == 0) {
            fsync(dir);

        } else if (write(fd, argv[i], strlen(argv[i])) == -1) {
            return 1;
        }
    }

    return 0;
}
END

    my $cc = $ENV{CC} || "cc";
    # nginx is compiled with the same option
    system("$cc -w -D_FILE_OFFSET_BITS=64 -o \Q$dir\E/writer \Q$source\E") == 0 or die "no writer";

    mkdir "$dir/files";

    my $results;

    # the contents after many power cuts: { content => how often }
    my $after = sub {
        my (@args) = @_;
        my %seen;

        for my $n (1 .. 60) {
            unlink glob "$dir/files/*";
            put("files/old.jsonl", "old");

            my $power = Enkod::PowerLoss->new($preload, "$dir/files");

            $results = writer(@args);

            srand $n;
            $power->cut;

            my $content = -e "$dir/files/$args[0]"
                          ? do { open my $fh, "<", "$dir/files/$args[0]";
                                 local $/; my $text = <$fh>;
                                 defined $text ? $text : "" }
                          : "none";
            $seen{$content}++;
        }

        return \%seen;
    };

    is_deeply [keys %{ $after->("old.jsonl") }], ["old"],
       "bytes that were there before are there after a power cut";
    is_deeply [keys %{ $after->("old.jsonl", "abc", "sync") }], ["oldabc"],
       "synced bytes are there after a power cut";

    my $seen = $after->("old.jsonl", "abc", "sync", "def");
    is_deeply [grep { !/^oldabc(?:[d\0]?|d[e\0]|\0[e\0]|[d\0][e\0][f\0])\z/ }
                    keys %$seen], [],
       "of bytes that were not synced, a part is there";
    cmp_ok scalar keys %$seen, ">", 3, "that part is not always the same";

    is_deeply [sort keys %{ $after->("new.jsonl", "abc", "sync") }],
       ["abc", "none"], "a new file may be missing after a power cut";
    is_deeply [sort keys %{ $after->("new.jsonl", "abc", "sync", "name") }],
       ["abc"], "a new file is there if its folder was synced";

    # bytes of a failed sync

    $seen = $after->("old.jsonl", "abc", "fail", "sync", "sync");
    is $results, "01", "a sync after a failed one may succeed";
    is_deeply [sort keys %$seen], ["old\0\0\0", "oldabc"],
       "the bytes of the failed sync may be lost all the same";

    is_deeply [keys %{ $after->("old.jsonl", "abc", "fail", "sync", "def",
                                "sync") }], ["oldabcdef"],
       "the bytes are kept if their page is written again";

    $seen = $after->("old.jsonl", "a" x 10000, "fail", "sync", "def", "sync");
    is_deeply [grep { !/^old\0*a*def\z/ || tr/\0// % 512 != 509 && tr/\0// }
                    keys %$seen], [],
       "only the page that was appended to is written again";
    cmp_ok scalar keys %$seen, ">", 2, "the lost bytes are not always the same";

    is writer("old.jsonl", qw(abc fail other sync sync other)), "0011",
       "an error is reported once to each open file";
    is writer("old.jsonl", qw(abc fail sync open other sync)), "011",
       "an error is not reported to a file that was opened later";
    is writer("old.jsonl", qw(abc fail other child sync)), "001",
       "an error is not reported again in a process that inherits the file";
}

done_testing;


# Runs the program; returns which of its syncs have succeeded.

sub writer {
    my ($file, @args) = @_;

    local %ENV = (%ENV, %{ $preload->env });

    open my $out, "-|", "$dir/writer", "$dir/files/$file", "$dir/files", @args
        or die "writer: $!";
    my $results = join "", <$out>;
    close $out or die "writer";

    return $results;
}
