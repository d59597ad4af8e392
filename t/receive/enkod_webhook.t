# enkod_webhook as a content handler beside nginx's other modules, and the ways
# in which a body may arrive.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

takes('a location with a log', location => 'enkod_webhook; enkod_log logs/x;');
takes('a log that is off', location => 'enkod_webhook; enkod_log off;');
takes('a log for all servers', http => 'enkod_log logs/x;',
      location => 'enkod_webhook;');
takes('directives without a webhook',
      http => 'enkod_log logs/x; enkod_test ack; enkod_event e a=any;');
takes('other directives of the location, and an "if" in it',
      location => 'enkod_webhook; enkod_log logs/x; allow all; limit_except GET '
                  . '{ deny all; } if ($arg_a) { return 204; } return 410;');

warns('a location without a log and without a target',
      qr/"enkod_webhook" in location "\/enkod" has neither "enkod_log" nor "enkod_pass": its events are stored nowhere/,
      location => 'enkod_webhook;');

refuses('a parameter', qr/invalid number of arguments in "enkod_webhook"/,
        location => 'enkod_webhook on;');
refuses('twice', qr/"enkod_webhook" directive is duplicate/,
        location => 'enkod_webhook; enkod_webhook;');
refuses('a server', qr/"enkod_webhook" directive is not allowed here/,
        server => 'enkod_webhook;');
refuses('an "if"', qr/"enkod_webhook" directive is not allowed here/,
        location => 'if ($arg_a) { enkod_webhook; }');
refuses('a "limit_except"', qr/"enkod_webhook" directive is not allowed here/,
        location => 'limit_except GET { enkod_webhook; }');

for my $other ('proxy_pass http://127.0.0.1', 'fastcgi_pass 127.0.0.1:9',
               'uwsgi_pass 127.0.0.1:9', 'scgi_pass 127.0.0.1:9',
               'grpc_pass 127.0.0.1:9', 'memcached_pass 127.0.0.1:9',
               'stub_status', 'empty_gif', 'flv', 'mp4')
{
    my ($name) = split / /, $other;

    refuses("$name after it", qr/"(?:enkod_webhook"|$name" directive).*/,
            location => "enkod_webhook; enkod_log logs/x; $other;");
    refuses("$name before it",
            qr/"enkod_webhook".* must be the only directive .*that answers requests/,
            location => "$other; enkod_webhook; enkod_log logs/x;");
}

our $members = message() =~ s/^\{|\}$//gr;
our $accepted = accepted($members);

