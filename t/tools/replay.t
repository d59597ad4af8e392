# enkod-replay sends each line at least once, whatever happens to it or to the
# receiver, byte for byte, and says what it has not delivered.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;
use Time::HiRes qw(sleep);

use Enkod::Command;
use Enkod::Nginx;
use Enkod::Port qw(free_port);
use Enkod::ScriptedServer qw(answer);
use Enkod::ReplayTest;
use Enkod::Wait qw(wait_for now);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $replay = replay();

my $nginx = Enkod::Nginx->create(workers => 1, server => <<'END');
enkod_unknown_event accept;
enkod_max_event_size 1m;

location / { enkod_webhook; enkod_log a.jsonl; }
location /again { enkod_webhook; enkod_log b.jsonl; }
END

my $dir = $nginx->{dir};

in_folder($dir);

# 1 and 2, as they are in a spool and as they are sent
my ($one, $two) = map { line($_) } 1, 2;
my ($one_sent, $two_sent) = map { sent_line($_) } 1, 2;


# what is sent: the eight events and others, as nginx writes them

my @bodies = map { Enkod::Nginx::slurp($_) } sort glob "$top/t/bodies/*.json";

is scalar @bodies, 8, "there are eight events";

my $open = '{"event":"message open","message_id":4,"message_uid":"u",'
           . '"sending_type":"x","name":"n","from":"f","to":"t"';

push @bodies, map { "$open,$_}" }
    '"a":1',
    '"extra":1',
    '"extra":{"extra":{"a":"}"}},"z":[[],{},[{"b":{}}]]',
    '"a":{"b":"\"}]\\\\\"","extra":{"c":"\\\\"}},"d":"{[\",\"extra\":{\"e\":1"',
    '"a":",\"extra\":{","}],\"extra\":{\"":"{["',
    '"long":' . "1234567890" x 50 . ',"float":-0.0E+00500,"z":1e400',
    '"s":"\u0000\u001f\u00e9\ud83d\ude00\u2028' . "\x7f" . '"',
    '"request_id":"x","received_at":null,"test":true,"pass_status":1',
    '"deep":' . '[' x 31 . ']' x 31;

push @bodies, '{"event":"unheard of"}',
              '{"event":"","a":1}',
              '{"event":"a \"b\" c","extra":{}}';

$nginx->start;

my @refused = grep { $nginx->post($_)->{status} != 200 } @bodies;

is "@refused", "", "nginx accepts them";

