// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A baseline: what runs say of the overhead, block by block, with all that must be equal for a
 * later run to be compared with it. One JSON file that people can review (docs/schema.md). A run
 * that is checked is turned into the same structure, so that both sides are made alike.
 */
#ifndef BOXMARK_RESULTS_BASELINE_H
#define BOXMARK_RESULTS_BASELINE_H

#include "common/error.h"
#include "results/summary.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define BASELINE_SCHEMA_VERSION 1

/* Of one run: a value for each block, and a ratio to the reference for each block that has both. */
struct baseline_blocks {
    double *ratios; /* positive; NULL for the reference itself */
    size_t ratio_count;
    double *values; /* positive */
    size_t value_count;
};

/* One (workload, metric, environment). */
struct baseline_series {
    char *workload, *metric, *unit, *better, *environment;
    struct baseline_blocks *runs; /* run_count of the baseline; a run without it has no blocks */
    bool headline;                /* of the catalog; false after reading a file */
    char *distrust;               /* why not to be trusted; NULL: trusted. Never in a file */
};

struct baseline_environment {
    char *label, *kind, *accelerator;
};

struct baseline {
    char *reference;
    unsigned run_count;
    /* [{"created", "boxmark", "samples_sha256", "machine": {...}}], run_count of them */
    json_t *runs;
    json_t *identities; /* {SHA-256 of samples.csv: name}, of runs and of what was measured again */
    json_t *workloads;  /* {"zip": {"version", "digest", "parameters"}} */
    struct baseline_environment *environments;
    size_t environment_count;
    struct baseline_series *series;
    size_t series_count;
};

/* A run as read from its folder. */
struct baseline_source {
    const char *name; /* for messages */
    const json_t *record, *journal;
    const struct summary *summary;
    const char *samples_sha256; /* what makes it this run and no other; NULL: unknown */
};

/*
 * Adds a run. All of its metrics with a direction are taken, or the headlines alone. As a further
 * run, or (`as_blocks`) as further blocks of the last one: what was measured again. Refused, in
 * words (ERROR_USAGE): a run that is not finished, not comparable with what is there, or there
 * already.
 */
int baseline_add(struct baseline *baseline, const struct baseline_source *source, bool full,
                 bool as_blocks, struct error **err);

/*
 * (baseline_compare.c) May `now` be compared with `before`? The same work (parameters, versions,
 * answers), accelerators, units and directions; in absolute terms also the same machine.
 * ERROR_USAGE says what differs.
 */
int baseline_comparable(const struct baseline *before, const struct baseline *now, bool absolute,
                        struct error **err);

/* Refuses, in words, a metric that has another unit or direction now. */
int baseline_same_metric(const struct baseline_series *before, const char *unit, const char *better,
                         struct error **err);

/* Refuses, in words, a run that the baseline was made of: it would be compared with itself. */
int baseline_distinct(const struct baseline *before, const struct baseline *now,
                      struct error **err);

/* NULL: there is none. */
const struct baseline_series *baseline_find(const struct baseline *baseline, const char *workload,
                                            const char *metric, const char *environment);
const struct baseline_environment *baseline_environment(const struct baseline *baseline,
                                                        const char *label);

/*
 * The environment of `now` that stands for one of `before`: of the same label, else the only one of
 * its kind on both sides without a partner (a container whose options were changed). NULL: none.
 */
const struct baseline_environment *baseline_partner(const struct baseline *before,
                                                    const struct baseline *now, const char *label);

/* How many blocks of all runs have a ratio (or, for the reference, a value). */
size_t baseline_block_count(const struct baseline *baseline, const struct baseline_series *series);

/* (baseline_file.c) A NULL path is standard output. */
int baseline_write(const struct baseline *baseline, const char *path, struct error **err);
int baseline_read(const char *path, struct baseline *ret_baseline, struct error **err);

/* The same in memory; `name` stands in messages. The text is malloc'ed. */
int baseline_format(const struct baseline *baseline, char **ret_text, size_t *ret_size,
                    struct error **err);
int baseline_parse(const char *text, size_t size, const char *name, struct baseline *ret_baseline,
                   struct error **err);

void baseline_clear(struct baseline *baseline);
static inline void baseline_cleanup(struct baseline *baseline) {
    baseline_clear(baseline);
}
#define cleanup_baseline CLEANUP(baseline)

#endif
