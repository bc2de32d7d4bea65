// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/statistics.h"

#include <math.h>
#include <stdint.h>

/* Sums that differ by less than rounding does are equal. */
#define RELATIVE_ROUNDING 1e-12

double statistics_pooled_p(const double *first, const double *second, size_t count) {
    if (count == 0 || count > STATISTICS_POOLED_PAIRS)
        return NAN;
    double pooled[2 * STATISTICS_POOLED_PAIRS];
    double total = 0, observed = 0, scale = 0;
    for (size_t i = 0; i < count; i++) {
        pooled[i] = first[i];
        pooled[count + i] = second[i];
        total += first[i] + second[i];
        observed += first[i];
        scale += fabs(first[i]) + fabs(second[i]);
    }
    double limit = fabs(observed - total / 2) - scale * RELATIVE_ROUNDING;
    uint64_t halves = 0, extreme = 0;
    const uint32_t end = UINT32_C(1) << (2 * count);
    /* All words with `count` bits set, in rising order (Gosper's hack, HAKMEM item 175). */
    for (uint32_t half = (UINT32_C(1) << count) - 1; half < end;) {
        double sum = 0;
        for (uint32_t left = half; left; left &= left - 1)
            sum += pooled[__builtin_ctz(left)];
        halves++;
        extreme += fabs(sum - total / 2) >= limit;
        uint32_t lowest = half & -half, carried = half + lowest;
        half = (((carried ^ half) >> 2) / lowest) | carried;
    }
    return (double)extreme / (double)halves;
}
