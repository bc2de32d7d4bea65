# Empirical distribution functions, one curve an environment; the key stands below, one row each.
# It uses the places that the page of rows (rows.gp) has, but draws them itself.
#
#   boxmark_curves, boxmark_colors[]; boxmark_picture_rows: height of the picture, in rows
#   boxmark_from, boxmark_to, boxmark_step, boxmark_log: the axis
#   boxmark_every: one marker a so many samples (paper)
# boxmark_data: index 0, 1, ...: value, share of samples at or below it, of one environment.
load boxmark_scripts.'/common.gp'

# A row's height on the page; rows begin at 0.25.
row = (boxmark_top - boxmark_bottom) / (boxmark_y_end - 0.25)
place(y) = boxmark_top - (y - 0.25) * row
left = boxmark_narrow ? 0.1 : 0.07
right = 0.97
set lmargin at screen left
set rmargin at screen right
set tmargin at screen boxmark_top
set bmargin at screen place(boxmark_picture_rows)
set xrange [boxmark_from:boxmark_to]
if (boxmark_log) {
    # 1, 2, 5 of each power of ten; where that is crowded, the powers alone.
    set logscale x
    marks = boxmark_to / boxmark_from > 2000 ? '1' : '1 2 5'
    tics = ''
    do for [power = -12:12] {
        do for [mark in marks] {
            at = mark * 10.0 ** power
            if (at >= boxmark_from && at <= boxmark_to) {
                tics = tics.(strlen(tics) ? ', ' : '').sprintf("'%g' %g", at, at)
            }
        }
    }
    eval('set xtics ('.tics.')')
} else { set xtics boxmark_step }
set yrange [0:1]
set ytics 0.25
set grid ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set label boxmark_axis at screen (left + right) / 2, place(boxmark_picture_rows + 1.35) center \
    noenhanced font font_axis

set label 'share of samples' at screen left, screen boxmark_top offset character -4, 0.9 left \
    noenhanced font font_axis textcolor rgb '#333333'

# On paper dashes and markers tell what colours do elsewhere; the key is long enough to show both.
set dashtype 11 (1, 0)
set dashtype 12 (16, 7)
set dashtype 13 (3, 5)
set dashtype 14 (18, 5, 3, 5)
set dashtype 15 (8, 4)
set dashtype 16 (18, 5, 3, 5, 3, 5)
set dashtype 17 (28, 8)
set dashtype 18 (3, 11)
set dashtype 19 (10, 4, 10, 4, 3, 4)
dash(i) = !boxmark_paper ? 1 : i == 1 ? 1 : 10 + i
mark(i) = word('5 6 8 2 4 10 12 1 3', (i - 1) % 9 + 1) + 0
marks_size = boxmark_paper ? 0.8 : 0
key = boxmark_paper ? (boxmark_narrow ? 0.16 : 0.1) : 0.04
do for [i = 1:boxmark_curves] {
    y = place(boxmark_row_y[i])
    set arrow from screen left, y to screen left + key, y nohead linewidth 2.5 dashtype dash(i) \
        linecolor rgb int(boxmark_colors[i])
    if (boxmark_paper) {
        set label '' at screen left + key / 2, y point pointtype mark(i) pointsize marks_size \
            linecolor rgb int(boxmark_colors[i])
    }
    set label boxmark_labels[i] at screen left + key + 0.012, place(boxmark_label_y[i]) left \
        noenhanced font font_note
    if (boxmark_words) {
        set label boxmark_notes[i] at screen boxmark_note_x, y left noenhanced font font_note \
            textcolor rgb '#444444'
    }
}
# Some markers a curve, not at the same heights.
plot for [i = 1:boxmark_curves] boxmark_data index i - 1 using 1:2 with steps linewidth 2.2 \
         dashtype dash(i) linecolor rgb int(boxmark_colors[i]), \
     for [i = 1:boxmark_curves * boxmark_paper] boxmark_data index i - 1 \
         every int(boxmark_every)::i % int(boxmark_every) using 1:2 with points \
         pointtype mark(i) pointsize marks_size linecolor rgb int(boxmark_colors[i])
