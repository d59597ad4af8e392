# EnkodTest: what the tests of the request side share, on top of
# Test::Nginx::Socket.
#
# A block has, beside the sections of Test::Nginx:
#
#   --- webhook   directives for "location = /enkod", which is the usual
#                 receiver with logs/events.jsonl; it replaces --- config
#   --- server    more of the server, beside that location
#   --- tries     a Perl list of [ title, request, expectation ]; all of a
#                 block go to one nginx, over one connection as long as it is
#                 to be kept, and each is checked for what it may have added to
#                 any logs/*.jsonl: its line to the file named, or nothing
#   --- files     a Perl list of name => text or qr/.../, for files that must
#                 have this content in the end
#
# For `nginx -t` there are takes(), warns() and refuses().

package EnkodTest;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use Time::HiRes ();
use Time::Local ();

use Test::Nginx::Util ();
use Test::Nginx::Socket ();

use Enkod::Client;
use Enkod::Protocol;
use Enkod::Wait qw(wait_for);

our @EXPORT = qw(
    event compact message post get request raw h2 curl
    accepted nowhere problem answer
    takes warns refuses slurp
);

my $valgrind = $ENV{TEST_NGINX_USE_VALGRIND};

# one that no block uses
my $protocol_port = 'TEST_NGINX_RAND_PORT_9';

if (my $n = $ENV{TEST_ENKOD_WORKERS}) {
    Test::Nginx::Util::master_process_enabled('on');
    Test::Nginx::Util::workers($n);
}


# the statuses of docs/directives.md, and the phrases of RFC 9110

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

# answers that are nginx's own have its own words, or those of Angie and
# freenginx; for 422 it has none
my %phrase = (
    %title, 200 => 'OK', 204 => 'No Content', 405 => 'Not Allowed',
    413 => 'Request Entity Too Large', 422 => undef,
    503 => qr/^Service (?:Temporarily )?Unavailable\z/,
    504 => qr/^Gateway Time-?out\z/i,
);


# Bodies

# one of the vendor's, as it stands in t/bodies
sub event {
    my ($name) = @_;

    return slurp("t/bodies/$name.json");
}

# the same JSON on one line
sub compact {
    my ($text) = @_;

    $text =~ s/\n *//g;
    $text =~ s/": /":/g;

    return $text;
}

# a "message open" that is no test delivery; a pair replaces a member's JSON,
# removes it (undef), or adds one behind the others
sub message {
    my @members = (
        event => '"message open"', message_id => 7, message_uid => '"uid"',
        sending_type => '"regular"', name => '"Name"', from => '"a@example.com"',
        to => '"b@example.com"',
    );

    while (my ($name, $json) = splice @_, 0, 2) {
        my ($i) = grep { $members[$_] eq $name } map { 2 * $_ } 0 .. $#members / 2;

        if (!defined $i) {
            push @members, $name, $json;
        } elsif (defined $json) {
            $members[$i + 1] = $json;
        } else {
            splice @members, $i, 2;
        }
    }

    my @text;
    while (my ($name, $json) = splice @members, 0, 2) {
        push @text, qq("$name":$json);
    }

    return '{' . join(',', @text) . '}';
}


# Requests: "headers" is a list of lines; "chunks" a list of pieces for chunked
# transfer; "split" how many bytes of the body to send at a time

sub request {
    my ($method, $uri, %option) = @_;

    return { method => $method, uri => $uri, version => '1.1', %option };
}

