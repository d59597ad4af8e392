# The documentation says what the sources have: directives, variables, codes,
# events, defaults, messages, limits and files; its links lead somewhere, and
# its JSON is JSON.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Spec;
use JSON::PP;
use Test::More;

use Enkod::File qw(slurp);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $src = "$top/ngx_http_enkod_module";

my $reference = slurp("$top/docs/directives.md");
my %page = map { File::Spec->abs2rel($_, $top) => slurp($_) }
           glob "$top/*.md $top/docs/*.md";


directives();
variables();
errors();
events();
defaults();
messages();
limits();
metrics();
source_files();
way_of_an_event();
faults();
alerts();
matrix();
functions();
links();
json();

done_testing();


# Every directive has its entry, with the contexts that the sources allow.

sub directives {
    my $c = slurp("$src/ngx_http_enkod_module.c");
    my %registered;

    while ($c =~ /ngx_string\("(enkod_\w+)"\),\s*((?:NGX_\w+\|?\s*)+),/g) {
        my ($name, $flags) = ($1, $2);

        $registered{$name} = join ", ",
            ($flags =~ /HTTP_MAIN_CONF/ ? "http" : ()),
            ($flags =~ /HTTP_SRV_CONF/ ? "server" : ()),
            ($flags =~ /HTTP_LOC_CONF/ ? "location" : ());
    }

    cmp_ok(scalar keys %registered, '>=', 9, "the sources have directives");

    my ($part) = $reference =~ /^## Directives\n(.*?)^## /ms;
    my %described = $part =~ /^### (\w+)\n(.*?)(?=^### |\z)/msg;

    for my $name (sort keys %registered) {
        my $entry = $described{$name} || "";

        like($entry, qr/^\*\*syntax:\*\* `$name\b[^`]*;`$/m,
             "$name has a syntax");
        like($entry, qr/^\*\*default:\*\* (?:—|the \S|`$name [^`]*;`)/m,
             "$name has a default");

        my ($context) = $entry =~ /^\*\*context:\*\* (.*)$/m;
        is($context, $registered{$name}, "$name has its contexts");

        like($entry, qr/^```nginx\n[^`]*\b$name\b/m, "$name has an example");
        like($reference, qr/\[$name\]\(#$name\)/, "$name has a link");
    }

    is(join(" ", sort keys %described), join(" ", sort keys %registered),
       "no directive is described that is not there");
}


