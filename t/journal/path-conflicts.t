# A path can be used for one purpose only, however it is spelled.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Test::More;

use Enkod::Nginx;

my $webhook = "server { location / { enkod_webhook; enkod_log a; } }";


# Runs nginx -t.  Options: http, main; files, a list of empty files to create;
# symlinks and links, { name => target }.

sub checked {
    my (%o) = @_;

    my $nginx = Enkod::Nginx->create(http => $o{http} || $webhook,
                                     main => $o{main});

    for (@{ $o{files} || [] }) {
        $nginx->put($_, "");
    }

    while (my ($link, $file) = each %{ $o{symlinks} || {} }) {
        symlink $file, $nginx->path($link) or die "$link: $!";
    }

    while (my ($link, $file) = each %{ $o{links} || {} }) {
        link $nginx->path($file), $nginx->path($link) or die "$link: $!";
    }

    mkdir $nginx->path("sub");

    my ($said, $ok) = $nginx->check;

    $said =~ s/\Q$nginx->{dir}\E\///g;

    return ($ok, $said);
}


sub refuses {
    my ($title, $expected, %o) = @_;

    my ($ok, $said) = checked(%o);

    ok !$ok, "$title: refused";
    like $said, qr/\[emerg\] .*$expected/, "$title: nginx -t says why";
}


sub takes {
    my ($title, %o) = @_;

    my ($ok, $said) = checked(%o);

    ok $ok, "$title: accepted" or diag $said;
}


my $same = qr/are the same file, each needs one of its own/;

for (["enkod_log", "enkod_reject_log"], ["enkod_log", "enkod_spool"],
     ["enkod_reject_log", "enkod_spool"])
{
    my ($one, $two) = @$_;

    refuses("$one and $two", qr/"$one a" and "$two a" $same/,
            http => "$one a; $two a;");
    refuses("$one and $two, at different levels", qr/"$two a" and "$one a" $same/,
            http => "$two a; server { $one a; }");
}

refuses("another spelling", qr/"enkod_log a" and "enkod_spool .\/a" $same/,
        http => "enkod_log a; enkod_spool ./a;");
refuses("another spelling, through a folder",
        qr/"enkod_log a" and "enkod_spool sub\/..\/a" $same/,
        http => "enkod_log a; enkod_spool sub/../a;");
refuses("a symbolic link", qr/"enkod_log a" and "enkod_spool b" $same/,
        http => "enkod_log a; enkod_spool b;", files => ["a"],
        symlinks => { b => "a" });
refuses("a symbolic link to a file that does not exist yet",
        qr/"enkod_log a" and "enkod_spool b" $same/,
        http => "enkod_log a; enkod_spool b;", symlinks => { b => "a" });
refuses("a hard link", qr/"enkod_log a" and "enkod_spool b" $same/,
        http => "enkod_log a; enkod_spool b;", files => ["a"],
        links => { b => "a" });

my $nginx = qr/"enkod_log a" and the nginx log "a" $same/;

refuses("access_log before it", $nginx, http => "access_log a; enkod_log a;");
refuses("access_log after it", $nginx, http => "enkod_log a; access_log a;");
refuses("access_log with a buffer", $nginx,
        http => "enkod_log a; server { access_log a combined buffer=32k; }");
refuses("error_log of http", $nginx, http => "enkod_log a; error_log a;");
refuses("error_log before http", $nginx, main => "error_log a;");
refuses("a spool and an access_log",
        qr/"enkod_spool a" and the nginx log ".\/a" $same/,
        http => "enkod_spool a; access_log ./a;");

takes("two logs at one level", http => "enkod_log a; enkod_log b;");
takes("one log at two levels", http => "enkod_log a; server { enkod_log a; }");
takes("one log, spelled twice",
      http => "enkod_log a; server { enkod_log ./a; }");
takes("a device for several purposes",
      http => "enkod_log /dev/null; enkod_spool /dev/null;"
              . " access_log /dev/null;");

done_testing;
