# What the Makefile prints: its help, and what it does on a machine without
# nginx, where the packages are not installed yet.

use strict;
use warnings;

use File::Basename qw(dirname);
use Test::More;

my $top = dirname(dirname(dirname(__FILE__)));

# variables of the make that runs this test
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES NGINX_SRC NGINX_BIN)};
$ENV{BUILD} = "build";


my $said = make("--eval='loaded: ; \@echo \$(LOADED)' loaded STOCK=");

is $said, "build/ngx_http_enkod_module.so\n",
   "before nginx is installed, make assumes that nginx will load the module";

$said = make("-n uninstall STOCK=");

like $said, qr/no nginx that says where its modules are: set MODULES_PATH/,
     "\"make uninstall\" without nginx asks for MODULES_PATH";
unlike $said, qr/rm -f/, "without nginx, \"make uninstall\" removes nothing";

$said = make("-n uninstall STOCK= MODULES_PATH=/opt/modules");

like $said, qr/rm -f "\/opt\/modules\/ngx_http_enkod_module\.so"/,
     "MODULES_PATH names the folder for \"make uninstall\"";


my $help = make("help");

for my $target (qw(install uninstall run test test-unit test-busy test-valgrind
                   test-asan matrix fuzz analyze soak bench bench-peers clean))
{
    like $help, qr/^  make $target +\S/m, "\"make help\" names $target";
}

unlike $help, qr/^#|\$\(/m, "\"make help\" prints the comment only";

done_testing;


# the output of make, on both streams

sub make {
    my ($arguments) = @_;

    return `make --no-print-directory -s -C "$top" $arguments 2>&1`;
}