sub variables {
    my %registered;

    my $c = slurp("$src/receive/ngx_http_enkod_variables.c");
    $registered{"\$$1"} = 1 while $c =~ /\{ ngx_string\("(enkod_\w+)"\)/g;

    $registered{"\$enkod_$_"} = 1 for map { $_->[0] } fields();

    my ($part) = $reference =~ /^## Variables\n(.*?)^## /ms;
    my %described = map { $_ => 1 } $part =~ /^\| `(\$enkod_\w+)` \| \S/mg;

    cmp_ok(scalar keys %registered, '>=', 21, "the sources have variables");
    is(join(" ", sort keys %described), join(" ", sort keys %registered),
       "every variable is described, and no other");
}


sub errors {
    my $c = slurp("$src/event/enkod_error.c");

    my %registered = $c =~ /\] = \{ "(\w+)", (\d+),/g;

    my ($part) = $reference =~ /^## Answers\n(.*?)^## /ms;
    my %described;
    $described{$2} = $1
        while $part =~ /^\| (\d+) \| `(\w+)` \| \S.* \| \S.* \|$/mg;

    cmp_ok(scalar keys %registered, '>=', 19, "the sources have errors");
    is_deeply(\%described, \%registered,
              "every code is described with its status, and no other");
}


# name and type of each field in the sources

sub fields {
    my $c = slurp("$src/event/enkod_schema.c");
    my %types = (string => "string", nullable => "string or null",
                 integer => "integer", strings => "array of strings",
                 integers => "array of integers");

    return map { [$_->[1], $types{$_->[0]}] }
           map { [/^(\w+)\("(\w+)/] }
           $c =~ /enkod_field_((?:string|nullable|integer|strings|integers)\("\w+")/g;
}


sub events {
    my $c = slurp("$src/event/enkod_schema.c");
    my @names = $c =~ /^    enkod_shape\("([^"]+)"/mg;

    my ($part) = $reference =~ /^## Events\n(.*?)^### /ms;
    my @described = $part =~ /^\| `([^`]+)` \| /mg;

    is(join(", ", @described), join(", ", @names),
       "every event is described, in the order of the sources");

    $part =~ s/\s+/ /g;

    for my $field (fields()) {
        like($part, qr/`$field->[0]` $field->[1]\b/,
             "$field->[0] is described as $field->[1]");
    }
}


# The defaults are those of the sources.

sub defaults {
    my $c = slurp("$src/ngx_http_enkod_module.c");

    my %default = $reference =~ /^\*\*default:\*\* `(enkod_\w+) ([^`]*);`$/mg;

    my ($size) = $c =~ /^#define NGX_HTTP_ENKOD_MAX_EVENT_SIZE\s+\((\d+) \* 1024\)$/m;

    is($default{enkod_max_event_size}, "${size}k",
       "the default of enkod_max_event_size is that of the sources");

    for (["enkod_extra_fields", "extra_fields"],
         ["enkod_unknown_event", "accept_unknown"],
         ["enkod_test", "ack_test"])
    {
        my ($name, $member) = @$_;
        my ($list) = $c =~ /ngx_string\("$name"\),.*?&(\w+) \}/s;
        my ($values) = $c =~ /ngx_conf_enum_t  $list\[\] = \{(.*?)null/s;
        my %value = reverse $values =~ /ngx_string\("(\w+)"\), (\w+) \}/g;
        my ($merged) = $c =~ /\(conf->$member, prev->$member,\s+(\w+)\)/;

        is($default{$name}, $value{$merged},
           "the default of $name is that of the sources");
    }
}


# Each quoted message can be found in the sources, and all messages of "nginx
# -t" and of the error log are quoted.  Where a message has %V, the
# documentation has "...".

sub messages {
    my $c = join "\n", map { slurp($_) } glob "$src/ngx_http_enkod_*.c $src/*/ngx_http_enkod_*.c";

    # adjacent literals are one
    $c =~ s/"\s+"//g;

    my @texts = map { unquote($_) } $c =~ /"((?:[^"\\\n]|\\.)*)"/g;

    # composed of parts from several places
    push @texts, map { "enkod: \"…\" $_" } map { unquote($_) }
                 $c =~ /_file_report\([^;"]*"((?:[^"\\\n]|\\.)*)"\)/g;

    my @schema = map { unquote($_) }
                 slurp("$src/event/enkod_schema.c") =~ s/"\s+"//gr
                 =~ /\*error = "((?:[^"\\]|\\.)*)";/g;

    my ($part) = $reference =~ /^## Directives\n(.*?)^## /ms;
    $part .= ($reference =~ /^## Answers\n(.*?)^## /ms)[0];
    $part =~ s/^```(?:nginx|json).*?^```//msg;

    my @quoted = map { s/\s+/ /gr } $part =~ /`([^`]+)`/g;
    push @quoted, split /\n/, $1 while $part =~ /^```text\n(.*?)^```/msg;

    my $said = join "\n", @quoted;

    for my $message (grep { /^(?:invalid|unknown|duplicate|too many|enkod:)\s/
                            || / "enkod_\w+"/ } @quoted)
    {
        # nginx's own
        next if $message =~ /directive is not allowed here/;

        ok((grep { matches($message, $_) } @texts),
           "there is a message: $message");
    }

    for my $text (grep { $_ ne "no memory" } @schema) {
        ok(index($said, $text) >= 0, "the reason is described: $text");
    }

    while ($c =~ /ngx_conf_log_error\(NGX_LOG_\w+, cf, 0,\s*"((?:[^"\\]|\\.)*)"/g)
    {
        my $text = unquote($1);

        # a list of choices, or a reason, follows
        next if $text =~ /, it must be …$/ || $text =~ /: …$/;

        my ($reason) = $text =~ /: (.*)/;
        next if defined $reason && grep { $_ eq $reason } @quoted;

        ok((grep { matches($_, $text) } @quoted),
           "the message is described: $text");
    }

    for my $text (grep { /^enkod: / && length > 20 } @texts) {
        ok((grep { matches($_, $text) } @quoted),
           "the message is described: $text");
    }
}


# a literal of C as it is written in the documentation

sub unquote {
    my ($text) = @_;

    $text =~ s/\\(.)/$1/g;
    $text =~ s/%(?:\*s|u?[a-zA-Z]z?)/…/g;

    return $text;
}


# True if the documented message can be that of the sources.

sub matches {
    my ($message, $text) = @_;

    my $pattern = join ".*", map { quotemeta } split /…/, $text, -1;

    return $message =~ /^(?:"enkod_\w+" directive )?$pattern$/;
}


sub limits {
    my $c = join "", map { slurp($_) } glob "$src/*.[ch] $src/*/*.[ch]";
    my ($part) = $reference =~ /^## Limits\n(.*)/ms;

    for (["ENKOD_MAX_DEPTH", qr/levels of arrays/],
         ["ENKOD_MAX_MEMBERS", qr/members of the event/],
         ["ENKOD_MAX_SHOWN", qr/shown in `field`/],
         ["NGX_HTTP_ENKOD_MAX_FILES", qr/files of `enkod_log`/],
         ["NGX_HTTP_ENKOD_RESPONSE_SIZE", qr/`\$enkod_pass_response`/])
    {
        my ($name, $row) = @$_;
        my ($number) = $c =~ /^#define $name\s+(\d+)$/m;
        my ($value) = $part =~ /^\| [^|]*$row[^|]* \| (\d+) \|/m;

        is($value, $number, "$name is described");
    }
}


# The table of metrics lists those of the sources, and the version of the module
# is the newest one in CHANGES.

sub metrics {
    my $c = slurp("$src/status/ngx_http_enkod_status_prometheus.c");
    my %suffix = (COUNTER => "_total", INFO => "_info");
    my %type = (INFO => "gauge");
    my %registered;

    while ($c =~ /ngx_string\("(enkod_\w+)"\),\s*NGX_HTTP_ENKOD_([A-Z]+),/g) {
        $registered{$1 . ($suffix{$2} || "")} = $type{$2} || lc $2;
    }

    my ($part) = $reference =~ /^### Metrics\n(.*?)^### /ms;
    my %described = $part =~ /^\| `(enkod_\w+)` \| (\w+) \| /mg;

    cmp_ok(scalar keys %registered, '>=', 21, "the sources have metrics");
    is_deeply(\%described, \%registered,
              "every metric is described with its type, and no other");

    my ($version) = slurp("$src/ngx_http_enkod_module.h")
                    =~ /^#define NGX_HTTP_ENKOD_VERSION +"(.*)"$/m;
    my ($newest) = slurp("$top/CHANGES") =~ /^Changes with \S+ (\S+)$/m;

    is($version, $newest, "the version is the newest one in CHANGES");
}


# The table of files in design.md lists the files of the sources.

sub source_files {
    my @files = map { basename($_) } glob "$src/*.[ch] $src/*/*.[ch]";
    my %described;

    for ($page{"docs/design.md"} =~ /^\| `(\w+\.[\w.\/]+)` \| /mg) {
        my ($name, $suffixes) = /^(\w+)\.(.*)$/;
        $described{"$name.$_"} = 1 for map { s/^\.//r } split /\//, $suffixes;
    }

    is(join(" ", sort keys %described), join(" ", sort @files),
       "docs/design.md: every file of the sources is described");
}


# In the way of an event through design.md, the name of a function is followed
# by that of its file.

sub way_of_an_event {
    my ($way) = $page{"docs/design.md"} =~ /^## One event, .*?\n(.*?)^## /ms;
    my @functions;

    for ($way =~ /`(\w*enkod_\w+\(\)|[\w\/]+\.c)`/g) {
        if (!/\.c$/) {
            push @functions, s/\(\)$//r;
            next;
        }

        my $c = -f "$src/$_" ? slurp("$src/$_") : "";

        ok($c, "docs/design.md: there is $_");
        like($c, qr/^$_\(/m, "docs/design.md: $_() is in that file")
            for splice @functions;
    }
}


# Every row of the table of faults names its tests, and every fault that the
# durability tests know has its place there.

sub faults {
    my ($part) = $page{"docs/operations.md"}
                 =~ /^## What can break\n(.*?)^## /ms;
    my @rows = $part =~ /^\| (?!fault|---)(.*) \|$/mg;
    my %named;

    cmp_ok(scalar @rows, '>=', 15, "docs/operations.md: the table has faults");

    for my $row (@rows) {
        my ($title, $tests) = (split / \| /, $row)[0, -1];
        my @files = $tests =~ m{\bt/[\w./-]+\.t\b}g;

        ok(@files && !(grep { !-f "$top/$_" } @files),
           "docs/operations.md: $title: there are $tests");

        next if $tests !~ /faults\.t: (.*)/;
        $named{$_} = 1 for split /, /, $1;
    }

    my %known = map { $_ => 1 }
                    slurp("$top/t/lib/Enkod/SoakFaults.pm") =~ /^sub fault_(\w+)/mg;

    is(join(" ", sort keys %named), join(" ", sort keys %known),
       "docs/operations.md: every fault of the tests is in the table");
}


# The alerts for Prometheus are described, in their order; those that need action
# at once are marked.

sub alerts {
    my $rules = slurp("$top/docs/examples/prometheus-alerts.yml");
    my @alerts;

    while ($rules =~ /^ +- alert: (\w+)\n(.*?)(?=^ +- |\z)/msg) {
        my ($name, $rule) = ($1, $2);
        push @alerts, $rule =~ /severity: page\b/ ? "$name *" : $name;
    }

    my ($part) = $page{"docs/operations.md"} =~ /^### Alerts\n(.*?)^### /ms;
    my @described = map { s/`//gr }
                    $part =~ /^\| (`\w+`(?: \*)?) \| \S.* \| \S.* \|$/mg;

    cmp_ok(scalar @alerts, '>=', 15, "there are alerts");
    is(join("\n", @described), join("\n", @alerts),
       "docs/operations.md: every alert is described, and no other");
}