# 100 kB, which normalisation does not make longer
our $large = message(large => '"' . 'x' x 100_000 . '"');
our $large_accepted = accepted(message(extra => '{"large":"' . 'x' x 100_000
                                                . '"}') =~ s/^\{|\}$//gr);

# Sends the head of a request that expects 100, waits for an answer and, if that
# is 100, sends the body.  For a refusal: it is sent instead of the 100, unless
# nginx reads the body before it chooses the location.
our @unasked = $Enkod::Protocol::early_read ? (interim => 1)
                                            : (interim => 0, closed => 1);

sub expect_100 {
    my ($body, %option) = @_;

    return raw(sub {
        my ($client) = @_;

        my $length = $option{chunked} ? 'Transfer-Encoding: chunked'
                                      : 'Content-Length: ' . length $body;

        $client->write(join "\r\n",
            ($option{method} // 'POST') . " /enkod$option{query} HTTP/1.1",
            'Host: localhost', 'Expect: 100-continue', $length,
            @{ $option{headers} // [] }, '', '');

        1 while $client->{buffer} !~ /\r\n\r\n/ && $client->fill;

        if ($client->{buffer} =~ m{^HTTP/1.1 100 }) {
            $client->write($option{chunked}
                ? sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body) : $body);
        }

        return $client->read_response({});
    });
}

# without a timeout after which curl sends the body without the 100
our @expect = ('-H', 'Expect: 100-continue',
               '--expect100-timeout', $Enkod::Wait::limit);

run_tests();

__DATA__

=== TEST 1: "if" and "limit_except" in the location leave the receiver in place
--- webhook
    set $blocked 0;
    if ($arg_blocked) {
        set $blocked 1;
    }
    if ($request_method = POST) {
        add_header X-If yes always;
    }
    if ($blocked) {
        return 410;
    }
    limit_except GET POST {
        deny all;
    }
--- tries
[ 'POST', post(message()),
  accepted($::members, headers => { 'X-If' => 'yes' }) ],
[ 'a refusal', post('[]'), problem('not_object', offset => 1) ],
[ 'GET', get('/enkod'), answer(200, headers => { 'X-If' => undef }) ],
[ 'a method that limit_except denies', request('PUT', '/enkod'),
  answer(403, headers => { 'Content-Type' => 'text/html' }) ],
[ 'an if that returns', post(message(), uri => '/enkod?blocked=1'),
  answer(410, headers => { 'Content-Type' => 'text/html' }) ]


=== TEST 2: settings of the location hold within its "if"
--- webhook
    enkod_max_event_size 200;
    enkod_token $arg_token good;
    enkod_events complaint;
    enkod_extra_fields reject;
    if ($request_method = POST) {
        set $any 1;
    }
--- tries
[ 'token', post(message()), problem('forbidden') ],
[ 'size', post(' ' x 201, uri => '/enkod?token=good'),
  problem('too_large', closed => 1) ],
[ 'events', post(message(), uri => '/enkod?token=good'),
  problem('event_not_allowed', field => '/event', offset => 23) ],
[ 'extra fields', post('{"event":"complaint","a":1}', uri => '/enkod?token=good'),
  problem('unknown_field', field => '/a', offset => 24) ]


=== TEST 3: an internal location receives requests that are redirected to it
--- http_config
    limit_req_zone $server_name zone=limited:1m rate=1r/m;
--- webhook
    internal;
--- server
    location = /rewrite {
        rewrite ^ /enkod last;
    }
    location = /limited {
        limit_req zone=limited;
        try_files /none /enkod;
    }
    location = /try_files {
        try_files /none /enkod;
    }
    location /index/ {
        index /enkod;
    }
    location = /accel {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/to_enkod;
    }
    location = /to_enkod {
        add_header X-Accel-Redirect /enkod;
        return 204;
    }
    location = /try_named {
        try_files /none @enkod;
    }
    location @enkod {
        enkod_webhook;
        enkod_log logs/named.jsonl;
    }
--- tries
[ 'from outside', post(message()), answer(404) ],
[ 'rewrite', post(message(), uri => '/rewrite'), $::accepted ],
[ 'try_files', post(message(), uri => '/try_files'), $::accepted ],
[ 'try_files to a named location', post(message(), uri => '/try_named'),
  accepted($::members, file => 'logs/named.jsonl') ],
[ 'a refusal after a redirect', post('[]', uri => '/try_named'),
  problem('not_object', offset => 1) ],
[ 'X-Accel-Redirect to a URI, which makes it a GET',
  post(message(), uri => '/accel'), $::accepted ],
[ 'X-Accel-Redirect to a URI, refused', post('[]', uri => '/accel'),
  problem('not_object', offset => 1) ],
[ 'a probe', get('/accel'), answer(200, body => qr/\n$/) ],
[ 'another method', request('PUT', '/accel', body => message()),
  problem('method_not_allowed') ],
[ 'limit_req', post(message(), uri => '/limited'), $::accepted ],
[ 'limit_req that is exceeded', post(message(), uri => '/limited'),
  answer(503, early => 1) ]


=== TEST 4: a body that an upstream has read before is received all the same
--- config
    client_body_buffer_size 1k;
    location = /upstream {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/accel;
    }
    location = /accel {
        client_max_body_size 1m;
        add_header X-Accel-Redirect @enkod;
        return 204;
    }
    location @enkod {
        enkod_webhook;
        enkod_log logs/events.jsonl;
        enkod_max_event_size 200k;
    }
--- tries
[ 'from memory', post(message(), uri => '/upstream'), $::accepted ],
[ 'from a file', post($::large, uri => '/upstream'), $::large_accepted ],
[ 'from a file, refused', post("[$::large]", uri => '/upstream'),
  problem('not_object', offset => 1) ]


=== TEST 5: in a subrequest the answer is an error, and no event is accepted
--- webhook
    add_header X-Here yes always;
--- server
    location = /auth {
        auth_request /enkod;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/ready;
    }
    location = /mirror {
        mirror /enkod;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/ready;
    }
    location = /index.html {
        add_before_body /enkod;
    }
    location = /ssi.html {
        ssi on;
        ssi_types *;
    }
--- user_files
>>> index.html
It works!
>>> ssi.html
<!--#include virtual="/enkod" -->.
--- tries
[ 'auth_request', post(message(), uri => '/auth'), answer(500, closed => 1) ],
[ 'mirror', post(message(), uri => '/mirror'), answer(204) ],
[ 'add_before_body', get('/index.html'), answer(200) ],
[ 'SSI', get('/ssi.html'), answer(200) ]
--- error_log
enkod: "enkod_webhook" does not work in a subrequest
--- no_error_log
[alert]


=== TEST 6: access checks come before the receiver
--- webhook
    satisfy all;
    auth_basic closed;
    auth_basic_user_file ../html/users;
    auth_request /auth;
--- server
    location = /auth {
        internal;
        if ($http_x_good) {
            return 204;
        }
        return 403;
    }
    location = /denied {
        deny all;
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
    location = /allowed {
        allow 127.0.0.1;
        deny all;
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
--- user_files
>>> users
u:{PLAIN}p
--- tries
[ 'auth_basic', post(message()), answer(401) ],
[ 'auth_request', post(message(), headers => [ 'Authorization: Basic dTpw' ]),
  answer(403, headers => { 'Content-Type' => 'text/html' }) ],
[ 'both', post(message(), headers => [ 'Authorization: Basic dTpw', 'X-Good: 1' ]),
  $::accepted ],
[ 'both, in pieces',
  post(message(), headers => [ 'Authorization: Basic dTpw', 'X-Good: 1' ],
       split => 20),
  $::accepted ],
[ 'deny', post(message(), uri => '/denied'), answer(403) ],
[ 'allow', post(message(), uri => '/allowed'), $::accepted ]


=== TEST 7: limit_req refuses or delays a request
--- http_config
    limit_req_zone $uri zone=one:1m rate=1r/m;
    limit_req_zone $arg_slow zone=slow:1m rate=10r/s;
--- webhook
    limit_req zone=one;
    limit_req_status 429;
--- server
    location = /slow {
        limit_req zone=slow burst=5;
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
--- tries
[ 'the first', post(message()), $::accepted ],
[ 'the second', post(message()), answer(429) ],
[ 'not delayed', post(message(), uri => '/slow?slow=1'), $::accepted ],
[ 'delayed', post(message(), uri => '/slow?slow=1'), $::accepted ],
[ 'delayed, in chunks', post(undef, uri => '/slow?slow=1', chunks => [ message() ]),
  $::accepted ]


=== TEST 8: a body may come in chunks
--- tries
[ 'one', post(undef, chunks => [ message() ]), $::accepted ],
[ 'one of each byte', post(undef, chunks => [ split //, message() ]), $::accepted ],
[ 'of the vendor, cut anywhere',
  post(undef, chunks => [ unpack '(a7)*', event('complaint') ]),
  accepted('"event":"complaint","message_id":4,'
           . '"message_uid":"0123456789_012_012_01234","sending_type":"instant",'
           . '"name":"Complaint in message (test)","from":"sender@example.com",'
           . '"to":"recipient@example.com"', test => 1) ],
[ 'with an extension', raw(sub {
      my $client = shift;
      $client->write("POST /enkod HTTP/1.1\r\nHost: a\r\n"
                     . "Transfer-Encoding: chunked\r\n\r\n"
                     . sprintf("%x;a=b\r\n%s\r\n0\r\n\r\n", length message(),
                               message()));
      $client->read_response({});
  }), $::accepted ],
[ 'refused', post(undef, chunks => [ '[', ']' ]),
  problem('not_object', offset => 1) ],
[ 'broken by the client', raw(sub {
      my $client = shift;
      $client->write("POST /enkod HTTP/1.1\r\nHost: a\r\n"
                     . "Transfer-Encoding: chunked\r\n\r\n"
                     . "5\r\n{\"eve\r\nnonsense\r\n");
      $client->read_response({});
  }), answer(400, closed => 1) ]


=== TEST 9: HTTP/1.0
--- tries
[ 'an event', post(message(), version => '1.0'),
  accepted($::members, closed => 1) ],
[ 'an event, with keep-alive',
  post(message(), version => '1.0', headers => [ 'Connection: keep-alive' ]),
  accepted($::members, headers => { Connection => 'keep-alive' }) ],
[ '422', post('[]', version => '1.0'),
  problem('not_object', offset => 1, closed => 1) ],
[ '400', post('', version => '1.0'),
  problem('empty_body', offset => 0, closed => 1) ],
[ 'no length', request('POST', '/enkod', version => '1.0'),
  problem('empty_body', offset => 0, closed => 1) ],
[ '413', post(' ' x 65537, version => '1.0'), problem('too_large', closed => 1) ],
[ 'GET', get('/enkod', version => '1.0'), answer(200, closed => 1) ]


=== TEST 10: HTTP/2
--- server
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
--- tries
[ 'an event', h2(message()), $::accepted ],
[ 'an event of no announced length', h2(message(), '-H', 'Content-Length:'),
  $::accepted ],
[ 'the largest event', h2(message() . ' ' x (65536 - length message())),
  $::accepted ],
[ '422', h2('[]'), problem('not_object', offset => 1) ],
[ '422 and a long rest', h2('[' . ' ' x 65535), problem('not_object', offset => 1) ],
[ '400', h2('{"a":"b"'), problem('invalid_json', offset => undef) ],
[ 'no body', h2(undef, '-X', 'POST'), problem('empty_body', offset => 0) ],
[ 'an empty body', h2(''), problem('empty_body', offset => 0) ],
[ '405', h2(message(), '-X', 'PUT'), problem('method_not_allowed') ],
[ '415', h2(message(), '-H', 'Content-Encoding: gzip'),
  problem('unsupported_encoding') ],
[ 'GET', h2(undef), answer(200, body => qr/\n$/) ],
[ 'HEAD', h2(undef, '-I'), answer(200) ]
--- timeout: 30


=== TEST 11: a body that is too large is refused over HTTP/2
--- http_config
    log_format result '$status $enkod_error';
--- server
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
--- webhook
    access_log logs/result.log result;
--- tries
[ 'announced', h2(' ' x 65537), problem('too_large', perhaps => 1) ],
[ 'not announced', h2(' ' x 65537, '-H', 'Content-Length:'),
  problem('too_large', perhaps => 1) ]
--- files
'logs/result.log' => "413 too_large\n" x 2


=== TEST 12: a client that expects 100 gets it when the body is to be read
--- webhook
    enkod_token $arg_token good;
--- tries
[ 'an event', ::expect_100(message(), query => '?token=good'),
  accepted($::members, interim => 1) ],
[ 'in chunks', ::expect_100(message(), query => '?token=good', chunked => 1),
  accepted($::members, interim => 1) ],
[ 'a refusal', ::expect_100('[]', query => '?token=good'),
  problem('not_object', offset => 1, interim => 1) ]


=== TEST 13: a client that expects 100 gets a refusal instead of it
--- webhook
    enkod_token $arg_token good;
--- tries
[ '403', ::expect_100(message(), query => ''),
  problem('forbidden', @::unasked) ],
[ '405', ::expect_100(message(), query => '?token=good', method => 'PUT'),
  problem('method_not_allowed', @::unasked) ],
[ '413', ::expect_100(' ' x 65537, query => '?token=good'),
  problem('too_large', @::unasked, closed => 1) ],
[ '415', ::expect_100(message(), query => '?token=good',
                      headers => [ 'Content-Encoding: gzip' ]),
  problem('unsupported_encoding', @::unasked) ]


=== TEST 14: curl with "Expect: 100-continue" gets the answer
--- tries
[ 'an event',
  curl(message(), @::expect, '--data-binary', '@-', '/enkod'),
  accepted($::members, interim => 1) ],
[ 'announced too large',
  curl(' ' x 70_000, @::expect, '--data-binary', '@-', '/enkod'),
  problem('too_large', @::unasked[0, 1]) ]


=== TEST 15: a mirror and the receiver both get the whole body
--- config
    client_body_buffer_size 1k;
    location = /enkod {
        enkod_webhook;
        enkod_log logs/events.jsonl;
        enkod_max_event_size 200k;
        mirror /copy;
    }
    location = /copy {
        internal;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/;
    }
--- http_config
    log_format body escape=none '$request_body';
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        client_body_buffer_size 256k;
        access_log logs/copy.log body;
        location / {
            proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/ready;
        }
    }
--- tries
[ 'from memory', post(message()), $::accepted ],
[ 'from a file', post($::large), $::large_accepted ],
[ 'from a file, in chunks', post(undef, chunks => [ unpack '(a9999)*', $::large ]),
  $::large_accepted ],
[ 'refused', post("[$::large]"), problem('not_object', offset => 1) ],
[ 'too large', post(' ' x 204_801), problem('too_large', closed => 1) ]
--- files
'logs/copy.log' => do {
    my $lines = join '', map { "\Q$_\E\n" }
                message(), $::large, $::large, "[$::large]";
    qr/^$lines *\n$/;
}


=== TEST 16: a body that nginx writes to a file is received
--- webhook
    client_body_in_file_only clean;
    enkod_max_event_size 200k;
--- tries
[ 'small', post(message()), $::accepted ],
[ 'large', post($::large), $::large_accepted ],
[ 'in chunks', post(undef, chunks => [ unpack '(a9999)*', $::large ]),
  $::large_accepted ]


=== TEST 17: buffers may have any size
--- webhook
    client_body_buffer_size 1;
    client_body_in_single_buffer on;
    enkod_max_event_size 200k;
--- server
    location = /k {
        client_body_buffer_size 1k;
        enkod_webhook;
        enkod_log logs/events.jsonl;
        enkod_max_event_size 200k;
    }
--- tries
[ 'one byte', post(message()), $::accepted ],
[ 'one byte, in pieces', post(message(), split => 3), $::accepted ],
[ '1k', post($::large, uri => '/k'), $::large_accepted ],
[ '1k, in chunks', post(undef, uri => '/k', chunks => [ unpack '(a999)*', $::large ]),
  $::large_accepted ]


=== TEST 18: the Content-Type does not matter
--- tries
map { my $type = $_;
      [ "'$type'", post(message(), headers => [ "Content-Type: $type" ]),
        $::accepted ] }
'', 'application/json', 'application/json; charset=windows-1251',
'text/plain', 'application/x-www-form-urlencoded',
'multipart/form-data; boundary=x', 'nonsense'


=== TEST 19: nginx's own client_max_body_size holds as well
--- webhook
    client_max_body_size 100;
    enkod_max_event_size 1k;
--- tries
[ 'announced', post(message()),
  answer(413, closed => 1, headers => { 'Content-Type' => 'text/html' }) ],
[ 'in chunks', post(undef, chunks => [ unpack '(a50)*', message() ]),
  answer(413, closed => 1, headers => { 'Content-Type' => 'text/html' }) ]


=== TEST 20: as a post_action, the receiver accepts the event
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log logs/late.txt;
    }
    location = /first {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/ready;
        post_action /enkod;
    }
--- tries
[ 'an event', post(message(), uri => '/first'), answer(204) ],
[ 'a refusal', post('[]', uri => '/first'), answer(204) ],
[ 'nginx still runs', get('/enkod'), answer(200) ]
--- files
'logs/late.txt' => qr/^\{[^\n]+\}\n$/
--- no_error_log
[alert]


=== TEST 21: an "if" that answers by itself replaces the receiver
--- webhook
    if ($arg_other) {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        location / {
            return 202 "other\n";
        }
    }
--- tries
[ 'the other', post('[]', uri => '/enkod?other=1'), answer(202) ],
[ 'the webhook', post(message()), $::accepted ]


=== TEST 22: conditional headers do not change the answer to an accepted event
--- tries
map { my $header = $_;
      [ "POST, $header", post(message(), headers => [ $header ]), $::accepted ],
      [ "GET, $header", get('/enkod', headers => [ $header ]), answer(200) ] }
'If-None-Match: *', 'If-Match: "x"',
'If-Modified-Since: Mon, 23 Nov 2026 03:44:01 GMT',
'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT'
