# The configurations of the documentation are accepted by nginx, and the first
# one of README.md does what is shown there.
#
# A block of ```nginx is pasted into http {}; a comment before it names another
# place: <!-- nginx: main -->, server or location.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use lib dirname(__FILE__) . "/../lib";

use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;

use Enkod::File qw(put slurp);
use Enkod::Port qw(free_port);
use Enkod::Wait qw(wait_for);

$SIG{ALRM} = sub { die "the test takes longer than $Enkod::Wait::life s\n" };
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
alarm $Enkod::Wait::life;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));

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

# the folder for all files that nginx reads or writes
my $dir = tempdir("enkod-docs-XXXXXX", TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
make_path(map { "$dir/$_" } qw(logs tmp modules var/log/nginx var/log/enkod
                               etc/nginx/tls run));

my $port = free_port();
my $tls = `"$nginx" -V 2>&1` =~ /--with-http_ssl_module/;
my $http2 = `"$nginx" -V 2>&1` =~ /--with-http_v2_module/;
my $threads = `"$nginx" -V 2>&1` =~ /--with-threads/;
my $have_openssl = $tls && certificate();


configurations();
first_configuration_works();

done_testing();


# Every configuration is taken by nginx, without a warning from the module.

sub configurations {
    for (["README.md", 2], ["docs/production.md", 5], ["docs/directives.md", 5],
         ["docs/operations.md", 1])
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


# The configuration with what a test can use: files in its own folder, a free
# port, no other user, and the module that was built.

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
    $conf =~ s/(\blisten\s+)(?:127\.0\.0\.1:)?(?:443|808[01])\b/${1}127.0.0.1:$port/g;
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

    put("$dir/nginx.conf", adapt($conf));

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


# The first example of README.md does what is shown there.

sub first_configuration_works {
    my ($conf) = $readme =~ /^<!-- nginx: main -->\n```nginx\n(.*?)^```/ms;
    my ($event) = $readme =~ /^curl .* -d '(.*)'$/m;
    my ($line, $problem) = $readme =~ /^```json\n(\{.*\})\n```/mg;

    put("$dir/nginx.conf", "worker_processes 1;\n" . adapt($conf));

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
