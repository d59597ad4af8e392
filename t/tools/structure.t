# The check of the structure accepts the sources as they are, and names each
# fault that is put into a copy of them.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use File::Spec;
use File::Temp qw(tempdir);
use Test::More;

use Enkod::File qw(put slurp);

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $build = $ENV{BUILD} || "build";
my $src = "ngx_http_enkod_module";

my $dir = tempdir("enkod-structure-XXXXXX", TMPDIR => 1, CLEANUP => 1);

# what is there when nginx was built with the module in it
my $objects = () = glob "$top/$build/nginx/objs/addon/*/*.o";

copy_tree();


my ($said, $failed) = check();

like $said, qr/\Astructure: no faults in \d+ files and \d+ objects\n\z/,
     "the sources are as the picture in docs/design.md";
ok !$failed, "and the check succeeds";


# what the files use of each other

fault("a folder includes a header of one that it may not use",
      { "$src/pass/more.c" => "\n#include \"ngx_http_enkod_more.h\"\n",
        "$src/receive/ngx_http_enkod_more.h" => "int more;\n",
        "docs/design.md" => sub {
            s/^( +receive +──► .*  )/$1ngx_http_enkod_more.h, /m
        } },
      "$src/pass/more.c:2: \"pass\" may not use \"receive\": "
      . "ngx_http_enkod_more.h");

fault("the event core includes a header of the module",
      { "$src/event/more.c" => "#include \"ngx_http_enkod_module.h\"\n" },
      "$src/event/more.c:1: \"event\" may not use \"module\": "
      . "ngx_http_enkod_module.h");

fault("the journal includes a header of the module, by its path",
      { "$src/journal/more.c"
        => "/*\n */\n#include \"../ngx_http_enkod_module.h\"\n" },
      "$src/journal/more.c:3: \"journal\" may not use \"module\": "
      . "ngx_http_enkod_module.h");

fault("the journal includes a header of the event core, in angle brackets",
      { "$src/journal/more.c" => "#include <enkod_event.h>\n" },
      "$src/journal/more.c:1: \"journal\" may not use \"event\": "
      . "enkod_event.h");

fault("an arrow is taken out of the picture",
      { "docs/design.md" => sub { s/^( +check +──► *)lib, event/$1lib/m } },
      qr{^tools/check/\w+\.[ch]:\d+: "check" may not use "event": }m);

fault("a folder includes a header that another one does not offer",
      { "$src/receive/more.c" => "#include \"ngx_http_enkod_more.h\"\n",
        "$src/journal/ngx_http_enkod_more.h" => "int more;\n" },
      "$src/receive/more.c:1: ngx_http_enkod_more.h is not offered by"
      . " \"journal\"");

fault("two headers include each other",
      { "$src/pass/one.h" => "#include \"two.h\"\nint one, *two;\n",
        "$src/pass/two.h" => "int two;\n#include \"one.h\"\nint *one;\n" },
      "$src/pass/one.h:1: a circle of includes: one.h → two.h → one.h");

fault("a header is included of which nothing is used",
      { "$src/pass/more.c" => "#include \"more.h\"\n"
                              . "#include \"one.h\"\n"
                              . "int a = SIX, b = sizeof(three_t), c = five;\n"
                              . "/* one, three */ char *text = \"text\";\n",
        "$src/pass/more.h" => "",
        "$src/pass/one.h" => "typedef struct {\n    int  two;\n} one_t;\n"
                             . "int one(int seven);\n"
                             . "struct three { int a; };\n" },
      "$src/pass/more.c:2: nothing of one.h is used here");

fault("a header is included that is not there",
      { "tools/lib/more.c" => "#include \"more/one.h\"\n" },
      "tools/lib/more.c:1: there is no header \"more/one.h\"");

fault("two headers have the same name",
      { "$src/pass/one.h" => "", "$src/receive/one.h" => "" },
      "$src/receive/one.h:1: another header has this name: $src/pass/one.h");

fault("a folder is not in the picture",
      { "$src/more/one.c" => "" },
      "$src/more/one.c:1: \"more\" is not in the picture");

fault("the picture has a header that is not there",
      { "docs/design.md" => sub {
            s/^( +receive +──► .*  )/$1ngx_http_enkod_more.h, /m
        } },
      qr{^docs/design\.md:\d+: there is no header ngx_http_enkod_more\.h }m);

accepted("one name of a header is enough: a macro, a type, a tag, a member of an"
         . " enumeration, a function, a variable",
         { "$src/pass/one.h"
           => "#define SIX  6\ntypedef struct {\n    int  x;\n} one_t;\n"
              . "typedef enum {\n    ONE = 0,\n    TWO\n} two_e;\n"
              . "int three(void *p);\nstruct four { int y; };\n"
              . "extern char five[3];\n"
              . "typedef int (*seven)(int z);\n"
              . "static int\neight(void)\n{\n    if (z) { return 0; }\n}\n"
              . "int nine;\n",
           map { ("$src/pass/more_$_.h" => "#include \"one.h\"\n$_\n") }
               qw(one_t two_e TWO three four five SIX seven eight nine) });


