# The documentation says what the module does: its configurations are taken by
# nginx, its JSON is JSON, and everything the sources register is described.
#
# A block of ```nginx is pasted into http {}; a comment before it names another
# place: <!-- nginx: main -->, server or location.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use Test::More;

use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

$SIG{ALRM} = sub { die "the test takes longer than $Enkod::Wait::life s\n" };
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
alarm $Enkod::Wait::life;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $src = "$top/ngx_http_enkod_module";

my ($nginx) = grep { -x } map { "$_/nginx" }
                  split(/:/, $ENV{PATH}), "/usr/sbin", "/usr/local/sbin";
$nginx = $ENV{TEST_NGINX_BINARY} || $nginx || "nginx";

my $modules = $ENV{TEST_NGINX_LOAD_MODULES};
$modules = "$top/build/ngx_http_enkod_module.so" if !defined $modules;

# nginx's own: inherited sockets
delete $ENV{NGINX};

my $master;
my $owner = $$;

my $readme = slurp("$top/README.md");
my $reference = slurp("$top/docs/directives.md");
my %page = map { File::Spec->abs2rel($_, $top) => slurp($_) }
           glob "$top/*.md $top/docs/*.md";

# the place of everything that nginx is told to read or write
my $dir = tempdir("enkod-docs-XXXXXX", TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
make_path(map { "$dir/$_" } qw(logs tmp modules var/log/nginx var/log/enkod
                               etc/nginx/tls run));

my $port = free_port();
my $tls = `"$nginx" -V 2>&1` =~ /--with-http_ssl_module/;
my $http2 = `"$nginx" -V 2>&1` =~ /--with-http_v2_module/;
my $threads = `"$nginx" -V 2>&1` =~ /--with-threads/;
my $have_openssl = $tls && certificate();


directives();
variables();
errors();
events();
defaults();
messages();
limits();
house();
faults();
matrix();
links();
json();
configurations();
first_configuration_works();

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
        like($reference, qr/\[$name\]\(#$name\)/, "$name is linked to");
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
       "every event is described, in the order of the table");

    $part =~ s/\s+/ /g;

    for my $field (fields()) {
        like($part, qr/`$field->[0]` $field->[1]\b/,
             "$field->[0] is described as $field->[1]");
    }
}


# The defaults are those that the sources merge.

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


# Every message that is quoted can be found in the sources, and those of
# "nginx -t" and the error log are all quoted.  What a message has in place of
# %V is "..." in the documentation.

sub messages {
    my $c = join "\n", map { slurp($_) } glob "$src/ngx_http_enkod_*.c $src/*/ngx_http_enkod_*.c";

    # literals in a row are one
    $c =~ s/"\s+"//g;

    my @texts = map { unquote($_) } $c =~ /"((?:[^"\\\n]|\\.)*)"/g;

    # built from pieces that stand in several places
    push @texts, map { "enkod: \"…\" $_" } map { unquote($_) }
                 $c =~ /_file_log\([^;"]*"((?:[^"\\\n]|\\.)*)"\)/g;

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

        # with a list of choices, or a reason, behind it
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


# a literal of C as the documentation has it

sub unquote {
    my ($text) = @_;

    $text =~ s/\\(.)/$1/g;
    $text =~ s/%(?:\*s|u?[a-zA-Z]z?)/…/g;

    return $text;
}


# Whether the documented message can be the one of the sources.

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


# The table of files in design.md is the folder.

sub house {
    my @files = map { basename($_) } glob "$src/*.[ch] $src/*/*.[ch]";
    my %described;

    for ($page{"docs/design.md"} =~ /^\| `(\w+\.[\w.\/]+)` \| /mg) {
        my ($name, $suffixes) = /^(\w+)\.(.*)$/;
        $described{"$name.$_"} = 1 for map { s/^\.//r } split /\//, $suffixes;
    }

    is(join(" ", sort keys %described), join(" ", sort @files),
       "docs/design.md: every file of the sources is described");
}


# Every row of the table of faults names its tests, and every fault that the
# durability tests know has its place there.

sub faults {
    my ($part) = $page{"docs/operations.md"}
                 =~ /^## What can break\n(.*?)^## /ms;
    my @rows = $part =~ /^\| (?!fault|---)(.*) \|$/mg;
    my %named;

    cmp_ok(scalar @rows, '>=', 15, "docs/operations.md: there are faults");

    for my $row (@rows) {
        my ($title, $tests) = (split / \| /, $row)[0, -1];
        my @files = $tests =~ m{\bt/[\w./-]+\.t\b}g;

        ok(@files && !(grep { !-f "$top/$_" } @files),
           "docs/operations.md: $title: there are $tests");

        next if $tests !~ /faults\.t: (.*)/;
        $named{$_} = 1 for split /, /, $1;
    }

    my %known = map { $_ => 1 }
                    slurp("$top/t/lib/Enkod/Soak.pm") =~ /^sub fault_(\w+)/mg;

    is(join(" ", sort keys %named), join(" ", sort keys %known),
       "docs/operations.md: every fault of the tests is in the table");
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


# Every configuration is taken by nginx, without a warning from the module.

sub configurations {
    for (["README.md", 2], ["docs/production.md", 5], ["docs/directives.md", 5])
    {
        my ($name, $least) = @$_;

        my $text = $page{$name};
        my $n = 0;

        while ($text =~ /(?:^<!-- nginx: (\w+) -->\n)?^```nginx\n(.*?)^```/msg) {
            my ($place, $block) = ($1 || "http", $2);

            my $line = 1 + (() = substr($text, 0, $-[2]) =~ /\n/g);

            accepted("$name, line $line", whole($place, $block));
            $n++;
        }

        cmp_ok($n, '>=', $least, "$name has configurations");
    }

    for my $file (glob "$top/docs/examples/*.conf") {
        accepted("docs/examples/" . basename($file), slurp($file));
    }
}


sub whole {
    my ($place, $block) = @_;

    return $block if $place eq "main";

    $block = "location /example {\n$block}\n" if $place eq "location";
    $block = "server {\nlisten 8080;\n$block}\n"
        if $place eq "location" || $place eq "server";

    return "load_module modules/ngx_http_enkod_module.so;\nevents {\n}\n"
           . "http {\n$block}\n";
}


sub accepted {
    my ($name, $conf) = @_;

  SKIP: {
        skip "$name: this nginx has no TLS, or there is no openssl", 1
            if $conf =~ /^\s*ssl_certificate/m && !$have_openssl;

        my $out = check($conf);

        ok($? == 0 && $out !~ /\[(?!warn)\w+\]|enkod_/, "$name is accepted")
            or diag $out;
    }
}


# The configuration as the test can use it: its files in our folder, a free
# port, no other user, and the module from where it was built.

sub adapt {
    my ($conf) = @_;

    my $load = "";

    for my $module (split " ", $modules) {
        if (basename($module) eq "ngx_http_enkod_module.so") {
            copy($module, "$dir/modules/") or die "$module: $!";
        } else {
            $load .= "load_module $module;\n";
        }
    }

    $conf =~ s/^load_module\s.*\n//m if $modules !~ /ngx_http_enkod_module\.so/;
    $conf =~ s/^user\s.*\n//m;
    $conf =~ s{(?<=\s)/(?=(?:var/log|etc/nginx|run)/)}{$dir/}g;
    $conf =~ s/(\blisten\s+)(?:127\.0\.0\.1:)?(?:443|8080)\b/${1}127.0.0.1:$port/g;
    $conf =~ s/ http2;/;/ if !$http2;
    $conf =~ s/\s+sync(?=[\s;])//g if !$threads;

    $load .= "user root;\n" if $> == 0;
    $load .= "pid logs/nginx.pid;\n" if $conf !~ /^pid\s/m;

    # where nginx was configured to have folders that others may not write to
    my $temp = join "", map { "${_}_temp_path tmp/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);

    $conf =~ s/^http \{\n/http {\n$temp/m if $conf !~ /_temp_path/;
    $conf =~ s/^http \{\n/http {\naccess_log logs\/access.log;\n/m
        if $conf !~ /^    access_log\s|^access_log\s/m;

    return "$load$conf";
}


sub check {
    my ($conf) = @_;

    spew("$dir/nginx.conf", adapt($conf));

    return nginx("-t");
}


sub nginx {
    my @cmd = map { quotemeta } $nginx, "-p", "$dir/", "-c", "nginx.conf",
                                "-e", "logs/error.log", @_;

    return scalar `@cmd 2>&1 </dev/null`;
}


sub certificate {
    my $path = "$dir/etc/nginx/tls/hooks.example.com";

    return system("openssl req -x509 -newkey rsa:2048 -nodes -days 2"
                  . " -subj /CN=hooks.example.com"
                  . " -keyout '$path.key' -out '$path.crt' >/dev/null 2>&1")
           == 0;
}


# What README.md lets one try gives what it shows.

sub first_configuration_works {
    my ($conf) = $readme =~ /^<!-- nginx: main -->\n```nginx\n(.*?)^```/ms;
    my ($event) = $readme =~ /^curl .* -d '(.*)'$/m;
    my ($line, $problem) = $readme =~ /^```json\n(\{.*\})\n```/mg;

    spew("$dir/nginx.conf", "worker_processes 1;\n" . adapt($conf));

    my $out = nginx();

    if ($?) {
        fail("README.md: nginx starts");
        diag $out;
        return;
    }

    wait_for(sub { -s "$dir/logs/nginx.pid" });

    ($master) = slurp("$dir/logs/nginx.pid") =~ /^(\d+)/;

    my $answer = post($event);

    like($answer, qr/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\z/s,
         "README.md: the event is answered with an empty 200");

    my $got = slurp("$dir/var/log/enkod/events.jsonl");

    for ($got, $line) {
        s/\n\z//;
        s/"received_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/"received_at":""/;
        s/"request_id":"[0-9a-f]{32}"/"request_id":""/;
    }

    is($got, $line, "README.md: the line is the one that is shown");

    (my $wrong = $event) =~ s/"message_id":4/"message_id":"4"/;

    like($answer = post($wrong), qr/^HTTP\/1\.1 422 /,
         "README.md: a wrong event is refused");
    is(($answer =~ /\r\n\r\n(.*)\n\z/s)[0], $problem,
       "README.md: the refusal is the one that is shown");
    like($reference, qr/^\Q$problem\E$/m,
         "docs/directives.md shows the same one");
    like(slurp("$dir/var/log/enkod/events.jsonl"), qr/\A[^\n]*\n\z/,
         "README.md: nothing is written of it");

    stop();
}


sub post {
    my ($body) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
                                       PeerPort => $port)
        or return "no connection: $@";

    print $socket "POST /enkod HTTP/1.1\r\nHost: localhost\r\n"
                  . "Connection: close\r\nContent-Length: " . length($body)
                  . "\r\n\r\n$body";

    local $/;

    return scalar <$socket>;
}


sub stop {
    return if !$master;

    kill 'TERM', $master;

    wait_for(sub { !kill 0, $master });

    undef $master;
}


END {
    if ($$ == $owner) {
        my $rc = $?;
        stop();
        $? = $rc;
    }
}


sub slurp {
    my ($name) = @_;

    open my $fh, "<", $name or die "$name: $!";
    local $/;
    my $text = <$fh>;

    return defined $text ? $text : "";
}


sub spew {
    my ($name, $text) = @_;

    open my $fh, ">", $name or die "$name: $!";
    print $fh $text;
    close $fh or die "$name: $!";
}
