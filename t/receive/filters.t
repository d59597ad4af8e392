# Whatever filters of other modules do to an answer, and in whatever order
# modules are loaded, the answer is complete on the wire, and its status says so
# if an event was not kept.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::Load qw(event);
use Enkod::Modules;
use Enkod::Nginx;
use Enkod::Wait;
use Enkod::MemoryCheck;

my $unpacked = $Enkod::Modules::unpacked;

# Filters of nginx that remove the length or add to the body.  With "closes", an
# answer without a length may end with its connection.

my @nginx = (
    [ "none", "" ],
    [ "add_trailer", "add_trailer X-Trailer yes always;" ],
    [ "add_before_body", "add_before_body /more; addition_types *;" ],
    [ "add_after_body", "add_after_body /more; addition_types *;" ],
    [ "ssi", "ssi on; ssi_types *;" ],
    [ "sub_filter", "sub_filter e E; sub_filter_once off; sub_filter_types *;" ],
    [ "charset", "charset utf-8; source_charset x; charset_types *; "
                 . "override_charset on;" ],
    [ "gzip", "gzip on; gzip_types *; gzip_min_length 0; "
              . "gzip_http_version 1.0;" ],
    [ "gunzip", "gunzip on;" ],
    [ "all of them", "add_trailer X-Trailer yes always; ssi on; ssi_types *; "
                     . "add_after_body /more; addition_types *; gzip on; "
                     . "gzip_types *; gzip_min_length 0;" ],
    [ "no chunks", "ssi on; ssi_types *; add_trailer X-Trailer yes always; "
                   . "chunked_transfer_encoding off;", closes => 1 ],
    [ "no keep-alive", "ssi on; ssi_types *; keepalive_timeout 0;",
      closes => 1 ],
);

# the kinds of requests, and their statuses
my @answers = (
    [ "kept", "POST", event(1), 200 ],
    [ "kept", "POST", "[]", 422 ],
    [ "full", "POST", event(2), 503 ],
    [ "page", "POST", event(3), 503 ],
    [ "kept", "GET", undef, 200 ],
    [ "kept", "HEAD", undef, 200 ],
);

my @protocols = (
    [ "HTTP/1.1", "http", "port", "--http1.1" ],
    [ "HTTP/1.0", "http", "port", "--http1.0" ],
    [ "HTTP/1.0 with keep-alive", "http", "port", "--http1.0",
      "-H", "Connection: keep-alive" ],
    [ "HTTP/2", "http", "second", "--http2-prior-knowledge" ],
);

push @protocols, [ "HTTP/3", "https", "protocol_port", "--http3-only", "-k" ]
    if ($ENV{TEST_ENKOD_PROTOCOL} || "") eq "http/3";


sub server {
    my (@filters) = @_;

    my $server = <<"END";
        listen  127.0.0.1:%SECOND% http2;

        access_log  logs/access.log  result;

        location = /more {
            return 200 "more\\n";
        }
        location \@page {
            return 200 "page\\n";
        }
END

    for (0 .. $#filters) {
        my $directives = $filters[$_][1];

        $server .= <<"END";
        location = /kept/$_ {
            enkod_webhook;
            enkod_log  a.jsonl;
            $directives
        }
        location = /full/$_ {
            enkod_webhook;
            enkod_log  /dev/full;
            $directives
        }
        location = /page/$_ {
            enkod_webhook;
            enkod_log   /dev/full;
            error_page  503 = \@page;
            $directives
        }
END
    }

    return $server;
}

sub nginx {
    my ($filters, %o) = @_;

    return Enkod::Nginx->create(%o, server => server(@$filters),
        http => 'log_format  result  "$status $enkod_result"; '
                . 'charset_map x utf-8 { 80 D080; } ' . ($o{http} || ""));
}

# Requests all kinds of answers twice, over one connection if it is kept.
# Returns the statuses, or the message of curl.  Over HTTP/2, curl 7.88 uses no
# connection twice.

sub ask {
    my ($nginx, $n, $protocol) = @_;

    my ($name, $scheme, $port, @options) = @$protocol;
    my @calls;

    for (@answers) {
        my ($kind, $method, $body) = @$_;

        my @args = ("-s", "-g", @options, "--max-time", $Enkod::Wait::limit,
                    "-w", '%{http_code} ', "-o", "/dev/null",
                    $method eq "HEAD" ? "-I" : ("-X", $method),
                    defined $body ? ("--data-binary", $body) : (),
                    "$scheme://127.0.0.1:$nginx->{$port}/$kind/$n");

        push @calls, [ @args ], [ @args ];
    }

    # only between URLs, as newer versions of curl need a URL first
    if ($name ne "HTTP/2") {
        @calls = [ map { ("--next", @$_) } @calls ];
        shift @{ $calls[0] };
    }

    return join "", map { curl(@$_) } @calls;
}

