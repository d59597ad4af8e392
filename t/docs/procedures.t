# The procedures of the documentation lose no event: each is run as it is
# written there, on files with events, while other events arrive.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Temp qw(tempdir);
use Test::More;

use Enkod::Port qw(free_port);
use Enkod::Process;
use Enkod::Wait qw(wait_for);

# a mount namespace of its own, which disappears with this process

if (!defined $ENV{ENKOD_TEST_MOUNTS}) {

    my ($how) = grep { system("unshare $_ sh -c 'mount -t tmpfs none /mnt' "
                              . ">/dev/null 2>&1") == 0 } "-m";

    $ENV{ENKOD_TEST_MOUNTS} = defined $how;
    exec "unshare", $how, $^X, (map { "-I$_" } @INC), $0 if defined $how;
}

require Enkod::Backend;
require Enkod::Nginx;
require Enkod::Load;
require Enkod::ProcedureTest;
Enkod::Nginx->import;
Enkod::Load->import(qw(event tally));
Enkod::ProcedureTest->import;

my $operations = "docs/operations.md";
my $production = "docs/production.md";
my $rotation = "The file and its rotation";

my $root = $> == 0;
my $www = $root && getpwnam("www-data") && getgrnam("adm");

# what a crash may leave at the end of a file
my $piece = '{"received_at":"2026-11-23T03:44:01.123Z","request_id":"9c1f8a52b';


# logrotate, beside files of other rotations and of people

SKIP: {
    skip "only root can give the files to www-data", 1 if !$www;

    my ($nginx, $procedure) = receiver();
    my $version = ($procedure->run("logrotate --version"))[1];

    skip "there is no logrotate", 1 if $version !~ /^logrotate [\d.]+/;
    note $version =~ /^(.*)/;

    my ($config) = grep { /^\s*rotate /m }
                        $procedure->indented($production, $rotation);

    $nginx->put("logrotate", $procedure->adapt($config));
    chown 0, 0, $nginx->path("logrotate");
    chmod 0644, $nginx->path("logrotate");

    my $rotate = "logrotate --force --state state logrotate";
    my %sent;

    # .1 and .1.gz, .2 and .2.gz, .4.gz
    for my $n (1, 2, 4) {
        some($nginx, 2, \%sent);
        renamed($nginx, "log/old");
        compress($nginx->path("log/old"), $nginx->path("log/events.jsonl.$n.gz"));
    }

    for my $n (1, 2) {
        some($nginx, 2, \%sent);
        renamed($nginx, "log/events.jsonl.$n");
    }

    # rotated spools, by an older configuration
    some($nginx, 2, \%sent);
    renamed($nginx, "log/old", "log/spool.jsonl");
    compress($nginx->path("log/old"), $nginx->path("log/spool.jsonl.10.gz"));
    some($nginx, 2, \%sent);
    renamed($nginx, "log/spool.jsonl.1", "log/spool.jsonl");

    my %left = map { $_ => $nginx->content("log/$_") }
                   "spool.jsonl.1", "spool.jsonl.10.gz";
    my $inode = (stat $nginx->path("log/spool.jsonl"))[1];

    my $load = load($nginx);

    for my $n (1 .. 4) {
        goes_on($nginx, "log/$_.jsonl") for qw(events refused);
        my $output = $procedure->works("logrotate, time $n", $rotate);

        is $output =~ s/^error: destination .* already exists, renaming to .*\n//gmr,
           "", "logrotate prints no message";
    }

    $load->accepted(50);
    my $sent = $load->finish;
    note tally($sent);
    %sent = (%sent, %$sent);

    all_kept($nginx, "logrotate", \%sent, least => 50);

    cmp_ok scalar(my @logs = glob $nginx->path("log/events.jsonl*")), ">=", 9,
           "the log is rotated";
    cmp_ok scalar(my @refused = glob $nginx->path("log/refused.jsonl*")), ">=", 5,
           "the reject log is rotated";
    is join(" ", map { s{.*/}{}r } glob $nginx->path("log/spool.*")),
       "spool.jsonl spool.jsonl.1 spool.jsonl.10.gz",
       "the spool is not rotated";
    is +(stat $nginx->path("log/spool.jsonl"))[1], $inode,
       "the spool is the same file";
    ok $nginx->content("log/$_") eq $left{$_}, "$_ is unchanged"
        for sort keys %left;

    is $nginx->alerts, "", "the error log has no alerts";
    ok $nginx->stop('QUIT'), "nginx ends";
}


