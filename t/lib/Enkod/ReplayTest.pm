package Enkod::ReplayTest;

# For tests of enkod-replay: a folder with a spool "s", servers to which it is
# sent, and the results.
#
#     use Enkod::ReplayTest;                   # exports all of its functions
#     in_folder($dir);                    # before any other
#     spool(line(1), line(2));
#     my ($status, $numbers, $err, @bodies) = sent(undef);

use strict;
use warnings;

use Exporter qw(import);
use File::Basename ();
use File::Spec;

use Enkod::Command;
use Enkod::File;
use Enkod::ScriptedServer;
use Enkod::Wait qw(wait_for);

our @EXPORT = qw(in_folder replay run start finish put slurp receiver numbers
                 spool sent envelope line sent_line wait_for_requests);

my $top = File::Spec->rel2abs(File::Basename::dirname(__FILE__) . "/../../..");
my $replay = $ENV{TEST_ENKOD_REPLAY} || "$top/build/enkod-replay";
my $dir;


sub in_folder { $dir = $_[0] }

sub replay { return $replay }

sub run { Enkod::Command::run($dir, $replay, @_) }

sub start { Enkod::Command::start($dir, $replay, @_) }

sub finish { Enkod::Command::finish($dir, @_) }

sub slurp { Enkod::File::slurp("$dir/$_[0]") }

sub receiver { Enkod::ScriptedServer->new($dir, @_) }


sub put { Enkod::File::put("$dir/$_[0]", $_[1]) }


# Returns the summary as numbers: read, selected, delivered, failed, left.

sub numbers {
    my ($out) = @_;

    return join " ", map { $out =~ /^$_: (\w+)/m ? $1 : "?" }
                         qw(read selected delivered failed left);
}


# Writes a new file "s" with these lines.

sub spool {
    unlink "$dir/s.pos";
    put("s", join "", map { "$_\n" } @_);
}


# Sends "s" to a server that answers so; returns the exit status, the numbers,
# the messages, and the bodies that the server got.

sub sent {
    my ($code, @args) = @_;

    my $server = receiver($code);
    my ($status, $out, $err) = run(@args, "s", $server->url);

    return ($status, numbers($out), $err, map { $_->{body} } $server->stop);
}


# the beginning of a line

sub envelope {
    my ($time) = @_;

    $time ||= "2026-11-23T03:44:01.123";

    return qq({"received_at":"${time}Z","request_id":"9c1f8a52b7a94d5fbf6f0f0)
           . 'f5a1c2d3e","remote_addr":"192.0.2.7",';
}


# A line of a spool; with an event, a line of enkod_log.

sub line {
    my ($n, $time, $event) = @_;

    return envelope($time)
           . (defined $event ? qq("event":"$event")
                             : '"pass_status":502,"event":"message open"')
           . qq(,"message_id":$n});
}


# line $n as it is sent

sub sent_line {
    my ($n) = @_;

    return line($n, undef, "message open");
}


sub wait_for_requests {
    my ($server, $n) = @_;

    wait_for(sub { $server->requests >= $n });
}

1;
