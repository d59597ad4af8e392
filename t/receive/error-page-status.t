# An event that was admitted and not kept is never answered with a success,
# whatever error_page is configured.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

# a page, as in "error_page 502 503 504 ...", and what the client sees of it
our @pages = (
    [ 'text', '= @text', body => "sorry\n" ],
    [ 'text, as 200', '=200 /text', body => "sorry\n" ],
    [ 'text, with its own status', '@text', body => "sorry\n" ],
    [ 'text, as 299', '=299 @text', body => "sorry\n" ],
    [ 'text, with arguments', '=200 /args?a=b', body => "b\n" ],
    [ 'text, with variables', '=200 /args?a=$request_method',
      body => "POST\n" ],
    [ 'a status alone', '= @none' ],
    [ 'a status of its own', '=204 /text' ],
    [ 'another error', '= @teapot' ],
    [ 'a file', '=200 /sorry.html', body => "a file\n" ],
    [ 'a file, which does not accept POST', '= @file' ],
    [ 'a missing file', '=200 /nothing.html' ],
    [ 'a missing file, in a named location', '= @nothing' ],
    [ 'an upstream', '= @upstream', body => "a file\n" ],
    [ 'an upstream with an error_page of its own', '=200 /upstream', body => "a file\n" ],
    [ 'an upstream that announces a length and sends no body', '= @long' ],
    [ 'an upstream that is down', '= @gone' ],
    [ 'a redirect', '= @redirect' ],
    [ 'an X-Accel-Redirect', '= @accel', body => "a file\n" ],
    [ 'a location that denies access', '= @closed' ],
    [ 'a location that does not exist', '= @nowhere', closed => 1 ],
    [ 'a page for the page', '= @teapot', body => "sorry\n", recursive => 1 ],
    [ 'a loop', '= /loop', recursive => 1, closed => 1 ],
);

# the ways in which an event is not kept, and the answers
our @failures = (
    [ 'log', 'enkod_log /dev/full;', 503 ],
    [ 'failed', 'enkod_pass /answer/500;', 502 ],
    [ 'timeout', 'enkod_pass /answer/504;', 504 ],
    [ 'busy', 'enkod_pass /answer/429;', 503 ],
);

our $receivers = join '', map {
    my ($failure, $sink) = @$_;

    map { my (undef, $page, %option) = @{ $pages[$_] };
          "location = /$failure/$_ { enkod_webhook; $sink "
          . 'recursive_error_pages ' . ($option{recursive} ? 'on; ' : 'off; ')
          . "error_page 502 503 504 $page; }\n" } 0 .. $#pages
} @failures;

