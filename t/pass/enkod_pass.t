# enkod_pass: what is passed on, and where.  The request is a POST with the body
# and the headers of the module, without anything about the client's body.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Encode ();
use JSON::PP ();
use Test::More;

use Enkod::Backend;
use Enkod::File;
use Enkod::HTTP2;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

my $json = JSON::PP->new->utf8;
my $top = dirname(dirname(__FILE__));

my @kinds = qw(message-sent delivery-bounce message-open message-clicked
               complaint mailing-group-subscribe mailing-group-unsubscribe
               contact-adding);
my %body = map { $_ => Enkod::File::slurp("$top/bodies/$_.json") } @kinds;

my $nginx = Enkod::Nginx->create(http => <<'END', server => <<'END');
        upstream back {
            server     127.0.0.1:%HTTP%;
            keepalive  4;
        }

        map $enkod_event $target {
            "complaint"        /to/complaints?what=$enkod_to;
            "message clicked"  @clicks;
            "contact adding"   nowhere;
            "message sent"     "";
            "message open"     /to/opens/$enkod_name;
            default            /to/rest;
        }

        log_format  f  escape=none
            '$status|$content_length|$content_type|$upstream_status|$enkod_result';

        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        proxy_read_timeout  1s;
END
        listen      127.0.0.1:%SECOND% http2;
        access_log  logs/access.log  f;

        location = /line {
            enkod_webhook;
            enkod_log   a.jsonl;
            enkod_pass  /to/line;
        }

        location = /alone {
            enkod_webhook;
            enkod_pass  "/to/alone?x=1&y=%20z&a=b c";
        }

        location = /template {
            enkod_webhook;
            enkod_log        t.jsonl;
            enkod_pass       @template;
            enkod_pass_body  '{"event":"$enkod_event","name":"$enkod_name",
"ids":[$enkod_groups_ids],"json":$enkod_json,"line":$enkod_line,
"text":"$enkod_line_escaped"}';
            enkod_pass_type  "application/x-test; charset=utf-8";
        }

        location = /nothing {
            enkod_webhook;
            enkod_pass       /to/nothing;
            enkod_pass_body  $enkod_error_message;
        }

        location = /map {
            enkod_webhook;
            enkod_pass  $target;
        }

        location = /headers {
            set              $mine set-before;
            enkod_webhook;
            enkod_pass       /headers/to;
            enkod_pass_body  $enkod_json;
        }

        location = /asked {
            set              $mine "$content_length $http_content_type $http_content_encoding $content_type";
            enkod_webhook;
            enkod_pass       /headers/to;
            enkod_pass_body  '{"a":1}';
        }

        location = /headers/to {
            internal;
            proxy_set_header  X-Name      $enkod_name;
            proxy_set_header  X-Length    $content_length;
            proxy_set_header  X-Type      "$content_type $http_content_type";
            proxy_set_header  X-Body      $request_body;
            proxy_set_header  X-Set       $mine;
            proxy_set_header  X-Method    $request_method;
            proxy_set_header  X-Encoding  "[$http_content_encoding]";
            proxy_pass        http://back/headers;
        }

        location = /if {
            enkod_webhook;
            enkod_pass  /to/if;

            if ($arg_a) {
                add_header  X-If  yes;
            }
        }

        location = /fastcgi {
            enkod_webhook;
            enkod_log   f.jsonl;
            enkod_pass  /to/fastcgi;
        }

        location = /uwsgi {
            enkod_webhook;
            enkod_log   f.jsonl;
            enkod_pass  /to/uwsgi;
        }

        location = /to/fastcgi {
            internal;
            fastcgi_param      REQUEST_METHOD  $request_method;
            fastcgi_param      CONTENT_TYPE    $content_type;
            fastcgi_param      CONTENT_LENGTH  $content_length;
            fastcgi_param      URI             $uri;
            fastcgi_keep_conn  on;
            fastcgi_pass       127.0.0.1:%FASTCGI%;
        }

        location = /to/uwsgi {
            internal;
            uwsgi_param  REQUEST_METHOD  $request_method;
            uwsgi_param  CONTENT_TYPE    $content_type;
            uwsgi_param  CONTENT_LENGTH  $content_length;
            uwsgi_param  URI             $uri;
            uwsgi_pass   127.0.0.1:%UWSGI%;
        }

        location /to/ {
            internal;
            proxy_pass  http://back;
        }

        location @clicks {
            proxy_pass  http://back;
        }

        location @template {
            rewrite     ^ /changed?by=rewrite? break;
            proxy_pass  http://back;
        }
END

my %backend;

