# enkod-replay sends each line byte for byte, stops or collects the line when
# the receiver does not accept it, and reports what it has not delivered.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use Test::More;
use Time::HiRes qw(sleep);

use Enkod::File;
use Enkod::Nginx;
use Enkod::Port qw(free_port);
use Enkod::ReplayTest;
use Enkod::ScriptedServer qw(answer);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));

my $nginx = Enkod::Nginx->create(workers => 1, server => <<'END');
enkod_unknown_event accept;
enkod_max_event_size 1m;

location / { enkod_webhook; enkod_log a.jsonl; }
location /again { enkod_webhook; enkod_log b.jsonl; }
END

my $dir = $nginx->{dir};

in_folder($dir);

# lines 1 and 2, as they are in a spool and as they are sent
my ($one, $two) = map { line($_) } 1, 2;
my ($one_sent, $two_sent) = map { sent_line($_) } 1, 2;


# lines that nginx has written

my @bodies = map { Enkod::File::slurp($_) } sort glob "$top/t/bodies/*.json";

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

is "@refused", "", "nginx accepts all of these events";

my @lines = map { s/\n\z//r } $nginx->lines("a.jsonl");
my @spooled = map { s/"event"/"pass_status":504,"event"/r } @lines;
my $n = @lines;

is $n, @bodies, "nginx writes a line for each event";


# The event of a line: without the envelope, and with the members of "extra"
# beside the others.  It works for these lines, whose last "extra" is that of
# the line.

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
    is_deeply \@got, \@lines, "each line is sent as enkod_log would write it";

    unlink "$dir/s.pos";
    ($status, $numbers, $err, @got) = sent(undef, "--send", "event");

    is "$status $numbers $err", "0 $n $n $n 0 0 ", "$what is sent as events";
    is_deeply \@got, [map { flat($_) } @lines],
              "each event is sent as enKod sends it";
    is_deeply [@got[8, 10 .. 12, 15, 17, 19]],
              ["$open,\"a\":1}", @bodies[10 .. 12, 15, 17, 19]],
              "events that were compact already are sent byte for byte";
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


# events that are sent to a webhook

spool(@spooled);

my ($status, $out, $err) = run("--send", "event", "s",
                               "http://127.0.0.1:$nginx->{port}/again");

is "$status " . numbers($out), "0 $n $n $n 0 0", "a webhook accepts all events";

{
    my ($from, $to) = map { [map { s/^.*?,(?="(?:test|event)":)//r }
                                 $nginx->lines($_)] } "a.jsonl", "b.jsonl";

    is_deeply $to, $from,
              "the webhook writes the same lines, except for the envelope";
    isnt slurp("b.jsonl"), slurp("a.jsonl"), "the envelope is a new one";
}

is $nginx->alerts, "", "the error log has no alerts";
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
              "all requests are sent on one connection";
    like $head, qr{^POST /a\?b=c HTTP/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n},
         "a request is a POST";
    like $head, qr/^Content-Type: application\/json\r$/m,
         "the content type is JSON";
    like $head, qr/^User-Agent: enkod-replay\r$/m,
         "the user agent is enkod-replay";
    unlike $got[1]{head}, qr/^(?:Expect|Transfer-Encoding):/mi,
           "a large body is sent without \"Expect\" and without chunks";
    ok $got[1]{body} eq $big, "a large body is complete";

    $server = receiver();
    spool($one);
    run("--type", "text/x; a=\"b\"", "--header", "X-A: 1", "--header",
        "x-b:  2 3", "--header", "X-C:", "--header", "X-D: a:b;c", "--header",
        "User-Agent: me", "s", $server->url);
    $head = ($server->stop)[0]{head};

    like $head, qr/^Content-Type: text\/x; a="b"\r$/m, "--type is sent";
    like $head, qr/^X-A: 1\r$/m, "--header is sent";
    like $head, qr/^x-b: +2 3\r$/m, "--header can be given several times";
    like $head, qr/^X-C: ?\r$/m, "--header can have an empty value";
    like $head, qr/^X-D: a:b;c\r$/m, "the value of --header can have colons";
    like $head, qr/^User-Agent: me\r$/m,
         "--header replaces a header of enkod-replay";
    unlike $head, qr/enkod-replay|application/,
           "replaced headers are not sent twice";
}


# Tests whether the second of three lines is delivered, and the message if not.

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
                  "$title: all others are delivered, too";
        return;
    }

    is "$status $numbers", "1 3 3 1 1 2", "$title: it stops";
    like $err, qr/\Aenkod-replay: "s" line 2: $reason\n.* are left: 2\n\z/,
         "$title: it says why";
    is_deeply \@got, [$one_sent, $two_sent], "$title: later lines are not sent";

    my $server = receiver();
    ($status, my $out) = run("s", $server->url);

    is "$status " . numbers($out), "0 3 3 3 0 0",
       "$title: the next run continues";
    like $out, qr/^delivered: 3, of these 1 in earlier runs$/m,
         "$title: the summary says what earlier runs have delivered";
    is_deeply [map { $_->{body} } $server->stop], [$two_sent, sent_line(3)],
              "$title: the next run begins with that line";
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

