// SPDX-License-Identifier: GPL-3.0-or-later
/* Parts that all CSV of boxmark shares. */
#ifndef BOXMARK_PLOTS_CSV_H
#define BOXMARK_PLOTS_CSV_H

#include "common/error.h"

#include <stdio.h>

/* A quoted field; what a spreadsheet would take for a formula is marked as text. */
int csv_text(FILE *to, const char *text, struct error **err);

#endif