# a file is taken away

for my $left ("nothing", "one that is away already") {
    my ($nginx, $procedure) = receiver();
    my ($take) = $procedure->blocks($operations, "Taking a file away from nginx");
    my %sent;

    if ($left ne "nothing") {
        some($nginx, 3, \%sent);
        renamed($nginx, "log/events.away");
    }

    my $before = $nginx->content("log/events.away");
    my $load = load($nginx);

    goes_on($nginx, "log/events.jsonl");
    $procedure->works("a file is taken away, there is $left", $take);

    my $away = $nginx->content("log/events.away");

    goes_on($nginx, "log/events.jsonl");

    ok $nginx->content("log/events.away") eq $away,
       "no process writes to the file any more";
    ok $away eq $before,
       "the file that was taken away before is kept" if $before ne "";
    isnt length $away, 0, "the file has events";

    # a second time
    $procedure->works("the procedure a second time", $take);
    ok $nginx->content("log/events.away") eq $away,
       "the first file is not overwritten";

    my $sent = $load->finish;

    all_kept($nginx, "a file is taken away", { %sent, %$sent });
    ok $nginx->stop, "nginx ends";
}


# a worker is slow: the commands wait until it has closed the file

{
    my ($nginx, $procedure) = receiver();
    my ($take) = $procedure->blocks($operations, "Taking a file away from nginx");
    my ($slow) = $nginx->workers;
    my %sent;

    some($nginx, 3, \%sent);
    $nginx->signal('STOP', $slow);

    my $pid = $procedure->start($take);
    my $waits;

    wait_for(sub {
        $waits = grep { Enkod::Process::cmdline($_) =~ /^sleep / }
                      Enkod::Process::children($pid);
        $waits || !Enkod::Process::alive($pid);
    });

    ok $waits, "while a worker has the file open, it is not taken away";

    $nginx->signal('CONT', $slow);
    is +($procedure->finish($pid))[0], 0,
       "when the worker has closed the file, it is taken away";

    some($nginx, 3, \%sent);
    all_kept($nginx, "a slow worker", \%sent);
    ok $nginx->stop, "nginx ends";
}


# the signal reaches no nginx: the commands stop in time

{
    my ($nginx, $procedure) = receiver();
    my ($take) = $procedure->blocks($operations, "Taking a file away from nginx");
    my %sent;

    some($nginx, 3, \%sent);
    rename $nginx->path("logs/nginx.pid"), $nginx->path("logs/other.pid");

    isnt +($procedure->run($take))[0], 0,
         "without nginx's pid file, no file is taken away";

    some($nginx, 3, \%sent);
    rename $nginx->path("logs/other.pid"), $nginx->path("logs/nginx.pid");
    $procedure->works("with nginx's pid file, the file is taken away", $take);
    some($nginx, 3, \%sent);

    all_kept($nginx, "an attempt that failed", \%sent);
    ok $nginx->stop, "nginx ends";
}


# the disk is full

SKIP: {
    skip "a file system cannot be mounted here", 1 if !$ENV{ENKOD_TEST_MOUNTS};

    my ($nginx, $procedure) = receiver(cold => 1);
    my %sent;

    my $disk = $nginx->path("log");
    $nginx->{cleanup} = sub { system("umount", $disk) };
    system("mount", "-t", "tmpfs", "-o", "size=2m", "none", $disk) == 0
        or die "cannot mount $disk";
    chmod 0755, $disk;

    $nginx->start;

    some($nginx, 50, \%sent);
    renamed($nginx, "log/old");
    compress($nginx->path("log/old"), $nginx->path("log/events.jsonl.2.gz"));
    $nginx->put("log/older.gz", "x" x 1_000_000);

    my $last;

    for (1 .. 10000) {
        $last = some($nginx, 1, \%sent);
        last if $sent{$last} != 200;
    }

    is $sent{$last}, 503, "the disk is full";

    my ($compressed, $log, $move) = $procedure->blocks($operations, "The disk is full");
    my ($take) = $procedure->blocks($operations, "Taking a file away from nginx");

    $procedure->works("compressed files are moved", $compressed);
    $procedure->works("the log is taken away", $take);
    $procedure->works("the log is moved", $log);
    $procedure->works("all files are moved", $move);

    is_deeply [map { s{.*/}{}r } glob $nginx->path("log/*")],
              [qw(events.jsonl refused.jsonl spool.jsonl)],
              "the folder has only the new files";

    my %again;
    some($nginx, 50, \%again);

    is join(" ", grep { $again{$_} == 503 } sort keys %again), "",
       "events are accepted again";
    all_kept($nginx, "a full disk", { %sent, %again }, least => 100);

    isnt +($procedure->run($move))[0], 0,
         "an existing folder is not written to";

    ok $nginx->stop, "nginx ends";
}


