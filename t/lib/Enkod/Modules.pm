package Enkod::Modules;

# Modules that are not nginx's own (lua, njs, headers-more): Debian's packages for
# the stock nginx, unpacked by `make test`, or what the nginx has itself.

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);

our $unpacked = Cwd::abs_path(dirname(__FILE__) . "/../../..")
                . "/build/unpacked/usr";


# what load_module takes

sub file {
    my ($name) = @_;

    my $file = "$unpacked/lib/nginx/modules/$name.so";

    return -f $file ? $file : "modules/$name.so";
}


# whether nginx -t says that such a module is not there, or is another nginx's

sub misfit {
    my ($said) = @_;

    return $said =~ /load_module|dlopen|is\ not\ binary
                     |version\ \d+\ instead|is\ already\ loaded/x;
}

1;
