# The exit status of enkod-replay is 0 only if everything in its input was
# delivered, to the last byte.

use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__) . "/../lib";

use Encode qw(encode);
use File::Temp qw(tempdir);
use Test::More;

use Enkod::Nginx;
use Enkod::ScriptedServer qw(answer);
use Enkod::ReplayTest;

my $dir = tempdir(TMPDIR => 1, CLEANUP => 1);

in_folder($dir);

my @line = map { line($_) } 0 .. 9;
my @sent = map { sent_line($_) } 0 .. 9;

my $url;


# Like sent(), for these bytes, in a file and on standard input.  The results
# have to be the same; if they are not, returns both.

sub of_bytes {
    my ($bytes, @args) = @_;

    my (@of, @bodies);

    for my $way ("file", "-") {
        my $server = receiver();

        unlink "$dir/s.pos";
        put("s", $bytes);

        my ($status, $out, $err)
            = $way eq "file" ? run(@args, "s", $server->url)
                             : run(@args, "-", $server->url,
                                   { stdin => "$dir/s" });

        $err =~ s/"-"/"s"/g if $way eq "-";
        push @of, "$status " . numbers($out) . " " . skipped($out) . " $err";
        push @bodies, join " ", map { $_->{body} } $server->stop;
    }

    return ($of[0], $bodies[0]) if "$of[0]$bodies[0]" eq "$of[1]$bodies[1]";
    return ("file: $of[0]\nstandard input: $of[1]", "@bodies");
}


sub skipped { return $_[0] =~ /^skipped: (\d+)/m ? $1 : "?" }

sub compressed {
    my ($with, $bytes) = @_;

    put("plain", $bytes);
    return scalar `$with -c <$dir/plain`;
}


# input that is read

my $three = join "", map { "$_\n" } @line[1 .. 3];
my $all = "0 3 3 3 0 0 0 ";

