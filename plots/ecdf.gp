# Empirical distribution functions, one curve an environment; the key stands below, one row each.
# It uses the places that the page of rows (rows.gp) has, but draws them itself.
#
#   boxmark_curves, boxmark_colors[]; boxmark_picture_rows: height of the picture, in rows
#   boxmark_from, boxmark_to, boxmark_step, boxmark_log: the axis
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
if (boxmark_log) { set logscale x; set format x '%g' } else { set xtics boxmark_step }
set yrange [0:1]
set ytics 0.25
set grid ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set label boxmark_axis at screen (left + right) / 2, place(boxmark_picture_rows + 1.35) center \
    noenhanced font font_axis

dash(i) = boxmark_paper ? i : 1
do for [i = 1:boxmark_curves] {
    y = place(boxmark_row_y[i])
    set arrow from screen left, y to screen left + 0.04, y nohead linewidth 3 dashtype dash(i) \
        linecolor rgb int(boxmark_colors[i])
    set label boxmark_labels[i] at screen left + 0.05, place(boxmark_label_y[i]) left \
        noenhanced font font_note
    if (boxmark_words) {
        set label boxmark_notes[i] at screen boxmark_note_x, y left noenhanced font font_note \
            textcolor rgb '#444444'
    }
}
plot for [i = 1:boxmark_curves] boxmark_data index i - 1 using 1:2 with steps linewidth 2.2 \
    dashtype dash(i) linecolor rgb int(boxmark_colors[i])
