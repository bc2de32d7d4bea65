// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a workload is to the agent: one function that does fixed work and reports through its
 * run context. To add one: a description in catalog.c, a file workloads/NAME.c, a line in
 * workloads.c (docs/adding-a-workload.md).
 */
#ifndef BOXMARK_BENCH_WORKLOAD_H
#define BOXMARK_BENCH_WORKLOAD_H

#include "bench/catalog.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* One request being carried out; opaque to workloads. */
struct workload_run;

/* A parameter of the request, already checked against its description. */
uint64_t run_parameter(const struct workload_run *run, const char *name);

/* The folder for files of the workload; it is empty at the start and on the disk under test. */
const char *run_data_folder(const struct workload_run *run);

/* Whether files written there shall stay after the run, for people and tests to look at. */
bool run_keeps_files(const struct workload_run *run);

/*
 * A timed section, named as a metric with `section` set. The harness times it on the host's clock
 * by the two lines that these send, and both return when it has seen them; the stop returns the
 * agent's own elapsed time. Nothing but the work to be measured belongs between them: prepare
 * before, verify after. Outside of parallel regions; OpenMP's threads are as many as the parameter
 * `threads` says, and sleep while the stop waits.
 */
void run_section_start(struct workload_run *run, const char *name, uint64_t iteration, bool warmup);
uint64_t run_section_stop(struct workload_run *run); /* elapsed_ns */

/* One measured value of a metric of the catalog. */
void run_sample(struct workload_run *run, const char *metric, uint64_t iteration, bool warmup,
                double value);

/* Fraction of the whole request that is done. May be called often, by one thread at a time: it is
 * sent a few times a second at most. */
void run_progress(struct workload_run *run, double fraction);

/* A fact that belongs to the figures: which I/O path was used, a fall-back taken, and why. */
void run_note(struct workload_run *run, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The digest of the answer (short printable text): equal work must give equal digests. */
void run_digest(struct workload_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct workload {
    const char *name; /* as in the catalog */
    int (*run)(struct workload_run *run, struct error **err);
};

/* NULL-terminated. */
extern const struct workload *const workloads[];

extern const struct workload workload_null;
extern const struct workload workload_calibrate;
extern const struct workload workload_calls;
extern const struct workload workload_prime;
extern const struct workload workload_zip;
extern const struct workload workload_stream;
extern const struct workload workload_disk;

#endif
