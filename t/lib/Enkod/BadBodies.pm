package Enkod::BadBodies;

# Bodies that are not valid events, each wrong in one way: what JSON (RFC 8259)
# does not allow, or leaves to the parser and advises against (sections 4, 8.1
# and 8.2), or what the documented shape of the event does not allow.  Bodies
# that only exceed a limit of the module are not among them, except for depth.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(bad_bodies);

my $good = '{"event":"message open","message_id":4,"message_uid":"1_2_3",'
           . '"sending_type":"instant","name":"A name",'
           . '"from":"sender@example.com","to":"recipient@example.com"}';


# Returns pairs: what is wrong, and the body.

sub bad_bodies {
    return (
        ["truncated",                       substr $good, 0, -20],
        ["a second document after it",      $good . $good],
        ["a byte order mark",               "\xEF\xBB\xBF$good"],
        ["a comma after the last member",   $good =~ s/\}\z/,}/r],
        ["a number with a leading zero",    with("message_id", "04")],
        ["a raw control character",         with("name", "\"A\tname\"")],
        ["overlong UTF-8",                  with("name", "\"\xC0\x80\"")],
        ["a surrogate as UTF-8",            with("name", "\"\xED\xA0\x80\"")],
        ["truncated UTF-8",                 with("name", "\"\xF0\x9F\x98\"")],
        ["an unpaired \\ud800",             with("name", '"\ud800"')],
        ["a repeated member",               also('"to":"other@example.com"')],
        ["10,000 nested arrays",            also('"more":' . "[" x 10000
                                                 . "]" x 10000)],
        ["a missing field",                 $good =~ s/"name":[^,]*,//r],
        ["null in a field",                 with("to", "null")],
        ["a string for an integer",         with("message_id", '"4"')],
        ["a fraction for an integer",       with("message_id", "4.5")],
        ["an unknown event",                with("event", '"message read"')],
    );
}


# the good body with another value of a field

sub with {
    my ($field, $value) = @_;

    return $good =~ s/("$field":)("[^"]*"|\d+)/$1$value/r;
}


# the good body with one more member

sub also {
    my ($member) = @_;

    return $good =~ s/\}\z/,$member}/r;
}

1;
