// SPDX-License-Identifier: GPL-3.0-or-later
/* One execution of `boxmark run`: what is to be done, where it is kept, how far it is. */
#ifndef BOXMARK_HARNESS_RUN_H
#define BOXMARK_HARNESS_RUN_H

#include "environments/environment.h"
#include "harness/aftermath.h"
#include "harness/cpu_lock.h"
#include "harness/journal.h"
#include "harness/plan.h"
#include "harness/profile.h"
#include "harness/progress.h"
#include "harness/resume.h"
#include "results/store.h"

/* What the user asked for; strings are borrowed from the command line. */
struct run_options {
    const char *profile;
    const char *environments[PLAN_MAX + 1];   /* specs, NULL-terminated; none: the default three */
    const char *workloads[WORKLOADS_MAX + 1]; /* names, NULL-terminated; none: all */
    json_t *overrides;                        /* {"zip.bytes": N}; owned */
    unsigned cpus;                            /* 0: chosen */
    uint64_t memory_bytes;                    /* 0: as the work needs */
    const char *output_folder;                /* NULL: boxmark-runs/TIME-PROFILE */
    const char *data_folder;                  /* NULL: in the output folder */
    const char *kernel;
    uint64_t seed;
    bool seed_given;
    unsigned blocks, max_blocks;                   /* 0: the profile's */
    double precision;                              /* 0: the default */
    uint64_t budget_ns;                            /* 0: none */
    unsigned starts;                               /* start-ups measured in each block */
    uint64_t request_timeout_ns, start_timeout_ns; /* 0: the default */
    uint64_t wait_ns;                              /* for CPUs that another run has */
    bool require_kvm;
    bool dry_run;
    bool no_plots;
    bool quiet;
    const char *resume; /* run folder to continue, or NULL */
    /* {"container": ["zip"]}: measure only these pairs (borrowed); NULL: all of them. */
    const json_t *pairs;
};

/* Why a run ended; kept in run.json. */
enum run_end { RUN_END_BLOCKS, RUN_END_PRECISION, RUN_END_BUDGET, RUN_END_NOTHING_LEFT };

struct run {
    const struct run_options *options;
    const struct profile *profile;
    struct work_list works;
    struct environment_setup setup;
    unsigned environment_count;
    struct environment *environments[PLAN_MAX];
    struct probe_result probes[PLAN_MAX];
    unsigned failures[PLAN_MAX]; /* instances in a row that failed */
    bool dropped[PLAN_MAX];      /* not tried any more */
    uint64_t seed;
    unsigned blocks, max_blocks;
    double precision;
    uint64_t request_timeout_ns;

    char *folder;                     /* the run folder, absolute */
    char *data_folder;                /* made by this run, removed at its end */
    int folder_lock_fd, data_lock_fd; /* nobody else goes on with it, or takes it for left; or -1 */
    struct aftermath aftermath;
    struct cpu_locks *cpu_locks;
    char *log_folder;
    char *agent_path;
    char agent_sha256[65];
    json_t *record; /* run.json */
    struct store *store;
    struct journal *journal;

    uint64_t start_ns;
    const struct resumption *resumption; /* what an earlier execution did; NULL: nothing */
    json_t *digests;                     /* {"zip": "..."}: what every environment must answer */
    struct progress progress;
    unsigned problems; /* instances or requests that failed */
    enum run_end end;
};

#define RUN_NONE                                                                                   \
    ((struct run){.folder_lock_fd = -1, .data_lock_fd = -1, .aftermath = AFTERMATH_NONE})

/* Builds everything up to, but not including, the first start (run_setup.c). */
int run_prepare(const struct run_options *options, const struct resumption *resumption,
                int cancel_fd, struct run *ret_run, struct error **err);

/* One execution at a time works in a run folder; *ret_fd holds it until it is closed. */
int run_folder_lock(const char *folder, int *ret_fd, struct error **err);

/* Prints what would be done (run_setup.c). */
int run_describe(struct run *run, FILE *to, struct error **err);

/* Performs all blocks that are not done yet (runner.c). Samples are kept whatever it returns. */
int run_execute(struct run *run, struct error **err);

/* The same at raised priority; run.json says how it ended (runner.c). */
int run_carry_out(struct run *run, struct error **err);

/* Makes run->record (run_json.c). */
int run_make_record(struct run *run, struct error **err);

/* Writes run.json with the given status: "running", "finished", "interrupted", "failed". */
int run_save(struct run *run, const char *status, struct error **err);

void run_clear(struct run *run);

/* One instance from start to clean-up with all its requests (instance_run.c). */
int run_instance(struct run *run, uint64_t block, unsigned position, unsigned environment,
                 const struct plan_block *plan, const bool *active, struct error **err);

/* Cold and warm starts for the workload `startup` (startup.c). */
int run_starts(struct run *run, uint64_t block, unsigned position, unsigned environment,
               struct error **err);
int run_record_start(struct run *run, uint64_t block, unsigned position,
                     const struct instance *instance, uint64_t iteration, bool cold,
                     struct error **err);

/*
 * Makes the rows so far durable, then journals what they belong to (takes over `entry`), together
 * with the size of samples.csv: rows after the last such size belong to nothing (rows.c).
 */
int run_commit(struct run *run, const char *type, json_t *entry, struct error **err);

/* Appends one value of a metric as a row (rows.c). */
int run_append(struct run *run, uint64_t block, unsigned position,
               const struct environment *environment, const struct workload_description *workload,
               const char *metric, uint64_t iteration, bool warmup, double value,
               double agent_value, uint64_t time_ns, struct error **err);

#endif
