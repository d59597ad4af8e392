package Enkod::Procedure;

# Runs commands of the documentation as they are written there.  Only their
# paths are replaced by those of a test's nginx, in whose folder are:
#
#     log/            /var/log/enkod
#     logs/           /var/log/nginx
#     mnt/            /mnt
#     logs/nginx.pid  /run/nginx.pid
#     nginx.conf      /etc/nginx/nginx.conf
#
#     my $procedure = Enkod::Procedure->new($nginx, urls => { 9000 => $port });
#     my @blocks = $procedure->blocks("docs/operations.md", "The disk is full");
#     my ($status, $output) = $procedure->run($blocks[0]);
#     my $pid = $procedure->start(...);   $procedure->finish($pid);

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;
use Test::More ();

use Enkod::Command;
use Enkod::File;

my $top = File::Spec->rel2abs(dirname(__FILE__) . "/../../..");


sub new {
    my ($class, $nginx, %o) = @_;

    my $self = bless { dir => $nginx->{dir}, urls => {}, %o }, $class;
    my $bin = "$self->{dir}/bin";

    mkdir "$self->{dir}/$_" for qw(bin mnt mnt/archive mnt/data);

    my @nginx = map { quotemeta } $nginx->command;

    # "nginx -s" leaves its memory to the system
    script("$bin/nginx", "ASAN_OPTIONS=detect_leaks=0 exec @nginx \"\$@\"");

    for my $tool (qw(check replay)) {
        my $path = $ENV{"TEST_ENKOD_\U$tool"} || "$top/build/enkod-$tool";
        symlink $path, "$bin/enkod-$tool";
    }

    return $self;
}


sub script {
    my ($path, $text) = @_;

    open my $fh, ">", $path or die "$path: $!";
    print $fh "#!/bin/sh\n$text\n";
    close $fh or die "$path: $!";
    chmod 0755, $path;
}


# The text below a heading, and its blocks: those of the language, or those that
# are indented.

sub section {
    my ($page, $heading) = @_;

    my $text = Enkod::File::slurp("$top/$page");
    my ($level, $rest) = $text =~ /^(#+) \Q$heading\E\n(.*)/ms
        or die "$page has no \"$heading\"\n";
    my $part = "";
    my $fenced = 0;

    for my $line (split /^/, $rest) {
        $fenced = !$fenced if $line =~ /^ *```/;

        # not a comment of a shell
        last if !$fenced && $line =~ /^#{1,${\ length $level}} /;

        $part .= $line;
    }

    return $part;
}


sub blocks {
    my ($self, $page, $heading, $language) = @_;

    $language = "sh" if !defined $language;

    my @blocks;
    my $part = section($page, $heading);

    while ($part =~ /^( *)```\Q$language\E\n(.*?)^\1```$/msg) {
        my ($indent, $block) = ($1, $2);
        push @blocks, $block =~ s/^$indent//mgr;
    }

    return @blocks;
}


sub indented {
    my ($self, $page, $heading) = @_;

    return map { s/^    //mgr }
               section($page, $heading) =~ /((?:^    .*\n|^\n(?=    ))+)/mg;
}


# with the paths of the test

sub adapt {
    my ($self, $text) = @_;

    $text =~ s{/var/log/enkod\b}{$self->{dir}/log}g;
    $text =~ s{/var/log/nginx\b}{$self->{dir}/logs}g;
    $text =~ s{/run/nginx\.pid\b}{$self->{dir}/logs/nginx.pid}g;
    $text =~ s{/mnt/}{$self->{dir}/mnt/}g;
    $text =~ s{127\.0\.0\.1:(\d+)}{"127.0.0.1:" . ($self->{urls}{$1} || $1)}ge;

    return $text;
}


# what was printed, with the paths of the documentation

sub shown {
    my ($self, $text) = @_;

    $text =~ s{\Q$self->{dir}\E/logs/nginx\.pid\b}{/run/nginx.pid}g;
    $text =~ s{\Q$self->{dir}\E/logs\b}{/var/log/nginx}g;
    $text =~ s{\Q$self->{dir}\E/log\b}{/var/log/enkod}g;
    $text =~ s{\Q$self->{dir}\E/mnt/}{/mnt/}g;
    $text =~ s{\Q$self->{dir}\E/(?=nginx\.conf\b)}{/etc/nginx/}g;

    return $text;
}


# Runs the commands in a shell; its exit status and all that was printed.

sub run {
    my ($self, $commands) = @_;

    return $self->finish($self->start($commands));
}


sub start {
    my ($self, $commands) = @_;

    my $file = "$self->{dir}/commands";

    open my $fh, ">", $file or die "$file: $!";
    print $fh $self->adapt($commands);
    close $fh or die "$file: $!";

    local $ENV{PATH} = "$self->{dir}/bin:$ENV{PATH}:/usr/sbin:/sbin"
                       . ":$top/build/unpacked/usr/sbin";

    return Enkod::Command::start($self->{dir}, "/bin/sh", $file,
                                 { before => "exec 2>&1; unset NGINX; " });
}


sub finish {
    my ($self, $pid) = @_;

    return (Enkod::Command::finish($self->{dir}, $pid))[0, 1];
}


# a test: they do what they should

sub works {
    my ($self, $title, $commands) = @_;

    my ($status, $output) = $self->run($commands);

    Test::More::is($status, 0, $title) or Test::More::diag($output);

    return $output;
}

1;