my @lines = map { s/\n\z//r } $nginx->lines("a.jsonl");
my @spooled = map { s/"event"/"pass_status":504,"event"/r } @lines;
my $n = @lines;

is $n, @bodies, "and has a line for each";


# the event of a line: no envelope, and the members of extra beside the others;
# these are the only lines in which extra is what it looks like last

sub flat {
    my ($line) = @_;

    $line =~ s/^\{"received_at":"[^"]*","request_id":"[^"]*",
               "remote_addr":"[^"]*",(?:"test":true,)?/{/x or die $line;
    $line =~ s/^((?:[^"]|"event"|"(?!extra":\{)(?:[^"\\]|\\.)*")*?)
               ,"extra":\{(.*)\}\}$/$1,$2}/x;

    return $line;
}

for (["a log", @lines], ["a spool", @spooled]) {
    my ($what, @these) = @$_;

    spool(@these);
    my ($status, $numbers, $err, @got) = sent(undef);

    is "$status $numbers $err", "0 $n $n $n 0 0 ", "$what is sent";
    is_deeply \@got, \@lines, "each line as enkod_log has it";

    unlink "$dir/s.pos";
    ($status, $numbers, $err, @got) = sent(undef, "--send", "event");

    is "$status $numbers $err", "0 $n $n $n 0 0 ", "$what is sent as events";
    is_deeply \@got, [map { flat($_) } @lines], "each as enKod has it";
    is_deeply [@got[8, 10 .. 12, 15, 17, 19]],
              ["$open,\"a\":1}", @bodies[10 .. 12, 15, 17, 19]],
              "those that were compact already are what was received";
}

for (['"event":"x","extra":{}}', '"event":"x"}'],
     ['"event":"x","extra":{"a":{}}}', '"event":"x","a":{}}'],
     ['"event":"x","a":{"extra":{"b":1}}}', '"event":"x","a":{"extra":{"b":1}}}'],
     ['"test":true,"pass_status":599,"event":"x","a":[{},",\"extra\":{"],'
      . '"extra":{"b":"\\\\"}}', '"event":"x","a":[{},",\"extra\":{"],"b":"\\\\"}'],
     ['"event":"x","extra":{"extra":{"extra":{}},"a":"}},"}}',
      '"event":"x","extra":{"extra":{}},"a":"}},"}'])
{
    my ($text, $expected) = @$_;

    spool(envelope() . $text);
    is +(sent(undef, "--send", "event"))[3], "{$expected", "the event of $text";
}


# into a webhook

spool(@spooled);

my ($status, $out, $err) = run("--send", "event", "s",
                               "http://127.0.0.1:$nginx->{port}/again");

is "$status " . numbers($out), "0 $n $n $n 0 0", "a webhook accepts all";

{
    my ($from, $to) = map { [map { s/^.*?,(?="(?:test|event)":)//r }
                                 $nginx->lines($_)] } "a.jsonl", "b.jsonl";

    is_deeply $to, $from, "and writes the same lines but for the envelope";
    isnt slurp("b.jsonl"), slurp("a.jsonl"), "which is a new one";
}

is $nginx->alerts, "", "nginx has no reason to complain";
ok $nginx->stop, "nginx is stopped";


# the requests

{
    my $big = envelope() . '"event":"x","a":"' . "y" x 3_000_000 . '"}';
    my $server = receiver();

    spool($one, $big, $two);
    run("s", $server->url("/a?b=c"));

    my @got = $server->stop;
    my $head = $got[0]{head};

    is_deeply [map { $_->{connection} } @got], [1, 1, 1],
              "there is one connection for all";
    like $head, qr{^POST /a\?b=c HTTP/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n},
         "a request is a POST";
    like $head, qr/^Content-Type: application\/json\r$/m, "of JSON";
    like $head, qr/^User-Agent: enkod-replay\r$/m, "from enkod-replay";
    unlike $got[1]{head}, qr/^(?:Expect|Transfer-Encoding):/mi,
           "a large one does not wait";
    ok $got[1]{body} eq $big, "and is complete";

    $server = receiver();
    spool($one);
    run("--type", "text/x; a=\"b\"", "--header", "X-A: 1", "--header",
        "x-b:  2 3", "--header", "X-C:", "--header", "X-D: a:b;c", "--header",
        "User-Agent: me", "s", $server->url);
    $head = ($server->stop)[0]{head};

    like $head, qr/^Content-Type: text\/x; a="b"\r$/m, "--type is sent";
    like $head, qr/^X-A: 1\r$/m, "--header is sent";
    like $head, qr/^x-b: +2 3\r$/m, "more than one";
    like $head, qr/^X-C: ?\r$/m, "an empty one";
    like $head, qr/^X-D: a:b;c\r$/m, "with colons in it";
    like $head, qr/^User-Agent: me\r$/m, "one of our own is replaced";
    unlike $head, qr/enkod-replay|application/, "and not sent twice";
}


# Whether the second of three lines is delivered, and if not, what is said.

sub second {
    my ($title, $answer, $reason, @args) = @_;

    my $code = sub {
        return answer(200) if $_[0] != 2;
        return ref $answer eq "CODE" ? $answer->() : $answer;
    };

    spool(map { line($_) } 1 .. 3);

    my ($status, $numbers, $err, @got) = sent($code, @args);

    if (!defined $reason) {
        is "$status $numbers $err", "0 3 3 3 0 0 ", "$title: it is delivered";
        is_deeply \@got, [map { sent_line($_) } 1 .. 3],
                  "$title: so are all others";
        return;
    }

    is "$status $numbers", "1 3 3 1 1 2", "$title: it stops";
    like $err, qr/\Aenkod-replay: "s" line 2: $reason\n.* are left: 2\n\z/,
         "$title: it says why";
    is_deeply \@got, [$one_sent, $two_sent], "$title: nothing comes behind it";

    my $server = receiver();
    ($status, my $out) = run("s", $server->url);

    is "$status " . numbers($out), "0 3 3 3 0 0", "$title: another run goes on";
    like $out, qr/^delivered: 3, of these 1 in earlier runs$/m,
         "$title: and says that";
    is_deeply [map { $_->{body} } $server->stop], [$two_sent, sent_line(3)],
              "$title: with that line";
}

second("status 200", answer(200, "x" x 100));
second("status 204", "HTTP/1.1 204 No Content\r\n\r\n");
second("status 299", answer(299));
second("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       . "3\r\nabc\r\n0\r\n\r\n");
second("100 before it", "HTTP/1.1 100 Continue\r\n\r\n" . answer(200));
second("a connection that is closed", \answer(200, "", "Connection: close\r\n"));
second("a connection that is closed without a word", \answer(200));

second("status $_", answer($_, "no"), "the answer is $_")
    for 300, 302, 400, 404, 422, 429, 500, 502, 503, 504;
second("a redirect", answer(307, "", "Location: /\r\n"),
       "the answer is 307");
second("a truncated answer",
       \"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
       qr/(?:transfer closed|end of response) with .*/);
second("truncated chunks",
       \"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
       qr/\S.*/);
second("no HTTP", \"200 OK\r\n\r\n", qr/\S.*/);

# not in time: that of the second line, by a run that sends nothing before it

sub late {
    my ($title, $code) = @_;

    spool(map { line($_) } 1 .. 3);
    sent(sub { answer($_[0] == 2 ? 500 : 200) });

    my ($status, $numbers, $err, @got) = sent($code, "--timeout", 1);

    is "$status $numbers", "1 3 3 1 1 2", "$title: it stops";
    like $err, qr/\Aenkod-replay: "s" line 2: Operation timed out.*\n.* are left: 2\n\z/,
         "$title: it says why";
    is_deeply \@got, [$two_sent], "$title: nothing comes behind it";
    is +(sent(undef))[1], "3 3 3 0 0", "$title: another run goes on";
}

late("no answer in time", sub { sleep $Enkod::Wait::life });
late("half an answer in time",
     sub { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc" });

{
    spool($one);
    is +(sent(sub { undef }))[2],
       "enkod-replay: \"s\" line 1: Empty reply from server\n"
       . "enkod-replay: lines that are left: 1\n", "no answer is a failure";

    # it may have been closed before the request was there
    spool(map { line($_) } 1 .. 3);
    is_deeply [sent(sub { $_[0] == 2 ? undef : answer(200) })],
              [0, "3 3 3 0 0", "", map { sent_line($_) } 1, 2, 2, 3],
              "but on a connection that was kept, it is asked for again";

    # the receiver does not want to hear all of it
    my $server = receiver(answer(200));

    spool(envelope() . '"event":"x","a":"' . "y" x 30_000_000 . '"}');
    ($status, $out) = run("s", $server->url);

    is "$status " . numbers($out), "1 1 1 0 1 1",
       "an answer that comes before all is sent is a failure";
    $server->stop;
}

{
    my $port = free_port();

    spool($one, $two);
    ($status, $out, $err) = run("s", "http://127.0.0.1:$port/");

    is "$status " . numbers($out), "1 2 2 0 1 2", "nobody is there: it stops";
    like $err, qr/\Aenkod-replay: "s" line 1: Failed to connect to 127\.0\.0\.1 .*\n/,
         "and says why";

    local $ENV{http_proxy} = "http://127.0.0.1:$port";
    is +(sent(undef))[0], 0, "a proxy of the environment is not asked";
}


# --collect

{
    my @all = map { line($_) } 1 .. 6;

    my $object = '{"hello":1}';

    spool(@all[0, 1], $object, @all[2 .. 5]);
    put("c", "before\n");

    my ($status, $numbers, $err, @got)
        = sent(sub { answer($_[1] =~ /"message_id":4/ ? 500 : 200) },
               "--collect", "c");

    is "$status $numbers", "1 7 7 5 2 0", "with --collect, it goes on";
    is_deeply \@got, [map { sent_line($_) } 1 .. 6], "with all lines";
    is slurp("c"), "before\n$object\n$all[3]\n",
       "those that failed are collected as they are";
    is $err, "enkod-replay: \"s\" line 3 is collected: it is no line of"
             . " enkod_spool or enkod_log\n"
             . "enkod-replay: \"s\" line 5 is collected: the answer is 500\n",
       "and named";

    ($status, $numbers, $err, @got) = sent(undef, "--collect", "c");
    is "$status $numbers $err@got", "1 7 7 5 2 0 ",
       "another run has nothing to do";

    # what was collected is a spool
    rename "$dir/c", "$dir/s" or die;
    unlink "$dir/s.pos";
    ($status, $numbers, $err, @got) = sent(undef, "--collect", "c");
    is "$status $numbers @got", "1 3 2 1 1 0 " . sent_line(4),
       "what was collected can be sent";
    is slurp("c"), "before\n$object\n", "and collected";

    # a run that was killed in it
    spool("hello", $one);
    put("c", "half");
    sent(sub { answer(500) }, "--collect", "c");
    is slurp("c"), "half\nhello\n$one\n",
       "an incomplete line is ended, and nothing is put behind it";

    spool($one);
    put("c", "half");
    sent(undef, "--collect", "c");
    is slurp("c"), "half", "which waits until there is something to collect";
    spool($one);

    for (["s", 'cannot use "s" for --collect: it is FILE itself'],
         ["s.pos", 'cannot use "s.pos" for --collect: it is in use by'],
         ["/dev/null", 'cannot use "/dev/null" for --collect: it is no regular'],
         ["no/c", 'cannot open "no/c" for --collect: No such file'])
    {
        my ($file, $said) = @$_;

        like +(sent(undef, "--collect", $file))[2], qr/^enkod-replay: \Q$said\E/,
             "--collect $file is refused";
    }

    # no space: nothing is lost, and nothing of the line stays
    put("c", "x" x 1020 . "\n");
    my $server = receiver(sub { answer(500) });

    ($status, my $out, $err) = run("--collect", "c", "s", $server->url,
        { before => "trap '' XFSZ; ulimit -f 2; " });
    $server->stop;

    is "$status " . numbers($out), "2 1 1 0 1 unknown",
       "a line that cannot be collected is an error";
    like $err, qr/^enkod-replay: cannot write "c": File too large$/m,
         "that is named";
    is length slurp("c"), 1021, "nothing of it is in the file";
    is +(sent(undef))[1], "1 1 1 0 0", "and it is sent by the next run";
}


# killed

{
    my @all = map { line($_) } 1 .. 300;
    my @at = (1, 2, 17, 60, 61, 150, 222, 290);
    my $kills = 0;

    # none gets far before it is killed
    my $server = receiver(sub {
        my ($n) = @_;

        for my $at (grep { $n >= $_ + 5 } @at) {
            wait_for(sub { -e "$dir/killed.$at" });
        }

        sleep 0.002;
        return answer(200);
    });

    spool(@all);

    for my $at (@at) {
        my $pid = start("s", $server->url);

        wait_for_requests($server, $at);
        sleep rand 0.003;
        kill 'KILL', $pid;
        put("killed.$at", "");

        $kills++ if (finish($pid))[0] eq "signal 9";
    }

    my ($status, $out) = run("s", $server->url);
    my (%times, @first);

    for ($server->stop) {
        push @first, $_->{body} if !$times{ $_->{body} }++;
    }

    my $twice = 0;
    $twice += $_ - 1 for values %times;

    cmp_ok $kills, ">=", 5, "it is killed in the middle, $kills times";
    is "$status " . numbers($out), "0 300 300 300 0 0", "it ends";
    is_deeply \@first, [map { sent_line($_) } 1 .. 300],
              "all lines are delivered, in order";
    cmp_ok $twice, "<=", $kills, "at most one twice for each kill: $twice";
}

{
    # in flight
    my $server = receiver(sub {
        sleep $Enkod::Wait::life if $_[0] == 3;
        return answer(200);
    });

    spool(map { line($_) } 1 .. 4);

    my $pid = start("s", $server->url);
    wait_for_requests($server, 3);
    kill 'KILL', $pid;
    is +(finish($pid))[0], "signal 9", "it is killed in a request";
    my @got = map { $_->{body} } $server->stop;

    my ($status, $numbers, $err, @more) = sent(undef);
    is "$status $numbers", "0 4 4 4 0 0", "another run goes on";
    is_deeply [@got, @more], [map { sent_line($_) } 1, 2, 3, 3, 4],
              "with the line that was in flight";
}


# the position

{
    my @all = map { line($_) } 1 .. 4;
    my $half = sub { answer($_[0] == 3 ? 500 : 200) };
    my $offset = length "$all[0]\n$all[1]\n";

    spool(@all);
    sent($half, "--position", "p");

    ok !-e "$dir/s.pos", "--position names another file";
    my $record = slurp("p");
    like $record, qr/^enkod-replay 2 [^\n]* offset=0*$offset [^\n]*\n\z/,
         "with the offset of the next line";

    is +(sent(undef))[1], "4 4 4 0 0", "without it, all is sent";
    is +(sent(undef, "--position", "p"))[3], sent_line(3), "with it, the rest";
    is length slurp("p"), length $record, "all records are of one size";

    # a file of the same name
    for (["a rotated file",
          sub { rename "$dir/s", "$dir/s.1"; put("s", slurp("s.1")) }],
         ["an emptied file", sub { put("s", "") }],
         ["a file with another beginning",
          sub { put("s", slurp("s") =~ s/9c1f/9c1e/r) }],
         ["a file with other lines",
          sub { put("s", slurp("s") =~ s/:2\}\n/:22}\n/r) }])
    {
        my ($title, $change) = @$_;

        unlink "$dir/p";
        spool(@all);
        sent($half, "--position", "p");
        $record = slurp("p");
        $change->();

        my ($status, undef, $err, @got) = sent(undef, "--position", "p");
        is "$status @got", "2 ", "$title is refused";
        like $err, qr/^enkod-replay: "p" is the position in another file of that name, which was perhaps rotated,/,
             "with the reason";
        is slurp("p"), $record, "and the position stays";
    }

    # behind what tells files apart, a line has to begin
    spool(map { line($_) } 1 .. 20);
    sent(sub { answer($_[0] == 15 ? 500 : 200) });
    put("s", slurp("s") =~ s/:13\}\n/:133}\n/r);
    is +(sent(undef))[0], 2, "a position that is in a line is refused";

    unlink "$dir/p";
    spool(@all);
    sent($half, "--position", "p");
    put("s", slurp("s") . line(5) . "\n");
    is +(sent(undef, "--position", "p"))[1], "5 5 5 0 0",
       "a file that has grown is the same one";

    # not ours
    for my $text ("hello\n", "\0", $record =~ s/lines=0/lines=1/r,
                  "${record}x", "x" x 5000, substr($record, 0, 100),
                  join "", map { "$_\n" } @all)
    {
        put("p", $text);
        my ($status, undef, $err, @got) = sent(undef, "--position", "p");
        is "$status $err@got", "2 enkod-replay: \"p\" is no position file\n",
           "no position file: " . length($text) . " bytes";
        is slurp("p"), $text, "which is left as it is";
    }

    put("p", "");
    is +(sent(undef, "--position", "p"))[1], "5 5 5 0 0",
       "an empty one is a new one";

    for (["s", '"s" is no position file'],
         ["/dev/null", '"/dev/null" is no position file'],
         [".", 'cannot open the position file ".": Is a directory'],
         ["no/p", 'cannot open the position file "no/p": No such'])
    {
        my ($file, $said) = @$_;

        like +(sent(undef, "--position", $file))[2],
             qr/^enkod-replay: \Q$said\E/, "--position $file is refused";
    }

    # another selection would leave lines out
    unlink "$dir/p";
    sent(undef, "--event", "x", "--position", "p");
    my ($status, undef, $err, @got) = sent(undef, "--position", "p");
    is "$status @got", "2 ", "a position of another selection is refused";
    like $err, qr/^enkod-replay: "p" was made with other values of --event, --since or --until /,
         "with the reason";
    is +(sent(undef, "--event", "x", "--position", "p"))[0], 0,
       "with the same one it is taken";

    # it cannot be written
    unlink "$dir/p";
    ($status, undef, $err) = run("--position", "p", "s", "http://127.0.0.1:1/",
        { before => "trap '' XFSZ; ulimit -f 0; ", stdout => "/dev/null" });
    is $status, 2, "a position file that cannot be written is an error";
}


# two at once

{
    my $server = receiver(sub {
        wait_for(sub { -e "$dir/go" }) if $_[0] == 1;
        return answer(200);
    });

    unlink "$dir/go";
    spool($one, $two);

    my $pid = start("s", $server->url);
    wait_for_requests($server, 1);

    mkdir "$dir/second";
    my ($status, $out, $err) = Enkod::Command::run("$dir/second", $replay,
                                                   "../s", $server->url);
    is $err, "enkod-replay: \"../s.pos\" is in use by another enkod-replay\n",
       "a second one is refused";
    is "$status $out", "2 ", "which is an error";

    put("go", "");
    is +(finish($pid))[0], 0, "the first one goes on";
    is scalar($server->stop), 2, "alone";
}


# signals

for my $signal (qw(INT TERM)) {
    my $server = receiver(sub {
        wait_for(sub { -e "$dir/go" }) if $_[0] == 2;
        return answer(200);
    });

    unlink "$dir/go";
    spool(map { line($_) } 1 .. 4);

    my $pid = start("s", $server->url);
    wait_for_requests($server, 2);
    kill $signal, $pid;
    put("go", "");

    my ($status, $out, $err) = finish($pid);
    is "$status " . numbers($out), "1 4 4 2 0 2",
       "SIG$signal: the request in flight is finished";
    is $err, "enkod-replay: interrupted\n"
             . "enkod-replay: lines that are left: 2\n", "and that is said";

    ($status, $out) = run("s", $server->url);
    is "$status " . numbers($out), "0 4 4 4 0 0", "another run goes on";
    is_deeply [map { $_->{body} } $server->stop],
              [map { sent_line($_) } 1 .. 4], "and nothing is sent twice";
}

{
    my $server = receiver(sub { sleep $Enkod::Wait::life });

    spool($one);
    my $pid = start("s", $server->url);
    wait_for_requests($server, 1);
    kill 'INT', $pid;
    wait_for(sub { Enkod::Nginx::slurp("/proc/$pid/status")
                   =~ /^ShdPnd:\s+0+$/m });
    kill 'INT', $pid;
    is +(finish($pid))[0], "signal 2", "a second signal ends it at once";
    $server->stop;

    # in a pause
    $server = receiver();
    spool($one, $two);
    my $began = now();
    $pid = start("--rate", "0.02", "s", $server->url);
    wait_for(sub { -e "$dir/s.pos" && slurp("s.pos") =~ / offset=0*[1-9]/ });
    kill 'TERM', $pid;
    my ($status, $out) = finish($pid);
    is "$status " . numbers($out), "1 2 2 1 0 1", "a signal ends a pause";
    cmp_ok now() - $began, "<", 45, "before its time";
    $server->stop;
}


# --rate

{
    # when the lines have come; a receiver that was late itself does not know, and
    # then it is tried again
    my $times = sub {
        my ($code, $good) = @_;
        my ($took, @time);

        spool(map { line($_) } 1 .. 6);

        for (1 .. 10) {
            my $server = receiver($code);
            my $began = now();

            unlink "$dir/s.pos";
            run("--rate", 10, "s", $server->url);
            $took = now() - $began;
            @time = map { $_->{time} } $server->stop;
            last if $good->(@time);
        }

        return ($took, @time);
    };

    my $even = sub { 3 <= grep { $_[$_] - $_[$_ - 1] >= 0.03 } 1 .. $#_ };
    my ($took, @time) = $times->(undef, $even);

    is scalar @time, 6, "--rate delivers all";
    cmp_ok $took, ">=", 0.45, "6 lines at 10 a second take half a second";
    ok $even->(@time), "evenly spaced" or diag "@time";

    my $spaced = sub { $_[5] - $_[2] >= 0.25 };

    ($took, @time) = $times->(sub { sleep 0.6 if $_[0] == 2;
                                    return answer(200) }, $spaced);
    ok $spaced->(@time), "what was late is not made up for" or diag "@time";
}


# what is selected

{
    my @time = qw(2026-11-22T23:59:59.999 2026-11-23T00:00:00.000
                  2026-11-23T03:44:01.123 2026-11-23T03:44:01.124
                  2026-11-23T03:45:00.000 2027-01-01T00:00:00.000);
    my @all = map { line($_, $time[$_], $_ % 2 ? "message open" : 'a \"b\"') }
                  0 .. $#time;

    for (["--since 2026-11-23", "12345"],
         ["--until 2026-11-23", "0"],
         ["--since 2026-11-23T03:44:01.123Z", "2345"],
         ["--until 2026-11-23T03:44:01.123Z", "01"],
         ["--since 2026-11-23T03:44:01.124", "345"],
         ["--since 2026-11-23T03:44:01.12 --until 2026-11-23T03:44:01.124",
          "2"],
         ["--since 2026-11-23T03:44:01Z --until 2026-11-23T03:44:02Z", "23"],
         ["--since 2026-11-23T03:44 --until 2026-11-23T03:45", "23"],
         ["--since 2026-11-23T03 --until 2026-11-23T04", "234"],
         ["--since 2026-12", "5"],
         ["--until 2027", "01234"],
         ["--since 2028", ""],
         ["--event message_open", "135"],
         ["--event message", ""],
         ['--event a_"b"', "024"],
         ['--event x --event a_"b" --event message_open', "012345"],
         ["--event message_open --since 2026-11-23T01 --until 2027", "3"])
    {
        my ($args, $expected) = @$_;
        my @args = map { tr/_/ /r } split / /, $args;
        my $n = length $expected;

        spool(@all);
        my ($status, $numbers, $err, @got) = sent(undef, @args);

        is join("", map { /"message_id":(\d)/ } @got), $expected, $args;
        is "$status $numbers $err", "0 6 $n $n 0 0 ", "$args: it is counted";
    }

    my @open = ("--event", "message open");

    spool(@all);
    is +(sent(sub { answer(500) }, @open))[1], "6 3 0 1 3",
       "only what is selected is left";

    spool('{"hello":1}', @all);
    is +(sent(undef, @open))[1], "7 4 0 1 4",
       "what cannot be read is selected";

    # for each event another place
    spool(@all);
    is +(sent(undef, @open, "--position", "p1"))[1], "6 3 3 0 0", "one event";
    is +(sent(undef, "--event", 'a "b"', "--position", "p2"))[1], "6 3 3 0 0",
       "and another one";
}


# an object that is no line could be an event: somebody has to look

my $none = "no line of enkod_spool or enkod_log";

for ([" $one", $none],
     ['{"event":"x"}', $none],
     [$one =~ s/2026-11-23T/2026-13-23T/r, $none],
     [$one =~ s/\.123Z/.12Z/r, $none],
     [envelope() . '"status":422,"code":"wrong_type","body":"x"}',
      "a line of enkod_reject_log"],
     [$one =~ s/:502/:"x"/r, 'its "pass_status" is no number'],
     [$one =~ s/"event"/"even"/r, 'it has no "event"'],
     [$one =~ s/"message open"/1/r, 'it has no "event"'],
     [$one =~ s/:1\}/: 1}/r, "white space"],
     ["$one\r", "white space"],
     [$one =~ s/\}$/,"extra":1}/r, 'its "extra" is no object'],
     [$one =~ s/\}$/,"extra":[]}/r, 'its "extra" is no object'],
     [$one =~ s/\}$/,"extra":{},"a":1}/r,
      'something stands behind its "extra"'])
{
    my ($text, $reason) = @$_;

    spool(line(7), $text, line(8));
    my ($status, $numbers, $err, @got) = sent(undef);

    is "$status $numbers @got", "1 3 3 1 1 2 " . sent_line(7),
       "it stops at " . substr($text, -30) =~ s/[^ -~]/./gr;
    like $err, qr/^enkod-replay: "s" line 2: [^\n]*\Q$reason\E/, "with the reason";
}


