# Values cannot inject anything: text that a sender or a client chooses stays
# text in a line, a variable, an answer and the error log, and never becomes a
# member, a line or a command to a terminal.

use strict;
use warnings;

use Encode ();
use File::Basename qw(dirname);
use File::Temp ();
use lib dirname(__FILE__) . "/../lib";

use JSON::PP ();
use Test::More;

use Enkod::Client;
use Enkod::Command;
use Enkod::NginxConf;
use Enkod::Wait qw(wait_for);
use Enkod::Nginx;
use Enkod::Port qw(free_port);

my $json = JSON::PP->new->utf8;
my $top = Cwd::abs_path(dirname(__FILE__) . "/../..");
my $check = $ENV{TEST_ENKOD_CHECK} || "$top/build/enkod-check";
my $sync = Enkod::NginxConf::threads() ? "sync" : "";
my $closed = free_port();

# the paths of sockets, of nginx and of clients, have to be short
my $sockets = File::Temp->newdir;
my $listen = "$sockets/nginx";

my $nginx = Enkod::Nginx->new(level => "info", workers => 1,
    http => <<"END", server => <<"END");
        log_format  escaped  escape=none  '\$enkod_line_escaped';
        log_format  fields   escape=none
            '\$enkod_event|\$enkod_name|\$enkod_to|\$enkod_json|\$enkod_line';

        server {
            listen  unix:$listen;

            location = /log {
                enkod_webhook;
                enkod_log   log.jsonl;
                access_log  logs/escaped.log  escaped;
            }

            location = /sync {
                enkod_webhook;
                enkod_log   sync.jsonl  $sync;
            }

            location = /refused {
                enkod_webhook;
                enkod_log         log.jsonl;
                enkod_reject_log  refused.jsonl;
            }

            location = /spool {
                enkod_webhook;
                enkod_spool  spool.jsonl;
                enkod_pass   /closed;
            }

            location = /closed {
                internal;
                proxy_pass  http://127.0.0.1:$closed;
            }

            location = /realip {
                set_real_ip_from  unix:;
                real_ip_header    X-Forwarded-For;
                enkod_webhook;
                enkod_log         realip.jsonl;
            }
        }
END
        access_log  logs/fields.log  fields;

        location / {
            enkod_webhook;
            enkod_log             log.jsonl;
            enkod_reject_log      refused.jsonl;
            enkod_unknown_event   accept;
        }

        location = /strict {
            enkod_webhook;
            enkod_log             log.jsonl;
            enkod_reject_log      refused.jsonl;
            enkod_extra_fields    reject;
        }

        location = /events {
            enkod_webhook;
            enkod_log             log.jsonl;
            enkod_unknown_event   accept;
            enkod_events          complaint;
        }
END


# As readers see it: lines, each without a control character or a
# separator of lines within it, valid UTF-8.

sub is_lines {
    my ($bytes, $n, $title) = @_;

    my $text = eval { Encode::decode("UTF-8", $bytes, Encode::FB_CROAK) };

    ok(defined $text, "$title: the text is UTF-8");
    is(defined $text ? $text =~ tr/\n// : 0, $n,
       "$title: the number of lines is right");

    unlike(defined $text ? $text : "\0",
           qr/[\x{00}-\x{09}\x{0b}-\x{1f}\x{7f}-\x{9f}\x{2028}\x{2029}]/,
           "$title: no control character");
}


sub added {
    my ($file, $from) = @_;

    return substr $nginx->content($file), $from;
}


# Clients of a unix domain socket choose their address.

my $event = '{"event":"complaint","message_id":1,"message_uid":"u",'
            . '"sending_type":"s","name":"n","from":"f","to":"t"}';

# title, the name of the client's socket, and the name that a reader sees
my @clients = (
    ["nothing", undef, ""],
    ["a common one", "client", "client"],
    ["a member", 'x","event":"forged","y":"', 'x","event":"forged","y":"'],
    ["a backslash", 'x\\', 'x\\'],
    ["a line", "x\"}\n{\"received_at\":\"", "x\"}\n{\"received_at\":\""],
    ["control characters", join("", map { chr } 1 .. 31), undef],
    ["U+007F", "\x7f", "\x7f"],
    ["a command to a terminal", "\xc2\x9b2J", "\x{9b}2J"],
    ["separators", "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85", "\x{2028}\x{2029}\x{85}"],
    ["Cyrillic letters", "\xd1\x81\xd0\xb0", "\x{441}\x{430}"],
    ["bytes that are no UTF-8", "a\xff\xc0\x80\xd1",
     "a\x{fffd}\x{fffd}\x{fffd}\x{fffd}"],
    ["a surrogate", "\xed\xa0\x80", "\x{fffd}\x{fffd}\x{fffd}"],
);