our $server = <<'END';
    access_log logs/result.log result;

    location = /text {
        return 200 "sorry\n";
    }
    location @text {
        return 200 "sorry\n";
    }
    location = /args {
        return 200 "$arg_a\n";
    }
    location @none {
        return 204;
    }
    location @teapot {
        error_page 418 = @text;
        return 418;
    }
    location = /sorry.html {
    }
    location @file {
        rewrite ^ /sorry.html break;
    }
    location @nothing {
        rewrite ^ /nothing.html break;
    }
    location @upstream {
        rewrite ^ /page/sorry.html break;
        proxy_method GET;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /upstream {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/page/sorry.html;
    }
    location @long {
        rewrite ^ /nothing/of/100 break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /nothing/of/100 {
        access_log off;
        add_header Content-Length 100;
        return 204;
    }
    location /page/ {
        access_log off;
        alias html/;
    }
    location @gone {
        proxy_pass http://127.0.0.1:1;
    }
    location @redirect {
        return 302 https://example.com/;
    }
    location @accel {
        rewrite ^ /to_file break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /to_file {
        access_log off;
        add_header X-Accel-Redirect /sorry.html;
        return 200;
    }
    location @closed {
        deny all;
    }
    location = /loop {
        recursive_error_pages on;
        error_page 418 = /loop;
        return 418;
    }
    location = /answer/500 {
        return 500;
    }
    location = /answer/504 {
        return 504;
    }
    location = /answer/429 {
        return 429;
    }
END

# conditional headers and ranges
our @conditions = (
    [ 'no condition' ],
    [ 'If-None-Match', 'If-None-Match: *' ],
    [ 'If-Match', 'If-Match: "none"' ],
    [ 'If-Modified-Since', 'If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT' ],
    [ 'If-Unmodified-Since',
      'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT' ],
    [ 'Range', 'Range: bytes=0-1' ],
    [ 'a Range beyond the end', 'Range: bytes=1000-' ],
);

# the tries for a failure and a condition; a sub makes the request
sub failed {
    my ($failure, $condition, $request) = @_;

    my ($name, undef, $status) = @$failure;
    my ($title, @headers) = @$condition;

    my %headers = (Location => undef, 'Content-Range' => undef);

    $headers{'Retry-After'} = '5' if $status == 503;

    return map {
        my ($page, undef, %option) = @{ $pages[$_] };

        # an upstream may evaluate a condition itself
        my $body = $title eq 'no condition' || $page !~ /upstream|X-Accel/
                   ? $option{body} : undef;

        [ "$name, $page, $title", $request->("/$name/$_", @headers),
          answer($status, headers => \%headers, body => $body,
                 closed => $option{closed}) ]
    } 0 .. $#pages;
}

our $results = join '', map { "$_->[2] failed\n" x @pages } @failures;

run_tests();

__DATA__

=== TEST 1: no error_page turns the failure of an event into a success
--- http_config
    log_format result '$status $enkod_result';
--- config eval
$::receivers . $::server
--- user_files
>>> sorry.html
a file
--- tries
map { ::failed($_, $::conditions[0],
               sub { post(message(), uri => shift, headers => [ @_ ]) }) }
@::failures
--- files
'logs/result.log' => $::results


=== TEST 2: nor do conditional headers or a range turn it into a success
--- http_config
    log_format result '$status $enkod_result';
--- config eval
$::receivers . $::server
--- user_files
>>> sorry.html
a file
--- tries
map { ::failed($::failures[0], $_,
               sub { post(message(), uri => shift, headers => [ @_ ]) }) }
@::conditions[1 .. $#::conditions]
--- files
'logs/result.log' => "503 failed\n" x (@::pages * (@::conditions - 1))


=== TEST 3: nor do HTTP/1.0 and HTTP/2
--- http_config
    log_format result '$status $enkod_result';
--- config eval
"listen 127.0.0.1:\$TEST_NGINX_RAND_PORT_1 http2;\n"
. $::receivers . $::server
--- user_files
>>> sorry.html
a file
--- tries
::failed($::failures[0], $::conditions[0],
         sub { h2(message(), $_[0]) }),
::failed($::failures[0], $::conditions[1],
         sub { h2(message(), '-H', $_[1], $_[0]) }),
map { my ($title, $request, $expect) = @$_;
      [ $title, $request, { %$expect, closed => 1 } ] }
::failed($::failures[0], $::conditions[0],
         sub { post(message(), uri => $_[0], version => '1.0') })
--- files
'logs/result.log' => "503 failed\n" x (@::pages * 3)


=== TEST 4: a page that is a redirect is not shown
--- config
    location = /enkod {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 https://example.com/$uri;
    }
    location = /as_301 {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 =301 https://example.com/;
    }
    location = /from_a_map {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 = $target;
    }
--- http_config
    map $uri $target {
        default https://example.com/;
    }
--- tries
map { [ $_, post(message(), uri => $_),
        problem('log_unavailable',
                headers => { Location => undef, 'Retry-After' => '5' }) ] }
'/enkod', '/as_301', '/from_a_map'


=== TEST 5: an error_page of the server, or of all servers, has the same effect
--- http_config
    error_page 503 =200 /sorry;
--- config
    error_page 502 504 = @sorry;
    location = /enkod {
        enkod_webhook;
        enkod_log /dev/full;
        error_page 503 =200 /sorry;
    }
    location = /pass {
        enkod_webhook;
        enkod_pass /broken;
    }
    location = /broken {
        return 500;
    }
    location @sorry {
        return 200 "sorry\n";
    }
    location = /sorry {
        return 200 "sorry\n";
    }
    location /outer/ {
        location /outer/inner {
            if ($arg_a) {
                set $a 1;
            }
            enkod_webhook;
            enkod_pass /broken;
        }
    }
--- tries
[ '503', post(message()), answer(503, body => "sorry\n") ],
[ '502', post(message(), uri => '/pass'), answer(502, body => "sorry\n") ],
[ 'in a location, in a location', post(message(), uri => '/outer/inner'),
  answer(502, body => "sorry\n") ],
[ 'in an "if" there', post(message(), uri => '/outer/inner?a=1'),
  answer(502, body => "sorry\n") ],
[ 'a location that is not a receiver', get('/broken'),
  answer(500, closed => 1) ]


=== TEST 6: an error of nginx in front of a receiver is not turned into a success either
--- http_config
    limit_req_zone $uri zone=limited:1m rate=1r/m;
--- webhook
    limit_req zone=limited;
    error_page 503 =200 /sorry;
--- server
    location = /sorry {
        return 200 "sorry\n";
    }
    location = /auth {
        enkod_webhook;
        enkod_log logs/events.jsonl;
        auth_request /broken;
        error_page 500 = @sorry;
    }
    location = /maintenance {
        if ($request_method = POST) {
            return 503;
        }
        enkod_webhook;
        enkod_log logs/events.jsonl;
        error_page 503 = @sorry;
    }
    location = /other {
        limit_req zone=limited;
        error_page 503 = @sorry;
        return 200 "other\n";
    }
    location = /broken {
        return 500;
    }
    location @sorry {
        return 200 "sorry\n";
    }
--- tries
[ 'an event', post(message()), accepted(message() =~ s/^\{|\}$//gr) ],
[ 'limit_req', post(message()),
  answer(503, body => "sorry\n", headers => { 'Retry-After' => undef },
         early => 1) ],
[ 'auth_request', post(message(), uri => '/auth'),
  answer(500, body => "sorry\n", closed => 1) ],
[ 'return', post(message(), uri => '/maintenance'),
  answer(503, body => "sorry\n", headers => { 'Retry-After' => undef },
         early => 1) ],
[ 'a probe', get('/maintenance'), answer(200, body => qr/receiver/) ],
[ 'a location that is not a receiver', get('/other'), answer(200) ]


=== TEST 7: a refusal can be turned into anything
--- webhook
    enkod_token $arg_token good;
    enkod_reject_log logs/refused.jsonl;
    error_page 400 403 405 413 415 422 = @fine;
    error_page 404 =200 /fine;
--- server
    location @fine {
        return 200 "fine\n";
    }
    location = /fine {
        return 200 "fine\n";
    }
    location = /denied {
        deny all;
        error_page 403 =204 /fine;
        enkod_webhook;
        enkod_log logs/events.jsonl;
    }
    location = /broken {
        enkod_webhook;
        enkod_reject_log /dev/full;
        error_page 422 503 = @fine;
    }
--- tries
[ '403', post(message()), answer(200, body => "fine\n") ],
[ '405', request('PUT', '/enkod?token=good', body => message()),
  answer(200, body => "fine\n") ],
[ '413', post(' ' x 65537, uri => '/enkod?token=good'),
  answer(200, body => "fine\n", closed => 1) ],
[ '415', post(message(), uri => '/enkod?token=good',
              headers => [ 'Content-Encoding: gzip' ]),
  answer(200, body => "fine\n") ],
[ '422', post('[]', uri => '/enkod?token=good'),
  answer(200, body => "fine\n", any_line => 1) ],
[ '400', post('x', uri => '/enkod?token=good'),
  answer(200, body => "fine\n", any_line => 1, closed => 1) ],
[ 'deny', post(message(), uri => '/denied'), answer(204) ],
[ 'a refusal that could not be kept', post('[]', uri => '/broken'),
  answer(503, body => "fine\n") ]
