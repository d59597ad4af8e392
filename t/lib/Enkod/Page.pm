package Enkod::Page;

# The status page in Chromium, as long as the object lives.
#
#     my $page = Enkod::Page->new("http://127.0.0.1:$port/status");
#
#     is $page->text("#verdict"), "Receiving";
#     $page->shows("#verdict", "Receiving", "title of the test");

use strict;
use warnings;

use Encode qw(encode);
use File::Basename qw(dirname);
use IPC::Open2 qw(open2);
use JSON::PP qw(decode_json);
use Test::More ();

use Enkod::Wait qw(wait_for);

my $look = dirname(__FILE__) . "/../../status/page/look.js";


sub new {
    my ($class, $url) = @_;

    my $pid = open2(my $out, my $in, "node", $look, $url);

    $in->autoflush(1);

    return bless { pid => $pid, in => $in, out => $out }, $class;
}


sub ask {
    my ($self, $line) = @_;

    print { $self->{in} } "$line\n";

    my $answer = readline $self->{out};

    die "there is no page\n" if !defined $answer;

    return @{decode_json($answer)};
}


# The text of the elements that a selector finds, joined by spaces.

sub text {
    my ($self, $selector) = @_;

    return encode("UTF-8", join " ", $self->ask($selector));
}


# A test: the text becomes this one, or matches.

sub shows {
    my ($self, $selector, $expected, $title) = @_;

    my $text;
    my $found = wait_for(sub {
        $text = $self->text($selector);
        return ref $expected ? $text =~ $expected : $text eq $expected;
    });

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::ok($found, $title)
           || Test::More::diag("$selector: \"$text\", not \"$expected\"");
}


# exceptions, and what the Content-Security-Policy has not allowed

sub faults { return $_[0]->ask("!") }


sub DESTROY {
    my ($self) = @_;

    close $self->{in};
    waitpid $self->{pid}, 0;
}

1;
