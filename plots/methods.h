// SPDX-License-Identifier: GPL-3.0-or-later
/* How a run was measured, in words that can be pasted into a paper. */
#ifndef BOXMARK_PLOTS_METHODS_H
#define BOXMARK_PLOTS_METHODS_H

#include "plots/report.h"

/*
 * One paragraph from run.json and the summary. What run.json does not hold is left out, never made
 * up. malloc'ed; NULL when out of memory. Plain text: the writer escapes it.
 */
char *methods_paragraph(const struct report *report);

/* The command that repeats the run: "boxmark run -p quick --seed 42 ...", quoted for a shell. */
char *methods_command(const struct report *report);

#endif
