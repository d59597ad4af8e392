# What nginx does before the module handles a request or its subrequest: a
# mirror gets the body before the token is compared, and an "if" of the server
# also runs for the subrequest of enkod_pass.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::Load qw(event);
use Enkod::Nginx;
use Enkod::Port qw(free_port);

my $port = free_port();
my $targets = <<"END";
        location = /to {
            internal;
            proxy_pass  http://127.0.0.1:$port;
        }

        location \@to {
            proxy_pass  http://127.0.0.1:$port;
        }
END

my $mirror = Enkod::Nginx->new(http => <<"MAP", server => <<"END");
        map \$arg_token \$refused {
            s3cret   "";
            default  yes;
        }
MAP
        location = /token {
            enkod_webhook;
            enkod_log    a.jsonl;
            enkod_token  \$arg_token  s3cret;
            mirror       /to;
        }

        location = /if {
            if (\$refused) {
                return 403;
            }

            enkod_webhook;
            enkod_log  a.jsonl;
            mirror     /to;
        }

        location = /deny {
            deny       all;
            enkod_webhook;
            enkod_log  a.jsonl;
            mirror     /to;
        }

        $targets
END

my $backend = Enkod::Backend->new(dir => $mirror->{dir}, port => $port);


# the events that the backend has got, when there are so many

sub got {
    return join " ", map { $_->{body} =~ /"([A-Z]-\d)"/ }
                         $backend->wait_requests(@_);
}


# mirror

is $mirror->post(event("M-1"), uri => "/token?token=s3cret")->{status}, 200,
   "an event with the right token is accepted";
is got(1), "M-1", "a mirror gets the event with the right token";
is $mirror->post(event("M-2"), uri => "/token?token=wrong")->{status}, 403,
   "an event with a wrong token is refused by \"enkod_token\"";
is got(2), "M-1 M-2", "a mirror gets the event with the wrong token, too";

# over HTTP/2, curl would not show the status of an upload that is cut off
my @close = (close => 1);

is $mirror->post(event("M-3"), uri => "/if?token=wrong", @close)->{status}, 403,
   "an event with a wrong token is refused by \"if\" of the location";
is $mirror->post(event("M-4"), uri => "/deny", @close)->{status}, 403,
   "an event from a denied address is refused";
is $mirror->post(event("M-5"), uri => "/if?token=s3cret")->{status}, 200,
   "another event is accepted";
is got(3), "M-1 M-2 M-5", "a mirror gets only the accepted one of these";

is join(" ", map { /"message_uid":"(.*?)"/ } $mirror->lines("a.jsonl")), "M-1 M-5",
   "refused events have no line";


# "if" of the server

my $nginx = Enkod::Nginx->new(server => <<"END");
        if (\$arg_token != s3cret) {
            return 403;
        }

        location = /path {
            enkod_webhook;
            enkod_pass  /to;
        }

        location = /argument {
            enkod_webhook;
            enkod_pass  /to?token=\$arg_token;
        }

        location = /named {
            enkod_webhook;
            enkod_pass  \@to;
        }

        $targets
END

$backend->forget;

is $nginx->post(event("S-1"), uri => "/named?token=wrong", @close)->{status}, 403,
   "\"if\" of the server refuses an event with a wrong token";

my $answer = $nginx->post(event("S-2"), uri => "/path?token=s3cret");

is $answer->{status}, 502,
   "\"if\" of the server refuses a subrequest that has no arguments";
like $answer->{body}, qr/"code":"upstream_failed"/, "that event has failed";

is $nginx->post(event("S-3"), uri => "/named?token=s3cret")->{status}, 200,
   "a subrequest to a named location is not refused";
is $nginx->post(event("S-4"), uri => "/argument?token=s3cret")->{status}, 200,
   "a subrequest with the argument is not refused";
is got(2), "S-3 S-4", "these two events arrive";

done_testing;
