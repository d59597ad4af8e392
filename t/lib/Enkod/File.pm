package Enkod::File;

# Whole files, as bytes.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(append put slurp);


# Returns the content of a file; "" if it cannot be read.

sub slurp {
    my ($path) = @_;

    open my $fh, "<", $path or return "";
    local $/;
    my $text = <$fh>;

    return defined $text ? $text : "";
}


# Writes a file, or dies.

sub put {
    my ($path, $text) = @_;

    open my $fh, ">", $path or die "$path: $!";
    print $fh $text;
    close $fh or die "$path: $!";
}


# Appends to a file in one write(), or dies.

sub append {
    my ($path, $text) = @_;

    open my $fh, ">>", $path or die "$path: $!";
    syswrite $fh, $text;
    close $fh or die "$path: $!";
}

1;
