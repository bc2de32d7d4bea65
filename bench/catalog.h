// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What every workload is called, takes and reports: data only, so that the harness can use it
 * without linking the workloads. The harness accepts only what stands here from an agent.
 */
#ifndef BOXMARK_BENCH_CATALOG_H
#define BOXMARK_BENCH_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum better { BETTER_LOWER, BETTER_HIGHER, BETTER_NEITHER };

struct metric_description {
    const char *name; /* [a-z0-9_]+, unique within the workload */
    const char *unit; /* as printed: "s", "ms", "us", "MB/s" (MB = 10^6 bytes), "1/s" */
    enum better better;
    bool headline; /* gets a verdict of its own and stands in the short table */
    bool section;  /* a timed section: measured by the harness on the host's clock, in seconds */
    const char *summary;
};

struct parameter_description {
    const char *name;
    uint64_t minimum, maximum;
    const char *summary;
};

struct workload_description {
    const char *name;
    const char *summary;
    unsigned version; /* of the work: raised when the same parameters come to mean other work */
    bool needs_data;  /* uses the data folder */
    bool hidden;      /* for tests and calibration: not in the default selection nor in lists */
    bool by_harness;  /* measured by the harness; the agent does not know it (startup) */
    const struct parameter_description *parameters; /* ends with a NULL name */
    const struct metric_description *metrics;       /* ends with a NULL name */
};

/* NULL-terminated, in the order in which reports show them. */
extern const struct workload_description *const workload_catalog[];

const struct workload_description *workload_find(const char *name);
const struct metric_description *metric_find(const struct workload_description *workload,
                                             const char *name);
const struct parameter_description *parameter_find(const struct workload_description *workload,
                                                   const char *name);
const char *better_name(enum better better); /* "lower", "higher", "neither" */
bool better_parse(const char *name, enum better *ret_better);

#endif
