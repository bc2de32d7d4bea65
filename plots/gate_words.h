// SPDX-License-Identifier: GPL-3.0-or-later
/* What the outcome of a check says in words, the same in every format; malloc'ed, NULL when out of
 * memory. Texts hold labels as they are: each writer escapes them. */
#ifndef BOXMARK_PLOTS_GATE_WORDS_H
#define BOXMARK_PLOTS_GATE_WORDS_H

#include "plots/format.h"
#include "plots/gate_report.h"

/* "prime/time in container". */
char *gate_subject(const struct gate_row *row);

/* "1.002", or "12.3 ms" in absolute terms; "-" unknown. */
char *gate_figure(const struct gate_report *report, const struct gate_row *row, double value,
                  char text[FORMAT_BYTES]);
/* "+24.8 %"; "-" unknown. */
char *gate_percent(double change, char text[FORMAT_BYTES]);
/* "+23.1 % to +26.4 %"; "" unknown. */
char *gate_interval(const struct gate_row *row, char text[2 * FORMAT_BYTES + 8]);

/* "overhead 1.002 in the baseline, 1.250 now: +24.8 % (+23.1 % to +26.4 %); margin 3 %; REASON". */
char *gate_sentence(const struct gate_report *report, const struct gate_row *row);

/* "worse: 2 of 16 metrics; 14 same". */
char *gate_conclusion(const struct gate_report *report);

/* "Settings: boxmark.ini", or that there are none beside the defaults. */
char *gate_settings_words(const struct gate_report *report);

/* What figures and interval mean. */
char *gate_legend(const struct gate_report *report);

#endif