# Tests a late answer, to the first line that a run sends.

sub late {
    my ($title, $code) = @_;

    spool(map { line($_) } 1 .. 3);
    sent(sub { answer($_[0] == 2 ? 500 : 200) });

    my ($status, $numbers, $err, @got) = sent($code, "--timeout", 1);

    is "$status $numbers", "1 3 3 1 1 2", "$title: it stops";
    like $err, qr/\Aenkod-replay: "s" line 2: Operation timed out.*\n.* are left: 2\n\z/,
         "$title: it says why";
    is_deeply \@got, [$two_sent], "$title: later lines are not sent";
    is +(sent(undef))[1], "3 3 3 0 0", "$title: the next run continues";
}

late("no answer in time", sub { sleep $Enkod::Wait::life });
late("half an answer in time",
     sub { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc" });

{
    spool($one);
    is +(sent(sub { undef }))[2],
       "enkod-replay: \"s\" line 1: Empty reply from server\n"
       . "enkod-replay: lines that are left: 1\n",
       "a connection that is closed without an answer is a failure";

    # the server may have closed the connection before the request arrived
    spool(map { line($_) } 1 .. 3);
    is_deeply [sent(sub { $_[0] == 2 ? undef : answer(200) })],
              [0, "3 3 3 0 0", "", map { sent_line($_) } 1, 2, 2, 3],
              "after an earlier answer on that connection, the request is sent again";

    # the server does not read the whole request
    my $server = receiver(answer(200));

    spool(envelope() . '"event":"x","a":"' . "y" x 30_000_000 . '"}');
    ($status, $out) = run("s", $server->url);

    is "$status " . numbers($out), "1 1 1 0 1 1",
       "an answer before the whole request is sent is a failure";
    $server->stop;
}

{
    my $port = free_port();

    spool($one, $two);
    ($status, $out, $err) = run("s", "http://127.0.0.1:$port/");

    is "$status " . numbers($out), "1 2 2 0 1 2", "no server: it stops";
    like $err, qr/\Aenkod-replay: "s" line 1: Failed to connect to 127\.0\.0\.1 .*\n/,
         "the message says that the connection failed";

    local $ENV{http_proxy} = "http://127.0.0.1:$port";
    is +(sent(undef))[0], 0, "http_proxy is not used";
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

    is "$status $numbers", "1 7 7 5 2 0",
       "with --collect, a failed line does not stop the run";
    is_deeply \@got, [map { sent_line($_) } 1 .. 6],
              "with --collect, all lines are sent";
    is slurp("c"), "before\n$object\n$all[3]\n",
       "lines that failed are collected as they are";
    is $err, "enkod-replay: \"s\" line 3 is collected: it is not a line of"
             . " enkod_spool or enkod_log\n"
             . "enkod-replay: \"s\" line 5 is collected: the answer is 500\n",
       "lines that failed are named";

    ($status, $numbers, $err, @got) = sent(undef, "--collect", "c");
    is "$status $numbers $err@got", "1 7 7 5 2 0 ",
       "the next run has nothing to do";

    # the collection is a spool
    rename "$dir/c", "$dir/s" or die;
    unlink "$dir/s.pos";
    ($status, $numbers, $err, @got) = sent(undef, "--collect", "c");
    is "$status $numbers @got", "1 3 2 1 1 0 " . sent_line(4),
       "collected lines can be sent";
    is slurp("c"), "before\n$object\n",
       "collected lines can be collected again";

    # a run was killed while it wrote to the collection
    spool("hello", $one);
    put("c", "half");
    sent(sub { answer(500) }, "--collect", "c");
    is slurp("c"), "half\nhello\n$one\n",
       "an incomplete line in the collection is ended before a line is added";

    spool($one);
    put("c", "half");
    sent(undef, "--collect", "c");
    is slurp("c"), "half",
       "the collection is not changed if there is nothing to collect";
    spool($one);

    for (["s", 'cannot use "s" for --collect: it is FILE itself'],
         ["s.pos", 'cannot use "s.pos" for --collect: it is in use by'],
         ["/dev/null", 'cannot use "/dev/null" for --collect: it is not a regular'],
         ["no/c", 'cannot open "no/c" for --collect: No such file'])
    {
        my ($file, $said) = @$_;

        like +(sent(undef, "--collect", $file))[2], qr/^enkod-replay: \Q$said\E/,
             "--collect $file is refused";
    }

    # no space for the collection
    put("c", "x" x 1020 . "\n");
    my $server = receiver(sub { answer(500) });

    ($status, my $out, $err) = run("--collect", "c", "s", $server->url,
        { before => "trap '' XFSZ; ulimit -f 2; " });
    $server->stop;

    is "$status " . numbers($out), "2 1 1 0 1 unknown",
       "a line that cannot be collected is an error";
    like $err, qr/^enkod-replay: cannot write "c": File too large$/m,
         "the error is named";
    is length slurp("c"), 1021, "no part of the line is in the collection";
    is +(sent(undef))[1], "1 1 1 0 0", "the next run sends the line";
}

done_testing;
