# enkod_status: where it may stand, methods, headers, and which view is chosen.

use strict;
use warnings;

use Digest::SHA qw(sha256_base64);
use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

takes('no parameter', location => 'enkod_status;');
takes('each parameter', server => join '', map { "location /$_ { enkod_status $_; }" }
                                  qw(json prometheus html ready));
takes('access rules, an "if" and a "limit_except" beside it',
      location => 'enkod_status; allow 127.0.0.1; deny all; '
                  . 'limit_except GET { deny all; } if ($arg_a) { return 204; }');
takes('a receiver in a location within',
      server => 'location /status { enkod_status; location = /status/in { '
                . 'enkod_webhook; enkod_log logs/x; } }');

refuses('another parameter',
        qr/invalid value "xml" in "enkod_status", it must be "json" or "prometheus" or .*"html" or "ready"/,
        location => 'enkod_status xml;');
refuses('two parameters', qr/invalid number of arguments in "enkod_status"/,
        location => 'enkod_status json ready;');
refuses('twice', qr/"enkod_status" directive is duplicate/,
        location => 'enkod_status; enkod_status;');
refuses('twice, with parameters', qr/"enkod_status" directive is duplicate/,
        location => 'enkod_status ready; enkod_status json;');
refuses('a server', qr/"enkod_status" directive is not allowed here/,
        server => 'enkod_status;');
refuses('an "if"', qr/"enkod_status" directive is not allowed here/,
        location => 'if ($arg_a) { enkod_status; }');

for my $other ('enkod_webhook', 'proxy_pass http://127.0.0.1', 'stub_status',
               'empty_gif', 'flv')
{
    my ($name) = split / /, $other;

    refuses("$name after it",
            qr/"(?:enkod_status"|$name" directive|enkod_webhook").*/,
            location => "enkod_status; enkod_log logs/x; $other;");
    refuses("$name before it",
            qr/"enkod_status".* must be the only directive .*that answers requests/,
            location => "$other; enkod_status; enkod_log logs/x;");
}

our %type = (
    json => 'application/json',
    text => 'text/plain; version=0.0.4; charset=utf-8',
    openmetrics => 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    html => 'text/html; charset=utf-8',
);

our %body = (
    json => qr/\A\{"schema":1,.*\}\}\n\z/s,
    text => qr/\A# HELP enkod_events_total .*\nenkod_start_time_seconds [\d.]+\n\z/s,
    openmetrics => qr/\A# HELP enkod_events .*\n# EOF\n\z/s,
    html => qr/\A<!DOCTYPE html>\n.*<\/html>\n\z/s,
);

# the answer of a location whose view is negotiated

sub shows {
    my ($view, %headers) = @_;

    return answer(200, body => $body{$view},
                  headers => { 'Content-Type' => $type{$view},
                               'Cache-Control' => 'no-store',
                               'X-Content-Type-Options' => 'nosniff',
                               Vary => 'Accept', %headers });
}


# requests with each of the values of Accept

sub accepts {
    my ($uri, $view, @values) = @_;

    return map { my $value = $_;
                 [ "Accept: $value", get($uri, headers => [ "Accept: $value" ]),
                   shows($view) ] } @values;
}

# what Prometheus 2.42 and 3.0 send
our $scraper2 = 'application/openmetrics-text;version=1.0.0,'
                . 'application/openmetrics-text;version=0.0.1;q=0.75,'
                . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
our $scraper3 = 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,'
                . 'application/openmetrics-text;version=0.0.1;q=0.5,'
                . 'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,'
                . 'text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
our $text_scraper = 'text/plain;version=0.0.4;q=1,*/*;q=0.1';
our $browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,'
               . 'image/avif,image/webp,*/*;q=0.8';

# the Content-Security-Policy that the page needs, as tools/build/page has it

sub policy {
    my ($style, $script) = map { "'sha256-" . sha256_base64($_) . "='" }
                               page() =~ m{<style>(.*?)</style>
                                           .*<script>(.*?)</script>}xs;

    return "default-src 'none'; style-src $style; script-src $script; "
           . "connect-src 'self'; img-src data:; base-uri 'none'; "
           . "form-action 'none'; frame-ancestors 'none'; "
           . "require-trusted-types-for 'script'; trusted-types 'none'";
}

sub page {
    return scalar `tools/build/page --html ngx_http_enkod_module/status/page`;
}

run_tests();

__DATA__

=== TEST 1: without a parameter, Accept decides
--- webhook
--- server
    location = /status {
        enkod_status;
    }
--- tries
[ 'no Accept', get('/status'), main::shows('json') ],
main::accepts('/status', 'json', '*/*', 'application/json', 'application/*',
              'application/json, text/plain, */*', 'image/png', '', ',', ';q=1',
              'application/json;q=0', 'text/plain;q=0, */*;q=0.1',
              'application/json, application/openmetrics-text;version=1.0.0',
              'text/plain;version=0.0.5', 'text', 'text/plain;q=x',
              'application/openmetrics-text; version=0.0.1'),
main::accepts('/status', 'text', $::text_scraper, 'text/plain', 'TEXT/Plain',
              'text/*', 'text/plain; version="0.0.4"', 'text/plain , */*',
              '*/*, text/plain', 'application/json;q=0.4 , text/plain ; q=0.5',
              'application/json;a="x,y;q=1";q=0.1, text/plain;q=0.2',
              'application/json;q=0.123, text/plain;q=0.124',
              'application/json;q=0.5, text/plain',
              '*/*;q=0.1, application/*;q=0, text/*;q=0.05'),
