# enkod-check --repair ends the last line of a file, or cuts it off if it is a
# piece, and changes nothing else.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Fcntl qw(S_IMODE);
use Test::More;

use Enkod::CheckTest;
use Enkod::Command;
use Enkod::Nginx;

my $nginx = Enkod::Nginx->create(workers => 1, server =>
    "location / { enkod_webhook; enkod_log a.jsonl; enkod_max_event_size 1m; }");

my $dir = $nginx->{dir};
my $check = check_command();
my ($status, $out, $err, $defects, $sum);

in_folder($dir);


# --repair

sub mode { sprintf "%o %d", S_IMODE((stat "$dir/$_[0]")[2]), (stat _)[4] }

my $ours = "$good\n$test\n";
my $torn = $ours . substr $good, 0, 123;

put("r", $torn);
chmod 0640, "$dir/r";

my @before = stat "$dir/r";

($status, $out, $err) = run("--repair", "r");
($defects, $sum) = parse($out);

is "$status, $err", "0, ", "--repair cuts off an incomplete last line";
is slurp("r"), $ours, "--repair changes nothing else";
is slurp("r.bak"), $torn, "FILE.bak is a copy of the file before the repair";
is mode("r.bak"), mode("r"), "the copy has the mode and the owner of the file";
is +(stat "$dir/r")[1], $before[1], "the file keeps its inode";
is $out =~ s/\n.*//sr, "r:3: offset " . length($ours) . ": the last line was"
   . " incomplete: 123 bytes without a line feed are cut off; the file as it"
   . " was is in \"r.bak\"", "the repair is reported";
is_deeply [@$sum{"lines", "cut off", "line feeds added", "defects"}], [3, 1, 0, 0],
          "the repair is counted";
is join(" ", glob "$dir/r.*"), "$dir/r.bak", "no other file is left behind";

($status, $out, $err) = run("--repair", "r");

is "$status, $err", "0, ", "a second --repair has nothing to do";
is slurp("r"), $ours, "the second --repair changes nothing";
like $out, qr/^line feeds added: 0\ncut off: 0\ndefects: 0\n\z/m,
     "the second --repair reports no repair";

put("r", $torn);
($status, $out, $err) = run("--repair", "r");

is $err, "enkod-check: \"r.bak\" already exists; move it away to repair"
         . " \"r\"\n", "an existing FILE.bak is not overwritten";
is $status, 2, "the exit status is that of an error";
is slurp("r"), $torn, "the file is left as it is";
like $out, qr/^r:3: offset .* the last line is incomplete: .*^cut off: 0\ndefects: 1\n\z/ms,
   "the defect is still reported";

unlink "$dir/r.bak";

for my $tail ("hello", "\0" x 100, " ", '{"a', "{\"received_at\":x", substr($good, 1, 20)) {
    put("r", "$ours$tail");

    ($status, $out, $err) = run("--repair", "r");

    is "$status, $err", "1, ",
       "an incomplete last line that the module did not write is a defect";
    is slurp("r"), "$ours$tail", "that line is left as it is";
    ok !-e "$dir/r.bak", "no copy is made";
}

for my $tail ("{", '{"received_at":"', '{"rec', "{\"received_at\":\"\0\0\0",
              substr($good, 0, -1), with("}", ',"extra":{"a":1}'),
              $start . '"event":"}') {
    put("r", $tail);
    is +(run("--repair", "r"))[0], 0, "a tail of " . length($tail) . " bytes is cut off";
    is slurp("r"), "", "the file is empty after that";
    is slurp("r.bak"), $tail, "the copy has the line";
    unlink "$dir/r.bak";
}

# A whole line may have been acknowledged, so it is not cut off.

for (["that is good", $good, 0, 1, 0, 0],
     ["of a refusal", refusal(400, "empty_body", '"body":"{"'), 0, 0, 0, 0],
     ["that is not as we would write it", with("Welcome", '\u0057elcome'), 1, 0, 0, 1],
     ["of an event that is declared elsewhere", $start . '"event":"contact adding","a":{}}',
      1, 0, 0, 1],
     ["after a piece", substr($good, 0, 99) . $test, 1, 0, 0, 1],
     ["in front of a piece", $good . substr($test, 0, 50), 1, 0, 0, 1])
{
    my ($title, $tail, $code, @counts) = @$_;

    put("r", "$test\n$tail");
    ($status, $out, $err) = run("--repair", "r");
    $sum = (parse($out))[1];

    is "$status, $err", "$code, ", "a last line $title";
    is slurp("r"), "$test\n$tail\n",
       "the line gets its line feed and loses nothing";
    ok !-e "$dir/r.bak", "no copy is made for a line feed";
    like $out, qr/^r:2: offset \d+: the last line lacked its line feed, which is added$/m,
         "the repair is reported";
    is_deeply [@$sum{"lines", "line feeds added", "cut off"}], [2, 1, 0],
              "the repair is counted";
    is_deeply [($sum->{"message open"} || 0) - 1, @$sum{"pieces", "defects"}], \@counts,
              "the completed line is checked like all others";
}