# an I/O error: a copy is made and checked

{
    my ($nginx, $procedure) = receiver();
    my ($copy) = $procedure->blocks($operations, "After an I/O error");
    my ($take) = $procedure->blocks($operations, "Taking a file away from nginx");
    my %sent;

    some($nginx, 20, \%sent);
    $procedure->works("a file is taken away", $take);
    some($nginx, 20, \%sent);

    like $procedure->works("it is copied and checked", $copy), qr/^lines: 20\n.*^defects: 0$/ms,
         "the copy is complete";
    ok $nginx->content("mnt/archive/enkod-2/events.away") eq $nginx->content("log/events.away"),
       "the copy is the same";
    unlink $nginx->path("log/events.away");

    all_kept($nginx, "an I/O error", \%sent);
    ok $nginx->stop, "nginx ends";
}


# a power cut: the last line is a piece, or lacks but its line feed

for my $tail ("a piece", "a whole line") {
    my ($nginx, $procedure) = receiver();
    my ($check) = $procedure->blocks($operations, "After a power cut");
    my %sent;

    some($nginx, 5, \%sent);
    $nginx->signal('KILL', $nginx->processes);
    $nginx->stop;

    for my $file ("events", "refused", "spool") {
        my $text = $nginx->content("log/$file.jsonl");

        $nginx->put("log/$file.jsonl",
                    $tail eq "a piece" ? $text . $piece : substr $text, 0, -1);
    }

    $nginx->start;
    some($nginx, 5, \%sent);

    like $procedure->works("after a power cut with $tail the files are checked", $check),
         qr/^defects: 0$/m, "the files have no defects";

    all_kept($nginx, "a power cut with $tail", \%sent, torn => 3);
    ok $nginx->stop, "nginx ends";
}


# a rotated file without its last line feed is repaired

for my $tail ("a piece", "a whole line") {
    my ($nginx, $procedure) = receiver();
    my ($repair) = $procedure->blocks($operations, "The last line has no line feed");
    my %sent;

    some($nginx, 5, \%sent);
    renamed($nginx, "log/events.jsonl.1");
    some($nginx, 5, \%sent);

    my $text = $nginx->content("log/events.jsonl.1");

    $nginx->put("log/events.jsonl.1",
                $tail eq "a piece" ? $text . $piece : substr $text, 0, -1);

    wait_for(sub { ($procedure->run("fuser -s log/events.jsonl.1"))[0] != 0 });
    $procedure->works("a file with $tail at its end is repaired", $repair);

    is $nginx->content("log/events.jsonl.1"), $text,
       "the repaired file has all that nginx has written";
    unlink $nginx->path("log/events.jsonl.1.bak");

    all_kept($nginx, "a repair", \%sent);
    ok $nginx->stop, "nginx ends";
}


# the spool: it is sent while the upstream fails, and when it works; a file that
# was renamed by hand is sent as well

