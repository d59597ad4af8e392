package Enkod::SymptomTest;

# For the test of docs/troubleshooting.md: the nginx of its examples, which serves
# https://hooks.example.com/enkod, and the commands of the page for it.
#
#     use Enkod::SymptomTest;             # exports all that is below
#     start();
#     $page->run("The spool grows", $site);        # see Enkod::Symptoms
#     reconfigured("$receiver deny all;");         # the location of /enkod
#     leads("expired");                   # the URLs of the page go to that port
#     logged("403", qr/forbidden/);       # the reader of "403" sees the error log

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(dirname);
use Test::More;

use Enkod::File;
use Enkod::Nginx ();
use Enkod::NginxConf;
use Enkod::Port qw(free_port);
use Enkod::Procedure;
use Enkod::Symptoms;
use Enkod::Wait qw(wait_for);

our @EXPORT = qw($page $text $nginx $site $root $tls $threads %port
                 $token $uri $event $receiver
                 start leads configured reconfigured emptied post logged);

our $text = Enkod::File::slurp(dirname(__FILE__)
                               . "/../../../docs/troubleshooting.md");
our $page = Enkod::Symptoms->new($text);

our $root = $> == 0 && getpwnam("www-data");
our $tls = `${\ quotemeta Enkod::NginxConf::binary()} -V 2>&1`
           =~ /--with-http_ssl_module/;
our $threads = Enkod::NginxConf::threads();

our $token = "replace-me-0f3a5f1d6f7c4be2a8d1";
our $uri = "/enkod?token=$token";

our $event = '{"event":"message open","message_id":4,"message_uid":"1_2_3_4",'
             . '"sending_type":"instant","name":"News",'
             . '"from":"sender@example.com","to":"recipient@example.com"}';

our $receiver = <<"END";
enkod_webhook;
enkod_token       \$arg_token  "$token";
enkod_test        ack;
enkod_log         %DIR%/log/events.jsonl;
enkod_reject_log  %DIR%/log/refused.jsonl;
END

# nobody listens on the last two
our %port = map { $_ => free_port() } qw(tls chain expired name closed full);

my $formats = <<'END';
log_format  enkod  '$remote_addr [$time_iso8601] "$request_method $uri" '
                   '$status $request_time $request_length '
                   'result=$enkod_result error=$enkod_error '
                   'event="$enkod_event" id=$request_id';
END

our ($nginx, $site);


# Before any other.

sub start {
    plan skip_all => "valgrind gives processes other names"
        if $ENV{TEST_NGINX_USE_VALGRIND};

    $nginx = Enkod::Nginx->create(workers => 1,
                                  user => $root ? "www-data" : "root");
    $site = Enkod::SymptomTest::Site->new(
        $nginx, urls => { 9000 => $nginx->{second} });

    # of curl
    $ENV{HOME} = $nginx->path("home");

    mkdir $nginx->path($_) for qw(log home tls);
    chown 0, ($nginx->user)[1], $nginx->path("log") if $root;
    chmod 0750, $nginx->path("log");

    $tls &&= certificates();
    trusting();

    configured($receiver);
    $nginx->start;
}


# Certificates of a root: for our name, for another one, of yesterday, and by an
# authority in between that is not sent.

sub certificates {
    my $dir = $nginx->path("tls");
    my $key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

    my $make = sub {
        my ($name, $by, $subject, $days, $extension) = @_;

        return <<"END";
openssl req -new $key -subj "/CN=$subject" -keyout $name.key -out $name.csr &&
printf '$extension' >$name.ext &&
openssl x509 -req -in $name.csr -CA $by.crt -CAkey $by.key -CAcreateserial \\
    -days $days -extfile $name.ext -out $name.crt || exit 1
END
    };

    my $names = "subjectAltName=DNS:hooks.example.com";
    my $commands = join "", "cd $dir\n",
        "openssl req -x509 $key -days 2 -subj /CN=root -keyout root.key"
            . " -out root.crt || exit 1\n",
        $make->("between", "root", "between", 2, "basicConstraints=CA:TRUE"),
        $make->("tls", "root", "hooks", 2, $names),
        $make->("chain", "between", "hooks", 2, $names),
        $make->("expired", "root", "hooks", -1, $names),
        $make->("name", "root", "other", 2, "subjectAltName=DNS:example.com");

    $nginx->put("tls/make", $commands);

    return system("/bin/sh '$dir/make' >'$dir/made' 2>&1") == 0;
}


