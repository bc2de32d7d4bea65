// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/gate_estimate.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>

#define TRIM 0.2
/* Beyond this many degrees of freedom Student's distribution is the normal one. */
#define DF_MAX 1e6

struct gate_centre gate_centre_of(double *values, size_t count) {
    if (count < 2)
        return (struct gate_centre){count ? values[0] : NAN, NAN, 0};
    gsl_sort(values, 1, count);
    size_t cut = (size_t)(TRIM * (double)count), kept = count - 2 * cut;
    double sum = 0, winsorized = 0, squares = 0;
    for (size_t i = cut; i < count - cut; i++)
        sum += values[i];
    for (size_t i = 0; i < count; i++)
        winsorized += values[i < cut ? cut : i >= count - cut ? count - cut - 1 : i];
    winsorized /= (double)count;
    for (size_t i = 0; i < count; i++) {
        double value = values[i < cut ? cut : i >= count - cut ? count - cut - 1 : i];
        squares += (value - winsorized) * (value - winsorized);
    }
    /* squares is (n - 1) times the winsorized variance; then, what the run's blocks have in common
     * does not become less with their number. */
    double independent = squares / (double)(kept * (kept - 1));
    return (struct gate_centre){.mean = sum / (double)kept,
                                .variance = independent * (1 + GATE_COMMON_SHARE * (double)count),
                                .df = (double)(kept - 1)};
}

/* Variance between runs: what is believed, moved by what the runs show (Smyth, SAGMB 3, 2004). */
static double between_variance(const struct gate_centre *before, size_t runs, double believed) {
    double mean = 0, within = 0, spread = 0;
    for (size_t i = 0; i < runs; i++) {
        mean += before[i].mean / (double)runs;
        within += before[i].variance / (double)runs;
    }
    for (size_t i = 0; i < runs; i++)
        spread += (before[i].mean - mean) * (before[i].mean - mean);
    double seen = runs > 1 ? fmax(0, spread - (double)(runs - 1) * within) : 0;
    return (GATE_PRIOR_DF * believed * believed + seen) / (GATE_PRIOR_DF + (double)runs - 1);
}

struct gate_change gate_change_of(const struct gate_centre *before, size_t runs,
                                  const struct gate_centre *now, double between) {
    double count = (double)runs;
    struct gate_change change = {.now = now->mean};
    double between_df = GATE_PRIOR_DF + count - 1;
    double shared = between_variance(before, runs, between) * (1 + 1 / count);
    /* Welch's approximation: parts of the variance, each known as well as its degrees of freedom.
     */
    double variance = now->variance + shared;
    double denominator = now->variance * now->variance / now->df + shared * shared / between_df;
    for (size_t i = 0; i < runs; i++) {
        double part = before[i].variance / (count * count);
        change.before += before[i].mean / count;
        variance += part;
        denominator += part * part / before[i].df;
    }
    change.error = sqrt(variance);
    change.df = denominator > 0 ? fmin(variance * variance / denominator, DF_MAX) : DF_MAX;
    return change;
}

double gate_critical(double alpha, double df) {
    return gsl_cdf_tdist_Qinv(alpha, df);
}
