# `tail -F` and rsyslog's imfile follow a file while nginx appends to it, and
# while faults happen: they deliver exactly the lines of the file, each of them
# once.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use Enkod::Disk;

BEGIN { Enkod::Disk::unshare() }

use Enkod::File;
use Enkod::Load qw(event tally);
use Enkod::Nginx;
use Enkod::Preload;
use Enkod::Process;
use Enkod::Wait qw(wait_for);

my @running;

END {
    kill 'KILL', @running if @running;
    waitpid $_, 0 for @running;
}

my $unpacked = dirname(__FILE__) . "/../../build/unpacked";

my ($rsyslog) = grep { -x } map { "$_/rsyslogd" }
                     split(/:/, $ENV{PATH}), "/usr/sbin", "$unpacked/usr/sbin";
my ($modules) = grep { -e "$_/imfile.so" }
                     map { glob "$_/*/rsyslog $_/rsyslog" }
                         "/usr/lib", "$unpacked/usr/lib";

diag "no rsyslog: what it reads is not tested" if !$rsyslog || !$modules;


# Starts a follower, which writes the lines that it reads to its own file.

sub start {
    my ($out, @command) = @_;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDIN, "<", "/dev/null";
        open STDOUT, ">", $out;
        open STDERR, ">", "$out.err";
        exec @command or POSIX::_exit(127);
    }

    push @running, $pid;

    return $pid;
}


sub tail {
    my ($dir, $file, $out) = @_;

    return start($out, "tail", "-n", "+1", "-s", "0.1", "-F", $file);
}


sub rsyslog {
    my ($dir, $file, $out) = @_;

    mkdir "$dir/spool";

    open my $fh, ">", "$dir/rsyslog.conf" or die "rsyslog.conf: $!";
    print $fh <<"END";
global(workDirectory="$dir/spool")
module(load="$modules/imfile")
template(name="line" type="string" string="%msg%\\n")
input(type="imfile" file="$file" tag="enkod" ruleset="all")
ruleset(name="all") {
    action(type="omfile" file="$out" template="line")
}
END
    close $fh or die "rsyslog.conf: $!";

    return start("$out.out", $rsyslog, "-n", "-f", "$dir/rsyslog.conf",
                 "-i", "$dir/rsyslog.pid", "-M", $modules);
}


sub stop {
    my ($pid) = @_;

    kill 'TERM', $pid;
    waitpid $pid, 0;
    @running = grep { $_ != $pid } @running;
}


my %followers = (tail => \&tail, $rsyslog && $modules ? (rsyslog => \&rsyslog)
                                                      : ());


# Runs nginx, senders and followers while the code runs, and compares the lines
# that the followers have read with those of the files.

sub followed {
    my ($title, $code, %o) = @_;

    my $nginx = Enkod::Nginx->create(workers => 2, daemon => 1,
                                     main => "env LD_PRELOAD; env ENKOD_PRELOAD;");

    my $files = $o{dir} || "$nginx->{dir}/files";
    my $file = "$files/a.jsonl";

    mkdir $files;
    chown $nginx->user, $files if $> == 0;
    unlink glob "$files/*";

    my $preload = Enkod::Preload->new("$nginx->{dir}/preload")
        or plan skip_all => "no compiler for the faults";

    $nginx->{server} = "location / { enkod_webhook; enkod_log $file; }";
    $nginx->{env} = $preload->env;
    $nginx->start;

    my %out = map { $_ => "$nginx->{dir}/$_.out" } keys %followers;
    my %pid = map { $_ => $followers{$_}->($nginx->{dir}, $file, $out{$_}) }
                  keys %followers;

    my $self = { nginx => $nginx, preload => $preload, file => $file,
                 files => $files, out => \%out };

    # wait until the followers read the file
    is $nginx->post(event("first"))->{status}, 200,
       "$title: an event is accepted";
    caught_up($self) or die "they do not begin\n";

    begin($self);
    eval { $code->($self); $self->{load}->accepted(60); 1 }
        or fail "$title: $@";
    end($self);

    # the last line is whole
    is $nginx->post(event("last"))->{status}, 200,
       "$title: another event is accepted";

    caught_up($self);

    my @lines = map { $_ . "\n" } expected($self);

    for my $name (sort keys %out) {
        is_deeply differences([delivered($self, $name)], \@lines), [],
           "$title: $name has delivered the lines of the file, each once";
    }

    cmp_ok scalar @lines, ">", 50, "$title: there were enough lines";

    stop($_) for values %pid;
    $nginx->stop('QUIT');
}


