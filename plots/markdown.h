// SPDX-License-Identifier: GPL-3.0-or-later
/* Parts that all Markdown of boxmark shares. */
#ifndef BOXMARK_PLOTS_MARKDOWN_H
#define BOXMARK_PLOTS_MARKDOWN_H

#include "plots/words.h"

/* Text from elsewhere, every mark of Markdown and HTML escaped. */
int markdown_text(FILE *to, const char *text, struct error **err);

/* A verdict with its mark; nothing for none. */
void markdown_verdict(FILE *to, enum verdict verdict);

/* An alert of all warnings; nothing when there are none. */
int markdown_warnings(FILE *to, const struct text_list *warnings, struct error **err);

#endif
