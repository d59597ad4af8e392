# The value of a variable stays in its place as long as the request lives:
# captures of a regular expression are pointers into the text that was matched.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Backend;
use Enkod::Nginx;
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

# memory of that size is unmapped when it is freed
my $long = "name " x 100_000;

my %event = (
    "message open" => '"message_id":4711,"message_uid":"m-uid","sending_type":'
        . '"instant","name":"%s","from":"from@example.com",'
        . '"to":"to@example.com"',
    "delivery bounce" => '"message_id":4711,"message_uid":"m-uid",'
        . '"sending_type":"instant","name":"%s","from":"from@example.com",'
        . '"to":"to@example.com","error_message":"an error"',
    "message clicked" => '"message_id":4711,"message_uid":"m-uid",'
        . '"sending_type":"instant","name":"%s","from":"from@example.com",'
        . '"to":"to@example.com","click_url":"https://example.com/"',
    "mailing group subscribe" => '"email":"e@example.com","group_id":12,'
        . '"group_name":"%s","channel":"email"',
    "contact adding" => '"email":"e@example.com","phone":"491234",'
        . '"groups_names":["%s"],"groups_ids":[1,2,3]',
    "mine" => '"what":"anything","more":"%s"',
    "something else" => '"more":"%s"',
);

# each variable, an event that has it, and the beginning of its value
my @variables = (
    ["event", "something else", qr/^something else$/],
    ["json", "message open", qr/^\{"event":"message open","message_id":4711/],
    ["line", "message open", qr/^\{"received_at":"/],
    ["line_escaped", "message open", qr/^\{\\"received_at\\":\\"/],
    ["message_id", "message open", qr/^4711$/],
    ["message_uid", "message open", qr/^m-uid$/],
    ["sending_type", "message open", qr/^instant$/],
    ["name", "message open", qr/^(?:name )+$/],
    ["from", "message open", qr/^from\@example\.com$/],
    ["to", "message open", qr/^to\@example\.com$/],
    ["error_message", "delivery bounce", qr/^an error$/],
    ["click_url", "message clicked", qr{^https://example\.com/$}],
    ["email", "mailing group subscribe", qr/^e\@example\.com$/],
    ["group_id", "mailing group subscribe", qr/^12$/],
    ["group_name", "mailing group subscribe", qr/^(?:name )+$/],
    ["channel", "mailing group subscribe", qr/^email$/],
    ["phone", "contact adding", qr/^491234$/],
    ["groups_names", "contact adding", qr/^\["name name/],
    ["groups_ids", "contact adding", qr/^\[1,2,3\]$/],
    ["what", "mine", qr/^anything$/],
);

my $port = free_port();
my $locations = "";

for (@variables) {
    my ($name) = @$_;

    for my $order (qw(field line)) {
        my $body = $order eq "line" ? '$enkod_line' : '{}';

        $locations .= <<"END";
        location = /$order/$name {
            enkod_webhook;
            enkod_pass       /to/$order/$name;
            enkod_pass_body  '$body';
        }

        location = /to/$order/$name {
            internal;

            if (\$enkod_$name ~ "(?<${order}_$name>.{1,60})") {
                set  \$length  "\$enkod_line\$enkod_json\$enkod_line_escaped";
            }

            proxy_set_header  X-Captured  \$${order}_$name;
            proxy_pass        http://127.0.0.1:$port;
        }
END
    }
}

my $nginx = Enkod::Nginx->create(workers => 1, http => <<"END", server => <<"END");
        enkod_event           mine  what=string;
        enkod_unknown_event   accept;
        enkod_max_event_size  1m;

        map \$enkod_pass_response \$good {
            "~(?<response>.+)"  1;
        }

        map \$enkod_pass_status \$status_seen {
            "~(?<answered>.+)"  1;
        }

        map \$enkod_result \$result_seen {
            "~(?<result>.+)"  1;
        }

        map \$enkod_error \$error_seen {
            "~(?<code>.+)"  1;
        }

        map \$enkod_test \$test_seen {
            "~(?<test>.+)"  1;
        }

        map \$enkod_to \$target {
            "~\@(?<domain>.+)\$"  /to/line/to;
        }

        log_format  f  escape=none
            '\$good\$status_seen\$result_seen\$error_seen\$test_seen'
            ' \$answered|\$response|\$result|\$code|\$test|\$domain|\$enkod_line|\$domain';
END
        access_log  logs/access.log  f;

        location = /after {
            enkod_webhook;
            enkod_pass  \$target  success=\$good;
        }

        $locations
END

my $backend = Enkod::Backend->new(dir => $nginx->{dir}, port => $port);

$nginx->start;

for (@variables) {
    my ($name, $event, $value) = @$_;

    for my $order (qw(field line)) {
        $backend->forget;

        my $answer = post($event, "/$order/$name");
        my ($got) = $backend->requests;

        is($answer->{status}, 200, "\$enkod_$name, first the $order: 200");
        like($got->{headers}{"x-captured"} // "", $value,
             "\$enkod_$name, first the $order: the capture has its value");
    }
}

$backend->tell("body=some%20answer");
is(post("message open", "/after")->{status}, 200,
   "captures of variables of the outcome");

my $logged = qr/^111\ 200\|some\ answer\|accepted\|\|\|example\.com
                \|\{"received_at".*\|example\.com$/x;

ok(wait_for(sub { grep { /$logged/ } $nginx->lines("logs/access.log") }),
   "the access log has these captures, and the one that has chosen the target");

is($nginx->alerts, "", "the error log has no alerts");

done_testing();


sub post {
    my ($event, $uri) = @_;

    my $text = sprintf $event{$event}, $long;

    return $nginx->post(qq({"event":"$event",$text}), uri => $uri);
}
