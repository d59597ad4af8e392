# Subrequests that a target of enkod_pass makes work as everywhere, whatever the
# order in which modules are loaded; no part of their answers is sent to enKod.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Client;
use Enkod::Load qw(event);
use Enkod::Modules;
use Enkod::Nginx;
use Enkod::Wait qw(wait_for);
use Enkod::MemoryCheck;

my $unpacked = $Enkod::Modules::unpacked;

my $server = <<'END';
        access_log  logs/access.log  f;

        location = /ssi {
            enkod_webhook;
            enkod_pass  /to/ssi;
        }

        location = /to/ssi {
            internal;
            ssi           on;
            default_type  text/html;
            proxy_pass    http://127.0.0.1:%SECOND%/page;
        }

        location = /to/ssi-text {
            internal;
            ssi           on;
            default_type  text/html;
            return  200  'a <!--#include virtual="/part?n=1" --> b <!--#include virtual="/part?n=2" wait="yes" --> c';
        }

        location = /ssi-text {
            enkod_webhook;
            enkod_pass  /to/ssi-text;
        }

        location = /part {
            internal;
            log_subrequest  on;
            proxy_pass      http://127.0.0.1:%SECOND%/part$is_args$args;
        }

        location = /capture {
            enkod_webhook;
            enkod_pass  /to/capture;
        }

        location = /captured {
            internal;
            return  200  "captured";
        }

        location = /upstream {
            internal;
            proxy_pass  http://127.0.0.1:%SECOND%/part;
        }

        %LUA%
END

my $http = <<'END';
        log_format  f  '$uri|$status|$args|$enkod_result';

        server {
            listen        127.0.0.1:%SECOND%;
            default_type  text/html;

            location = /page {
                return  200  'x <!--#include virtual="/part?n=1" --> y <!--#include virtual="/part?n=2" --> z';
            }

            location = /part {
                return  200  "part";
            }
        }
END

my $lua = <<'END';
        location = /to/capture {
            internal;
            content_by_lua_block {
                ngx.req.read_body()
                local body = ngx.req.get_body_data()

                local one = ngx.location.capture("/captured",
                    { method = ngx.HTTP_POST, body = body })
                local two, three = ngx.location.capture_multi({
                    { "/upstream" }, { "/captured" } })

                ngx.log(ngx.WARN, "got ", #body, " ", one.body, " ", two.body,
                        " ", three.body, " ", ngx.req.get_method(), " ",
                        ngx.var.request_method, " ", ngx.var.content_length)
                ngx.say("said")
            }
        }
END


{
    my $nginx = Enkod::Nginx->create(workers => 1, http => $http,
                                     server => $server =~ s/%LUA%//r);
    $nginx->start;
    ssi("", $nginx);
    $nginx->stop;
}

for my $first (1, 0) {

    SKIP: {
        skip "lua under $Enkod::MemoryCheck::name", 1 if $Enkod::MemoryCheck::name;

        my $load = join "",
                   map { "load_module " . Enkod::Modules::file($_) . ";\n" }
                   qw(ndk_http_module ngx_http_lua_module);

        my $nginx = Enkod::Nginx->create(workers => 1,
            http => "lua_package_path '$unpacked/share/lua/5.1/?.lua;;';$http",
            server => $server =~ s/%LUA%/$lua/r,
            $first ? "load" : "main", $load);

        my ($said, $ok) = $nginx->check;

        skip "no lua for this nginx", 1
            if !$ok && Enkod::Modules::misfit($said);

        my $title = "lua, loaded " . ($first ? "first" : "after") . ": ";

        $nginx->start;
        ssi($title, $nginx);
        capture($title, $nginx);
        $nginx->stop;
    }
}

done_testing();


# Sends two events over one connection, on which any stray bytes would be seen.

sub hand_on {
    my ($nginx, $uri, $title) = @_;

    my $client = $nginx->client;

    for (1, 2) {
        $client->send(Enkod::Client::request(event("s"), uri => $uri));

        my $answer = $client->read;

        is($answer->{status}, 200, "${title}200");
        is($answer->{body}, "",
           "${title}no part of the upstream's answer is sent to enKod");
    }
}


sub ssi {
    my ($title, $nginx) = @_;

    for my $uri ("/ssi", "/ssi-text") {
        hand_on($nginx, $uri, "$title$uri: ");

        for my $part (1, 2) {
            ok(wait_for(sub {
                   2 == grep { m{^/part\|200\|n=$part\|} }
                             $nginx->lines("logs/access.log")
               }), "$title$uri: part $part is included");
        }

        truncate "$nginx->{dir}/logs/access.log", 0;
    }
}


sub capture {
    my ($title, $nginx) = @_;

    hand_on($nginx, "/capture", "${title}a capture: ");

    my $line = qr/got (\d+) captured part captured POST POST (\d+)/;
    my @got = map { [/$line/] } grep { /$line/ } split /\n/, $nginx->error_log;

    is(scalar @got, 2, "${title}the target gets the captured answers");
    is($got[0][0], $got[0][1], "${title}the target gets the whole event");
}