# what is no object cannot be one; see t/tools/replay-input.t

for (substr($one, 0, -1), "$one$two", substr($one, 0, -3) . $two,
     substr($one, 0, -18) . $two, "${one}x", $one =~ s/:502/:x/r,
     $one =~ s/:1\}/:01}/r, $one =~ s/:1\}/:"\xff"}/r,
     $one =~ s/:1\}/:"\\ud800"}/r, $one =~ s/:1\}/:"\x01"}/r)
{
    spool(line(7), $_, line(8));
    my ($status, $numbers, $err, @got) = sent(undef);

    is "$status $numbers", "3 3 2 2 0 0",
       "it is skipped: " . substr($_, -30) =~ s/[^ -~]/./gr;
}


# empty lines, an incomplete one, and a file that grows

spool("", $one, "", "", $two, "");
is join(" ", sent(undef)), "0 2 2 2 0 0  $one_sent $two_sent",
   "empty lines are skipped";

spool("", $one, "", '{"hello":1}');
like +(sent(undef))[2], qr/"s" line 4: /, "and counted as lines";

spool();
is join(" ", sent(undef)), "0 0 0 0 0 0 ", "a file may be empty";

{
    my $half = substr $two, 0, 50;

    spool($one);
    put("s", "$one\n$half");

    my ($status, $numbers, $err, @got) = sent(undef);
    is "$status $numbers @got", "3 1 1 1 0 0 $one_sent",
       "an incomplete line is left";
    is $err, "enkod-replay: the last line of \"s\" is incomplete: 50 bytes"
             . " without a line feed are left for the next run\n",
       "that is said";

    put("s", "$one\n$two\n");
    is +(sent(undef))[3], $two_sent, "the next run sends it";
}

