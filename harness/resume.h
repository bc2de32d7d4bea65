// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Continuing a run that was killed or interrupted: its own record tells what was asked for, its
 * journal what is done. Nothing that was measured is measured again; what was being measured is.
 */
#ifndef BOXMARK_HARNESS_RESUME_H
#define BOXMARK_HARNESS_RESUME_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct run;
struct run_options;
struct resumption;

/*
 * Reads RUN's run.json and journal and fills the options that it was started with (strings are
 * owned by the resumption). A finished run is refused, as is one that cannot be read or is
 * still going on.
 */
int resumption_load(const char *folder, struct run_options *options,
                    struct resumption **ret_resumption, struct error **err);

/* Refuses, naming what changed, when machine, versions, images or parameters are not the same. */
int resumption_check(const struct resumption *resumption, const json_t *record, struct error **err);

/* The part of it that holds for other work, too (of two run.json): program, agent, machine,
 * envelope, disk, and what the environments of both are made of. */
int record_check_same(const json_t *earlier, const json_t *record, struct error **err);

/* Rows that belonged to nothing finished. */
struct dropped_rows {
    unsigned count;
    bool half_written; /* the last of them */
};

/*
 * Cuts rows that belong to nothing finished and removes left-over files, so that the run can go on.
 * Refuses samples that lack what the journal says was stored.
 */
int resumption_trim(const struct resumption *resumption, struct dropped_rows *ret_dropped,
                    struct error **err);

/* What is done; all accept NULL, which has done nothing. */
bool resumption_has_start(const struct resumption *resumption, uint64_t block,
                          const char *environment, uint64_t iteration, bool cold);
bool resumption_has_request(const struct resumption *resumption, uint64_t block,
                            const char *environment, const char *workload);
/* 0: done, 1: failed, -1: not over. */
int resumption_instance(const struct resumption *resumption, uint64_t block,
                        const char *environment);
/* The workloads that a block was to measure (borrowed array of names), or NULL. */
const json_t *resumption_active(const struct resumption *resumption, uint64_t block);
/* Digests so far {"zip": "..."}; a new object, empty for NULL. */
json_t *resumption_digests(const struct resumption *resumption);
/* Time on the run's clock when it stopped. */
uint64_t resumption_elapsed_ns(const struct resumption *resumption);
/* Failures recorded so far. */
unsigned resumption_problems(const struct resumption *resumption);

struct resumption *resumption_free(struct resumption *resumption);

#endif
