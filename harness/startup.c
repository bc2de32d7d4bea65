// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The workload `startup`: the harness's own stamps of an instance's life. Warm: the files of the
 * environment are in the page cache, as after any earlier start. Cold: they were dropped from it
 * just before (the whole page cache where the user may, else the environment's own files).
 */
#include "harness/run.h"
#include "harness/session.h"

#include "common/file.h"
#include "config.h"

#include <fcntl.h>
#include <math.h>

#define HELLO_TIMEOUT_NS (30 * NS_PER_S)

static double between_ms(const struct instance *instance, enum stamp from, enum stamp to) {
    uint64_t start_ns = instance->stamps[from], end_ns = instance->stamps[to];
    return start_ns && end_ns && end_ns >= start_ns ? (double)(end_ns - start_ns) / 1e6 : NAN;
}

int run_record_start(struct run *run, uint64_t block, unsigned position,
                     const struct instance *instance, uint64_t iteration, bool cold,
                     struct error **err) {
    static const struct {
        const char *metric;
        enum stamp from, to;
        bool cold;
    } spans[] = {
        {"ready", STAMP_LAUNCH, STAMP_AGENT_READY, false},
        {"helper_alive", STAMP_LAUNCH, STAMP_HELPER_ALIVE, false},
        {"kernel_entered", STAMP_LAUNCH, STAMP_KERNEL_ENTERED, false},
        {"user_instruction", STAMP_LAUNCH, STAMP_USER_INSTRUCTION, false},
        {"stop", STAMP_STOP_REQUESTED, STAMP_REAPED, false},
        {"clean_up", STAMP_REAPED, STAMP_CLEANED, false},
        {"cold_ready", STAMP_LAUNCH, STAMP_AGENT_READY, true},
    };
    const struct work *work = work_find(&run->works, "startup");
    for (unsigned i = 0; work && i < sizeof(spans) / sizeof(*spans); i++) {
        double span_ms = between_ms(instance, spans[i].from, spans[i].to);
        if (spans[i].cold != cold || isnan(span_ms))
            continue;
        if (run_append(run, block, position, instance->environment, work->description,
                       spans[i].metric, iteration, false, span_ms, NAN,
                       instance->stamps[spans[i].to], err) < 0)
            return -1;
    }
    return 0;
}

/* Drops what a start reads from the page cache; returns how. */
static const char *drop_caches(struct environment *environment) {
    sync();
    if (file_write_text("/proc/sys/vm/drop_caches", "1", NULL) == 0)
        return "whole page cache dropped";
    const char *agent[] = {environment->setup->agent_path, NULL};
    const char *const *lists[] = {
        agent, environment->ops->cold_files ? environment->ops->cold_files(environment) : NULL};
    for (unsigned i = 0; i < 2; i++)
        for (const char *const *path = lists[i]; path && *path; path++) {
            cleanup_fd int fd = open(*path, O_RDONLY | O_CLOEXEC);
            if (fd >= 0)
                (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        }
    return "own files dropped from the page cache";
}

/* One start and stop for its own sake. */
static int start_once(struct run *run, uint64_t block, unsigned position,
                      struct environment *environment, uint64_t iteration, bool cold,
                      struct error **err) {
    if (resumption_has_start(run->resumption, block, environment->label, iteration, cold))
        return 0;
    const char *how = cold ? drop_caches(environment) : "warm";
    struct instance *instance = NULL;
    if (environment->ops->start(environment, &instance, err) < 0)
        return -1;
    struct session session = {.channel = instance->channel, .clock = run->setup.clock};
    int result = session_hello(&session, HELLO_TIMEOUT_NS, PACKAGE_VERSION, err);
    if (result == 0)
        result = session_quit(&session, HELLO_TIMEOUT_NS, err);
    int stopped = environment->ops->stop(instance, result == 0 ? err : NULL);
    if (result == 0 && stopped == 0)
        result = run_record_start(run, block, position, instance, iteration, cold, err);
    else
        result = -1;
    instance_free(instance);
    if (result == 0)
        result = run_commit(run, "start",
                            json_pack("{s:I, s:s, s:I, s:b, s:s}", "block", (json_int_t)block,
                                      "environment", environment->label, "iteration",
                                      (json_int_t)iteration, "cold", cold, "how", how),
                            err);
    return result;
}

int run_starts(struct run *run, uint64_t block, unsigned position, unsigned environment,
               struct error **err) {
    if (!work_find(&run->works, "startup"))
        return 0;
    struct environment *target = run->environments[environment];
    unsigned starts = run->options->starts ? run->options->starts : 1;
    for (unsigned i = 0; i < starts; i++) {
        if (start_once(run, block, position, target, i, true, err) < 0)
            return error_wrap(err, "cold start");
        /* The instance that performs the workloads is the last warm start. */
        if (i + 1 < starts && start_once(run, block, position, target, i, false, err) < 0)
            return error_wrap(err, "warm start");
    }
    return 0;
}
