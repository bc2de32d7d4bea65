# Bars with intervals: one row for every environment of every metric (the page: rows.gp).
#
#   boxmark_from, boxmark_to, boxmark_step, boxmark_log (1: logarithmic): the axis
# boxmark_data: index 0: y, median, colour; index 1: y, value of one block;
#   index 2 (where boxmark_intervals is 1): y, median, low, high.
load boxmark_scripts.'/common.gp'
load boxmark_scripts.'/rows.gp'

set xrange [boxmark_from:boxmark_to]
if (boxmark_log) { set logscale x; set format x '%g' } else { set xtics boxmark_step }

set style fill solid (boxmark_paper ? 0.45 : 0.55) noborder
plot boxmark_data index 0 using 2:1:(boxmark_from):2:($1 - boxmark_bar):($1 + boxmark_bar):3 \
         with boxxyerror linecolor rgb variable, \
     '' index 1 using 2:1 with points pointtype 6 pointsize 0.5 linewidth 0.8 \
         linecolor rgb '#555555', \
     for [i = 1:boxmark_intervals] '' index 2 using 2:1:3:4 with xerrorbars \
         pointtype 7 pointsize 0.001 linewidth 2 linecolor rgb '#000000'
