# docs/status.schema.json is a schema (2020-12), and what enkod_status answers
# conforms to it; a JSON Schema validator of Python says so.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../../lib";

use File::Temp ();
use JSON::PP;
use Test::More;

use Enkod::Load qw(event refused_event);
use Enkod::Needs qw(need);
use Enkod::Nginx;
use Enkod::StatusTest qw(status);

need("jsonschema", "python3-jsonschema");

my $schema = dirname(__FILE__) . "/../../../docs/status.schema.json";
my $sync = Enkod::NginxConf::threads() ? "sync" : "";

my $nginx = Enkod::Nginx->create(http => <<'END', server => <<"END");
enkod_event  "vendor \"new\" событие"  a=any;
END
location = /enkod {
    enkod_webhook;
    enkod_unknown_event  accept;
    enkod_log            events.jsonl   $sync;
    enkod_reject_log     refused.jsonl  $sync;
}
location = /pass {
    enkod_webhook;
    enkod_pass   /target;
    enkod_spool  spool.jsonl;
}
location = /folder {
    enkod_webhook;
    enkod_log  in/a.jsonl;
}
location = "/quote\\"\xff" {
    enkod_webhook;
    enkod_log  /dev/null;
}
location = /target {
    return 502;
}
location = /status {
    enkod_status json;
}
END

my $folder = $nginx->path("in");

mkdir $folder;
chmod 0777, $folder;
$nginx->start;

is check(status($nginx)), "", "the first answer conforms to the schema";

$nginx->post(event("E"), uri => "/enkod");
$nginx->post('{"event":"o"}', uri => "/enkod");
$nginx->post(refused_event("R"), uri => "/enkod");
$nginx->post(event("P"), uri => "/pass");

unlink "$folder/a.jsonl";
rmdir $folder;
$nginx->post(event("F"), uri => "/folder");

my $json = status($nginx);

is check($json), "", "an answer with numbers and an error conforms to it";
is scalar(grep { $_->{error} } @{ $json->{files} }), 1, "it has an error";

my %wrong = (
    "another version" => sub { $_[0]{schema} = 2 },
    "no start" => sub { delete $_[0]{started_at} },
    "no milliseconds" => sub { $_[0]{now} =~ s/\.\d+// },
    "a number in quotes" => sub { $_[0]{workers} = "1" },
    "a negative number" => sub { $_[0]{receivers}[0]{probes} = -1 },
    "no code" => sub { $_[0]{receivers}[0]{refusals} = {} },
    "an event without its time" => sub {
        delete $_[0]{receivers}[0]{events}{"message open"}{last_at};
    },
    "a bucket without bound" => sub {
        delete $_[0]{receivers}[0]{answer_seconds}{buckets}[0]{le};
    },
    "another use" => sub { $_[0]{files}[0]{use} = "access" },
    "a short series" => sub {
        $_[0]{history}{receivers}[0]{events}{"message open"} = [0];
    },
);

for my $name (sort keys %wrong) {
    my $copy = decode_json(encode_json($json));

    $wrong{$name}->($copy);
    isnt check($copy), "", "the schema refuses $name";
}

my $more = decode_json(encode_json($json));

$more->{member} = $more->{receivers}[0]{member} = 1;

is check($more), "", "it allows more members";

done_testing();


# what the validator says, or nothing

sub check {
    my ($value) = @_;

    my $file = File::Temp->new;

    print $file encode_json($value);
    close $file;

    return scalar `/usr/bin/python3 - '$schema' '$file' 2>&1 <<'END'
import json, sys
from jsonschema import Draft202012Validator as Validator, FormatChecker

schema, answer = [json.load(open(name)) for name in sys.argv[1:]]

Validator.check_schema(schema)

for error in Validator(schema, format_checker=FormatChecker()).iter_errors(answer):
    print("/".join(map(str, error.absolute_path)), error.message[:200])
END`;
}
