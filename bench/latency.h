// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A log-linear histogram of durations: fixed size, exact minimum count of work a record, and
 * quantiles within 0.1 % of the value (1024 linear steps in each power of two); the largest value
 * is exact. One per thread, merged at the end.
 */
#ifndef BOXMARK_BENCH_LATENCY_H
#define BOXMARK_BENCH_LATENCY_H

#include <stdint.h>

struct latency_histogram;

struct latency_histogram *latency_new(void); /* NULL when out of memory */
void latency_free(struct latency_histogram *histogram);
void latency_reset(struct latency_histogram *histogram);
void latency_record(struct latency_histogram *histogram, uint64_t duration_ns);
void latency_merge(struct latency_histogram *into, const struct latency_histogram *from);

/* The smallest recorded value that at least `quantile` (0 to 1) of all values do not exceed; 0
 * when nothing was recorded. */
uint64_t latency_quantile_ns(const struct latency_histogram *histogram, double quantile);
uint64_t latency_max_ns(const struct latency_histogram *histogram);

#endif