for my $protocol (qw(http fastcgi uwsgi)) {
    my $port = free_port();
    my $name = uc $protocol;

    $nginx->{$_} =~ s/%$name%/$port/ for qw(http server);

    $backend{$protocol} = Enkod::Backend->new(dir => $nginx->{dir},
        port => $port, protocol => $protocol, name => $protocol);
}

my $backend = $backend{http};

$nginx->start;

the_line();
clients();
templates();
targets();
headers();
other_protocols();
configuration();

is($nginx->alerts, "", "the error log has no alerts");

done_testing();


# Sends a body to a location.  Returns the status, the last request that the
# backend has got, the number of its requests, and the answer.

sub hand_on {
    my ($uri, $body, %o) = @_;

    my $at = delete $o{backend} || $backend;

    $at->forget;

    my $answer = $nginx->post($body, uri => $uri, %o);
    my @requests = $at->requests;

    return ($answer->{status}, $requests[-1] || {}, scalar @requests, $answer);
}


sub last_line {
    my ($file) = @_;

    my $line = ($nginx->lines($file))[-1];
    chomp $line;

    return $line;
}


sub the_line {
    for my $kind (@kinds) {
        my ($status, $got, $n, $answer) = hand_on("/line", $body{$kind});
        my $line = last_line("a.jsonl");

        is($status, 200, "$kind: the answer is 200");
        is($answer->{body}, "", "$kind: the answer has no body");
        is($n, 1, "$kind: the event is passed on once");
        is($got->{body}, $line, "$kind: the body is the line");
        is($got->{head},
           "POST /to/line HTTP/1.1\r\nHost: back\r\nContent-Length: "
           . length($line) . "\r\nContent-Type: application/json\r\n",
           "$kind: the request has length and type, and no other header");
    }

    my ($status, $got) = hand_on("/alone", $body{"message-open"});

    is($status, 200, "an event is passed on without a log");
    is($got->{uri}, "/to/alone?x=1&y=%20z&a=b%20c",
       "arguments stay as they are, except that spaces are escaped");
    like($got->{body}, qr/^\{"received_at":"[^"]+","request_id":"[0-9a-f]{32}",/,
         "the body is a line");

    ($status, my $rest, my $n) = hand_on("/alone", '{"event":"complaint"}');
    is("$status $n", "422 0", "a refused event is not passed on");

    ($status, $rest, $n) = hand_on("/if?a=1", $body{complaint});
    is("$status $n", "200 1", "enkod_pass applies within \"if\"");

    like($nginx->post("", uri => "/alone", method => "GET")->{body}, qr/receiver/,
         "a probe is answered by the module");
    is(scalar(() = $backend->requests), 1, "a probe is not passed on");
}


# The body that is passed on does not depend on how the client sends its own.

sub clients {
    my $event = event("sizes", 3000);
    my ($status, $whole) = hand_on("/alone", $event);

    for my $version ("1.0", "1.1") {
        ($status, my $got) = hand_on("/alone", $event, version => $version);

        is($status, 200, "HTTP/$version: 200");
        is(strip($got), strip($whole), "HTTP/$version: the same body");
    }

    ($status, my $got) = hand_on("/alone", $event, chunked => [7, 1000],
                              headers => "Trailer: X-T\r\nTE: trailers\r\n");

    is($status, 200, "chunked: 200");
    is(strip($got), strip($whole), "chunked: the same body");
    unlike($got->{head}, qr/^(?:Transfer-Encoding|Trailer|TE):/mi,
           "chunked: the request has no headers of chunked transfer");

    $backend->forget;

    my $h2 = Enkod::HTTP2->new($nginx->{second});
    my ($frames, $stream) = $h2->request($event, uri => "/alone");

    $h2->send($frames);
    $h2->wait_for($stream);
    is($h2->{answers}{$stream}, 200, "HTTP/2: 200");
    is(strip(($backend->requests)[-1]), strip($whole),
       "HTTP/2: the same body");
}


sub strip {
    my ($request) = @_;

    return ($request->{body} || "")
           =~ s/"received_at":"[^"]*","request_id":"[^"]*"//r;
}


# A template stays valid JSON, whatever the event has.

