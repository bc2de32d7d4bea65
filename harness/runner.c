// SPDX-License-Identifier: GPL-3.0-or-later
/* The sampling loop: block after block until there is enough. */
#include "harness/run.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "harness/headlines.h"
#include "harness/priority.h"
#include "results/precision.h"

#include <string.h>

static double block_units(const struct run *run) {
    double units = 0;
    for (unsigned i = 0; i < run->environment_count; i++)
        if (!run->dropped[i])
            units += environment_is_emulated(run->environments[i]) ? 8 : 1;
    return units;
}

static bool nothing_left(const struct run *run) {
    for (unsigned i = 0; i < run->environment_count; i++)
        if (!run->dropped[i])
            return false;
    return true;
}

/* Whether this environment is to do this work; NULL `pairs`: each does all. */
static bool is_wanted(const struct run *run, unsigned environment, unsigned work) {
    const json_t *names =
        json_object_get(run->options->pairs, run->environments[environment]->label);
    size_t index;
    json_t *name;
    json_array_foreach(names, index, name) {
        const char *text = json_string_value(name);
        if (text && strcmp(text, run->works.works[work].description->name) == 0)
            return true;
    }
    return !run->options->pairs;
}

static int run_block(struct run *run, uint64_t block, const bool *active, struct error **err) {
    struct plan_block plan;
    plan_block(run->seed, block, run->environment_count, run->works.count, &plan);
    for (unsigned position = 0; position < run->environment_count; position++) {
        unsigned environment = plan.environments[position];
        if (run->dropped[environment])
            continue;
        bool wanted[WORKLOADS_MAX];
        for (unsigned i = 0; i < run->works.count; i++)
            wanted[i] = active[i] && is_wanted(run, environment, i);
        if (run_instance(run, block, position, environment, &plan, wanted, err) < 0)
            return -1;
    }
    return 0;
}

/* For precision_needs_blocks: an environment that is left out gives no more blocks. */
static bool is_dropped(void *cookie, const char *label) {
    const struct run *run = cookie;
    for (unsigned i = 0; i < run->environment_count; i++)
        if (strcmp(run->environments[i]->label, label) == 0)
            return run->dropped[i];
    return false;
}

/*
 * Which workloads the next block measures: all while the minimum is not reached, then those whose
 * headlines are not yet precise. Returns how many, or -1.
 */
static int choose_active(struct run *run, uint64_t block, bool active[WORKLOADS_MAX],
                         struct error **err) {
    unsigned count = run->works.count;
    for (unsigned i = 0; i < run->works.count; i++)
        active[i] = true;
    if (block < run->blocks)
        return (int)count;
    cleanup_free char *samples = text_format("%s/samples.csv", run->folder);
    struct summary_options options = summary_defaults;
    options.is_headline = catalog_is_headline;
    options.reference = run->environments[0]->label;
    cleanup_summary struct summary *summary = NULL;
    if (!samples)
        return error_no_memory(err);
    if (summary_build(samples, &options, &summary, err) < 0)
        return -1;
    for (unsigned i = 0; i < run->works.count; i++) {
        active[i] = precision_needs_blocks(summary, run->works.works[i].description->name,
                                           run->precision, is_dropped, run);
        count -= !active[i];
    }
    return (int)count;
}

/* A block that an earlier execution had begun keeps the choice that was made then. */
static bool recall_active(const struct run *run, uint64_t block, bool active[WORKLOADS_MAX]) {
    const json_t *recorded = resumption_active(run->resumption, block);
    for (unsigned i = 0; recorded && i < run->works.count; i++) {
        size_t index;
        json_t *name;
        active[i] = false;
        json_array_foreach(recorded, index, name) active[i] |=
            strcmp(json_string_value(name), run->works.works[i].description->name) == 0;
    }
    return recorded != NULL;
}

static int commit_block(struct run *run, uint64_t block, const bool *active, struct error **err) {
    json_t *names = json_array();
    for (unsigned i = 0; i < run->works.count; i++)
        if (active[i] &&
            json_array_append_new(names, json_string(run->works.works[i].description->name)) < 0) {
            json_decref(names);
            return error_no_memory(err);
        }
    return run_commit(run, "block",
                      json_pack("{s:I, s:o}", "block", (json_int_t)block, "active", names), err);
}

static bool budget_spent(const struct run *run) {
    return run->options->budget_ns &&
           clock_now_ns(run->setup.clock) - run->start_ns >= run->options->budget_ns;
}

/* 1: a block to run; 0: enough (run->end says why); -1: an error. */
static int next_block(struct run *run, uint64_t block, bool active[WORKLOADS_MAX],
                      struct error **err) {
    if (nothing_left(run)) {
        run->end = RUN_END_NOTHING_LEFT;
        return error_set(err, ERROR_UNAVAILABLE, 0, "no environment is left that works");
    }
    if (recall_active(run, block, active))
        return 1;
    if (block >= run->max_blocks) {
        run->end = RUN_END_BLOCKS;
        return 0;
    }
    if (block > 0 && budget_spent(run)) {
        run->end = RUN_END_BUDGET;
        return 0;
    }
    int needed = choose_active(run, block, active, err);
    if (needed == 0)
        run->end = RUN_END_PRECISION;
    return needed <= 0 ? needed : commit_block(run, block, active, err) < 0 ? -1 : 1;
}

int run_execute(struct run *run, struct error **err) {
    progress_total(&run->progress, 0, run->blocks * block_units(run));
    for (uint64_t block = 0;; block++) {
        bool active[WORKLOADS_MAX];
        int more = next_block(run, block, active, err);
        if (more <= 0)
            return more;
        if (block >= run->blocks)
            progress_more(&run->progress, block_units(run));
        if (run_block(run, block, active, err) < 0)
            return -1;
    }
}

/* Before the record says that nothing is left to do. What was measured is not the worse for it. */
static void remove_data(struct run *run) {
    cleanup_error struct error *failure = NULL;
    if (file_remove_tree(run->data_folder, &failure) < 0)
        progress_warn(&run->progress, "%s", error_message(failure));
}

int run_carry_out(struct run *run, struct error **err) {
    cleanup_error struct error *failure = NULL;
    json_object_set_new(run->record, "harness_priority", json_string(priority_raise()));
    int result = run_execute(run, &failure);
    priority_restore();
    progress_end(&run->progress);
    bool interrupted = failure && failure->kind == ERROR_INTERRUPTED;
    const char *status = result == 0 ? "finished" : interrupted ? "interrupted" : "failed";
    if (run->store && store_sync(run->store, failure ? NULL : &failure) < 0)
        result = -1;
    remove_data(run);
    if (run_save(run, status, failure ? NULL : &failure) < 0)
        result = -1;
    if (result < 0) {
        error_move(err, TAKE_PTR(failure));
        error_advise(err, "what was measured is kept in %s; go on with --resume %s", run->folder,
                     run->folder);
        return -1;
    }
    return 0;
}
