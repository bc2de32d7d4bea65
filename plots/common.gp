# What all figures of boxmark share. Loaded by the others; change a copy to change them all.
# Text is never "enhanced": labels are shown as they are. boxmark_font(px) is a font by its size.
set encoding utf8
font_title = boxmark_font(22)
font_label = boxmark_font(17)
font_heading = boxmark_font(16)
font_note = boxmark_font(15)
font_axis = boxmark_font(14)
font_caption = boxmark_font(13)
set border 1 linecolor rgb '#666666'
set tics nomirror textcolor rgb '#333333' font font_axis
set grid xtics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
unset key
set label 9001 boxmark_title at screen 0.5, 1 center offset character 0, -1.6 noenhanced \
    font font_title front
set label 9002 boxmark_caption at screen 0.02, boxmark_caption_y left noenhanced \
    font font_caption textcolor rgb '#444444' front
