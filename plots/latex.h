// SPDX-License-Identifier: GPL-3.0-or-later
/* Parts that all LaTeX of boxmark shares. */
#ifndef BOXMARK_PLOTS_LATEX_H
#define BOXMARK_PLOTS_LATEX_H

#include "common/error.h"

#include <stdio.h>

/* Text from elsewhere: ASCII, everything special escaped. */
int latex_text(FILE *to, const char *text, struct error **err);

/* "1.2e+09" as "$1.2 \times 10^{9}$"; everything else as it is. */
void latex_number(FILE *to, const char *text);

/* The unit where LaTeX has a way of its own to write it, else NULL. */
const char *latex_unit(const char *unit);

#endif
