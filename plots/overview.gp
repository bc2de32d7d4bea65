# Costs relative to the host on a logarithmic axis (the page: rows.gp).
#
#   boxmark_from, boxmark_to: the axis; boxmark_margin: differences smaller than this are "same"
# boxmark_data: index 0: y, cost, low, high, colour;
#   index 1: y, start of an arrow to the edge, its length as a part of that, colour.
load boxmark_scripts.'/common.gp'
load boxmark_scripts.'/rows.gp'

set logscale x
set xrange [boxmark_from:boxmark_to]
set format x '%g'
marks = '0.1, 0.2, 0.5, 1, 2, 5, 10'
if (boxmark_to / boxmark_from < 6) { marks = '0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5' }
if (boxmark_to / boxmark_from < 2) { marks = '0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 1.7' }
eval('set xtics ('.marks.')')
# Where the rows go on for pages, the scale stands above them, too.
if (boxmark_rows > 24) {
    set logscale x2
    set x2range [boxmark_from:boxmark_to]
    set format x2 '%g'
    eval('set x2tics ('.marks.')')
}

set object rectangle from first 1 - boxmark_margin, graph 0 to first 1 + boxmark_margin, graph 1 \
    behind fillcolor rgb '#dddddd' fillstyle solid noborder
set arrow from first 1, graph 0 to first 1, graph 1 nohead linewidth 1.5 linecolor rgb '#333333'
# A point never hides its interval on a narrow picture.
size = boxmark_narrow ? 0.35 : 0.9
plot boxmark_data index 0 using 2:1:3:4:5 with xerrorbars pointtype 7 pointsize size linewidth 2 \
         linecolor rgb variable, \
     '' index 1 using 2:1:($2 * $3):(0):4 with vectors head filled size char 0.8,20 linewidth 2 \
         linecolor rgb variable