{
    # each request makes another line, as in a spool that is sent to itself
    my $grow = sub {
        open my $fh, ">>", "$dir/s" or die;
        print $fh line(100 + $_[0]) . "\n";
        close $fh;
        return answer(200);
    };

    spool(map { line($_) } 1 .. 3);
    is +(sent($grow))[1], "3 3 3 0 0",
       "a file that grows is sent to the end that it had";
    is +(sent(undef))[1], "6 6 6 0 0", "the next run sends what has come";
}

{
    # copied and emptied, while it is read
    spool(map { line($_) } 1 .. 3000);
    my ($status, $numbers, $err) = sent(sub { truncate "$dir/s", 0;
                                              return answer(200) });
    like "$status $numbers", qr/^2 (\d+) \1 \1 0 unknown$/,
         "a file that is emptied meanwhile is an error";
    is $err, "enkod-replay: \"s\" has become shorter\n", "and is named";
}

{
    # across the borders of what is read at a time
    my @all = map { envelope() . '"event":"x","a":"' . "y" x ($_ * 97) . '"}' }
                  1 .. 300;

    spool(@all);
    is_deeply [(sent(undef))[3 .. 302]], \@all, "lines are of all lengths";
}


# standard input

{
    my $server = receiver(sub { answer($_[0] == 5 ? 500 : 200) });
    my $url = $server->url;

    spool($one, $two);
    my ($status, $out, $err) = run("-", $url, { stdin => "$dir/s" });
    is "$status " . numbers($out) . " $err", "0 2 2 2 0 0 ",
       "standard input is sent";
    ok !-e "$dir/-.pos", "without a position file";

    ($status, $out) = Enkod::Command::run($dir, "sh", "-c",
                                          "cat s s s | '$replay' - $url");
    is "$status " . numbers($out), "1 3 3 2 1 unknown",
       "what a pipe has left behind a failure is not known";

    ($status, $out, $err) = run("--position", "p", "-", $url);
    is "$status $err", "2 enkod-replay: --position is not for standard input,"
                       . " which cannot be gone on with\n",
       "it has no position";

    # a writer that does not write
    pipe my $r, my $w or die;
    my $pid = start("-", $url, { stdin => $r });
    close $r;
    syswrite $w, line(9) . "\nhalf";
    wait_for_requests($server, 6);
    wait_for(sub { Enkod::Nginx::slurp("/proc/$pid/wchan") =~ /pipe/ });
    kill 'INT', $pid;
    ($status, $out, $err) = finish($pid);
    is "$status " . numbers($out) . " $err",
       "1 1 1 1 0 unknown enkod-replay: interrupted\n",
       "a signal ends the waiting for a pipe";
    $server->stop;
}


