// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A small seeded generator for everything that must be repeatable: corpora, schedules, records.
 * SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
 * (Statistics use GSL's generators; secrets use the kernel's.)
 */
#ifndef BOXMARK_COMMON_RANDOM_H
#define BOXMARK_COMMON_RANDOM_H

#include <stdint.h>

struct random_state {
    uint64_t state;
};

static inline struct random_state random_seeded(uint64_t seed) {
    return (struct random_state){.state = seed};
}

static inline uint64_t random_next(struct random_state *random) {
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [0, bound), bound > 0, without modulo bias (Lemire, TOMACS 2019). */
static inline uint64_t random_below(struct random_state *random, uint64_t bound) {
    for (;;) {
        __uint128_t product = (__uint128_t)random_next(random) * bound;
        if ((uint64_t)product >= (uint64_t)(-bound) % bound)
            return (uint64_t)(product >> 64);
    }
}

/* Fisher-Yates shuffle of an array of indices. */
static inline void random_shuffle(struct random_state *random, unsigned *items, unsigned count) {
    for (unsigned i = count; i > 1; i--) {
        unsigned j = (unsigned)random_below(random, i);
        unsigned kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

#endif