is +(run("--repair", "r"))[1] =~ /^line feeds added: 0$/m, 1,
   "a second --repair has nothing to do";

put("r", "hello\n$torn");
is +(run("--repair", "r"))[0], 1, "--repair reports other defects";
is slurp("r"), "hello\n$ours", "--repair leaves other defects as they are";
unlink "$dir/r.bak";

put("r", $torn);
($status, $out, $err) = run("--repair", "-", { stdin => "$dir/r" });

is $err, "enkod-check: standard input cannot be repaired\n",
   "--repair refuses standard input";
is $status, 2, "the exit status is that of an error";
is slurp("r"), $torn, "a file on standard input is left as it is";

SKIP: {
    skip "mkfifo is not there", 2 if system("mkfifo", "$dir/fifo") != 0;

    ($status, $out, $err) = run("--repair", "fifo",
        { before => "cat r >fifo & " });

    is $err, "enkod-check: \"fifo\" is not a regular file and cannot be repaired\n",
       "--repair refuses a FIFO";
    is $status, 2, "the exit status is that of an error";
}

# a limit that is too small for the copy, or for the line feed

for my $text ($torn, "$ours$good") {
    put("r", $text);

    # messages go to a pipe, as the limit holds for files
    pipe my $read, my $write or die;

    ($status, $out) = run("--repair", "r", { before => "exec 2>&1; ulimit -f 0; ",
                                             stdout => $write });
    close $write;

    is $status, 2, "a limit of file sizes makes --repair fail";
    like join("", <$read>), qr/^enkod-check: cannot .*: File too large$/m,
         "the message names the limit";
    is slurp("r"), $text, "the file is left as it is";
    is_deeply [glob "$dir/r.*"], [], "no part of a copy is left behind";
}

put("r", $torn);

# symbolic links: to nothing, to an empty file, to the file itself

put("empty", "");

for my $to ("nowhere", "empty", "r") {
    symlink $to, "$dir/r.bak";

    is +(run("--repair", "r"))[0], 2, "a symbolic link in the copy's place is not followed";
    ok !-e "$dir/nowhere", "the target of the link is not created";
    is slurp("empty"), "", "the target of the link is not written to";
    is slurp("r"), $torn, "the file is left as it is";
    is_deeply [glob "$dir/r.*"], ["$dir/r.bak"], "no other file is left behind";

    unlink "$dir/r.bak";
}

for my $text ($torn, "$ours$good") {
    put("r", $text);
    symlink "r", "$dir/link";

    ($status, $out, $err) = run("--repair", "link");

    is $err, "enkod-check: \"link\" is a symbolic link; name the file that it points to\n",
       "--repair refuses a symbolic link";
    is $status, 2, "the exit status is that of an error";
    is slurp("r"), $text, "the file is left as it is";
    is_deeply [glob "$dir/{r,link}.*"], [], "no copy is made";

    unlink "$dir/link";
}

# closed standard streams: a file that is opened must not get their descriptors

for my $closed ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-") {
    put("r", $torn);
    my ($code) = run("--repair", "r", "r", "four", { before => "exec $closed; " });

    is $code, 2, "with $closed the exit status is the same";
    is slurp("r"), $ours, "$closed: the file is cut, and nothing is written to it";
    is slurp("r.bak"), $torn, "$closed: nor to its copy";
    unlink "$dir/r.bak";

    put("r", "$ours$good");
    run("--repair", "r", "r", "four", { before => "exec $closed; " });

    is slurp("r"), "$ours$good\n", "$closed: the same with a line feed";
}

is +(run("-", { before => "exec <&-; " }))[0], 2, "a standard input that is closed is not an empty one";

# other processes that have the file open: one that may append to it, such as a
# worker that has not closed it yet, and one that follows it