sub curl {
    open my $curl, "-|", $ENV{TEST_ENKOD_CURL} || "curl", @_
        or die "curl: $!";
    my $said = <$curl>;
    close $curl;

    return ($said // "") . ($? ? "(curl: " . ($? >> 8) . ") " : "");
}

sub check {
    my ($title, $nginx, $filters, %answer) = @_;

    my @status = map { $answer{$_->[3]} || $_->[3] } @answers;

    for my $n (0 .. $#$filters) {
        my ($filter, undef, %o) = @{ $filters->[$n] };

        like ask($nginx, $n, $_), qr/^@{[ map { "(?:$_) (?:$_)" } @status ]} $/,
             "$title$filter: every answer ends, $_->[0]"
            for @protocols;

        pipeline("$title$filter", $nginx, $n) if !$o{closes};

        cmp_ok broken($nginx, $n), ">=", 400,
               "$title$filter: a body that nginx cannot read is not a success";
    }

    # each twice, and the first of the pipelined ones
    my $kept = 0;
    $kept += 2 * @protocols + ($_->[2] ? 0 : 2) for @$filters;

    is scalar(() = $nginx->content("a.jsonl") =~ /\n/g), $kept,
       "${title}each event that was accepted is in the log";

    unlike $nginx->content("logs/access.log"), qr/^[1-4].. failed$/m,
           "${title}the access log agrees";
}

# pipelined requests, whose answers are parsed here
sub pipeline {
    my ($title, $nginx, $n) = @_;

    my $client = $nginx->client;

    $client->send(join "", map { Enkod::Client::request(event(4), uri => $_) }
                  "/kept/$n", "/full/$n", "/page/$n", "/kept/$n");

    my @got;

    for (1 .. 4) {
        my $head = take($client, qr/HTTP\/1\.1 .*?\r\n\r\n/s) // last;

        if ($head =~ /^Transfer-Encoding: chunked\r$/m) {

            while (1) {
                my ($size) = (take($client, qr/[0-9a-f]+\r\n/) // "")
                             =~ /^(.+)\r/ or last;
                $size = hex $size;

                # trailers and an empty line follow the last chunk
                take($client, $size ? qr/.{$size}\r\n/s
                                    : qr/(?:[^\r\n]+\r\n)*\r\n/) // last;
                last if !$size;
            }

        } elsif ($head =~ /^Content-Length: (\d+)\r$/m) {
            take($client, qr/.{$1}/s);

        } else {
            last;
        }

        push @got, $head =~ /^HTTP\/1\.1 (\d+)/;
    }

    is "@got", "200 503 503 200", "$title: pipelined answers";
    is $client->{buf}, "", "$title: the connection has no other bytes";
}

sub broken {
    my ($nginx, $n) = @_;

    my $client = $nginx->client;

    $client->send("POST /kept/$n HTTP/1.1\r\nHost: a\r\n"
                  . "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"eve\r\nnonsense");

    return $client->status;
}

# reads the next bytes, which match a pattern
sub take {
    my ($client, $what) = @_;

    1 while $client->{buf} !~ /^$what/ && $client->fill;

    return $client->{buf} =~ s/^($what)// ? $1 : undef;
}


{
    my $nginx = nginx(\@nginx);

    $nginx->start;
    check("", $nginx, \@nginx);
    $nginx->stop;
}


# modules of other projects, and what their filters do

my @others = (
    { name => "headers-more",
      modules => [ "ngx_http_headers_more_filter_module" ],
      filters => [ [ "length", "more_clear_headers Content-Length;" ] ] },

    { name => "njs", modules => [ "ngx_http_js_module" ],
      http => "js_import f from %DIR%/f.js;",
      filters => [ [ "length and status", "js_header_filter f.header;" ],
                   [ "body", "js_header_filter f.length; "
                             . "js_body_filter f.body;" ] ],
      said => [ { 422 => "200|422" }, {} ] },

    { name => "lua", modules => [ "ndk_http_module", "ngx_http_lua_module" ],
      http => "lua_package_path '$unpacked/share/lua/5.1/?.lua;;';",
      filters => [ [ "length and status", 'header_filter_by_lua_block {
                         ngx.status = 200; ngx.header.content_length = nil }' ],
                   [ "body", 'header_filter_by_lua_block {
                                  ngx.header.content_length = nil }
                              body_filter_by_lua_block {
                                  if ngx.arg[2] then
                                      ngx.arg[1] = (ngx.arg[1] or "") .. "more"
                                  end }' ] ],
      said => [ { 422 => "200|422" }, {} ] },
);

my $njs = <<'END';
function header(r) {
    r.status = 200;
    length(r);
}

function length(r) {
    delete r.headersOut['Content-Length'];
}

function body(r, data, flags) {
    r.sendBuffer(flags.last ? data + 'more' : data, flags);
}

export default { header, length, body };
END

for my $other (@others) {
    for my $first (1, 0) {

        SKIP: {
            skip "$other->{name} under $Enkod::MemoryCheck::name", 1
                if $Enkod::MemoryCheck::name;

            my $load = join "", map { "load_module $_;\n" }
                                map { Enkod::Modules::file($_) }
                                    @{ $other->{modules} };

            for my $i (0 .. $#{ $other->{filters} }) {
                my $filters = [ $other->{filters}[$i] ];

                my $nginx = nginx($filters, http => $other->{http},
                                  $first ? "load" : "main", $load);

                spew("$nginx->{dir}/f.js", $njs);

                my ($said, $ok) = $nginx->check;

                skip "no $other->{name} for this nginx", 1
                    if !$ok && Enkod::Modules::misfit($said);

                $nginx->start;
                check("$other->{name}, loaded "
                      . ($first ? "first, " : "after, "),
                      $nginx, $filters, %{ $other->{said}[$i] || {} });
                $nginx->stop;
            }
        }
    }
}

sub spew {
    my ($path, $text) = @_;

    open my $fh, ">", $path or die "$path: $!";
    print $fh $text;
    close $fh;
}

done_testing;