# --dry-run and --quiet

{
    spool(map { line($_) } 1 .. 3);

    my ($status, $numbers, $err, @got) = sent(undef, "--dry-run");
    is "$status $numbers $err@got", "0 3 3 0 0 3 ", "--dry-run sends nothing";
    ok !-e "$dir/s.pos", "and leaves no position";

    sent(sub { answer($_[0] == 2 ? 500 : 200) });
    my $record = slurp("s.pos");
    is +(sent(undef, "--dry-run"))[1], "3 3 1 0 2",
       "it begins where a run would";
    is slurp("s.pos"), $record, "and leaves the position as it is";

    spool($one, '{"hello":1}', $two, '{"world":1}');
    ($status, $numbers, $err) = sent(undef, "--dry-run", "--collect", "none");
    is "$status $numbers", "1 4 4 0 2 4", "it looks at all lines";
    like $err, qr/line 2: .*\n.*line 4: /, "and names those that are none";
    ok !-e "$dir/none", "nothing is collected";

    my $server = receiver(sub { answer(500) });
    my @quiet = run("--quiet", "--collect", "c2", "s", $server->url);
    is_deeply \@quiet, [1, "", ""], "--quiet says nothing";
    unlink "$dir/s.pos";
    like +(run("--quiet", "s", $server->url))[2],
         qr/\Aenkod-replay: "s" line 1: the answer is 500\n/,
         "but why it stops";
    $server->stop;
}


