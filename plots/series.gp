# Blocks in their order, one curve an environment around the middle of its row (the page: rows.gp).
#
#   boxmark_from, boxmark_to, boxmark_step: the axis, in blocks
# boxmark_data: index 0: block, y, colour; curves are parted by an empty line.
load boxmark_scripts.'/common.gp'
load boxmark_scripts.'/rows.gp'

set xrange [boxmark_from:boxmark_to]
set xtics boxmark_step
do for [i = 1:boxmark_rows] {
    set arrow from graph 0, first boxmark_row_y[i] to graph 1, first boxmark_row_y[i] nohead \
        linewidth 0.5 linecolor rgb '#bbbbbb' back
}
plot boxmark_data index 0 using 1:2:3 with linespoints pointtype 7 pointsize 0.4 linewidth 1.6 \
    linecolor rgb variable
