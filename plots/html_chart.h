// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Pictures inside table rows: each an inline SVG without text that stretches to its cell, so that
 * words keep their size on a phone; axes are HTML. The figures stand beside them in the table.
 */
#ifndef BOXMARK_PLOTS_HTML_CHART_H
#define BOXMARK_PLOTS_HTML_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { AXIS_TICKS_MAX = 10 };

struct axis {
    double low, high; /* low > 0 when logarithmic */
    bool log;
    double ticks[AXIS_TICKS_MAX];
    unsigned tick_count;
};

/* An axis over [low, high] with round ticks. A linear one that is to begin at 0 says low = 0. */
struct axis axis_make(double low, double high, bool log);

/* Where a value lies, 0 to 1000, held within the picture. */
double axis_x(const struct axis *axis, double value);

/* "<svg ...>" of the given height in a unit of its own, with what it shows in words. */
void chart_begin(FILE *to, unsigned height, const char *alt);
void chart_end(FILE *to);

void chart_grid(FILE *to, const struct axis *axis, unsigned height);
void chart_bar(FILE *to, const struct axis *axis, double from, double until, double top,
               double height, const char *class_name);
/* A line with ends; nothing when one of the two is unknown. */
void chart_interval(FILE *to, const struct axis *axis, double low, double high, double middle);
void chart_mark(FILE *to, const struct axis *axis, double value, double top, double height,
                const char *class_name);

/* One thin mark for each value; a thousand at most, evenly chosen. */
void chart_values(FILE *to, const struct axis *axis, const double *values, size_t count,
                  double factor, double offset, double top, double height);

/*
 * Values against their order; y grows upwards over [-limit, limit]. Beyond a thousand each point
 * stands for a stretch of values, drawn from its smallest to its largest.
 */
void chart_series(FILE *to, const double *values, size_t count, double middle, double limit,
                  double height);

/* The labels under a column of pictures; `suffix` follows each number. */
void chart_axis(FILE *to, const struct axis *axis, const char *suffix);

#endif