{
    my $port = free_port();
    my $backend = Enkod::Backend->new(dir => tempdir(CLEANUP => 1), port => $port);
    my ($nginx, $procedure) = receiver(urls => { 9000 => $port });
    my ($drain, $rest) = $procedure->blocks($operations, "The spool has lines");
    my %sent;

    some($nginx, 3, \%sent);
    renamed($nginx, "log/spool.jsonl.1", "log/spool.jsonl");
    some($nginx, 3, \%sent);
    renamed($nginx, "log/old", "log/spool.jsonl");
    compress($nginx->path("log/old"), $nginx->path("log/spool.jsonl.10.gz"));

    my %left = map { $_ => $nginx->content("log/$_") }
                   "spool.jsonl.1", "spool.jsonl.10.gz";

    some($nginx, 20, \%sent);
    $backend->tell("status=503");
    is +($procedure->run($drain))[0], 1, "while the upstream fails, the spool is kept";

    # it has got some events and confirmed none
    $backend->forget;

    my ($kept) = grep { /\.\d+\z/ } glob $nginx->path("log/spool.jsonl.replay.*");
    cmp_ok -s $kept, ">", 0, "the spool is kept in a file of its own";

    $backend->tell("");

    my $pid = $procedure->start($drain);

    some($nginx, 20, \%sent);
    is +($procedure->finish($pid))[0], 0,
       "when the upstream works again, the spool is sent";
    $procedure->works("a second run sends the new events", $drain);

    is join(" ", map { s{.*/}{}r } glob $nginx->path("log/spool.*")),
       "spool.jsonl spool.jsonl.1 spool.jsonl.10.gz", "no other file is left";
    is $nginx->content("log/spool.jsonl"), "", "the spool is empty";
    ok $nginx->content("log/$_") eq $left{$_},
       "$_ is unchanged" for sort keys %left;

    delivered($nginx, "the spool", $backend, \%sent);

    $procedure->works("what was renamed by hand is sent", $rest);
    ok !-e $nginx->path("log/spool.jsonl.1"),
       "the file that was renamed by hand is removed";

    my %got = map { $_ => 1 } ids($backend);
    is join(" ", grep { !$got{$_} } $left{"spool.jsonl.1"} =~ /"message_uid":"([^"]+)"/g), "",
       "all of its events have arrived";

    # a piece of a line, from a full disk or a crash
    $backend->forget;
    %sent = ();
    some($nginx, 3, \%sent);
    $nginx->put("log/spool.jsonl", $nginx->content("log/spool.jsonl") . $piece);
    some($nginx, 3, \%sent);

    is +($procedure->run($drain))[0], 3,
       "a piece of a line sets the exit status";
    ($kept) = grep { /\.\d+\z/ } glob $nginx->path("log/spool.jsonl.replay.*");
    like $nginx->content($kept), qr/^\Q$piece\E/m,
         "the file with the piece stays";
    delivered($nginx, "beside a piece", $backend, \%sent);

    ok $nginx->stop, "nginx ends";
    $backend->stop;
}


# the spool is sent through another receiver, as for the engines

