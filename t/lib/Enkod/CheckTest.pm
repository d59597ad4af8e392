package Enkod::CheckTest;

# For tests of enkod-check: runs the command in a folder, and has lines and
# bodies to check.
#
#     use Enkod::CheckTest;               # exports all of its functions
#     in_folder($dir);                    # before any other
#     my ($status, $out, $err) = run("--repair", "a.jsonl");
#     my ($defects, $summary) = parse($out);
#     says($title, $text, $expected);     # three tests or fewer
#
# $good is a line as the module writes it, $test that of a test delivery; both
# are without their line feed, and begin with $start.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename ();
use File::Spec;
use Test::More;

use Enkod::Command;
use Enkod::File;

our @EXPORT = qw(in_folder check_command run parse put slurp says says_status
                 message refusal with @kinds %body $uid $start $good $test);

my $top = File::Spec->rel2abs(File::Basename::dirname(__FILE__) . "/../../..");
my $check = $ENV{TEST_ENKOD_CHECK} || "$top/build/enkod-check";
my $dir;

our @kinds = qw(message-sent delivery-bounce message-open message-clicked
                complaint mailing-group-subscribe mailing-group-unsubscribe
                contact-adding);

our %body = map { $_ => Enkod::File::slurp("$top/t/bodies/$_.json") } @kinds;

our $uid = '"message_uid":"5f0c1a7e_345_678_90123"';

# the beginning of every line
our $start = '{"received_at":"2026-11-23T03:44:01.123Z","request_id":"'
             . '9c1f8a52b7a94d5fbf6f0f0f5a1c2d3e","remote_addr":"192.0.2.7",';

our $good = $start . substr message(), 1;

our $test = $good =~ s/5f0c1a7e_345_678_90123/0123456789_012_012_01234/r
                  =~ s/"event"/"test":true,"event"/r;


sub in_folder { $dir = $_[0] }

sub check_command { return $check }


# Returns the exit status (or "signal N"), the output and the messages.

sub run { Enkod::Command::run($dir, $check, @_) }


# From the output: the defects, ["name:line: offset n", text], and the summary.

sub parse {
    my ($out) = @_;

    my (@defects, %summary);

    for (split /\n/, $out) {
        if (/^(\S+:\d+: offset \d+): (.*)/) {
            push @defects, [$1, $2];
        } elsif (/^ *"?(.*?)"?: (\d+)$/) {
            $summary{$1} = $2;
        } else {
            push @defects, ["?", $_];
        }
    }

    return (\@defects, \%summary);
}


sub put { Enkod::File::put("$dir/$_[0]", $_[1]) }


sub slurp { Enkod::File::slurp("$dir/$_[0]") }


# Tests what the command says of these bytes; the exit status has to be 0 if it
# says nothing, and 1 otherwise.  Returns the summary.

sub says {
    my ($title, $text, $expected, @args) = @_;

    return says_status($title, $text, $expected, $expected eq "" ? 0 : 1, @args);
}


# The same, with an exit status that is given.

sub says_status {
    my ($title, $text, $expected, $code, @args) = @_;

    put("x", $text);

    my ($status, $out, $err) = run(@args, "x");
    my ($defects, $summary) = parse($out);

    my $got = join "\n", map { "$_->[0]: $_->[1]" } @$defects;

    if (ref $expected) {
        like($got, $expected, $title);
    } else {
        is($got, $expected, $title);
    }

    is($err, "", "$title: no message") if $err ne "";
    is($status, $code, "$title: the exit status") if $status ne $code;

    return $summary;
}


# A body: a "message open" with more members, or with another "name".

sub message {
    my ($more, $name) = @_;

    $name = "Welcome" if !defined $name;

    return '{"event":"message open","message_id":4,' . $uid
           . ',"sending_type":"instant","name":"' . $name . '",'
           . '"from":"sender@example.com","to":"recipient@example.com"'
           . ($more ? ",$more" : "") . "}";
}


# A line of enkod_reject_log.

sub refusal {
    my ($status, $code, $rest) = @_;

    return qq($start"status":$status,"code":"$code",$rest});
}


# $good, with something replaced

sub with { my ($what, $by) = @_; return $good =~ s/\Q$what\E/$by/r }

1;