sub templates {
    my @values = ('quotes "\\" and \\\\ backslashes', "line\nfeed\r\n\ttab\0",
                  "\x{1f600}\x{10ffff}", "\$enkod_event \${x}", "{}[],:");

    for my $value (@values) {
        my $event = $json->decode($body{"message-open"});
        $event->{name} = $value;
        $event->{more} = [$value, { $value => undef }];

        my ($status, $got) = hand_on("/template", $json->encode($event));
        my $sent = eval { $json->decode($got->{body}) } || {};
        my $line = last_line("t.jsonl");

        my $title = "a value like " . $json->encode([$value]);

        is($status, 200, "$title: 200");
        is($sent->{event}, "message open", "$title: the event");
        is($sent->{name}, $value, "$title: the name");
        is_deeply($sent->{ids}, [], "$title: an absent field is empty");
        is_deeply($sent->{line}, $json->decode($line), "$title: the line");
        is(Encode::encode_utf8($sent->{text} || ""), $line,
           "$title: the line as a string");
        is_deeply([$sent->{json}{name}, $sent->{json}{extra}],
                  [$value, { more => $event->{more} }], "$title: the JSON");
        is($got->{uri}, "/changed?by=rewrite", "$title: rewrite works");
        is($got->{headers}{"content-type"},
           "application/x-test; charset=utf-8", "$title: the type");
        is($got->{headers}{"content-length"}, length $got->{body},
           "$title: the length");
    }

    my $groups = $json->decode($body{"contact-adding"});
    my ($status, $got) = hand_on("/template", $body{"contact-adding"});

    is_deeply((eval { $json->decode($got->{body}) } || {})->{ids},
              [$groups->{groups_ids}], "an array stays an array");

    ($status, $got) = hand_on("/nothing", $body{"message-open"});

    is($status, 200, "an empty body is passed on");
    is($got->{headers}{"content-length"}, 0, "its length is 0");
}


sub targets {
    my %uri = (
        "complaint" => '/to/complaints?what=recipient@example.com',
        "message-clicked" => "/map",
        "delivery-bounce" => "/to/rest",
        "mailing-group-subscribe" => "/to/rest",
        "message-open" => "/to/opens/Open%20message%20(test)",
    );

    for my $kind (sort keys %uri) {
        my ($status, $got, $n) = hand_on("/map?token=secret", $body{$kind});

        is($status, 200, "$kind: 200");
        is($got->{uri}, $uri{$kind}, "$kind: the map chooses the target");
        is($n, 1, "$kind: one request is sent");
    }

    my ($status, $got, $n) = hand_on("/map", $body{"message-sent"});

    is("$status $n", "200 0", "an empty URI: the event is not passed on");

    ($status, $got, $n) = hand_on("/map", $body{"contact-adding"});

    is("$status $n", "502 0", "an invalid URI is a failure");
    like($nginx->error_log,
         qr/enkod: "\$target" in "enkod_pass" evaluates to a value that/,
         "the error log names the invalid URI");

    my $event = $body{"complaint"}
                =~ s/"to": *"[^"]*"/"to":"a b\\r\\nX: y#\\u0001\xc3\xa9"/r;

    ($status, $got) = hand_on("/map", $event);

    is($status, 200, "arguments with spaces and line feeds: 200");
    is($got->{uri} =~ s/%5C/\\/gr,
       '/to/complaints?what=a%20b\r\nX:%20y#\u0001%C3%A9',
       "spaces and line feeds are escaped in the request line");

    # values that could change the path or add a header

    for my $name ("/../../etc", "a\\u0000b", "..", "x/../../y", "\\r\\nX: 1",
                  "%2e%2e/x", "%0d%0aX: 1")
    {
        $event = $body{"message-open"} =~ s/"name": *"[^"]*"/"name":"$name"/r;
        ($status, $got, $n) = hand_on("/map", $event);

        if ($n) {
            unlike($got->{head}, qr/^X: 1/m, "$name: no header is injected");
            like($got->{uri}, qr{^/to/opens/(?!.*/\.\.(?:/|$))},
                 "$name: the path stays below its prefix");
        } else {
            is($status, 502, "$name: the event is not delivered");
        }
    }
}


