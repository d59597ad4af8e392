package Enkod::Chart;

# A bar chart as SVG, for light and dark pages, with an interval around the end
# of each bar.  A bar that is much longer than all others is broken, so that the
# others can still be compared.
#
#     Enkod::Chart::bars(title => text, bars => [
#         { label => text, value => n, low => n, high => n, text => after it,
#           class => "floor", "ours" or "peer" } ])

use strict;
use warnings;

use constant { LABEL => 210, BAR => 360, BEHIND => 150, ROW => 30, TOP => 48 };

# a bar is broken if it is this many times longer than the next one
use constant FAR => 3;


sub bars {
    my %o = @_;

    my @bars = @{ $o{bars} };
    my @highs = sort { $b <=> $a } map { $_->{high} } @bars;

    # broken bars do not count for the scale
    shift @highs while @highs > 1 && $highs[0] > FAR * $highs[1];

    my $scale = BAR / $highs[0];
    my $width = LABEL + BAR + BEHIND;
    my $height = TOP + ROW * @bars + 8;
    my $title = escape($o{title});

    my $svg = <<"END";
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" role="img">
<title>$title</title>
<style>
  svg { color-scheme: light dark }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .label { text-anchor: end }
  .floor { fill: #8c959f }
  .ours { fill: #1a7f37 }
  .peer { fill: #54aeff }
  .range, .break { fill: none; stroke: #1f2328; stroke-width: 1.2 }
  .break { stroke: #fff; stroke-width: 3 }
  .page { fill: #fff }
  \@media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .ours { fill: #3fb950 }
    .peer { fill: #1f6feb }
    .range { stroke: #e6edf3 }
    .break { stroke: #0d1117 }
  }
</style>
<rect class="page" width="$width" height="$height" rx="6"/>
<text class="title" x="16" y="28">$title</text>
END

    for my $i (0 .. $#bars) {
        $svg .= bar($bars[$i], TOP + ROW * $i, $scale);
    }

    return "$svg</svg>\n";
}


sub bar {
    my ($bar, $top, $scale) = @_;

    my $broken = $bar->{value} * $scale > BAR;
    my $end = LABEL + ($broken ? BAR : $bar->{value} * $scale);
    my ($low, $high) = map { LABEL + $_ * $scale } @$bar{qw(low high)};
    my $behind = ($broken || $end > $high ? $end : $high) + 8;
    my ($label, $text) = map { escape($_) } @$bar{qw(label text)};
    my $middle = $top + ROW / 2;

    my $svg = sprintf <<"END", LABEL - 10, $middle + 4.5, LABEL, $top + 5,
<text class="label" x="%d" y="%.1f">$label</text>
<rect class="$bar->{class}" x="%d" y="%d" width="%.1f" height="%d"/>
<text x="%.1f" y="%.1f">$text</text>
END
        $end - LABEL, ROW - 10, $behind, $middle + 4.5;

    if ($broken) {
        my ($x, $y, $bottom) = ($end - 40, $top + 1, $top + ROW - 1);

        $svg .= join '', map {
            sprintf qq(<path class="break" d="M%.1f %d L%.1f %d"/>\n),
                    $x + $_ + 6, $y, $x + $_ - 6, $bottom
        } 0, 8;

    } else {
        $svg .= sprintf qq(<path class="range" d="M%.1f %d H%.1f M%.1f %d v8)
                        . qq( M%.1f %d v8"/>\n),
                        $low, $middle, $high, $low, $middle - 4, $high,
                        $middle - 4;
    }

    return $svg;
}


sub escape {
    my ($text) = @_;

    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');

    return $text =~ s/([&<>])/$entity{$1}/gr;
}

1;