{
    my ($port, $replay) = (free_port(), free_port());
    my $backend = Enkod::Backend->new(dir => tempdir(CLEANUP => 1), port => $port);
    my ($nginx, $procedure) = receiver(urls => { 8081 => $replay }, http => <<"END");
server {
    listen 127.0.0.1:$replay;
    location / { enkod_webhook; enkod_pass \@engine; }
    location \@engine { proxy_pass http://127.0.0.1:$port; }
}
END
    my ($drain) = $procedure->blocks("docs/engines.md", "In general");
    my %sent;

    some($nginx, 5, \%sent);
    $procedure->works("the spool is sent to an engine", $drain);
    some($nginx, 5, \%sent);
    $procedure->works("the spool is sent to an engine again", $drain);

    is $nginx->content("log/spool.jsonl"), "", "the spool is empty";
    delivered($nginx, "engines", $backend, \%sent);
    ok $nginx->stop, "nginx ends";
    $backend->stop;
}


# a second master, and a rotation; then the upgrade is completed or rolled back

for my $way ("the upgrade", "the roll-back") {
    my ($nginx, $procedure) = receiver(daemon => 1);
    my ($start, $pids, $winch, $quit, $back)
        = $procedure->blocks($operations, "Upgrade and roll-back");
    my ($config) = grep { /^\s*rotate /m }
                        $procedure->indented($production, $rotation);
    my ($signal) = $config =~ /postrotate\n(.*?)^\s+endscript/ms;

    my $load = load($nginx);

    goes_on($nginx, "log/events.jsonl");

    isnt +($procedure->run($pids))[0], 0, "before $way there is one master";
    $procedure->works("$way: a second one is started", $start);

    ok wait_for(sub {
        my ($status, $out) = $procedure->run($pids);
        $status == 0 && $out =~ /^(\d+)\n(\d+)\n\z/ && $nginx->workers($2) >= 2;
    }), "$way: the second master runs";

    goes_on($nginx, "log/events.jsonl");
    rename $nginx->path("log/events.jsonl"), $nginx->path("log/events.jsonl.1");
    $procedure->works("$way: both are told to reopen", $signal);
    goes_on($nginx, "log/events.jsonl");

    my ($old, $new) = ($procedure->run($pids))[1] =~ /(\d+)/g;

    $procedure->works("$way: the old workers end", $winch);
    ok wait_for(sub {
        # the new master is a child of the old one as well
        !grep { $_ != $new } $nginx->workers($old);
    }), "$way: the old workers have ended";
    goes_on($nginx, "log/events.jsonl");

    $procedure->works("$way: a master ends", $way eq "the upgrade" ? $quit : $back);
    ok wait_for(sub {
        !Enkod::Process::alive($way eq "the upgrade" ? $old : $new) }),
        "$way: the master has ended";
    goes_on($nginx, "log/events.jsonl");

    is $nginx->wait_pid("nginx.pid"), $way eq "the upgrade" ? $new : $old,
       "$way: one master is left";

    $load->accepted(50);

    my $sent = $load->finish;
    note tally($sent);

    all_kept($nginx, $way, $sent, least => 50);
    ok $nginx->stop, "$way: nginx ends";
}


# another disk

{
    my $port = free_port();
    my $backend = Enkod::Backend->new(dir => tempdir(CLEANUP => 1), port => $port);
    my ($nginx, $procedure) = receiver(urls => { 9000 => $port });
    my ($move, $wait, $drain) = $procedure->blocks($operations, "Moving to another disk");
    my $load = load($nginx);

    goes_on($nginx, "log/events.jsonl");

    my ($folder, $reload) = split /\n/, $move;

    $folder =~ s/-o root -g www-data // if !$root;
    $procedure->works("a folder is made", $folder);
    $nginx->configure(server => $nginx->{server} =~ s{ log/}{ mnt/data/enkod/}gr);
    $procedure->works("nginx is reloaded", $reload);
    goes_on($nginx, "mnt/data/enkod/events.jsonl");
    $procedure->works("the old workers are waited for", $wait);

    my $before = $nginx->content("log/events.jsonl");

    goes_on($nginx, "mnt/data/enkod/events.jsonl");
    ok $nginx->content("log/events.jsonl") eq $before,
       "no process writes to the file any more";

    my $sent = $load->finish;

    all_kept($nginx, "another disk", $sent);

    # fewer events than the load has left in the spool
    my @lines = $nginx->lines("log/spool.jsonl");
    $nginx->put("log/spool.jsonl", join "", splice @lines, 0, 10);
    my @ids = $nginx->content("log/spool.jsonl") =~ /"message_uid":"([^"]+)"/g;

    $procedure->works("the old spool is sent", $drain);
    is join(" ", ids($backend)), "@ids", "all of its events have arrived";
    ok !-e $nginx->path("log/spool.jsonl"), "the old spool is removed";

    $backend->stop;
    ok $nginx->stop, "nginx ends";
}


# recipes for readers find every event, whatever else the file has

{
    my ($nginx, $procedure) = receiver();
    my ($recipes) = $procedure->blocks("docs/reading-the-log.md", "jq");
    my ($to) = '"to":"recipient@example.com"';
    my %sent;

    $nginx->post(event("R-$_") =~ s/$to/"to":"$_\@example.com"/r) for 1 .. 5;
    $nginx->stop;

    my ($first, @lines) = map { s/message open/complaint/r }
                              $nginx->lines("log/events.jsonl");
    my $wide = $piece . "\",\"name\":\"\xd1";

    $nginx->put("events.jsonl", join "", $first, "$piece\n", $lines[0], "\n",
                $piece . $lines[1], $lines[2], $lines[1], "$wide\n",
                $piece . "\0" x 100 . "\n", $lines[3], $wide);

    my ($addresses, $count, $table) = $recipes =~ /^(jq .*\n)/mg;

    is $procedure->works("jq reads a file with pieces", $addresses),
       join("", map { "$_\@example.com\n" } 1, 2, 4, 3, 5),
       "jq finds all addresses";
    like $procedure->works("jq counts events", $count), qr/^ *5 complaint\n\z/,
         "jq counts all events";
    is scalar(() = $procedure->works("jq makes a table", $table)
              =~ /^2\S+\tcomplaint\t4\t\d\@example\.com$/mg), 5,
              "the table has all events";
}

done_testing;
