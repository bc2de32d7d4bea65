# Single blocks around the median of their environment (the page: rows.gp).
#
#   boxmark_from, boxmark_to, boxmark_step: the axis, in per cent
# boxmark_data: index 0: y, minus and plus spread, colour; index 1: y, one block.
load boxmark_scripts.'/common.gp'
load boxmark_scripts.'/rows.gp'

set xrange [boxmark_from:boxmark_to]
set xtics boxmark_step
set arrow from first 0, graph 0 to first 0, graph 1 nohead linewidth 1 linecolor rgb '#333333' back
set style fill solid 0.4 noborder
plot boxmark_data index 0 using (0):1:2:3:($1 - boxmark_bar):($1 + boxmark_bar):4 \
         with boxxyerror linecolor rgb variable, \
     '' index 1 using 2:1 with points pointtype 6 pointsize 0.7 linewidth 1.2 \
         linecolor rgb '#222222'
