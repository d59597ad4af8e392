package Enkod::Needs;

# Programs of other packages that the tests in t/status/heavy need.
#
#     my $promtool = need("promtool", "prometheus");
#
# If the program is missing, the test fails and says that it was skipped: `make
# test-status` has tried to install the package.

use strict;
use warnings;

use Cwd ();
use Exporter qw(import);
use File::Basename qw(dirname);

our @EXPORT_OK = qw(need);

my $unpacked = Cwd::abs_path(dirname(__FILE__) . "/../../..")
               . "/build/unpacked/usr";


# Returns the path of a program of that Debian package.

sub need {
    my ($name, $package) = @_;

    my ($path) = grep { -x } map { "$_/$name" }
                     split(/:/, $ENV{PATH}), "/usr/sbin",
                     "$unpacked/bin", "$unpacked/sbin";

    return $path if defined $path;

    print STDERR "skipped: there is no $name (package $package), see"
                 . " build/apt.log\n";
    exit 1;
}

1;
