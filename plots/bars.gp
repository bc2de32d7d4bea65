# Bars with intervals: one row for every environment of every metric.
#
# Variables set before this is loaded (all text is plain):
#   boxmark_title, boxmark_axis (unit), boxmark_caption
#   boxmark_rows, boxmark_labels[], boxmark_values[], boxmark_ratios[], boxmark_row_y[],
#   boxmark_label_y[] (labels of several lines stand higher), boxmark_bar (half a bar's height)
#   boxmark_groups, boxmark_group_labels[], boxmark_group_y[]   headings above groups of rows
#   boxmark_from, boxmark_to, boxmark_log (1: logarithmic), boxmark_y_end
#   boxmark_left, _right, _top, _bottom, _value_x, _ratio_x, _caption_y, _axis_y: places, 0 to 1
# boxmark_data: index 0: y, median, colour; index 1: y, value of one block;
#   index 2 (where boxmark_intervals is 1): y, median, low, high.
load boxmark_scripts.'/common.gp'

set lmargin at screen boxmark_left
set rmargin at screen boxmark_right
set tmargin at screen boxmark_top
set bmargin at screen boxmark_bottom
set xrange [boxmark_from:boxmark_to]
set yrange [boxmark_y_end:0.25]
unset ytics
set label boxmark_axis at screen (boxmark_left + boxmark_right) / 2, boxmark_axis_y center \
    noenhanced font font_axis
if (boxmark_log) { set logscale x; set format x '%g' }

# 0.012 of the page's width is about one character.
do for [i = 1:boxmark_rows] {
    set label boxmark_labels[i] at screen boxmark_left - 0.012, first boxmark_label_y[i] \
        right noenhanced font font_label
    set label boxmark_values[i] at screen boxmark_value_x, first boxmark_row_y[i] \
        left noenhanced font font_note
    set label boxmark_ratios[i] at screen boxmark_ratio_x, first boxmark_row_y[i] \
        left noenhanced font font_note textcolor rgb '#444444'
}
if (boxmark_groups > 0) {
    do for [i = 1:boxmark_groups] {
        set label boxmark_group_labels[i] at screen boxmark_left, first boxmark_group_y[i] \
            left noenhanced font font_heading front
    }
}

set style fill solid 0.55 noborder
plot boxmark_data index 0 using 2:1:(boxmark_from):2:($1 - boxmark_bar):($1 + boxmark_bar):3 \
         with boxxyerror linecolor rgb variable, \
     '' index 1 using 2:1 with points pointtype 6 pointsize 0.5 linewidth 0.8 \
         linecolor rgb '#555555', \
     for [i = 1:boxmark_intervals] '' index 2 using 2:1:3:4 with xerrorbars \
         pointtype 7 pointsize 0.001 linewidth 2 linecolor rgb '#000000'
