package EnkodTest::Request;

# Bodies and requests for the --- tries of EnkodTest.

use strict;
use warnings;

use Exporter qw(import);

use Enkod::File qw(slurp);

our @EXPORT = qw(event compact message request post get raw curl h2);


# one of the vendor's bodies, as it is in t/bodies

sub event {
    my ($name) = @_;

    return slurp("t/bodies/$name.json");
}


# the same JSON on one line

sub compact {
    my ($text) = @_;

    $text =~ s/\n *//g;
    $text =~ s/": /":/g;

    return $text;
}


# A "message open" that is not a test delivery.  An argument pair replaces the
# JSON of a member, removes the member (undef), or adds a member at the end.

sub message {
    my @members = (
        event => '"message open"', message_id => 7, message_uid => '"uid"',
        sending_type => '"regular"', name => '"Name"', from => '"a@example.com"',
        to => '"b@example.com"',
    );

    while (my ($name, $json) = splice @_, 0, 2) {
        my ($i) = grep { $members[$_] eq $name } map { 2 * $_ } 0 .. $#members / 2;

        if (!defined $i) {
            push @members, $name, $json;
        } elsif (defined $json) {
            $members[$i + 1] = $json;
        } else {
            splice @members, $i, 2;
        }
    }

    my @text;
    while (my ($name, $json) = splice @members, 0, 2) {
        push @text, qq("$name":$json);
    }

    return '{' . join(',', @text) . '}';
}


# Options of a request: "headers", a list of lines; "chunks", a list of pieces
# for chunked transfer; "split", the number of bytes of the body to send at a
# time.

sub request {
    my ($method, $uri, %option) = @_;

    return { method => $method, uri => $uri, version => '1.1', %option };
}


sub post {
    my ($body, %option) = @_;

    return request('POST', $option{uri} // '/enkod', %option, body => $body);
}


sub get {
    my ($uri, %option) = @_;

    return request('GET', $uri // '/enkod', %option);
}


# A sub that gets a new EnkodTest::Client, and returns a response as its
# read_response() does.

sub raw {
    my ($sub) = @_;

    return { raw => $sub };
}


# A request by curl: the last argument is the path of the URL; curl gets the
# body on its standard input.

sub curl {
    my ($body, @args) = @_;

    return { curl => \@args, body => $body };
}


# a request over HTTP/2 by curl, to the port that the block has for it

sub h2 {
    my ($body, @args) = @_;

    my $uri = @args && $args[-1] =~ m{^/} ? pop @args : '/enkod';

    return { curl => ['--http2-prior-knowledge',
                      defined $body ? ('--data-binary', '@-') : (),
                      @args, $uri],
             port => 'TEST_NGINX_RAND_PORT_1', body => $body };
}

1;
