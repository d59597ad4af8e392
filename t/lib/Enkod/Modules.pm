package Enkod::Modules;

# Where other projects' modules for nginx are (lua, njs, headers-more): in
# Debian's packages, which `make test` unpacks, or among the modules of the
# nginx that is tested.

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);

our $unpacked = Cwd::abs_path(dirname(__FILE__) . "/../../..")
                . "/build/unpacked/usr";


# the argument of load_module

sub file {
    my ($name) = @_;

    my $file = "$unpacked/lib/nginx/modules/$name.so";

    return -f $file ? $file : "modules/$name.so";
}


# True if nginx -t says that such a module is missing or was built for another
# nginx.

sub misfit {
    my ($said) = @_;

    return $said =~ /load_module|dlopen|is\ not\ binary
                     |version\ \d+\ instead|is\ already\ loaded/x;
}

1;
