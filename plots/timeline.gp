# Stages of start-up as stacked bars, each environment on a scale of its own (the page: rows.gp).
#
#   boxmark_stage_count, boxmark_stages[], boxmark_stage_colors[], boxmark_key_columns: the key
# boxmark_data: index 0: y, from, until (in per cent of the whole), colour.
load boxmark_scripts.'/common.gp'
load boxmark_scripts.'/rows.gp'

set xrange [0:100]
unset xtics
set border 0

# The key, in rows under the bars.
key_rows = ceil(boxmark_stage_count / (1.0 * boxmark_key_columns))
do for [i = 1:boxmark_stage_count] {
    x = 0.02 + 0.97 / boxmark_key_columns * ((i - 1) % int(boxmark_key_columns))
    y = boxmark_y_end - 0.5 - key_rows + int((i - 1) / boxmark_key_columns)
    set object rectangle at screen x + 0.008, first y size screen 0.014, first 0.5 \
        fillcolor rgb int(boxmark_stage_colors[i]) fillstyle solid noborder front
    set label boxmark_stages[i] at screen x + 0.022, first y left noenhanced font font_caption \
        front
}
unset grid
set style fill solid 1 border rgb '#ffffff'
plot boxmark_data index 0 using 2:1:2:3:($1 - boxmark_bar):($1 + boxmark_bar):4 \
    with boxxyerror linecolor rgb variable
