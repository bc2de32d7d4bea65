// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/calibration/scenarios.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stddef.h>

/* Two values drawn alike: swapping them changes nothing, so the median of their ratio is 1. */

static void draw_normal(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                        double *ret_environment) {
    (void)state;
    *ret_host = 1 + gsl_ran_gaussian(rng, 0.02);
    *ret_environment = 1 + gsl_ran_gaussian(rng, 0.02);
}

static void draw_log_normal(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                            double *ret_environment) {
    (void)state;
    *ret_host = exp(gsl_ran_gaussian(rng, 0.1));
    *ret_environment = exp(gsl_ran_gaussian(rng, 0.3));
}

/* A steady host and an environment with a long tail: 1 plus a log-normal whose median is 0.05. */
static void draw_skewed(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                        double *ret_environment) {
    (void)state;
    *ret_host = 1;
    *ret_environment = 1 + 0.05 * exp(gsl_ran_gaussian(rng, 1));
}

/* Every fifth start is 15 % slower: a page-placement lottery. */
static double two_modes(gsl_rng *rng) {
    return (gsl_rng_uniform(rng) < 0.2 ? 1.15 : 1) + gsl_ran_gaussian(rng, 0.01);
}

static void draw_bimodal(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                         double *ret_environment) {
    (void)state;
    *ret_host = two_modes(rng);
    *ret_environment = two_modes(rng);
}

/* The median lies where there are hardly any values. */
static void draw_split(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                       double *ret_environment) {
    (void)state;
    *ret_host = 1;
    *ret_environment =
        exp((gsl_rng_uniform(rng) < 0.5 ? -0.03 : 0.03) + gsl_ran_gaussian(rng, 0.01));
}

static void draw_heavy(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                       double *ret_environment) {
    (void)state;
    *ret_host = exp(0.01 * gsl_ran_tdist(rng, 2));
    *ret_environment = exp(0.01 * gsl_ran_tdist(rng, 2));
}

/* The machine becomes a fifth slower while the run goes on; both feel it. */
static void draw_drifting(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                          double *ret_environment) {
    draw_normal(rng, state, ret_host, ret_environment);
    double machine = 1 + 0.2 * state->block / state->blocks;
    *ret_host *= machine;
    *ret_environment *= machine;
}

/* The next value of an AR(1) process whose standard deviation is `sd`. */
static double next_correlated(gsl_rng *rng, double last, double correlation, double sd,
                              bool first) {
    if (first)
        return gsl_ran_gaussian(rng, sd);
    return correlation * last + gsl_ran_gaussian(rng, sd * sqrt(1 - correlation * correlation));
}

/* Neighbours come and go slowly on the whole machine. */
static void draw_machine_correlated(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                                    double *ret_environment) {
    draw_normal(rng, state, ret_host, ret_environment);
    state->machine = next_correlated(rng, state->machine, 0.9, 0.1, state->block == 0);
    *ret_host *= exp(state->machine);
    *ret_environment *= exp(state->machine);
}

/* Each environment has a slow course of its own: blocks are not independent. */
static void draw_own_correlated(gsl_rng *rng, struct scenario_state *state, double *ret_host,
                                double *ret_environment) {
    bool first = state->block == 0;
    state->host = next_correlated(rng, state->host, 0.5, 0.02, first);
    state->environment = next_correlated(rng, state->environment, 0.5, 0.02, first);
    *ret_host = exp(state->host);
    *ret_environment = exp(state->environment);
}

const struct scenario scenarios[] = {
    {"normal", "2 % noise on both", true, draw_normal, 1},
    {"log-normal", "10 % and 30 % noise", true, draw_log_normal, 1},
    {"skewed", "a long tail on one side", true, draw_skewed, 1.05},
    {"heavy", "Student's t with 2 degrees of freedom", true, draw_heavy, 1},
    {"bimodal", "every fifth start 15 % slower, on both", true, draw_bimodal, 1},
    {"split", "two modes with the median between them", true, draw_split, 1},
    {"drifting", "the machine slows down by 20 %", true, draw_drifting, 1},
    {"correlated machine", "AR(1) with 0.9, shared by both", true, draw_machine_correlated, 1},
    {"correlated apart", "AR(1) with 0.5, each its own", false, draw_own_correlated, 1},
    {NULL, NULL, false, NULL, 0},
};
