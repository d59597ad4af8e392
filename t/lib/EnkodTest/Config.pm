package EnkodTest::Config;

# Tests of what "nginx -t" makes of a configuration.  %config has the keys main,
# http, server and location, which is that of the webhook.
#
#     takes($title, %config);             # without a message
#     warns($title, $pattern, %config);
#     refuses($title, $pattern, %config);

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use Test::More;

use Test::Nginx::Util ();

our @EXPORT = qw(takes warns refuses);

my $valgrind = $ENV{TEST_NGINX_USE_VALGRIND};
my $dir;


# what "nginx -t" says, and whether it accepts the configuration

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