# What curl knows: where our name is, and whose certificates are good.

sub trusting {
    $nginx->put("home/.curlrc", join "",
                (map { "resolve = hooks.example.com:$_:127.0.0.1\n" }
                 $nginx->{port}, values %port),
                $tls ? "cacert = $nginx->{dir}/tls/root.crt\n" : "");

    leads("tls", $nginx->{port});
}


# Where the page's URLs lead to.

sub leads {
    my ($name, $http) = @_;

    my $https = $tls && exists $port{$name} ? ["https", $port{$name}]
                                            : ["http", $nginx->{port}];

    $site->{ports} = { https => $https,
                       http => ["http", $http || $nginx->{port}] };
}


# The configuration, with that in the location.

sub configured {
    my ($location, %o) = @_;

    my $path = $o{path} || "= /enkod";
    my $others = "";

    for my $name ($tls ? qw(chain expired name) : ()) {
        $others .= <<"END";
server {
    listen               127.0.0.1:$port{$name} ssl;
    ssl_certificate      tls/$name.crt;
    ssl_certificate_key  tls/$name.key;
}
END
    }

    my $server = $o{server} || "location / { return 404; }";
    my $ssl = !$tls ? "" : <<"END";
listen               127.0.0.1:$port{tls} ssl;
ssl_certificate      tls/tls.crt;
ssl_certificate_key  tls/tls.key;
END

    $nginx->configure(
        level => "warn", main => "", load => "",
        (map { exists $o{$_} ? ($_ => $o{$_}) : () } qw(level main load)),
        http => $formats . $others . ($o{http} || ""),
        server => <<"END");
$ssl
server_name  hooks.example.com;
access_log   %DIR%/logs/enkod.access.log  enkod;

location $path {
$location
}

$server
END
}


sub reconfigured {
    my ($location, %o) = @_;

    configured($location, %o);
    $nginx->reload or die "nginx does not reload\n";
    emptied();
}


# Files begin anew.

sub emptied {
    for my $file (qw(logs/error.log logs/enkod.access.log log/events.jsonl
                     log/refused.jsonl log/spool.jsonl))
    {
        truncate $nginx->path($file), 0;
    }
}


# events from a client on this machine; the last status

sub post {
    my (@bodies) = @_;

    my $status;

    $status = $nginx->post($_, uri => $uri)->{status} for @bodies;

    return $status;
}


# Who has this symptom finds that in the error log.

sub logged {
    my ($heading, $pattern) = @_;

    my $found = wait_for(sub { $nginx->error_log =~ $pattern });

    ok $found, "$heading: the error log says so" or diag $nginx->error_log;
    $page->saw($heading, $site->shown($nginx->error_log));
}


# The commands of the page, for the nginx of the test.  "ports" says where the
# URLs of hooks.example.com lead to.

package Enkod::SymptomTest::Site;

use parent -norequire, "Enkod::Procedure";

sub adapt {
    my ($self, $text) = @_;

    $text =~ s{\b(https?)://hooks\.example\.com(?::443)?/}
              {$self->{ports}{$1}[0] . "://hooks.example.com:"
               . $self->{ports}{$1}[1] . "/"}ge;
    $text =~ s{-m 10\b}{-m $self->{patience}} if $self->{patience};

    return $self->SUPER::adapt($text);
}

sub shown {
    my ($self, $text) = @_;

    $text =~ s{(hooks\.example\.com):\d+}{$1}g;
    $text =~ s{ port \d+}{ port 443};

    return $self->SUPER::shown($text);
}

1;
