// SPDX-License-Identifier: GPL-3.0-or-later
/* Known distributions for the calibration of the statistics: what a run's values could be. */
#ifndef BOXMARK_TESTS_CALIBRATION_SCENARIOS_H
#define BOXMARK_TESTS_CALIBRATION_SCENARIOS_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>

/* What a simulated run remembers from block to block. */
struct scenario_state {
    unsigned block, blocks;
    double machine, host, environment; /* autocorrelated parts */
};

struct scenario {
    const char *name;
    const char *summary;
    /* Does docs/method.md promise 93 to 97 % at ten blocks? */
    bool promised;
    /* Speeds of one block; the median of environment / host over all blocks is `ratio`. */
    void (*draw)(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                 double *ret_environment);
    double ratio;
};

/* Ends with a NULL name. */
extern const struct scenario scenarios[];

#endif
