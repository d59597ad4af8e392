# enkod-replay writes only to the files that it was given: it follows no links,
# does not confuse them with closed standard streams, and writes nothing in
# part.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Temp qw(tempdir);
use Test::More;

use Enkod::Nginx;
use Enkod::ScriptedServer qw(answer);
use Enkod::ReplayTest;

my $dir = tempdir(TMPDIR => 1, CLEANUP => 1);

in_folder($dir);


# standard streams that are closed

for my $closed ("<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-") {
    my $server = receiver(sub { answer($_[0] == 2 ? 500 : 200) });

    spool(line(1), line(2), "hello", line(3));
    put("c", "");

    my ($status) = run("--collect", "c", "s", $server->url,
                       { before => "exec $closed; " });

    is $status, 1, "with $closed, it runs";
    is slurp("c"), line(2) . "\nhello\n",
       "the collection has nothing but lines";
    like slurp("s.pos"), qr/\Aenkod-replay \d [^\n]+\n\z/,
         "the position file has nothing but the position";
    is scalar($server->stop), 3, "all lines are sent";
}

{
    my $server = receiver();
    my ($status, $out, $err) = run("-", $server->url,
                                   { before => "exec <&-; " });

    is $status, 2, "a closed standard input is an error";
    is $err, "enkod-replay: cannot read \"-\": Bad file descriptor\n",
       "the error is named";
}


# a limit of the size of files

for my $bytes (0, 1, 100, 250) {
    my $server = receiver();
    my $limit = { before => "prlimit --pid \$\$ --fsize=$bytes; ",
                  stdout => "/dev/null" };

    spool(line(1));

    my ($status) = run("s", $server->url, $limit);

    is $status, 2, "a position that does not fit into $bytes bytes is an error";
    is scalar($server->requests), 0,
       "nothing is sent before the position is written";
    is slurp("s.pos"), "", "no part of a position is written";
    is +(run("s", $server->url))[0], 0, "the next run sends all lines";
    is scalar($server->stop), 1, "each line is sent once";

    # a position that exists
    spool(line(1), line(2));
    sent(sub { answer($_[0] == 2 ? 500 : 200) });
    my $record = slurp("s.pos");

    $server = receiver();
    ($status) = run("s", $server->url, $limit);
    is $status, 2, "a position that cannot be written again is an error";
    is slurp("s.pos"), $record, "the position is not changed";
    is scalar($server->stop), 0, "nothing is sent";
}

for my $bytes (1021, 1022, 1100) {
    my $server = receiver(sub { answer(500) });

    spool(line(1));
    put("c", "x" x 1020 . "\n");

    my ($status, $out, $err) = run("--collect", "c", "s", $server->url,
        { before => "prlimit --pid \$\$ --fsize=$bytes; " });
    $server->stop;

    is "$status " . numbers($out), "2 1 1 0 1 unknown",
       "a line that does not fit into $bytes bytes is not collected";
    like $err, qr/^enkod-replay: cannot write "c": File too large$/m,
         "the error is named";
    is slurp("c"), "x" x 1020 . "\n",
       "no part of the line is in the collection";
}


# links: another user may want their target to be written

sub refuses_link {
    my ($what, $name, @args) = @_;

    my $server = receiver(sub { answer(500) });
    my ($status, $out, $err) = run(@args, "s", $server->url);

    is "$status " . scalar($server->stop), "2 0", "$what is refused";
    like $err, qr/^enkod-replay: [^\n]*"\Q$name\E"[^\n]*/,
         "$what: the file is named";
    return $err;
}

for my $kind ("a symbolic link to an empty file",
              "a symbolic link to nothing",
              "a symbolic link to a file of ours",
              "a hard link")
{
    for my $use ("--position", "FILE.pos", "--collect") {
        my $name = $use eq "FILE.pos" ? "s.pos" : "link";
        my @args = $use eq "FILE.pos" ? () : ($use, "link");

        spool(line(1));
        unlink "$dir/link", "$dir/other";

        if ($kind =~ /file of ours/) {
            if ($use eq "--collect") {
                put("other", "a line\n");
            } else {
                sent(sub { answer(500) }, "--position", "other");
            }
        } elsif ($kind !~ /nothing/) {
            put("other", "");
        }

        my $was = slurp("other") if -e "$dir/other";

        unlink "$dir/s.pos";
        $kind eq "a hard link" ? link "$dir/other", "$dir/$name"
                               : symlink "other", "$dir/$name"
            or die "$!";

        refuses_link("$use: $kind", $name, @args);

        defined $was ? is slurp("other"), $was, "the target of the link is not changed"
                     : ok !-e "$dir/other",
                     "the target of the link is not created";
        unlink "$dir/s.pos";
    }
}

# --dry-run
spool(line(1));
symlink "other", "$dir/s.pos";
is +(run("--dry-run", "s", "http://127.0.0.1:1/"))[0], 2,
   "--dry-run does not follow a symbolic link";
unlink "$dir/s.pos";

done_testing;
