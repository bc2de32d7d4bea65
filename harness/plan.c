// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/plan.h"

#include "common/random.h"

static void shuffled(struct random_state *random, unsigned *items, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        items[i] = i;
    random_shuffle(random, items, count);
}

void plan_block(uint64_t seed, uint64_t block, unsigned environment_count, unsigned workload_count,
                struct plan_block *ret_block) {
    /* Two rounds of the generator, so that neighbouring seeds and blocks are unrelated. */
    struct random_state mixer = random_seeded(seed);
    struct random_state random = random_seeded(random_next(&mixer) ^ (block + 1));
    random = random_seeded(random_next(&random));
    shuffled(&random, ret_block->environments, environment_count);
    shuffled(&random, ret_block->workloads, workload_count);
}