my %files = (log => "log.jsonl", sync => "sync.jsonl", spool => "spool.jsonl",
             refused => "refused.jsonl");

for my $case (@clients) {
    my ($title, $name, $seen) = @$case;

    my $path = defined $name ? "$sockets/$name" : undef;

    $seen = $name if !defined $seen && defined $name;
    $seen = defined $path ? "unix:$sockets/$seen" : "unix:";

    for my $place (sort keys %files) {
        my $file = $files{$place};
        my $from = length $nginx->content($file);
        my $what = "$title, $place";

        my $client = Enkod::Client->unix($listen, $path);

        $client->send(Enkod::Client::request($place eq "refused" ? "[]" : $event,
                                             uri => "/$place"));

        is $client->status, $place eq "refused" ? 422 : 200,
           "$what: the answer";

        $client->close;
        unlink $path if defined $path;

        my $line = added($file, $from);

        is_lines($line, 1, $what);

        my $object = eval { $json->decode($line) } || {};

        is $object->{remote_addr}, $seen, "$what: the address has its value";
        is join(",", sort grep { !/^(?:received_at|request_id|remote_addr)$/ }
                          keys %$object),
           $place eq "refused" ? "body,code,status"
           : ($place eq "spool" ? "event,from,message_id,message_uid,name,"
                                  . "pass_status,sending_type,to"
                                : "event,from,message_id,message_uid,name,"
                                  . "sending_type,to"),
           "$what: no member is forged";
    }
}

my ($status, $out) = Enkod::Command::run($nginx->{dir}, $check,
                                         sort values %files);

is $status, 0, "enkod-check takes the lines of all clients for the module's"
    or diag $out;