sub headers {
    my $evil = join "", map { "$_\r\n" }
        "Content-Encoding: identity", "Content-Type: text/evil",
        "Content-Language: ru", "Content-MD5: x", "If-Match: x",
        "If-None-Match: y", "If-Modified-Since: z", "Range: bytes=0-1",
        "Accept-Encoding: gzip", "Digest: q", "X-Mine: 1",
        "Authorization: Basic eDp5";

    my $event = $body{"message-open"}
                =~ s/"name": *"[^"]*"/"name":"a\\r\\nX-Evil: 1\\r\\n\\r\\nb\\""/r;

    my ($status, $got) = hand_on("/headers", $event, headers => $evil);

    is($status, 200, "a request with many headers: 200");

    unlike($got->{head}, qr/^(?:Content-(?!Length|Type)\w+|If-\w+|Range
                             |Accept-Encoding|Digest|X-Evil):/mix,
           "no header about the client's body is left");
    is(() = $got->{head} =~ /^content-(?:type|length):/gmi, 2,
       "type and length are sent once");
    is($got->{headers}{"content-type"}, "application/json",
       "the type is that of enkod_pass_type");
    is($got->{headers}{"x-mine"}, 1, "another header is passed on");
    is($got->{headers}{authorization}, "Basic eDp5",
       "a header that nginx parses is passed on");
    is($got->{headers}{"x-name"}, 'a\r\nX-Evil: 1\r\n\r\nb\"',
       "a value in a header is escaped");

    my $length = length $got->{body};

    is($got->{headers}{"x-length"}, $length,
       "\$content_length is that of the new body");
    is($got->{headers}{"x-type"}, "application/json application/json",
       "\$content_type is that of the new body");
    is($got->{headers}{"x-body"}, $got->{body},
       "\$request_body is the new body");
    is($got->{headers}{"x-set"}, "set-before",
       "a variable that was set before has its value");
    is($got->{headers}{"x-method"}, "POST", "\$request_method is POST");
    is($got->{headers}{"x-encoding"}, "[]",
       "\$http_content_encoding is empty");

    # variables that were evaluated before the subrequest

    ($status, $got) = hand_on("/asked", $event, headers => $evil);

    is($got->{headers}{"x-set"}, length($event) . " text/evil identity text/evil",
       "before the subrequest, variables are the client's");
    is($got->{headers}{"x-length"}, 7, "\$content_length is not cached");
    is($got->{headers}{"x-type"}, "application/json application/json",
       "\$content_type is not cached");
    is($got->{headers}{"x-body"}, '{"a":1}', "\$request_body is not cached");
    is($got->{headers}{"x-encoding"}, "[]",
       "\$http_content_encoding is not cached");

    my $logged = "200|" . length($event) . "|text/evil|204|accepted\n";

    ok(wait_for(sub {
           my @lines = $nginx->lines("logs/access.log");
           @lines > 1 && $lines[-1] eq $logged && $lines[-2] eq $logged;
       }), "the access log has the client's length and type, and the "
              . "upstream's status");
}


sub other_protocols {
    for my $protocol (qw(fastcgi uwsgi)) {
        for my $kind (@kinds) {
            my ($status, $got, $n) = hand_on("/$protocol", $body{$kind},
                                          backend => $backend{$protocol});
            my $line = last_line("f.jsonl");

            is($status, 200, "$protocol, $kind: 200");
            is($n, 1, "$protocol, $kind: one request");
            is($got->{body}, $line, "$protocol, $kind: the line");
            is_deeply([@{ $got->{params} || {} }{
                          qw(REQUEST_METHOD CONTENT_TYPE CONTENT_LENGTH URI) }],
                      ["POST", "application/json", length $line,
                       "/to/$protocol"],
                      "$protocol, $kind: the variables");
        }
    }
}


sub configuration {
    my $rest = "location \@x { proxy_pass http://127.0.0.1:1; }";

    for (['enkod_webhook; enkod_pass x;',
          qr/invalid URI "x" in "enkod_pass", it must begin/, "another URI"],
         ['enkod_webhook; enkod_pass "";',
          qr/invalid URI "" in "enkod_pass"/, "an empty URI"],
         ['enkod_webhook; enkod_pass @y;',
          qr/no location "\@y" for "enkod_pass" in that server/,
          "a location that does not exist"],
         ['enkod_webhook; enkod_pass @x if=1;',
          qr/invalid parameter "if=1" in "enkod_pass"/, "another parameter"],
         ['enkod_webhook; enkod_pass @x success=;',
          qr/invalid parameter "success=" in "enkod_pass"/, "an empty condition"],
         ['enkod_webhook; enkod_pass @x; enkod_pass @x;',
          qr/"enkod_pass" directive is duplicate/, "the directive twice"],
         ['enkod_pass @x;',
          qr/"enkod_pass" in location "\/" needs "enkod_webhook" there/,
          "no enkod_webhook"],
         ['enkod_webhook; enkod_pass @x success=$nonsense;',
          qr/unknown "nonsense" variable/, "an unknown variable"],
         ['enkod_webhook; enkod_pass_body "";',
          qr/"enkod_pass_body" directive must not be empty/, "an empty body"],
         ['enkod_webhook; enkod_pass_body a; enkod_pass_body b;',
          qr/"enkod_pass_body" directive is duplicate/, "two bodies"],
         ['enkod_webhook; enkod_pass_type json;',
          qr/invalid type "json" in "enkod_pass_type", it must be a MIME/,
          "a type that is not a MIME type"],
         ['enkod_webhook; enkod_pass_type "a/b\r\nX: y";',
          qr/invalid type "a\/b/, "a type with a line feed"],
         ['enkod_webhook; enkod_pass_type a/b; enkod_pass_type a/b;',
          qr/"enkod_pass_type" directive is duplicate/, "two types"])
    {
        my ($location, $expected, $title) = @$_;

        refused("server { location / { $location } $rest }", $expected, $title);
    }
}
