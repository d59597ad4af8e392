package EnkodTest;

# For tests that are written as blocks of Test::Nginx::Socket.  Beside the
# sections of Test::Nginx, a block has:
#
#   --- webhook   directives for "location = /enkod", a receiver that writes
#                 logs/events.jsonl; it replaces --- config
#   --- server    more directives for the server, beside that location
#   --- tries     a Perl list of [ title, request, expectation ], which are sent
#                 to one nginx, over one connection as long as it is kept; each
#                 is also tested for what it adds to the files logs/*.jsonl:
#                 its line to the file that is named, or nothing
#   --- files     a Perl list of name => text or qr/.../: the content that these
#                 files must have in the end
#
# Bodies and requests are made by EnkodTest::Request, tests of `nginx -t` are in
# EnkodTest::Config; both export their functions through this module.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();
use Test::More;
use Time::HiRes ();
use Time::Local ();

use Test::Nginx::Util ();
use Test::Nginx::Socket ();

use Enkod::File qw(slurp);
use Enkod::Protocol;
use Enkod::Wait qw(wait_for);

use EnkodTest::Client;
use EnkodTest::Config;
use EnkodTest::Request;

our @EXPORT = (@EnkodTest::Config::EXPORT, @EnkodTest::Request::EXPORT,
               qw(accepted nowhere problem answer slurp));

# a port that no block uses
my $protocol_port = 'TEST_NGINX_RAND_PORT_9';

if (my $n = $ENV{TEST_ENKOD_WORKERS}) {
    Test::Nginx::Util::master_process_enabled('on');
    Test::Nginx::Util::workers($n);
}


# the statuses of docs/directives.md, and the reason phrases of RFC 9110

my %status = (
    empty_body => 400, invalid_json => 400, invalid_utf8 => 400,
    lone_surrogate => 400, duplicate_field => 400, too_deep => 400,
    too_many_fields => 400,
    forbidden => 403, method_not_allowed => 405, too_large => 413,
    unsupported_encoding => 415,
    not_object => 422, missing_event => 422, unknown_event => 422,
    event_not_allowed => 422, missing_field => 422, wrong_type => 422,
    unknown_field => 422,
    log_unavailable => 503, upstream_busy => 503,
    upstream_failed => 502, upstream_timeout => 504,
);

my %title = (
    400 => 'Bad Request', 403 => 'Forbidden', 405 => 'Method Not Allowed',
    413 => 'Content Too Large', 415 => 'Unsupported Media Type',
    422 => 'Unprocessable Content', 502 => 'Bad Gateway',
    503 => 'Service Unavailable', 504 => 'Gateway Time-out',
);

# An answer that nginx makes has nginx's reason phrase, or that of Angie or
# freenginx.  nginx has none for 422.
my %phrase = (
    %title, 200 => 'OK', 204 => 'No Content', 405 => 'Not Allowed',
    413 => 'Request Entity Too Large', 422 => undef,
    503 => qr/^Service (?:Temporarily )?Unavailable\z/,
    504 => qr/^Gateway Time-?out\z/i,
);


# Expectations.  Common options:
#
#     headers => { name => value, qr//, or undef for one that must be absent }
#     closed => 1         the answer ends the connection; all others must leave
#                         it usable
#     interim => N        so many answers with 100 come before it
#     perhaps => 1        the client may get no answer
#     early => 1          nginx answers before it has read the body, so a client
#                         of HTTP/2 or HTTP/3 may get no answer
#     any_line => 1       lines are not tested

# 200, and a line with these members of the event in the file

sub accepted {
    my ($members, %option) = @_;

    return { status => 200, body => '', line => $members,
             file => 'logs/events.jsonl', %option };
}


# 200, and no line

sub nowhere {
    return { status => 200, body => '', @_ };
}


# An error as application/problem+json, with exactly these members beside title,
# status and detail; offset => undef stands for any offset within the body.

