// SPDX-License-Identifier: GPL-3.0-or-later
/* hwloc's picture of the machine. */
#ifndef BOXMARK_PLOTS_TOPOLOGY_H
#define BOXMARK_PLOTS_TOPOLOGY_H

#include <stdio.h>

/*
 * Draws the topology that hwloc stored in this file as an inline SVG: boxes in boxes, as lstopo
 * does. Nothing when the file is not there or not hwloc's: a picture is an extra.
 */
void topology_draw(const char *xml_path, FILE *to);

#endif
