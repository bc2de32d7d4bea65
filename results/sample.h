// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A sample: one measured value. samples.csv holds one row for each (docs/schema.md).
 * results/ knows nothing of the catalog: names, units and directions travel with the samples.
 */
#ifndef BOXMARK_RESULTS_SAMPLE_H
#define BOXMARK_RESULTS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/* Version of the columns below; changes when a column changes its meaning, goes or comes. */
#define SAMPLE_SCHEMA_VERSION 1

struct sample {
    uint64_t block;          /* from 0 */
    const char *environment; /* label */
    const char *accelerator; /* "none", "KVM", "TCG" */
    const char *workload;
    const char *metric;
    const char *unit;
    const char *better; /* "lower", "higher", "neither" */
    /*
     * From 0, growing with every counted row of one metric in one instance. A number that does not
     * grow means that the block was started again after an interruption: what stands before in the
     * same block is superseded.
     */
    uint64_t iteration;
    bool warmup;        /* stored, never counted */
    double value;       /* finite; times on the host's clock */
    double agent_value; /* the same by the agent's own clock; NAN where there is none */
    uint64_t position;  /* place of the environment in its block's order, from 0 */
    uint64_t time_ns;   /* host CLOCK_MONOTONIC since the start of the run */
};

#endif