main::accepts('/status', 'openmetrics', $::scraper2, $::scraper3,
              'application/openmetrics-text',
              'application/openmetrics-text; version=1.0.0',
              'application/*;q=0.3, application/json;q=0.2, text/plain;q=0.2'),
main::accepts('/status', 'html', $::browser, 'text/html',
              'text/html;q=0.2, */*;q=0.1'),
[ 'two headers', get('/status', headers => [ 'Accept: text/plain;q=0.5',
                                             'Accept: application/json;q=0.4' ]),
  main::shows('text') ]


=== TEST 2: a parameter decides, and "prometheus" has two forms
--- webhook
--- server
    location = /json {
        enkod_status json;
    }
    location = /prometheus {
        enkod_status prometheus;
    }
    location = /ready/json {
        enkod_status ready;
    }
    location = /html {
        enkod_status html;
    }
--- tries
(map { [ "json: $_", get('/json', headers => [ "Accept: $_" ]),
         main::shows('json', Vary => undef) ] }
     $::scraper3, $::browser, 'text/plain'),
(map { [ "ready: $_", get('/ready/json', headers => [ "Accept: $_" ]),
         answer(200, body => qq({"ready":true}\n),
                headers => { 'Content-Type' => 'application/json',
                             'Cache-Control' => 'no-store',
                             'X-Content-Type-Options' => 'nosniff',
                             Vary => undef }) ] }
     $::scraper3, $::browser),
main::accepts('/prometheus', 'text', $::text_scraper, $::browser, '*/*',
              'application/json', 'text/html'),
main::accepts('/prometheus', 'openmetrics', $::scraper2, $::scraper3),
main::accepts('/html', 'html', $::browser, '*/*', 'text/html', $::scraper3),
main::accepts('/html', 'json', 'application/json')


=== TEST 3: GET and HEAD are answered, other methods are not
--- webhook
--- server
    location = /status {
        enkod_status;
    }
    location = /ready/status {
        enkod_status ready;
    }
--- tries
[ 'HEAD', request('HEAD', '/status'),
  answer(200, body => '', headers => { 'Content-Type' => 'application/json',
                                       'Content-Length' => qr/^\d{4}$/,
                                       'Cache-Control' => 'no-store' }) ],
(map { [ $_, request($_, '/status'),
         answer(405, headers => { Allow => 'GET, HEAD' }) ] }
     qw(POST PUT DELETE OPTIONS PATCH)),
[ 'POST with a body', post(message(), uri => '/status'),
  answer(405, headers => { Allow => 'GET, HEAD' }) ],
[ 'GET with a body', request('GET', '/status', body => message()), main::shows('json') ],
[ 'arguments', get('/status?format=prometheus&json'), main::shows('json') ],
[ 'a condition',
  get('/status', headers => [ 'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT' ]),
  main::shows('json') ],
[ 'a range', get('/status', headers => [ 'Range: bytes=0-3' ]), main::shows('json') ]


=== TEST 4: "if" and "limit_except" in the location leave it in place
--- webhook
--- server
    location = /status {
        enkod_status prometheus;
        if ($arg_if) {
            add_header X-If yes;
        }
        if ($arg_gone) {
            return 410;
        }
        limit_except GET {
            deny all;
        }
    }
--- tries
[ 'GET', get('/status'), main::shows('text', 'X-If' => undef) ],
[ 'the "if"', get('/status?if=1'), main::shows('text', 'X-If' => 'yes') ],
[ 'an "if" that answers', get('/status?gone=1'), answer(410) ],
[ '"limit_except"', request('PUT', '/status'), answer(403) ]


=== TEST 5: a location within does not inherit it
--- webhook
--- server
    location /status {
        enkod_status;
        location = /status/in {
            return 404;
        }
        location = /status/file {
        }
    }
--- tries
[ 'it', get('/status'), main::shows('json') ],
[ 'below it', get('/status/below'), main::shows('json') ],
[ 'within it', get('/status/in'), answer(404) ],
[ 'within it, a file', get('/status/file'), answer(404) ]


=== TEST 6: the answer of a receiver that an error_page turns into a status fails
--- webhook
    enkod_token $arg_token x;
    error_page 403 =200 /status;
--- server
    location = /status {
        enkod_status ready;
    }
--- tries
[ 'it', post(message()), answer(200, body => qq({"ready":true}\n)) ]


=== TEST 7: an nginx without a receiver has a status
--- config
    location = /status {
        enkod_status;
    }
--- tries
[ 'JSON', get('/status'),
  answer(200, body => qr/"receivers":\[\],"files":\[\],"zones":\[\]/) ],
[ 'text', get('/status', headers => [ 'Accept: text/plain' ]),
  answer(200, body => qr/\A# HELP enkod_build_info .*\n# TYPE enkod_build_info gauge\n/) ]


=== TEST 8: the page allows its own style and script, and nothing else
--- webhook
--- server
    location = /status {
        enkod_status html;
    }
--- tries
[ 'it', get('/status'),
  main::shows('html',
      'Content-Length' => qr/^\d+$/,
      'Referrer-Policy' => 'no-referrer',
      'Content-Security-Policy' => main::policy()) ],
[ 'HEAD', request('HEAD', '/status'),
  answer(200, body => '', headers => { 'Content-Length' => qr/^\d+$/ }) ],
[ 'it has no style and no handler in an attribute', get('/status'),
  answer(200, body => qr/\A(?:(?! style=| on\w+=|https?:(?!\/\/www\.w3\.org)).)*\z/s) ]