sub post {
    my ($body, %option) = @_;

    return request('POST', $option{uri} // '/enkod', %option, body => $body);
}

sub get {
    my ($uri, %option) = @_;

    return request('GET', $uri // '/enkod', %option);
}

# A sub that gets a fresh socket, does what it likes and returns a response, or
# what read_response() of the socket gives.
sub raw {
    my ($sub) = @_;

    return { raw => $sub };
}

# by curl; the URL's path is the last argument, and a body goes to stdin
sub curl {
    my ($body, @args) = @_;

    return { curl => \@args, body => $body };
}

# HTTP/2, to the port that the block has for it
sub h2 {
    my ($body, @args) = @_;

    my $uri = @args && $args[-1] =~ m{^/} ? pop @args : '/enkod';

    return { curl => ['--http2-prior-knowledge',
                      defined $body ? ('--data-binary', '@-') : (),
                      @args, $uri],
             port => 'TEST_NGINX_RAND_PORT_1', body => $body };
}


# Expectations.  Common options: headers => { name => value, qr//, or undef for
# a header that must not be there }, closed => 1 for an answer that ends the
# connection, while all others must leave it usable; interim => the number of
# answers with 100 before it, perhaps => 1 for an answer that the client may not
# get to see, early => 1 for one that nginx gives before it reads the body, so that
# an HTTP/2 or HTTP/3 client may not, any_line => 1 where the lines do not matter.

# 200, and the line with these members of the event in the file
sub accepted {
    my ($members, %option) = @_;

    return { status => 200, body => '', line => $members,
             file => 'logs/events.jsonl', %option };
}

# 200 without a line
sub nowhere {
    return { status => 200, body => '', @_ };
}

# problem+json with exactly these members beside title, status and detail; an
# offset of undef stands for any within the body
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


# The client

sub connect_to {
    my ($port) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp')
        or die "cannot connect to port $port: $!";

    $socket->autoflush(1);

    return bless { socket => $socket, buffer => '' }, 'EnkodTest::Client';
}

sub send_request {
    my ($client, $request) = @_;

    my $body = $request->{body};
    my @lines = ("$request->{method} $request->{uri} HTTP/$request->{version}");

    push @lines, 'Host: localhost';
    push @lines, @{ $request->{headers} // [] };

    if ($request->{chunks}) {
        push @lines, 'Transfer-Encoding: chunked';
        $body = join '', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
                         @{ $request->{chunks} }, '';

    } elsif (defined $body && !grep { /^Content-Length:/i } @lines) {
        push @lines, 'Content-Length: ' . length $body;
    }

    my $head = join "\r\n", @lines, '', '';
    $body //= '';

    if (my $size = $request->{split}) {
        for ($head, unpack "(a$size)*", $body) {
            $client->write($_);
            Enkod::Client::taken($client);
        }
        return;
    }

    $client->write($head . $body);
}

sub run_curl {
    my ($request) = @_;

    my @args = @{ $request->{curl} };
    my $uri = pop @args;
    my $port = port($request->{port});

    return curl_response($request,
        Enkod::Protocol::run($request->{body}, @args,
                             "http://127.0.0.1:$port$uri"));
}

# by the protocol of this run
sub run_protocol {
    my ($request) = @_;

    my $chunks = $request->{chunks};

    return curl_response($request,
        Enkod::Protocol::curl(port($protocol_port), $request->{uri}, %$request,
                              body => $chunks ? join('', @$chunks)
                                              : $request->{body},
                              unsized => $chunks));
}

# what it can ask, and how it can be answered, without HTTP/1.1
sub any_protocol {
    my ($request, $expect) = @_;

    return $request->{version} eq '1.1' && !$request->{split}
           && !$expect->{closed}
           && Enkod::Protocol::goes(@{ $request->{headers} // [] });
}

# One answered before its body is read: nginx then cuts off the upload, and curl
# may not show the answer.  That is what nginx answers by itself, what is too
# large, and no event at all.
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

    my $client = bless { buffer => $said }, 'EnkodTest::Client';
    my $response = $client->read_response($request);

    if ($response) {
        $response->{by_curl} = 1;
    }

    return $response;
}


package EnkodTest::Client;

use IO::Select;

sub write {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;
        last if !defined $n;
        substr $bytes, 0, $n, '';
    }
}

# more bytes into the buffer; false at the end of the connection
sub fill {
    my ($self) = @_;

    return 0 if !$self->{socket};

    if (!IO::Select->new($self->{socket})->can_read($Enkod::Wait::limit)) {
        $self->{timed_out} = 1;
        return 0;
    }

    return sysread $self->{socket}, $self->{buffer}, 65536,
                   length $self->{buffer};
}

sub at_end {
    my ($self) = @_;

    return !$self->fill && !$self->{timed_out} && $self->{buffer} eq '';
}

# The final response, without the interim ones (they are counted), or undef.
sub read_response {
    my ($self, $request) = @_;

    my %response = (interim => 0, headers => {});

    while (1) {
        while ($self->{buffer} !~ /\r\n\r\n/) {
            return if !$self->fill;
        }

        $self->{buffer} =~ s/^(.*?)\r\n\r\n//s;

        my ($first, @lines) = split /\r\n/, $1;

        $first =~ m{^HTTP/(\S+) (\d{3}) ?(.*)$} or return;
        @response{qw(version status phrase)} = ($1, $2, $3);

        if ($2 == 100) {
            $response{interim}++;
            next;
        }

        $response{head} = join "\n", $first, @lines, '';

        for (@lines) {
            my ($name, $value) = /^([^:]+): *(.*)$/;
            push @{ $response{headers}{lc $name} }, $value;
        }

        last;
    }

    my $headers = $response{headers};
    my $length = $headers->{'content-length'};

    if (($request->{method} // '') eq 'HEAD' || $response{status} == 204) {
        $response{body} = '';

    } elsif ($length) {
        while (length $self->{buffer} < $length->[0]) {
            last if !$self->fill;
        }

        $response{cut} = length $self->{buffer} < $length->[0];
        $response{body} = substr $self->{buffer}, 0, $length->[0], '';

    } elsif ($headers->{'transfer-encoding'}) {
        $response{body} = '';

        while (1) {
            while ($self->{buffer} !~ /\r\n/) {
                return if !$self->fill;
            }

            $self->{buffer} =~ s/^([0-9a-f]+)\r\n//i or return;
            my $size = hex $1;

            while (length $self->{buffer} < $size + 2) {
                return if !$self->fill;
            }

            $response{body} .= substr $self->{buffer}, 0, $size, '';
            substr $self->{buffer}, 0, 2, '';
            last if $size == 0;
        }

    } else {
        1 while $self->fill;
        $response{body} = $self->{buffer};
        $self->{buffer} = '';
    }

    return \%response;
}


package EnkodTest;


# Checks

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
        $client = connect_to($Test::Nginx::Util::ServerPortForClient);
        $response = $request->{raw}->($client);

    } elsif (any_protocol($request, $expect)) {
        $response = run_protocol($request);
        $perhaps ||= answered_early($request, $expect);

    } else {
        $client //= connect_to($Test::Nginx::Util::ServerPortForClient);
        send_request($client, $request);
        $response = $client->read_response($request);
    }

    # what a 200 promises is there now, not later
    my %after = sizes();

    # or the beginning of one
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

    send_request($client, get('/ready'));

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

        # in between, as far as milliseconds tell
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

sub slurp {
    my ($path) = @_;

    open my $in, '<:raw', $path or return;
    local $/;

    return scalar(<$in>) // '';
}


# Blocks

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

    # nginx is up when this is answered
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

    all_is_said($block);

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


# Test::Nginx looks into the error log once, a moment later: until then what a
# block asks for has to be there, and what it forbids would be, as the worker has
# gone on to another request.

sub all_is_said {
    my ($block) = @_;

    my $wanted = $block->error_log;

    return if !defined $wanted && !defined $block->no_error_log;

    my $after = connect_to($Test::Nginx::Util::ServerPortForClient);

    send_request($after, get('/ready'));
    $after->read_response({});

    my @patterns = ref $wanted eq 'ARRAY' ? @$wanted
                   : ref $wanted ? $wanted
                   : map { qr/\Q$_/ } grep { length } split /\n/, $wanted // '';

    wait_for(sub {
        my $said = slurp($Test::Nginx::Util::ErrLogFile);
        !grep { $said !~ $_ } @patterns;
    });
}


# nginx -t: %config has the keys main, http, server and location (which is that
# of the webhook)

my $dir;

sub check_config {
    my (%config) = @_;

    $_ //= '' for @config{qw(main http server location)};

    $dir //= File::Temp->newdir;
    mkdir "$dir/logs";

    my $load = join '', map { "load_module $_;\n" }
                        split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';

    my $temp = join '', map { "${_}_temp_path $dir/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);

    open my $out, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";
    print $out "${load}pid $dir/pid;\nerror_log stderr;\nevents {}\n",
        "$config{main}\nhttp {\naccess_log off;\n$temp$config{http}\n",
        "server {\nlisten unix:$dir/socket;\n$config{server}\n",
        "location = /enkod {\n$config{location}\n}\n}\n}\n";
    close $out;

    # an nginx that refuses its configuration leaves the memory to the system

    my $under = $valgrind ? "valgrind -q $valgrind --leak-check=no" : '';

    my $said = `$under $Test::Nginx::Util::NginxBinary -t -e stderr -p $dir/ -c $dir/nginx.conf 2>&1`;

    return ($? == 0, $said);
}

sub takes {
    my ($title, %config) = @_;

    my ($ok, $said) = check_config(%config);

    ok($ok && $said !~ /\[/, $title) or diag($said);
}

sub warns {
    my ($title, $pattern, %config) = @_;

    my ($ok, $said) = check_config(%config);

    ok($ok, "$title - nginx -t passes") or diag($said);
    like($said, qr/\[warn\] .*$pattern/, $title);
}

sub refuses {
    my ($title, $pattern, %config) = @_;

    my ($ok, $said) = check_config(%config);

    ok(!$ok, "$title - nginx -t fails");
    like($said, qr/\[emerg\] .*$pattern/, $title);
}

1;