# what the objects use of each other

SKIP: {
    skip "there are no objects here", 1 if !$objects;

    fault("two objects call each other",
          { "$src/journal/one.c" => "int two(void);\n\n\n"
                                    . "int one(void) { return two(); }\n",
            "$src/journal/two.c" => "int one(void);\n"
                                    . "int two(void) { return one(); }\n" },
          "$src/journal/one.c:1: a circle of calls: one.c → two(), "
          . "two.c → one()");

    fault("three commands' objects call each other in a ring",
          { "tools/lib/one.c" => "int two(void);\n"
                                 . "int one(void) { return two(); }\n",
            "tools/lib/two.c" => "int three(void);\n"
                                 . "int two(void) { return three(); }\n",
            "tools/lib/three.c" => "int one(void);\n"
                                   . "int three(void) { return one(); }\n" },
          "tools/lib/one.c:1: a circle of calls: one.c → two(), "
          . "two.c → three(), three.c → one()");

    fault("a function is called that is in a folder which may not be used",
          { "$src/journal/one.c" => "int two(void);\n"
                                    . "int one(void) { return two(); }\n",
            "$src/event/two.c" => "int two(void) { return 2; }\n" },
          "$src/journal/one.c:1: \"journal\" may not use \"event\": two()");

    fault("a function is called that the other folder does not offer",
          { "$src/receive/one.c" => "int two(void);\n"
                                    . "int one(void) { return two(); }\n",
            "$src/journal/more.h" => "int two(void);\n",
            "$src/journal/two.c" => "int two(void) { return 2; }\n" },
          "$src/receive/one.c:1: two() is not offered by \"journal\"");

    accepted("any file may use the module's own symbol",
             { "$src/journal/one.c" => "extern int ngx_http_enkod_module;\n"
                   . "int one(void) { return ngx_http_enkod_module; }\n" });

    fault("a source was not compiled",
          { "$src/pass/one.c" => undef },
          "$src/pass/one.c:1: there is no object of it: call make first");
}

done_testing;


# Changes files of the copy, TEXT or a sub that changes the text in $_, looks at
# what the check says, and changes them back.

sub fault {
    my ($what, $files, $expected) = @_;

    my ($said, $failed) = with($files);

    $expected = qr/^\Q$expected\E$/m if !ref $expected;

    like $said, $expected, "$what: it is named";
    ok $failed, "$what: the check fails";
}


sub accepted {
    my ($what, $files) = @_;

    my ($now, $fails) = with($files);

    is $now =~ s/^structure: .*//mr, $said =~ s/^structure: .*//mr, $what;
    is $fails, $failed, "$what: the check succeeds";
}


sub with {
    my ($files) = @_;
    my (%before, @made);

    for my $file (keys %$files) {
        my $text = $files->{$file};

        if (ref $text) {
            $before{$file} = slurp("$dir/$file");
            local $_ = $before{$file};
            $text->() or die "nothing to change in $file";
            put("$dir/$file", $_);
            next;
        }

        make_path(dirname("$dir/$file"));
        put("$dir/$file", defined $text ? $text : "");
        push @made, "$dir/$file";

        if ($file =~ /\.c$/ && defined $text && $objects) {
            push @made, compile($file, $text);
        }
    }

    my @result = check();

    unlink @made;
    rmdir "$dir/$src/more";
    put("$dir/$_", $before{$_}) for keys %before;

    return @result;
}


# An object like that of make; what the file includes does not matter in it.

sub compile {
    my ($file, $text) = @_;

    my $name = basename($file, ".c");
    my $folder = basename(dirname($file));
    my $object = "$dir/$build/" . ($file =~ /^tools/ ? "tools"
                                                     : "nginx/objs/addon")
                 . "/$folder/$name.o";

    make_path(dirname($object));
    $text =~ s/^(?:#include.*|int a = .*)$//mg;
    put("$dir/object.c", $text);

    my $cc = $ENV{CC} || "cc";
    system("$cc -c -o $object $dir/object.c") == 0 or die "cannot compile";

    return $object;
}


sub check {
    my $said = `cd "$dir" && BUILD="$build" perl "$top/tools/build/structure" 2>&1`;

    return ($said, $? != 0);
}


sub copy_tree {
    make_path(map { "$dir/$_" } "docs", "tools", "$build/nginx/objs");

    for my $path ("docs/design.md", $src, glob("tools/{check,replay,lib}"),
                  "$build/nginx/objs/addon", "$build/tools")
    {
        next if !-e "$top/$path";
        system("cp", "-R", "$top/$path", dirname("$dir/$path")) == 0
            or die "cannot copy $path";
    }
}