sub begin {
    my ($self) = @_;

    $self->{load} = Enkod::Load->new($self->{nginx}{port}, connections => 2);
}


sub end {
    my ($self) = @_;

    note tally($self->{load}->finish);
}


# the lines of the files, without empty ones, which rsyslog does not deliver

sub expected {
    my ($self) = @_;

    return grep { $_ ne "" }
           map { split /\n/, Enkod::File::slurp($_) }
           sort { -M $b <=> -M $a } glob "$self->{files}/a.jsonl*";
}


sub delivered {
    my ($self, $name) = @_;

    return grep { $_ ne "\n" } split /^/, Enkod::File::slurp($self->{out}{$name});
}


# Waits until the followers have read the whole file.

sub caught_up {
    my ($self) = @_;

    my $n = () = expected($self);

    return wait_for(sub {
        !grep { (() = delivered($self, $_)) < $n } keys %followers;
    });
}


# the lines that are delivered too often or are missing

sub differences {
    my ($got, $expected) = @_;

    my %n;

    $n{$_}++ for @$got;
    $n{$_}-- for @$expected;

    my @bad = map { ($n{$_} > 0 ? "too often: " : "missing: ") . substr $_, 0, 200 }
                  grep { $n{$_} } sort keys %n;

    return [splice @bad, 0, 5];
}


followed("short writes", sub {
    my ($self) = @_;

    for (1 .. 10) {
        $self->{preload}->on_write((qw(short most border))[$_ % 3]);
        wait_for(sub { $self->{preload}->done })
            or die "no write\n";
        sleep 0.05;
    }
});

followed("a worker that is killed within write()", sub {
    my ($self) = @_;

    for (1 .. 4) {
        $self->{preload}->on_write("kill");
        wait_for(sub { $self->{preload}->done })
            or die "no write\n";
        sleep 0.1;
    }
});

followed("other programs that append pieces", sub {
    my ($self) = @_;

    for (1 .. 20) {
        open my $fh, ">>", $self->{file} or die "a.jsonl: $!";
        syswrite $fh, '{"received_at":"';
        close $fh;
        sleep 0.03;
    }
});

followed("a binary upgrade", sub {
    my ($self) = @_;

    my $nginx = $self->{nginx};
    my $old = $nginx->{pid};
    my $new;

    $nginx->signal('USR2');

    wait_for(sub {
        ($new) = $nginx->content("logs/nginx.pid") =~ /^(\d+)\n/;
        $new && $new != $old && $nginx->workers($new) == 2;
    }) or die "no second master\n";

    for (1 .. 6) {
        $self->{preload}->on_write("short");
        wait_for(sub { $self->{preload}->done })
            or die "no write\n";
        sleep 0.05;
    }

    kill 'QUIT', $old;
    wait_for(sub { !Enkod::Process::alive($old) })
        or die "the old master does not end\n";

    $nginx->{pid} = $new;
});

for my $fs (qw(tmpfs ext4)) {
    my $dir = Enkod::Disk->can($fs)->("64m");

    SKIP: {
        skip "$fs of our own cannot be mounted", 1 if !$dir;

        followed("a full $fs", sub { fill(@_) }, dir => $dir);
    }
}

# `tail -F` and imfile stop reading the old file when there is a new one, so
# nothing is appended during the rotation

followed("a rotation", sub {
    my ($self) = @_;

    $self->{load}->accepted(60);
    end($self);
    caught_up($self) or die "they do not catch up\n";

    rename $self->{file}, "$self->{file}.1" or die "a.jsonl: $!";
    $self->{nginx}->reopen($self->{file}) or die "no reopening\n";

    begin($self);
});


# Fills the file system three times.

sub fill {
    my ($self) = @_;

    my $ballast = "$self->{files}/ballast";

    for (1 .. 3) {
        open my $fh, ">", $ballast or die "ballast: $!";

        for my $size (65536, 4096, 1) {
            1 while syswrite $fh, "x" x $size;
        }

        $self->{load}->refused(10);
        close $fh;
        unlink $ballast;
        $self->{load}->accepted(60);
    }

    like $self->{nginx}->error_log, qr/No space left on device/,
         "the disk was full";
}

done_testing;