wait_for(sub { ($nginx->content("logs/escaped.log") =~ tr/\n//) >= @clients });

is_lines($nginx->content("logs/escaped.log"), scalar @clients,
         '$enkod_line_escaped');

is_deeply [map { chomp; $json->decode("[\"$_\"]")->[0] }
               $nginx->lines("logs/escaped.log")],
          [map { chomp; Encode::decode("UTF-8", $_) } $nginx->lines("log.jsonl")],
          '$enkod_line_escaped is the line within a string';


# the longest address, whose last character may be cut

for my $last ("xx", "x\xd1\x81", "\xf0\x9f\x98\x80") {
    my $path = "$sockets/" . "x" x (107 - length "$sockets/") ;
    substr $path, -length($last) + 1, length($last), $last;
    $path = substr $path, 0, 108;

    my $from = length $nginx->content("log.jsonl");
    my $client = Enkod::Client->unix($listen, $path);

    $client->send(Enkod::Client::request($event, uri => "/log"));
    is $client->status, 200, "a client with the longest address is answered";
    $client->close;
    unlink glob "$sockets/x*";

    is_lines(added("log.jsonl", $from), 1, "the longest address");
    like eval { $json->decode(added("log.jsonl", $from))->{remote_addr} } || "",
         qr/^unix:\Q$sockets\E\/x+/, "the longest address is kept";
}


# nginx has no name for an abstract address

my $client = Enkod::Client->unix($listen, "\0\"x\n");

$client->send(Enkod::Client::request($event, uri => "/log"));
is $client->status, 200, "a client with an abstract address is answered";
like +($nginx->lines("log.jsonl"))[-1], qr/"remote_addr":"unix:","event"/,
     "an abstract address is logged as \"unix:\"";


# an address from a header must be an IP address

for my $case (["192.0.2.7", "192.0.2.7"], ["2001:db8::7", "2001:db8::7"],
              ["\"x", "unix:"], ["unix:\"x", "unix:"])
{
    my ($said, $seen) = @$case;

    $client = Enkod::Client->unix($listen);

    $client->send(Enkod::Client::request($event, uri => "/realip",
                                         headers => "X-Forwarded-For: $said\r\n"));
    $client->status;

    is $json->decode(($nginx->lines("realip.jsonl"))[-1])->{remote_addr}, $seen,
       "of $said realip makes $seen";
}


# $request_id cannot be defined by the configuration

for my $case (["set \$request_id x;", "server"],
              ["map \$uri \$request_id { default x; }", "http"],
              ["geo \$request_id { default x; }", "http"],
              ["location ~ (?<request_id>.) { }", "server"])
{
    my ($text, $level) = @$case;

    my ($said, $ok) = Enkod::Nginx->create($level => $text)->check;

    ok !$ok, "$text is refused";
    like $said, qr/the duplicate "request_id" variable/,
         "nginx refuses to define \$request_id again";
}


# Text that the sender chooses: each of these characters, raw and escaped.

my %chars = (
    "U+0000"  => [undef, '\u0000'],     "U+001B" => [undef, '\u001B'],
    "U+007F"  => ["\x7f", '\u007f'],    "U+0080" => ["\xc2\x80", '\u0080'],
    "U+0085"  => ["\xc2\x85", '\u0085'], "U+009B" => ["\xc2\x9b", '\u009B'],
    "U+009F"  => ["\xc2\x9f", '\u009f'], "U+2028" => ["\xe2\x80\xa8", '\u2028'],
    "U+2029"  => ["\xe2\x80\xa9", '\u2029'],
);

my $escaped = join "", map { lc $chars{$_}[1] } sort keys %chars;

for my $way ("raw", "escaped", "in pieces") {

    my $text = join "", map { $way ne "escaped" && $chars{$_}[0]
                              || $chars{$_}[1] } sort keys %chars;

    my %o = $way eq "in pieces" ? (chunked => [3, 1, 7, 2]) : ();
    my %from = map { $_ => length $nginx->content($_) }
                   qw(log.jsonl refused.jsonl logs/fields.log logs/error.log);

    my $members = "\"a$text\":[{\"b$text\":\"c$text\"}]";

    # accepted: in values and names

    my $known = $event =~ s/"name":"n"/"name":"$text"/r
                       =~ s/"to":"t"/"to":"\xd1\x81\xe2\x80\x94$text"/r
                       =~ s/\}$/,$members}/r;

    is $nginx->post($known, %o)->{status}, 200, "$way: a known event is accepted";
    is $nginx->post("{\"event\":\"e$text\",$members}", %o)->{status}, 200,
       "$way: an unknown event is accepted";

    my $extra = "\"extra\":{\"a$escaped\":[{\"b$escaped\":\"c$escaped\"}]}}";
    my $lines = added("log.jsonl", $from{"log.jsonl"});

    is_lines($lines, 2, "$way, the lines");
    like $lines, qr/"name":"\Q$escaped\E".*"to":"\xd1\x81\xe2\x80\x94\Q$escaped\E",\Q$extra\E\n/,
         "$way: the characters are escaped in values and names";
    like $lines, qr/"event":"e\Q$escaped\E",\Q$extra\E\n/,
         "$way: the characters are escaped in the name of an event";

    # refused: in the name of a member, and in that of the event

    my $answer = $nginx->post($event =~ s/\}$/,"x$text":1}/r,
                              uri => "/strict", %o);

    is $answer->{status}, 422, "$way: an extra field is refused";
    like $answer->{body}, qr/"field":"\/x\Q${\ substr $escaped, 0, 60 }\E"/,
         "$way: the field is named, up to 64 bytes";
    is_lines($answer->{body}, 1, "$way, the answer");

    is $nginx->post("{\"event\":\"e$text\"}", uri => "/events", %o)->{status},
       422, "$way: an event is not allowed";

    is_lines(added("refused.jsonl", $from{"refused.jsonl"}), 1,
             "$way, the reject log");

    my $refused = $json->decode(added("refused.jsonl", $from{"refused.jsonl"}));

    is Encode::encode("UTF-8", $refused->{body}),
       $event =~ s/\}$/,"x$text":1}/r, "$way: its body is what came";

    # in variables and in the error log

    my $fields;

    # nginx writes its logs after the answer
    wait_for(sub {
        $fields = added("logs/fields.log", $from{"logs/fields.log"});
        $fields =~ tr/\n// >= 4;
    });

    is_lines($fields, 4, "$way, the variables");
    like $fields, qr/^complaint\|\Q$escaped\E\|\xd1\x81\xe2\x80\x94\Q$escaped\E\|\{/,
         "$way: the variables of fields";
    is +(split /\|/, (split /\n/, $fields)[3])[0], "e$escaped",
       "$way: the name of an event that is refused";

    my $log = added("logs/error.log", $from{"logs/error.log"});

    $log = join "", map { "$_\n" } grep { / enkod: / } split /\n/, $log;

    is_lines($log, 2, "$way, the error log");
    like $log, qr/unknown_field, field "\/x\Q${\ substr $escaped, 0, 60 }\E"/,
         "$way: the error log has the name of the member";
}

done_testing;