for (["a writer", ">>"], ["a reader", "<"]) {
    my ($who, $mode) = @$_;

    for my $text ($torn, "$ours$good") {
        put("r", $text);
        rename "$dir/r", "$dir/r.1";
        open my $other, $mode, "$dir/r.1" or die;

        ($status, $out, $err) = run("--repair", "r.1");

        is $err, "enkod-check: another process has \"r.1\" open; the file is left as it is\n",
           "a file that $who has open is not repaired";
        is $status, 2, "the exit status is that of an error";
        is slurp("r.1"), $text, "the file is left as it is";
        ok !-e "$dir/r.1.bak", "no copy is made";

        close $other;

        is +(run("--repair", "r.1"))[0], 0, "when $who has closed it, the file is repaired";
        isnt slurp("r.1"), $text, "the file is repaired when it is closed";
        unlink "$dir/r.1.bak";
    }
}

SKIP: {
    skip "only root can drop a capability", 2
        if $> != 0 || system("setpriv --bounding-set=-lease true 2>/dev/null") != 0;

    put("r", $torn);
    chown +(getpwnam "nobody")[2, 3], "$dir/r";

    # as in a container
    is_deeply [(run("--repair", "r", { before => "exec setpriv --bounding-set=-lease"
                                                 . " --inh-caps=-lease \"\$0\" \"\$@\"; " }))[0, 2]],
              [0, ""], "root without CAP_LEASE repairs a file of another user";
    is slurp("r"), $ours, "the last line is cut off";
    unlink "$dir/r", "$dir/r.bak";
}

SKIP: {
    skip "only root can be another user", 4 if $> != 0;

    put("r", $torn);
    chmod 0666, "$dir/r";

    my $as = "exec perl -e '\$> = \$< = (getpwnam(q(nobody)))[2]; exec \@ARGV' ";

    # another user may not be able to reach the program's folder
    system("cp", $check, "/tmp/enkod-check.$$");
    ($status, $out, $err) = Enkod::Command::run($dir, "/tmp/enkod-check.$$", "--repair", "r",
                                                { before => "$as \"\$0\" \"\$@\"; " });
    unlink "/tmp/enkod-check.$$";

    skip "the folder is closed to others", 4 if $err =~ /Permission denied/;

    is $err, "enkod-check: only the owner of \"r\" and root can find out whether"
             . " another process has it open; it is left as it is\n", "another user cannot repair a file";
    is $status, 2, "the exit status is that of an error";
    is slurp("r"), $torn, "the file is left as it is";
    ok !-e "$dir/r.bak", "no copy is made";
}


# a piece of a line from another program, and what nginx writes after it

$nginx->start;

{
    my $n = () = slurp("a.jsonl") =~ /\n/g;

    is $nginx->post(message())->{status}, 200, "nginx accepts an event";

    open my $fh, ">>", "$dir/a.jsonl" or die;
    print $fh substr $good, 0, 99;
    close $fh or die;

    is $nginx->post(message())->{status}, 200,
       "nginx accepts an event after a piece of a line" for 1, 2;

    my ($status, $out, $err) = run("a.jsonl");
    my ($pieces, $summary) = parse($out);

    is "$status, $err", "0, ", "a piece of a line is not a defect";
    is_deeply [@$summary{"pieces", "defects"}], [1, 0], "the piece is counted";
    like $out, qr/^a\.jsonl:@{[$n + 2]}: offset \d+: a piece of a line, (?:with a copy of line @{[$n + 4]} after it|which breaks off after 99 bytes)$/m,
         "the piece is reported";
    is $summary->{lines} - $summary->{"empty lines"}, $n + 4,
       "the lines of all events are whole";
}


# a file that nginx has open

my $lines = slurp("a.jsonl");

open my $fh, ">>", "$dir/a.jsonl" or die;
print $fh substr $good, 0, 77;
close $fh;

($status, $out, $err) = run("--repair", "a.jsonl");

is $err, "enkod-check: another process has \"a.jsonl\" open; the file is left as it is\n",
     "--repair leaves a file that nginx has open";
is $status, 2, "the exit status is that of an error";
is slurp("a.jsonl"), $lines . substr($good, 0, 77), "the file is left as it is";
ok !-e "$dir/a.jsonl.bak", "no copy is made";

is $nginx->alerts, "", "the error log has no alerts";
ok $nginx->stop, "nginx is stopped";

is +(run("--repair", "a.jsonl"))[0], 0,
   "--repair repairs the file when nginx has stopped";
is slurp("a.jsonl"), $lines, "the piece is cut off, and nothing else";

$nginx->start;
is $nginx->post(message())->{status}, 200,
   "nginx accepts an event after the repair";
like slurp("a.jsonl"), qr/\A\Q$lines\E\{"received_at":[^\n]*\}\n\z/,
     "the new line follows the repaired ones";
ok $nginx->stop, "nginx stops";

done_testing;
