// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The schedule: for every block a random order of the environments and one of the workloads, both
 * drawn from the seed and the number of the block alone, so that the same seed gives the same plan
 * and a run can be taken up at any block. All environments of a block get the same workload order.
 */
#ifndef BOXMARK_HARNESS_PLAN_H
#define BOXMARK_HARNESS_PLAN_H

#include <stdint.h>

#define PLAN_MAX 64

struct plan_block {
    unsigned environments[PLAN_MAX]; /* indices in the order to run */
    unsigned workloads[PLAN_MAX];
};

/* Counts are at most PLAN_MAX. */
void plan_block(uint64_t seed, uint64_t block, unsigned environment_count, unsigned workload_count,
                struct plan_block *ret_block);

#endif