sub problem {
    my ($code, %option) = @_;

    my %member = map { exists $option{$_} ? ($_ => delete $option{$_}) : () }
                 qw(field expected offset);

    return { status => $status{$code}, problem => { code => $code, %member },
             %option };
}


sub answer {
    my ($status, %option) = @_;

    return { status => $status, %option };
}


sub connection {
    return EnkodTest::Client->connect_to(
        $Test::Nginx::Util::ServerPortForClient);
}


# by curl, with the request's own options

sub run_curl {
    my ($request) = @_;

    my @args = @{ $request->{curl} };
    my $uri = pop @args;
    my $port = port($request->{port});

    return curl_response($request,
        Enkod::Protocol::run($request->{body}, @args,
                             "http://127.0.0.1:$port$uri"));
}


# by curl, with the protocol that TEST_ENKOD_PROTOCOL names

sub run_protocol {
    my ($request) = @_;

    my $chunks = $request->{chunks};

    return curl_response($request,
        Enkod::Protocol::curl(port($protocol_port), $request->{uri}, %$request,
                              body => $chunks ? join('', @$chunks)
                                              : $request->{body},
                              unsized => $chunks));
}


# True if neither the request nor the expected answer needs HTTP/1.1, and
# another protocol is to be used.

sub any_protocol {
    my ($request, $expect) = @_;

    return $request->{version} eq '1.1' && !$request->{split}
           && !$expect->{closed}
           && Enkod::Protocol::goes(@{ $request->{headers} // [] });
}


# True if the answer comes before the body is read: nginx then resets the
# stream, and curl may not show the answer.  That is so for answers that nginx
# makes, for a body that is too large, and for requests that have no event.

sub answered_early {
    my ($request, $expect) = @_;

    return (exists $request->{body} || $request->{chunks})
           && ($request->{method} eq 'GET' || $expect->{status} == 413
               || $expect->{early}
               || (!$expect->{problem}
                   && $expect->{status} !~ /^(?:200|400|422|50[234])$/));
}


sub port {
    my ($name) = @_;

    return $name ? $Test::Nginx::Util::RandPorts->{$name}
                 : $Test::Nginx::Util::ServerPortForClient;
}


sub curl_response {
    my ($request, $said) = @_;

    my $response = EnkodTest::Client->parse($said, $request);

    if ($response) {
        $response->{by_curl} = 1;
    }

    return $response;
}


# Sends the requests of --- tries and checks the answers.

my $client;

sub try {
    my ($name, $request, $expect) = @_;

    my %before = sizes();
    my $began = Time::HiRes::time();

    my $perhaps = $expect->{perhaps};
    my $response;

    if ($request->{curl}) {
        $response = run_curl($request);

    } elsif ($request->{raw}) {
        undef $client;
        $client = connection();
        $response = $request->{raw}->($client);

    } elsif (any_protocol($request, $expect)) {
        $response = run_protocol($request);
        $perhaps ||= answered_early($request, $expect);

    } else {
        $client //= connection();
        $client->send_request($request);
        $response = $client->read_response($request);
    }

    # a line must be there before the 200 is
    my %after = sizes();

    # no answer, or only a part of it
    if ((!$response || $response->{cut}) && $perhaps) {
        check_files($name, {}, $expect, \%before, \%after, $began);
        return;
    }

    if (!$response) {
        fail("$name - there is an answer");
        undef $client;
        return;
    }

    check_status($name, $response, $expect);
    check_headers($name, $response, $expect);

    if ($expect->{problem}) {
        check_problem($name, $request, $response, $expect);

    } elsif (defined $expect->{body}) {
        ref $expect->{body}
            ? like($response->{body}, $expect->{body}, "$name - body")
            : is($response->{body}, $expect->{body}, "$name - body");
    }

    check_files($name, $response, $expect, \%before, \%after, $began);

    if (defined $expect->{interim}) {
        is($response->{interim}, $expect->{interim}, "$name - interim answers");
    }

    if (!$response->{by_curl}) {
        check_connection($name, $response, $expect);
    }
}


sub check_status {
    my ($name, $response, $expect) = @_;

    is($response->{status}, $expect->{status}, "$name - status");

    my $phrase = ($expect->{problem} ? \%title : \%phrase)
                 ->{ $response->{status} };

    if ($response->{version} lt '2' && $phrase) {
        ref $phrase
            ? like($response->{phrase}, $phrase, "$name - reason phrase")
            : is($response->{phrase}, $phrase, "$name - reason phrase");
    }
}


sub check_headers {
    my ($name, $response, $expect) = @_;

    my %headers = %{ $expect->{headers} // {} };

    $headers{Allow} //= 'GET, HEAD, POST' if $expect->{status} == 405;
    $headers{'Retry-After'} //= undef if $expect->{status} != 503;

    for my $header (sort keys %headers) {
        my $value = $headers{$header};
        my $got = $response->{headers}{lc $header};

        $got = join ' | ', @$got if $got;

        ref $value ? like($got, $value, "$name - header $header")
                   : is($got, $value, "$name - header $header");
    }
}


sub check_problem {
    my ($name, $request, $response, $expect) = @_;

    my $status = $expect->{status};

    is($response->{headers}{'content-type'}[0], 'application/problem+json',
       "$name - Content-Type");

    my $body = eval { JSON::PP->new->utf8->decode($response->{body}) } // {};

    my %want = %{ $expect->{problem} };

    if (exists $want{offset} && !defined $want{offset}) {
        my $size = length join '', $request->{body} // (),
                                   @{ $request->{chunks} // [] };

        my $offset = delete $body->{offset};
        delete $want{offset};

        like($offset, qr/^\d+$/, "$name - offset");
        cmp_ok($offset, '<=', $size, "$name - offset");
    }

    my $detail = delete $body->{detail};
    like($detail, qr/^[A-Z].*\.$/, "$name - detail is a sentence");

    is_deeply($body, { title => $title{$status}, status => $status, %want },
              "$name - the problem's members")
        or diag($response->{body});

    unlike($response->{head} . $response->{body}, qr/s3cr3t/,
           "$name - no value is echoed");
}


sub check_connection {
    my ($name, $response, $expect) = @_;

    my $connection = $response->{headers}{connection}[0] // '';

    if ($expect->{closed}) {
        is($connection, 'close', "$name - Connection: close");
        ok($client->at_end, "$name - the connection is closed");
        undef $client;
        return;
    }

    if ($connection eq 'close') {
        fail("$name - the connection is kept");
        undef $client;
        return;
    }

    $client->send_request(get('/ready'));

    my $next = $client->read_response({});

    is($next && $next->{status}, 204, "$name - the connection is usable");

    undef $client if !$next;
}


sub sizes {
    return map { ($_ => -s $_) }
           glob "$Test::Nginx::Util::ServRoot/logs/*.jsonl";
}


sub check_files {
    my ($name, $response, $expect, $before, $after, $began) = @_;

    my $root = $Test::Nginx::Util::ServRoot;
    my %added;

    for my $path (sort keys %$after) {
        my $was = $before->{$path} // 0;
        next if $after->{$path} == $was;

        my $file = substr $path, length("$root/");

        $added{$file} = substr slurp($path), $was, $after->{$path} - $was;
    }

    if ($expect->{any_line}) {
        return;
    }

    if (!defined $expect->{line}) {
        is_deeply(\%added, {}, "$name - no byte is added to a file of lines");
        return;
    }

    my @files = ref $expect->{file} ? @{ $expect->{file} } : $expect->{file};

    is_deeply([sort keys %added], [sort @files], "$name - files with a line");

    my $test = $expect->{test} ? '"test":true,' : '';

    for my $file (@files) {
        my ($at, $id, $addr, $rest) = ($added{$file} // '') =~ m/
            ^ \{"received_at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",
            "request_id":"([0-9a-f]{32})","remote_addr":"([^"]+)", (.*) $ /sx;

        is($rest // $added{$file}, "$test$expect->{line}}\n", "$name - the line");
        is($addr, $expect->{remote_addr} // '127.0.0.1', "$name - remote_addr");

        my $seconds = seconds($at // '1970-01-01T00:00:00.000Z');

        # between the two, to the millisecond
        ok($seconds > $began - 0.001 && $seconds <= Time::HiRes::time(),
           "$name - received_at")
            or diag("$at is not after $began");

        if (my $header = $response->{headers}{'x-request-id'}) {
            is($id, $header->[0], "$name - request_id is \$request_id");
        }
    }
}


sub seconds {
    my ($y, $m, $d, $hour, $min, $sec, $msec) = $_[0] =~ /\d+/g;

    return Time::Local::timegm($sec, $min, $hour, $d, $m - 1, $y) + $msec / 1000;
}


# the Perl list in a section of a block

sub list {
    my ($block, $section) = @_;

    my $text = $block->$section;

    utf8::encode($text) if utf8::is_utf8($text);

    my @list = eval "package main; $text";

    die $block->name . ": $section: $@" if $@;

    return @list;
}

Test::Nginx::Util::add_block_preprocessor(sub {
    my ($block) = @_;

    my $webhook = $block->webhook;
    my $config = $block->config;

    $config //= '
        location = /enkod {
            enkod_webhook;
            enkod_log logs/events.jsonl;
            add_header X-Request-Id $request_id always;
            ' . ($webhook // '') . '
        }
        ' . ($block->server // '');

    $config .= Enkod::Protocol::listen("\$$protocol_port");

    if (!defined $block->must_die) {
        $config .= '
        location = /ready {
            access_log off;
            return 204;
        }';
    }

    $block->set_value('config', $config);
    $block->set_value('no_http2', 1);

    $block->set_value('http_config', ($block->http_config // '')
                                     . "\n$Enkod::Protocol::early_read");

    # nginx has started when this is answered
    if (!defined $block->request) {
        $block->set_value('request', 'GET /ready');
        $block->set_value('error_code', 204);
    }
});

Test::Nginx::Socket::add_response_body_check(sub {
    my ($block, $body, $index, $repeated, $dry) = @_;

    return if $dry || $index;

    if (defined $block->tries) {
        for my $try (list($block, 'tries')) {
            my ($title, $request, $expect) = @$try;
            try($block->name . ": $title", $request, $expect);
        }
    }

    undef $client;

    wait_for_messages($block);

    if (defined $block->files) {
        my @files = list($block, 'files');

        while (my ($name, $want) = splice @files, 0, 2) {
            my $path = "$Test::Nginx::Util::ServRoot/$name";
            my $title = $block->name . ": $name";
            my $text;

            # nginx writes its logs after the answer
            wait_for(sub {
                $text = slurp($path) // '';
                ref $want ? $text =~ $want : $text eq $want;
            });

            ref $want ? like($text, $want, $title) : is($text, $want, $title);
        }
    }
});


# Test::Nginx reads the error log once, after a fixed pause.  This waits until
# the messages that a block asks for are there.  Messages that it forbids would
# be there too by then, as the worker has answered a later request.

sub wait_for_messages {
    my ($block) = @_;

    my $wanted = $block->error_log;

    return if !defined $wanted && !defined $block->no_error_log;

    my $after = connection();

    $after->send_request(get('/ready'));
    $after->read_response({});

    my @patterns = ref $wanted eq 'ARRAY' ? @$wanted
                   : ref $wanted ? $wanted
                   : map { qr/\Q$_/ } grep { length } split /\n/, $wanted // '';

    wait_for(sub {
        my $said = slurp($Test::Nginx::Util::ErrLogFile);
        !grep { $said !~ $_ } @patterns;
    });
}

1;