# The table of what was tested has the rows of `make matrix`, as they are there.

sub matrix {
    my ($rows) = slurp("$top/tools/build/matrix") =~ /<<'END'\n(.*?)^END$/ms;
    my @rows = map { [split] } grep { !/^(?:#|$)/ } split /\n/, $rows;

    my @expected = map { join " | ", $_->[0], "$_->[2], $_->[3]", @$_[4, 5],
                                     "HTTP/$_->[6]", @$_[7 .. 10] } @rows;

    my ($part) = $page{"docs/installing.md"} =~ /^## What was tested\n(.*)/ms;
    my @table = map { [split / \| /] } $part =~ /^\| ([a-z].*?) \|$/mg;

    shift @table;

    is_deeply([map { join " | ", @$_[0, 3 .. 10] } @table], \@expected,
              "docs/installing.md has the rows of tools/build/matrix");

    ok($_->[11] =~ /^\d+$/ || $_->[11] eq "not run", "$_->[0]: $_->[11]")
        for @table;
}


# README.md names functions for those who look for something in the sources:
# each is in the file beside which it stands.

sub functions {
    my ($part) = $page{"README.md"} =~ /^## Where things are\n(.*?)^## /ms;
    my $n = 0;

    while ($part =~ /^\|.*\]\((\S+\.c)\) \| (.*) \|$/mg) {
        my ($file, $names) = ($1, $2);
        my $c = slurp("$top/$file");

        for my $name ($names =~ /`(\w+)\(\)`/g) {
            like($c, qr/^$name\(/m, "README.md: $name() is in $file");
            $n++;
        }
    }

    cmp_ok($n, '>=', 10, "README.md names functions");
}


# Links within the documentation lead somewhere.

sub links {
    for my $name (sort keys %page) {

        for my $link ($page{$name} =~ /\]\(([^)\s]+)\)/g) {
            next if $link =~ /^https?:/;

            my ($file, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;

            $file = $file eq "" ? $name : dirname($name) . "/$file";
            $file =~ s{^\./}{};
            1 while $file =~ s{[^/]+/\.\./}{};

            my $found = -e "$top/$file";

            if ($found && defined $anchor) {
                $found = grep { $_ eq $anchor } anchors(slurp("$top/$file"));
            }

            ok($found, "$name: there is $link");
        }
    }
}


sub anchors {
    my ($text) = @_;

    $text =~ s/^```.*?^```//msg;

    return map { s/[^\w\- ]//g; s/ /-/g; lc } $text =~ /^#+ (.*)$/mg;
}


sub json {
    for my $name (sort keys %page) {
        for my $block ($page{$name} =~ /^```json\n(.*?)^```/msg) {
            for my $line (split /\n/, $block) {
                my $value = eval { decode_json($line) };

                is(ref $value, "HASH",
                   "$name: JSON: " . substr($line, 0, 40));
            }
        }
    }
}
