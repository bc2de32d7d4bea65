// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_BITS = 10, /* linear steps in each power of two, as a power of two */
    STEPS = 1 << STEP_BITS,
    /* Values below 2 * STEPS are exact; durations above 2^44 ns (4.9 hours) share the last step. */
    TOP_BIT = 44,
    BUCKETS = (TOP_BIT - STEP_BITS + 1) * STEPS,
};

struct latency_histogram {
    uint64_t total;
    uint64_t max_ns;
    uint32_t counts[BUCKETS];
};

static unsigned bucket_of(uint64_t value) {
    if (value < STEPS)
        return (unsigned)value;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    uint64_t bucket = ((uint64_t)exponent << STEP_BITS) + (value >> exponent);
    return bucket >= BUCKETS ? BUCKETS - 1 : (unsigned)bucket;
}

/* The largest value that falls into a bucket. */
static uint64_t bucket_top(unsigned bucket) {
    if (bucket < 2 * STEPS)
        return bucket;
    unsigned exponent = (bucket >> STEP_BITS) - 1;
    uint64_t step = (bucket & (STEPS - 1)) + STEPS;
    return ((step + 1) << exponent) - 1;
}

struct latency_histogram *latency_new(void) {
    return calloc(1, sizeof(struct latency_histogram));
}

void latency_free(struct latency_histogram *histogram) {
    free(histogram);
}

void latency_reset(struct latency_histogram *histogram) {
    memset(histogram, 0, sizeof(*histogram));
}

void latency_record(struct latency_histogram *histogram, uint64_t duration_ns) {
    histogram->counts[bucket_of(duration_ns)]++;
    histogram->total++;
    if (duration_ns > histogram->max_ns)
        histogram->max_ns = duration_ns;
}

void latency_merge(struct latency_histogram *into, const struct latency_histogram *from) {
    for (unsigned i = 0; i < BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
}

uint64_t latency_quantile_ns(const struct latency_histogram *histogram, double quantile) {
    uint64_t rank = (uint64_t)ceil(quantile * (double)histogram->total);
    uint64_t seen = 0;
    if (rank == 0)
        rank = 1;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += histogram->counts[i];
        if (histogram->counts[i] > 0 && seen >= rank) {
            uint64_t top = bucket_top(i);
            return top < histogram->max_ns ? top : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}

uint64_t latency_max_ns(const struct latency_histogram *histogram) {
    return histogram->max_ns;
}