# the progress bar

sub on_terminal {
    my (@args) = @_;

    my $cmd = join " ", map { "'$_'" } $replay, @args;

    return Enkod::Command::run($dir, "script", "-qefc", $cmd, "/dev/null");
}

{
    my $server = receiver(sub { answer($_[1] =~ /:7\}/ ? 500 : 200) });

    unlink "$dir/c";
    spool(map { line($_) } 1 .. 12);

    my $began = now();
    my ($status, $out) = on_terminal("--rate", 12, "--collect", "c", "s",
                                     $server->url);
    my $seconds = now() - $began;
    my @drawn = $out =~ /\r(\[[^\r]*)\e\[K/g;

    is $status, 1, "it runs on a terminal";
    cmp_ok scalar @drawn, ">=", 3, "with a progress bar";
    cmp_ok scalar @drawn, "<=", 5 * $seconds + 2,
           "that is drawn at most five times a second";
    like $_, qr{^\[[#.]{20}\] +\d+ %, \d+ delivered, \d failed, \d+/s, (?:\d+:\d\d:\d\d|\?) left$},
         "with all that is in it" for @drawn[0, -1];
    is scalar(grep { length > 79 } @drawn), 0, "in one line";
    like $drawn[-1], qr/^\[#{10,20}.*, 1 failed, /, "it moves";
    like $out, qr/\r\e\[Kenkod-replay: "s" line 7 is collected: the answer is 500\r\n/,
         "a message takes its place";
    like $out, qr/\r\e\[Kread: 12\r\n/, "and so does the summary";

    spool($one, $two);
    ($status, $out) = on_terminal("--quiet", "s", $server->url);
    is "$status $out", "0 ", "not with --quiet";

    $server->stop;
}


# large lines

SKIP: {
    my $limit = { before => "ulimit -v 150000; " };

    skip "with sanitizers, there is no limit of memory", 6
        if $Enkod::MemoryCheck::name eq "sanitizers";

    my $big = envelope() . '"event":"x","a":"' . "y" x 20_000_000 . '"}';
    my $server = receiver(sub { answer(200, "x" x 200_000_000) });

    spool($one);
    is +(run("s", $server->url, $limit))[0], 0,
       "an answer of 200 MB takes no memory";
    $server->stop;

    $server = receiver();

    spool($one, $big, $two);
    my ($status, $out, $err) = run("s", $server->url, $limit);
    is "$status $err", "0 ", "150 MB of memory are enough for 20 MB";
    ok +($server->stop)[1]{body} eq $big, "which arrive";

    # what it took is given back
    unlink "$dir/go", "$dir/last";
    $server = receiver(sub {
        if ($_[0] == 4000) {
            put("last", "");
            wait_for(sub { -e "$dir/go" });
        }
        return answer(200);
    });
    spool($big, map { line($_) } 1 .. 4000);

    my $pid = start("s", $server->url);
    wait_for(sub { -e "$dir/last" }, 10 * $Enkod::Wait::limit);
    my ($kb) = Enkod::Nginx::slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;
    put("go", "");
    finish($pid);
    $server->stop;
    cmp_ok $kb, "<", 19_000, "memory is only for the line at hand: $kb kB";

    # a hole
    open my $fh, ">", "$dir/s" or die;
    print $fh "$one\n";
    seek $fh, 150_000_000, 1;
    print $fh "\n$two\n";
    close $fh;
    unlink "$dir/s.pos";

    ($status, $out, $err) = run("--dry-run", "s", "http://127.0.0.1:1/", $limit);
    is $status, 2, "a line that does not fit is an error";
    like $err, qr/^enkod-replay: no memory for \d+ bytes$/, "and is named";
}


# the command line

for (["no FILE is given"], ["no URL is given", "s"],
     ["more than FILE and URL is given", "s", "http://a", "b"],
     ["unrecognized option '--nonsense'", "--nonsense", "s", "http://a"],
     ["option '--rate' requires an argument", "s", "http://a", "--rate"])
{
    my ($said, @args) = @$_;
    my ($status, $out, $err) = run(@args);

    like $err, qr/^enkod-replay: \Q$said\E\nusage: enkod-replay /,
         "usage: @args";
    is "$status $out", "2 ", "is refused";
}

spool($one);

for (["--rate", "a number of lines per second above 0",
      "0", "-1", "x", "1x", "inf", "nan", "", "0x1", "1e9", "99999999"],
     ["--timeout", "a whole number of seconds, from 1 to 86400",
      "0", "1.5", "x", "", "86401", "-1"],
     ["--send", '"line" or "event"', "lines", ""],
     ["--since", "a time in UTC", "", "x", "20", "2026-1", "2026-13",
      "2026-00-01", "2026-11-32", "2026-11-23 03", "2026-11-23T24",
      "2026-11-23T03:60", "2026-11-23T03:44:", "2026-11-23T03:44:01.1234Z",
      "2026-11-23Z", "2026-11-23T03:44:01+00:00", "2026-11-23T03:44:01.123ZZ"],
     ["--until", "a time in UTC", "2026-11-23T", "yesterday"],
     ["--event", "valid UTF-8", "\xff"],
     ["--header", "'Name: value'", "x", "", ": x", "a b: c", "X-A"],
     ["--header", "control characters", "A: b\r\nC: d", "A: b\nC: d",
      "A: b\rC", "A\n: b", "A: \x01"],
     ["--header", "set by enkod-replay", "content-type: a",
      "Content-Length: 3", "Transfer-Encoding: chunked",
      "Expect: 100-continue", "Connection: close"],
     ["--type", "a MIME type", "", "a\r\nb"])
{
    my ($name, $said, @values) = @$_;

    for my $value (@values) {
        my ($status, $out, $err) = run($name, $value, "s",
                                       "http://127.0.0.1:1/");

        like $err, qr/^enkod-replay: invalid $name "\Q$value\E": [^\n]*\Q$said\E/,
             "$name '" . $value =~ s/[^ -~]/./gr . "'";
        is "$status $out", "2 ", "is refused";
    }
}

for my $url ("", "x", "127.0.0.1:1", "ftp://127.0.0.1/", "file:///etc/passwd",
             "http://", "http://a b/", "//a/")
{
    my ($status, $out, $err) = run("s", $url);

    is "$status $err", "2 enkod-replay: invalid URL \"$url\": it must be one of"
                       . " http:// or https://\n", "URL '$url' is refused";
}

ok !-e "$dir/s.pos", "no position was made";

for (["nothing", 'cannot open "nothing": No such file or directory'],
     [".", '"." is no regular file; a pipe can be read as "-"'],
     ["/dev/zero", '"/dev/zero" is no regular file; a pipe can be read as "-"'])
{
    my ($file, $said) = @$_;
    my ($status, $out, $err) = run($file, "http://127.0.0.1:1/");

    is "$status $err", "2 enkod-replay: $said\n", "FILE $file is refused";
}

{
    my $server = receiver();
    is +(run("s", $server->url, { stdout => "/dev/full" }))[0], 2,
       "output that cannot be written is an error";
    is scalar($server->stop), 1, "but all is sent";
}

is +(run("--help"))[1], (run("-h"))[1], "-h is --help";
is +(run("--help"))[0], 0, "which is no error";


# the documentation

{
    my $docs = Enkod::Nginx::slurp("$top/docs/enkod-replay.md");
    my $help = (run("--help"))[1];
    my $server = receiver();
    my $examples = 0;

    for my $option (sort keys %{ { map { $_ => 1 } $help =~ /(--[\w-]+)/g } }) {
        like $docs, qr/^\| `\Q$option\E[^|]*\| \S/m, "$option is described";
    }

    mkdir "$dir/docs";
    local $ENV{PATH} = dirname($replay) . ":$ENV{PATH}";

    while ($docs =~ /^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/msg) {
        my ($sh, $expected) = ($1, $2);

        $sh =~ s/127\.0\.0\.1:9000/127.0.0.1:$server->{port}/g;
        put("docs/sh", $sh);

        my $out = `cd $dir/docs && sh ./sh 2>&1`;

        defined $expected
            ? is $out, $expected, "an example says what is shown"
            : like $out, qr/^delivered: 2\nfailed: 0\nleft: 0\n\z/m,
                   "an example works";

        $examples++;
    }

    is $examples, 6, "there are examples";

    my @got = $server->stop;
    my @shown = $docs =~ /^```json\n(.*?)\n```$/mg;

    is $got[0]{body}, $shown[0], "the line that is shown is sent";
    is $got[3]{body}, $shown[1], "and so is the event";
    like $got[3]{head}, qr/^X-Replay: yes\r$/m, "with its header";
    like $got[-1]{head}, qr/^X-Token: replace-me\r$/m, "and that of a file";
}

done_testing;
