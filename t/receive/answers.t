# The answers: each row of the table of statuses, each code.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

our $accepted = accepted(message() =~ s/^\{|\}$//gr);

# A body that is refused at the border of its two parts; offsets of invalid JSON
# are tested in t/unit.
sub refused {
    my ($title, $code, $head, $tail, %member) = @_;

    my $offset = $code eq 'invalid_json' ? undef : length $head;

    return [ $title, post($head . $tail),
             problem($code, %member, offset => $offset) ];
}

# A chunk that is longer than announced.
sub broken_chunks {
    my ($uri) = @_;

    return raw(sub {
        my ($client) = @_;

        $client->write("POST $uri HTTP/1.1\r\nHost: a\r\n"
                       . "Transfer-Encoding: chunked\r\n\r\n"
                       . "5\r\n{\"eve\r\nnonsense\r\n");
        $client->read_response({});
    });
}

run_tests();

__DATA__

=== TEST 1: an event is answered with 200 and an empty body
--- tries
[ 'an event', post(message()),
  accepted(message() =~ s/^\{|\}$//gr,
           headers => { 'Content-Length' => '0', 'Content-Type' => undef,
                        'Transfer-Encoding' => undef, Allow => undef }) ]


=== TEST 2: GET and HEAD get 200 as probes
--- tries
[ 'GET', get('/enkod'),
  answer(200, body => qr/^[^\n]{1,60}\n$/,
         headers => { 'Content-Type' => 'text/plain' }) ],

[ 'HEAD', request('HEAD', '/enkod'),
  answer(200, body => '', headers => { 'Content-Type' => 'text/plain',
                                       'Content-Length' => qr/^\d\d$/ }) ],

[ 'GET with a body, which is dropped',
  request('GET', '/enkod', body => message()), answer(200) ],

[ 'GET with a body that is not an event',
  request('GET', '/enkod', chunks => [ 'nonsense' ]), answer(200) ]


=== TEST 3: a body that is not valid JSON is answered with 400
--- tries
::refused('no body', 'empty_body', '', ''),
[ 'no Content-Length', request('POST', '/enkod'),
  problem('empty_body', offset => 0) ],
[ 'a chunked body of no bytes', post(undef, chunks => []),
  problem('empty_body', offset => 0) ],
::refused('white space', 'empty_body', " \t\r\n", ''),
::refused('another format', 'invalid_json', '', 's3cr3t=1'),
::refused('an object that breaks off', 'invalid_json', '{"a":"s3cr3t"', ''),
::refused('a byte that is not UTF-8', 'invalid_utf8', '{"s3cr3t":"', "\xff\"}"),
::refused('half a surrogate pair', 'lone_surrogate', '{"a":"s3cr3t\ud800', '"}'),
::refused('a repeated member', 'duplicate_field',
          '{"to":"s3cr3t","to"', ':"s3cr3t"}', field => '/to'),
::refused('33 levels', 'too_deep', '{"a":"s3cr3t","b":' . '[' x 32, ']' x 32 . '}',
          field => '/b'),
::refused('65 members', 'too_many_fields',
          '{' . join(',', map { qq("$_":"s3cr3t") } 1 .. 64) . ',"65"',
          ':"s3cr3t"}')


=== TEST 4: a wrong token is answered with 403
--- webhook
    enkod_token $arg_token good;
--- tries
[ 'POST', post(message(), uri => '/enkod?token=s3cr3t'), problem('forbidden') ],
[ 'GET', get('/enkod?token=s3cr3t'), problem('forbidden') ],
[ 'HEAD', request('HEAD', '/enkod'),
  answer(403, headers => { 'Content-Type' => 'application/problem+json' }) ]


=== TEST 5: other methods are answered with 405
--- tries
map { my $method = $_;
      [ $method, request($method, '/enkod'), problem('method_not_allowed') ],
      [ "$method with a body", request($method, '/enkod', body => message()),
        problem('method_not_allowed') ] }
qw(PUT PATCH DELETE OPTIONS MKCOL SEARCH)


=== TEST 6: a body that is too large is answered with 413
--- webhook
    enkod_max_event_size 1k;
--- tries
[ 'announced', post(message(extra => '"' . 'x' x 1024 . '"')),
  problem('too_large', closed => 1) ],

[ 'not announced', post(undef, chunks => [ message(extra => '"' . 'x' x 1024 . '"') ]),
  problem('too_large', closed => 1) ],

[ 'of the maximum size', post(message() . ' ' x (1024 - length message())),
  $::accepted ],

[ 'of the maximum size, in chunks of one byte',
  post(undef, chunks => [ split //, message() . ' ' x (1024 - length message()) ]),
  $::accepted ],

[ 'one byte larger', post(message() . ' ' x (1025 - length message())),
  problem('too_large', closed => 1) ]


=== TEST 7: an encoded body is answered with 415
--- tries
[ 'gzip', post(message(), headers => [ 'Content-Encoding: gzip' ]),
  problem('unsupported_encoding') ],

[ 'an unknown encoding', post(message(),
                                headers => [ 'Content-Encoding: s3cr3t' ]),
  problem('unsupported_encoding') ],

[ 'identity', post(message(), headers => [ 'Content-Encoding: identity' ]),
  $::accepted ],

[ 'identity, and gzip in another header',
  post(message(), headers => [ 'Content-Encoding: Identity',
                               'content-encoding: gzip' ]),
  problem('unsupported_encoding') ]


=== TEST 8: JSON that is not an event is answered with 422
--- webhook
    enkod_events "message open" complaint;
    enkod_extra_fields reject;
--- tries
::refused('a string', 'not_object', '"s3cr3t"', ''),
::refused('an array', 'not_object', '[', '"s3cr3t"]'),
::refused('no event', 'missing_event', '{"to":"s3cr3t"}', '',
          field => '/event', expected => 'string'),
::refused('event null', 'missing_event', '{"event":null', ',"to":"s3cr3t"}',
          field => '/event', expected => 'string'),
::refused('event a number', 'missing_event', '{"event":1', ',"to":"s3cr3t"}',
          field => '/event', expected => 'string'),
::refused('event an array', 'missing_event', '{"event":[', '"message open"]}',
          field => '/event', expected => 'string'),
::refused('an event that is only allowed elsewhere', 'event_not_allowed',
          '{"event":"message sent"', ',"to":"s3cr3t"}', field => '/event'),
::refused('an unknown event', 'event_not_allowed',
          '{"event":"s3cr3t"', ',"to":"s3cr3t"}', field => '/event'),
::refused('no "from"', 'missing_field', message(from => undef, to => '"s3cr3t"'),
          '', field => '/from', expected => 'string'),
::refused('a string for an integer', 'wrong_type',
          '{"event":"message open","message_id":"s3cr3t"', '}',
          field => '/message_id', expected => 'integer'),
::refused('null for a string', 'wrong_type',
          '{"event":"message open","to":null', ',"from":"s3cr3t"}',
          field => '/to', expected => 'string'),
::refused('an unknown member', 'unknown_field',
          '{"event":"message open","other"', ':"s3cr3t"}', field => '/other')


=== TEST 9: an event that is not in the table is unknown
--- tries
::refused('by its name', 'unknown_event', '{"event":"s3cr3t"', ',"to":1}',
          field => '/event')


=== TEST 10: the expected type is named, also for an element of an array
--- tries
::refused('a fraction is not an integer', 'wrong_type',
          '{"event":"message open","message_id":1.0', ',"to":"s3cr3t"}',
          field => '/message_id', expected => 'integer'),
::refused('nor is an exponent', 'wrong_type',
          '{"event":"message open","message_id":1e2', ',"to":"s3cr3t"}',
          field => '/message_id', expected => 'integer'),
::refused('an array of strings', 'wrong_type',
          '{"event":"contact adding","groups_names":"s3cr3t"', '}',
          field => '/groups_names', expected => 'array of strings'),
::refused('its third element', 'wrong_type',
          '{"event":"contact adding","groups_names":["s3cr3t","",3', ',null]}',
          field => '/groups_names/2', expected => 'string'),
::refused('an array of integers', 'wrong_type',
          '{"event":"contact adding","groups_ids":{', '}}',
          field => '/groups_ids', expected => 'array of integers'),
::refused('its first element', 'wrong_type',
          '{"event":"contact adding","groups_ids":["s3cr3t"', ']}',
          field => '/groups_ids/0', expected => 'integer'),
::refused('the event comes last', 'wrong_type',
          '{"message_id":"s3cr3t","to":1,"event":"message open"', '}',
          field => '/message_id', expected => 'integer')


=== TEST 11: a field is named by a JSON Pointer of at most 64 bytes of the name
--- webhook
    enkod_extra_fields reject;
--- tries
map { my ($title, $name, $field) = @$_;
      ::refused($title, 'unknown_field',
                '{"event":"message open","' . $name . '"', ':1}',
                field => "/$field") }
[ 'a slash and a tilde', 'a/b~c', 'a~1b~0c' ],
[ 'a quote and a line feed', 'a\"b\n', "a\"b\n" ],
[ 'no name', '', '' ],
[ '64 bytes', 'x' x 64, 'x' x 64 ],
[ '65 bytes', 'x' x 65, 'x' x 64 ],
[ 'a character at the limit is not split', 'x' x 63 . "\xc3\xa9", 'x' x 63 ]


=== TEST 12: the checks of a request have a fixed order
--- webhook
    enkod_token $arg_token good;
    enkod_max_event_size 100;
--- tries
[ '403 before 405, 415 and 413',
  request('PUT', '/enkod', headers => [ 'Content-Encoding: gzip' ],
          body => 'x' x 101),
  problem('forbidden', closed => 1) ],

[ '405 before 415 and 413',
  request('PUT', '/enkod?token=good', headers => [ 'Content-Encoding: gzip' ],
          body => 'x' x 101),
  problem('method_not_allowed', closed => 1) ],

[ '415 before 413',
  post('x' x 101, uri => '/enkod?token=good',
       headers => [ 'Content-Encoding: gzip' ]),
  problem('unsupported_encoding', closed => 1) ],

[ '413 before the body',
  post('x' x 101, uri => '/enkod?token=good'),
  problem('too_large', closed => 1) ],

[ 'then the body', post('x' x 100, uri => '/enkod?token=good'),
  problem('invalid_json', offset => undef) ]


=== TEST 13: the rest of a refused body is dropped up to the largest event
--- webhook
    enkod_max_event_size 8k;
--- tries
[ '400, announced', post('x' . ' ' x 8191),
  problem('invalid_json', offset => undef) ],

[ '400, in chunks', post(undef, chunks => [ 'x', ' ' x 8191 ]),
  problem('invalid_json', offset => undef) ],

[ '422, in pieces', post('[' . ' ' x 8191, split => 1000),
  problem('not_object', offset => 1) ],

[ 'a 400 is answered and the connection closed if the body grows too large',
  post(undef, chunks => [ 'x', ' ' x 8192 ]),
  $Enkod::Protocol::early_read
      ? problem('too_large', closed => 1)
      : problem('invalid_json', offset => undef, closed => 1) ]


=== TEST 14: of two errors in one body, the first one is answered
--- tries
::refused('a wrong type before bad JSON', 'wrong_type',
          '{"event":"message open","to":1', ',x}',
          field => '/to', expected => 'string'),
::refused('bad JSON before a wrong type', 'invalid_json',
          '{"to":1,', 'x,"event":"message open"}'),
::refused('an unknown event before bad UTF-8', 'unknown_event',
          '{"event":"none"', ",\"a\":\"\xff\"}", field => '/event'),
::refused('bad UTF-8 before the end', 'invalid_utf8',
          '{"event":"message open","a":"', "\xff\"}")


=== TEST 15: the administrator's error_page is used
--- webhook
    enkod_max_event_size 1k;
    error_page 400 /page;
    error_page 405 =299 /page?x=405-;
    error_page 413 415 /page;
    error_page 422 https://example.com/;
--- server
    location = /deny {
        enkod_webhook;
        enkod_token $arg_token good;
        error_page 403 /page;
    }
    location = /page {
        internal;
        return 200 "page $arg_x$status\n";
    }
--- tries
[ '400', post('x'), answer(400, body => "page 400\n", closed => 1) ],
[ '403', post(message(), uri => '/deny'),
  answer(403, body => "page 403\n") ],
[ '405', request('PUT', '/enkod', body => message()),
  answer(299, body => "page 405-299\n") ],
[ '413', post(' ' x 1025), answer(413, body => "page 413\n", closed => 1) ],
[ '415', post(message(), headers => [ 'Content-Encoding: br' ]),
  answer(415, body => "page 415\n") ],
[ '422', post('[]'),
  answer(302, headers => { Location => 'https://example.com/' }) ]


=== TEST 16: an error_page may be a named location
--- webhook
    error_page 400 422 @why;
--- server
    location @why {
        default_type text/plain;
        return 200 "see $request_method $request_uri\n";
    }
--- tries
[ '422', post('[]'), answer(422, body => "see POST /enkod\n") ],
[ '400', post('x'), answer(400, body => "see POST /enkod\n", closed => 1) ]


=== TEST 17: an error_page may come from an upstream, which gets no body
--- webhook
    enkod_max_event_size 1k;
    error_page 400 405 413 415 422 = @upstream;
--- server
    location = /deny {
        enkod_webhook;
        enkod_token $arg_token good;
        error_page 403 = @upstream;
    }
    location = /limit {
        enkod_webhook;
        enkod_max_event_size 100;
        client_max_body_size 100;
        error_page 400 413 = @upstream;
    }
    location @upstream {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
        proxy_method GET;
        proxy_read_timeout 3600s;
        rewrite ^ /page break;
    }
    location = /page {
        return 200 "page: $http_content_length$http_transfer_encoding.\n";
    }
--- tries
map { my ($title, $request, %option) = @$_;
      [ $title, $request, answer(200, body => qr/^page: 0?\.\n$/, %option) ] }
[ '400', post('x'), closed => 1 ],
[ '400, in chunks', post(undef, chunks => [ 'x', 'y' ]), closed => 1 ],
[ '403', post(message(), uri => '/deny') ],
[ '405', request('PUT', '/enkod', body => message()) ],
[ '413', post(' ' x 1025), closed => 1 ],
[ '413, in chunks', post(undef, chunks => [ ' ' x 1025 ]), closed => 1 ],
[ '415', post(message(), headers => [ 'Content-Encoding: br' ]) ],
[ '422', post('[]') ],
[ '422, in chunks', post(undef, chunks => [ '[', ']' ]) ],
# with early reading, the limits of the location do not apply
$Enkod::Protocol::early_read ? () : (
    [ '413 of nginx, in chunks',
      post(undef, uri => '/limit', chunks => [ unpack '(a50)*', message() ]),
      closed => 1 ],
    [ '413 of nginx, in pieces',
      post(undef, uri => '/limit', chunks => [ unpack '(a50)*', message() ],
           split => 50),
      closed => 1 ],
    [ '400 of nginx, in chunks', ::broken_chunks('/limit'), closed => 1 ])


=== TEST 18: that upstream does not get the body as another request
--- http_config
    upstream backend {
        server 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        keepalive 4;
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        access_log logs/backend.log;
        location / {
            return 200 "page\n";
        }
    }
--- webhook
    error_page 400 405 415 422 = @upstream;
--- server
    location @upstream {
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://backend;
    }
--- tries
map { my ($title, @requests) = @$_;
      map { [ $title, $_, answer(200, body => "page\n",
                                 closed => $title eq '400') ] } @requests }
map { my $inner = $_;
      [ '400', post("x\r\n$inner"), post(undef, chunks => [ 'x', $inner ]),
        post("x\r\n$inner", split => 9) ],
      [ '405', request('PUT', '/enkod', body => $inner) ],
      [ '415', post($inner, headers => [ 'Content-Encoding: br' ]) ],
      [ '422', post("[\r\n$inner"), post("[\r\n$inner", split => 9) ] }
"GET /inner HTTP/1.1\r\nHost: a\r\n\r\n"
--- files
'logs/backend.log' => qr/^(?:(?!\/inner)[^\n]*" 200 [^\n]*\n){7}$/


=== TEST 19: an error_page that leads to a webhook does not change a refusal
--- webhook
    error_page 422 400 = @second;
--- server
    location @second {
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
--- tries
map { my $size = $_;
      [ "$size bytes at a time", post('[' . ' ' x ($size - 1) . message(),
                                      split => $size),
        problem('not_object', offset => 1) ] }
1, 10, 100, 1000


=== TEST 20: an error_page for another status changes nothing
--- webhook
    error_page 404 500 502 503 504 /page;
--- tries
[ '422', post('[]'), problem('not_object', offset => 1) ],
[ '400', post(''), problem('empty_body', offset => 0) ]


=== TEST 21: a line that cannot be written is answered with 503 and Retry-After
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log /dev/full;
    }
--- tries
[ 'a full device', post(message(to => '"s3cr3t"')),
  problem('log_unavailable', headers => { 'Retry-After' => '5' }) ],
[ 'a refusal is not changed', post('[]'), problem('not_object', offset => 1) ]
--- error_log
/dev/full


=== TEST 22: a mirror gets the body of a refused event
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        access_log logs/mirror.log;
        location = /mirrored {
            # waits for the whole body
            proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/;
        }
        location / {
            return 204;
        }
    }
--- webhook
    mirror /mirror;
    error_page 422 /page;
--- server
    location = /mirror {
        internal;
        proxy_read_timeout 3600s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/mirrored;
    }
    location = /page {
        return 200 "page\n";
    }
--- tries
[ 'a refusal', post('[ 1, 2, 3 ]'), answer(422, body => "page\n") ],
[ 'and the next', post(message()), accepted(message() =~ s/^\{|\}$//gr) ]
--- files
'logs/mirror.log' => qr/^(?:[^\n]* 204 [^\n]*\n){4}\z/
--- no_error_log
[error]
