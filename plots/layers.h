// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where a micro-guest stands between the host and a virtual machine: what a virtual CPU costs by
 * itself, and what a second kernel and its devices cost on top of it (docs/microguest.md).
 */
#ifndef BOXMARK_PLOTS_LAYERS_H
#define BOXMARK_PLOTS_LAYERS_H

#include "plots/side_table.h"

/* A row a headline metric; no table without both a micro-guest and a virtual machine. */
int layers_table(const struct report *report, struct side_tables *tables, struct error **err);

#endif
