# Runs over time, one curve an environment around the middle of its row (the page: rows.gp), with
# the means between change points as thick lines and the change points as upright ones.
#
#   boxmark_from, boxmark_to, boxmark_step: the axis, in seconds since 1970; boxmark_date: its format
#   boxmark_half, boxmark_limit: half the height of a row's scale, and what it stands for
#   boxmark_has_points: there are change points
# boxmark_data: index 0: time, y, colour; curves are parted by an empty line; index 1: time, y,
#   colour of the means, each a line of two points; index 2: time, y, length, colour of the points.
load boxmark_scripts.'/common.gp'
load boxmark_scripts.'/rows.gp'

font_scale = boxmark_font(11)
set xrange [boxmark_from:boxmark_to]
unset mxtics
set xtics boxmark_from, boxmark_step time format boxmark_date
do for [i = 1:boxmark_rows] {
    set arrow from graph 0, first boxmark_row_y[i] to graph 1, first boxmark_row_y[i] nohead \
        linewidth 0.5 linecolor rgb '#bbbbbb' back
    # The scale of the row: its ends are as far from the median as the labels say.
    set arrow from graph 0, first boxmark_row_y[i] - boxmark_half to graph 0, \
        first boxmark_row_y[i] + boxmark_half heads size screen 0.004,90 linewidth 1 \
        linecolor rgb '#777777' front
    if (boxmark_rows <= 24) {
        set label '+'.boxmark_limit at graph 0, first boxmark_row_y[i] - boxmark_half left \
            offset character 0.7, -0.3 noenhanced font font_scale textcolor rgb '#777777' front
        set label '-'.boxmark_limit at graph 0, first boxmark_row_y[i] + boxmark_half left \
            offset character 0.7, 0.3 noenhanced font font_scale textcolor rgb '#777777' front
    }
}
if (boxmark_has_points) {
    plot boxmark_data index 0 using 1:2:3 with points pointtype 7 pointsize 0.35 \
        linecolor rgb variable, \
        boxmark_data index 1 using 1:2:3 with lines linewidth 2.6 linecolor rgb variable, \
        boxmark_data index 2 using 1:2:(0):3:4 with vectors nohead linewidth 1.8 dashtype 2 \
        linecolor rgb variable
} else {
    plot boxmark_data index 0 using 1:2:3 with points pointtype 7 pointsize 0.35 \
        linecolor rgb variable, \
        boxmark_data index 1 using 1:2:3 with lines linewidth 2.6 linecolor rgb variable
}
