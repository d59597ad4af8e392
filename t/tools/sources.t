# What make knows of each source: how it is compiled, in compile_commands.json,
# and on which headers its object depends.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use File::Spec;
use JSON::PP;
use Test::More;

use Enkod::File qw(slurp);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $build = $ENV{BUILD} || "build";
my $tree = "$build/nginx";

chdir $top or die "cannot enter $top: $!";

# those of the make that runs us
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};

plan skip_all => "this nginx has the module in it, and not from $tree"
    if !-f "$tree/objs/Makefile";


# commands

my @sources = glob("ngx_http_enkod_module/*.c ngx_http_enkod_module/*/*.c "
                   . "tools/*/*.c t/unit/*.c t/fuzz/*.c t/fuzz/*.cc");

system("bash", "tools/build/compile-commands") == 0
    or die "tools/build/compile-commands has failed";

my $entries = decode_json(slurp("$build/compile_commands.json"));
my %command;

for (@$entries) {
    my $file = File::Spec->abs2rel($_->{file}, $top);

    ok !$command{$file}, "$file has one entry";
    $command{$file} = $_;
}

is join("\n", sort keys %command), join("\n", sort @sources),
   "each source of the module, the commands, the unit tests and the fuzz targets"
   . " has an entry";

# in a folder, the commands differ in the name of the source only
my %seen;

for my $file (grep { !$seen{dirname($_)}++ } sort keys %command) {
    my ($dir, $command) = @{$command{$file}}{qw(directory command)};

    $command =~ s/ -M\w+\b//g;
    $command =~ s/ -o \S+/ -o \/dev\/null/;

    is `cd "$dir" && $command -fsyntax-only 2>&1`, "", "$file can be compiled";
}

my $before = (stat "$build/compile_commands.json")[9];
utime 1, $before, "$build/compile_commands.json";
system("bash", "tools/build/compile-commands");

is +(stat "$build/compile_commands.json")[9], $before,
   "the file is not written again when there are the same sources";


# headers

my %includes = map { $_ => [slurp($_) =~ m{^#include "(?:[^"]*/)?([^"/]+)"}mg] }
                   glob("{ngx_http_enkod_module,tools}/{*.[ch],*/*.[ch]}");

for my $header (glob("ngx_http_enkod_module/*.h ngx_http_enkod_module/*/*.h")) {
    rebuilt($header, "ngx_http_enkod_module",
            "-C $tree -f objs/Makefile -W $top/$header modules");
}

for my $header (glob("tools/*/*.h ngx_http_enkod_module/event/*.h")) {
    # make knows it by the name that the compiler has found it with
    my @names = ($header, map { "tools/$_/../" . $header =~ s{^tools/}{}r }
                              qw(check replay));

    rebuilt($header, "tools", join " ", (map { "-W $_" } @names),
            "BUILD=$build TOOL_CFLAGS= $build/enkod-check $build/enkod-replay");
}

# the status page, which is made into a C file

for my $part (glob("ngx_http_enkod_module/status/page/*"), "tools/build/page") {
    my $said = `make -n -C $tree -f objs/Makefile -W $top/$part modules 2>&1`;

    like $said, qr{-o objs/addon/\w+/ngx_http_enkod_status_page\.o},
         "$part has changed: the page is compiled";
}

done_testing;


# All sources in a folder that include the header are compiled when it changes.

sub rebuilt {
    my ($header, $folder, $arguments) = @_;

    my $said = `make -n $arguments 2>&1`;
    my @missed = grep { $said !~ /\b\Q$_\E$/m } users($header, $folder);

    is "@missed", "", "$header has changed: what includes it in $folder is"
                      . " compiled";
}


# The sources in a folder that include a header, directly or through others.

sub users {
    my ($header, $folder) = @_;
    my %users = (basename($header) => 1);
    my $more = 1;

    while ($more) {
        $more = 0;

        for my $file (grep { !$users{basename($_)} } keys %includes) {
            next if !grep { $users{$_} } @{$includes{$file}};

            $users{basename($file)} = $more = 1;
        }
    }

    return grep { $users{basename($_)} && /\.c$/ && m{^\Q$folder\E/} }
           sort keys %includes;
}
