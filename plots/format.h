// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Figures as people read them, the same in every format and every locale: sensible significant
 * digits, one unit for all environments of a metric.
 */
#ifndef BOXMARK_PLOTS_FORMAT_H
#define BOXMARK_PLOTS_FORMAT_H

#include "results/summary.h"

#include <stdbool.h>

#define FORMAT_BYTES 40

/* A metric's values times `factor` are in `unit`. */
struct scale {
    double factor;
    const char *unit;
};

/* The unit that suits the medians of all environments together (their geometric middle). */
struct scale scale_for(const struct summary_metric *metric, unsigned environment_count);

/* "2.345", "17.82", "25150"; NAN gives "-". Each returns text. */
char *format_value(double value, char text[FORMAT_BYTES]);
/* "1.001", "7.600", "17.82", "0.0231". */
char *format_ratio(double ratio, char text[FORMAT_BYTES]);
/*
 * One end of an interval of a ratio: as format_ratio, with more digits where both ends would look
 * the same.
 */
char *format_end(double end, double other, char text[FORMAT_BYTES]);
/* At most six digits and no zeros at the end: "0.3", "250". For axes. */
char *format_short(double value, char text[FORMAT_BYTES]);
/* 0.0123 gives "1.2 %", without a space where `tight`. */
char *format_percent(double fraction, bool tight, char text[FORMAT_BYTES]);
/* Shortest text that reads back as the same number; NAN gives "". For files that programs read. */
char *format_exact(double value, char text[FORMAT_BYTES]);

/* Median absolute deviation as a part of the median: what tables call spread; NAN unknown. */
double cell_spread(const struct summary_cell *cell);
/* Both ends known. */
bool cell_has_median_interval(const struct summary_cell *cell);
bool cell_has_ratio_interval(const struct summary_cell *cell);

#endif