for (["lines", $three],
     ["an empty file", "", "0 0 0 0 0 0 0 ", ""],
     ["empty lines", "\n\n\n", "0 0 0 0 0 0 0 ", ""],
     ["empty lines between them", $three =~ s/\n/\n\n/gr],
     ["a last line without a line feed", $three =~ s/\n\z//r],
     ["gzip", compressed("gzip", $three)],
     ["gzip, the best", compressed("gzip -9", $three)],
     ["gzip of nothing", compressed("gzip", ""), "0 0 0 0 0 0 0 ", ""],
     ["gzip, with a name", do { put("plain", $three);
                                scalar `cd $dir && gzip -kf plain && cat plain.gz` }],
     ["gzip in two parts", compressed("gzip", "$line[1]\n" . substr $line[2], 0, 9)
                           . compressed("gzip", substr($line[2], 9)
                                                . "\n$line[3]\n")],
     ["gzip of a last line without a line feed",
      compressed("gzip", $three =~ s/\n\z//r)])
{
    my ($what, $bytes, $said, $bodies) = @$_;

    is_deeply [of_bytes($bytes)],
              [defined $said ? $said : $all,
               defined $bodies ? $bodies : "@sent[1 .. 3]"],
              "$what: all is delivered";
}

{
    # larger than any buffer
    my @many = map { line($_) } 1 .. 20_000;
    my $server = receiver();

    put("s", compressed("gzip", join "", map { "$_\n" } @many));
    unlink "$dir/s.pos";
    my ($status, $out) = run("--dry-run", "s", $server->url);
    is "$status " . numbers($out), "0 20000 20000 0 0 20000", "gzip of 3 MB";

    # the position is an offset in the uncompressed text
    put("s", compressed("gzip", $three . "$line[4]\n"));
    is +(sent_on(sub { answer($_[0] == 3 ? 500 : 200) }))[0], "1 4 4 2 1 2",
       "gzip: the run stops at a failure";
    is_deeply [sent_on()], ["0 4 4 4 0 0", @sent[3, 4]],
              "gzip: the next run continues";
    is_deeply [sent_on()], ["0 4 4 4 0 0"], "gzip: then nothing is left";

    put("s", compressed("gzip", $three));
    like +(run("s", $server->url))[2], qr/^enkod-replay: "s.pos" is the position in another file /,
         "gzip: a position of another file is refused";
    $server->stop;
}

sub sent_on {
    my ($status, $numbers, $err, @bodies) = sent(@_);
    return ("$status $numbers", @bodies);
}


# input that is not read

for (["bzip2", "BZh91AY&SY", 'is compressed by bzip2'],
     ["xz", "\xfd7zXZ\0\0\4", 'is compressed by xz'],
     ["lzma", "\x5d\0\0\x80\0\xff", 'is compressed by lzma'],
     ["zstd", "\x28\xb5\x2f\xfd\x04", 'is compressed by zstd'],
     ["lz4", "\x04\x22\x4d\x18\x64", 'is compressed by lz4'],
     ["lzip", "LZIP\1", 'is compressed by lzip'],
     ["compress", "\x1f\x9d\x90", 'is compressed by compress'],
     ["zip", "PK\3\4\x14", 'is compressed by zip'],
     ["7-zip", "7z\xbc\xaf\x27\x1c", 'is compressed by 7-zip'],
     ["UTF-16", "\xff\xfe" . encode("UTF-16LE", $three), 'is UTF-16'],
     ["UTF-16BE", "\xfe\xff" . encode("UTF-16BE", $three), 'is UTF-16'],
     ["UTF-16LE without a mark", encode("UTF-16LE", $three), 'is UTF-16'],
     ["UTF-16BE without a mark", encode("UTF-16BE", $three), 'is UTF-16'],
     ["UTF-32", encode("UTF-32BE", $three), 'is UTF-32'],
     ["a byte order mark", "\xef\xbb\xbf$three",
      'begins with a byte order mark'],
     ["a JSON array", "[" . join(",", @line[1 .. 3]) . "]\n",
      'is a JSON array'],
     ["a JSON array of lines", "[\n" . join(",\n", @line[1 .. 3]) . "\n]\n",
      'is a JSON array'],
     ["a JSON array after white space", " \n [$line[1]]", 'is a JSON array'])
{
    my ($what, $bytes, $said) = @$_;
    my ($got, $bodies) = of_bytes($bytes);

    like $got, qr/\A2 \? \? \? \? \? \? enkod-replay: "s" \Q$said\E[^\n]*\n\z/,
         "$what is an error";
    is $bodies, "", "$what: nothing is sent";
}

{
    my $gzip = compressed("gzip", join "", map { "$_\n" } @line[1 .. 9]);

    for (["truncated", substr($gzip, 0, -20), 'is incomplete'],
         ["truncated in its end", substr($gzip, 0, -1), 'is incomplete'],
         ["truncated in its beginning", substr($gzip, 0, 12), 'is incomplete'],
         ["damaged", substr($gzip, 0, 40) . "\xff" x 60, 'is damaged'],
         ["with another check sum", substr($gzip, 0, -8) . "\0" x 8,
          'is damaged'],
         ["with something after it", "${gzip}hello, world", 'is damaged'])
    {
        my ($what, $bytes, $said) = @$_;

        like +(of_bytes($bytes))[0],
             qr/\A2 .*enkod-replay: "s" \Q$said\E[^\n]*\n\z/s,
             "gzip, $what: an error";
    }
}


# what is not a JSON object cannot be an event that got a 200

for (["text", "hello", "not a JSON object"],
     ["the beginning of a line", substr($line[2], 0, 60), "not a JSON object"],
     ["the beginning of a line, and the next line", substr($line[2], 0, 60) . $line[3],
      "not a JSON object"],
     ["a line without its beginning", substr($line[2], 60), "not a JSON object"],
     ["NUL bytes", "\0" x 20, "not a JSON object"],
     ["invalid UTF-8", $line[2] =~ s/:2\}/:"\xff"}/r, "not a JSON object"],
     ["an array", "[$line[2]]", "not a JSON object"],
     ["a number", "17", "not a JSON object"],
     ["white space", " \t", "not a JSON object"],
     ["two lines with a CR", "$line[2]\r$line[3]",
      "not a JSON object; it contains CR, which does not end a line"])
{
    my ($what, $text, $reason) = @$_;

    my $said = "line 2 is skipped: it is $reason\n";
    my ($got, $bodies) = of_bytes("$line[1]\n$text\n$line[4]\n");

    is $got, "3 3 2 2 0 0 1 enkod-replay: \"s\" $said",
       "$what: it is skipped, named and counted, and the status is not 0";
    is $bodies, "@sent[1, 4]", "$what: all lines are delivered";

    # the next run reports it again
    put("s", "$line[1]\n$text\n$line[4]\n");
    unlink "$dir/s.pos";
    sent(undef);
    my $server = receiver();
    my ($status, $out) = run("s", $server->url);
    is "$status " . skipped($out) . " " . $server->stop, "3 1 0",
       "$what: the status of the next run is not 0 either";
    like $out, qr/^skipped: 1, of these 1 in earlier runs$/m,
         "the summary says how many earlier runs have skipped";

    # with --collect
    put("s", "$line[1]\n$text\n$line[4]\n");
    unlink "$dir/c", "$dir/s.pos";
    is +(sent_on(undef, "--collect", "c"))[0], "3 3 2 2 0 0",
       "$what: with --collect";
    is slurp("c"), "$text\n", "with --collect, it is kept";
}

{
    # an incomplete last line
    my $half = substr $line[2], 0, 50;

    put("s", "$line[1]\n$half");
    unlink "$dir/s.pos", "$dir/c";
    my @got = sent(undef, "--collect", "c");

    is "@got[0, 1]", "3 1 1 1 0 0",
       "with an incomplete last line, the status is not 0";
    is slurp("c"), "",
       "an incomplete last line is not collected, as it may be completed";

    my $server = receiver();
    my ($status, $out, $err) = run("--collect", "c", "-", $server->url,
                                   { stdin => "$dir/s" });
    is "$status " . numbers($out), "3 2 1 1 0 0",
       "an incomplete last line of standard input is skipped";
    like $err, qr/"-" line 2 is collected: it is not a JSON object/,
         "the message says so";
    is slurp("c"), "$half\n", "it is collected";

    put("s.gz", compressed("gzip", "$line[1]\n$half"));
    ($status, $out) = run("s.gz", $server->url);
    is "$status " . numbers($out), "3 2 1 1 0 0",
       "an incomplete last line of a gzip file is skipped";
    ($status, $out) = run("s.gz", $server->url);
    is "$status " . numbers($out), "3 2 1 1 0 0",
       "an incomplete last line of a gzip file is skipped by the next run, too";
    $server->stop;

    # only NUL bytes
    put("s", "\0" x 4096);
    unlink "$dir/s.pos";
    is +(sent(undef))[0], 3, "with NUL bytes alone, the status is not 0";

    # CR in the place of LF
    for my $text ("$line[1]\r", "$line[1]\r$line[2]\r", "$line[1]\r\n") {
        put("s", $text);
        unlink "$dir/s.pos";
        my ($status, $numbers, $err) = sent(undef);
        isnt $status, 0, "CR as the end of a line: the status is not 0";
        like $err, qr/white space|CR/, "the bad line is named";
    }

    # many bad lines
    put("s", "x\n" x 1000 . "$line[1]\n");
    unlink "$dir/s.pos";
    ($status, my $numbers, $err) = sent(undef, "--quiet");
    is $status, 3, "a thousand bad lines are skipped";
    is scalar(() = $err =~ /is skipped/g), 10, "only the first ten are named";
    like $err, qr/^enkod-replay: 990 more lines are skipped$/m,
         "the others are counted";

    # an object could be an event, so it fails
    put("s", "$line[1]\n{\"a\":1}\n$line[2]\n");
    unlink "$dir/s.pos";
    is join(" ", (sent(undef))[0, 1]), "1 3 3 1 1 2",
       "an object that is not a line stops the run";
}


# a whole last line without its line feed

{
    put("s", "$line[1]\n$line[2]");
    unlink "$dir/s.pos";
    is_deeply [sent_on(sub { answer($_[0] == 2 ? 500 : 200) })],
              ["1 2 2 1 1 1", @sent[1, 2]],
              "a whole last line that fails is left";
    is_deeply [sent_on()], ["0 2 2 2 0 0", $sent[2]],
              "the next run sends the whole last line";
    is_deeply [sent_on()], ["0 2 2 2 0 0"], "the whole last line is sent once";

    # nginx appends a line feed before its next line
    open my $fh, ">>", "$dir/s" or die;
    print $fh "\n$line[3]\nhello\n";
    close $fh;

    my ($status, $numbers, $err, @got) = sent(undef);
    is "$status $numbers @got", "3 4 3 3 0 0 $sent[3]",
       "lines that follow it are sent";
    like $err, qr/line 4 is skipped/, "line numbers stay right";
}


# a file that grows

{
    my $grow = sub {
        my ($text) = @_;

        return sub {
            open my $fh, ">>", "$dir/s" or die;
            print $fh $text;
            close $fh;
            return answer(200);
        };
    };

    for my $text ("$line[7]\n", "\n", "x") {
        my $bytes = 2 * length $text;

        spool(@line[1, 2]);
        my ($status, $numbers, $err) = sent($grow->($text));

        is "$status $numbers", "1 2 2 2 0 0",
           "with a file that grows, the status is not 0";
        is $err, "enkod-replay: \"s\" has grown by $bytes bytes meanwhile, which"
                 . " are left for the next run\n", "the message says so";
    }

    spool(@line[1, 2]);
    sent($grow->("$line[7]\n"));
    is_deeply [sent_on()], ["0 4 4 4 0 0", @sent[7, 7]],
              "the next run sends the rest";
}

done_testing;
