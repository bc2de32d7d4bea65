# The page of figures with one row an environment: margins, labels, words, headings, axis.
#
#   boxmark_rows, boxmark_labels[], boxmark_label_y[] (labels of several lines stand higher),
#   boxmark_row_y[], boxmark_values[], boxmark_notes[]: words to the right where boxmark_words is 1
#   boxmark_groups, boxmark_group_labels[], boxmark_group_y[]: headings above groups of rows
#   boxmark_left, _right, _top, _bottom, _value_x, _note_x, _axis_y: places on the page, 0 to 1
#   boxmark_y_end, boxmark_bar: height of all rows, half a bar's height
set lmargin at screen boxmark_left
set rmargin at screen boxmark_right
set tmargin at screen boxmark_top
set bmargin at screen boxmark_bottom
set yrange [boxmark_y_end:0.25]
unset ytics
set label boxmark_axis at screen (boxmark_left + boxmark_right) / 2, boxmark_axis_y center \
    noenhanced font font_axis

# 0.012 of the page's width is about one letter.
do for [i = 1:boxmark_rows] {
    set label boxmark_labels[i] at screen boxmark_left - 0.012, first boxmark_label_y[i] \
        right noenhanced font font_label
}
if (boxmark_words) {
    do for [i = 1:boxmark_rows] {
        set label boxmark_values[i] at screen boxmark_value_x, first boxmark_row_y[i] \
            left noenhanced font font_note
        set label boxmark_notes[i] at screen boxmark_note_x, first boxmark_row_y[i] \
            left noenhanced font font_note textcolor rgb '#444444'
    }
}
if (boxmark_groups > 0) {
    do for [i = 1:boxmark_groups] {
        set label boxmark_group_labels[i] at screen 0.012, first boxmark_group_y[i] \
            left noenhanced font font_heading front
    }
}
