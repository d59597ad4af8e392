package Enkod::Callgrind;

# Instructions in user space, counted by callgrind.  The difference between a
# short run and a long one is what the requests cost, without start and end.
#
# A profile has the keys "total"; "self", by function; "with", by function and
# with all that it calls; and "objects", by object.  See "Callgrind Format
# Specification" in valgrind's manual: a name is given once, and then by number.

use strict;
use warnings;

use File::Basename qw(basename);


sub command {
    my ($out) = @_;

    return ('valgrind', '--tool=callgrind', '-q', "--callgrind-out-file=$out");
}


# Returns the profile, or a text that says why there is none.

sub profile {
    my ($path) = @_;

    open my $file, '<', $path or return 'callgrind has left no profile';

    my (%names, $object, $function, $callee, $call);
    my $profile = { total => 0, objects => {}, self => {}, with => {} };
    local $_;

    my $name = sub {
        my ($kind, $text) = @_;
        my ($id, $name) = $text =~ /^(?:\((\d+)\))?\s*(.*)$/;

        return $name unless defined $id;

        $names{$kind}{$id} = $name if $name ne '';
        return $names{$kind}{$id};
    };

    while (<$file>) {
        chomp;

        if (/^ob=(.*)/) {
            $object = basename($name->(ob => $1));

        } elsif (/^fn=(.*)/) {
            $function = $name->(fn => $1);
            $function = "$object: $function";

        } elsif (/^cob=(.*)/) {
            $name->(ob => $1);

        } elsif (/^c?f[ile]=(.*)/ || /^cfi=(.*)/) {
            next;

        } elsif (/^cfn=(.*)/) {
            $callee = $name->(fn => $1);

        } elsif (/^calls=/) {
            $call = 1;

        } elsif (/^[-+*\d]\S* (\d+)$/) {

            $profile->{with}{$function} += $1;

            unless ($call) {
                $profile->{self}{$function} += $1;
                $profile->{objects}{$object} += $1;
                $profile->{total} += $1;
            }

            $call = 0;
        }
    }

    return $profile->{total} ? $profile : 'the profile of callgrind is empty';
}


# The cost of one request; the second profile has "n" requests more than the
# first.

sub difference {
    my ($few, $many, $n) = @_;

    my $cost = { total => ($many->{total} - $few->{total}) / $n };

    for my $by (qw(objects self with)) {
        for my $key (keys %{$many->{$by}}) {
            $cost->{$by}{$key} = ($many->{$by}{$key} - ($few->{$by}{$key} || 0))
                                 / $n;
        }
    }

    return $cost;
}

1;
