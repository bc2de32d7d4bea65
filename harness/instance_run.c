// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One instance: start, identify, calibrate, all requests, calibrate again, stop. What fails is
 * recorded and said; the run goes on with the next instance unless the work was not the same.
 */
#include "harness/idle.h"
#include "harness/run.h"
#include "harness/section_log.h"
#include "harness/session.h"
#include "harness/witness.h"

#include "common/file.h"
#include "config.h"
#include "results/json_list.h"

#include <math.h>
#include <string.h>

#define HELLO_TIMEOUT_NS (30 * NS_PER_S)
#define QUIT_TIMEOUT_NS (10 * NS_PER_S)
#define LOST_STOP_TIMEOUT_NS (NS_PER_S / 5)

/* After so many failed instances in a row an environment is not tried any more. */
#define FAILURES_MAX 2

struct instance_run {
    struct run *run;
    uint64_t block;
    unsigned position, index;
    struct environment *environment;
    struct instance *instance;
    struct session session;
    json_t *entry;              /* of the journal */
    double units_before, units; /* of the progress */
    unsigned requests, requests_done;
    bool stopped;        /* the instance: nothing can be asked of it any more */
    bool measures_start; /* start-up is among the workloads of this block */
};

static void instance_title(const struct instance_run *self, char *text, size_t capacity) {
    environment_title(self->environment, text, capacity);
}

/* The clock rate of the first CPU of the envelope, where the kernel tells. */
static void note_frequency(struct instance_run *self, const char *when) {
    char path[96];
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_cur_freq",
             self->run->setup.envelope.cpus[0]);
    cleanup_free char *text = file_read_line(path);
    if (text)
        json_object_set_new(self->entry,
                            strcmp(when, "calibration_before") == 0 ? "frequency_before_khz"
                                                                    : "frequency_after_khz",
                            json_integer(atoll(text)));
}

/* Seconds of the calibration loop, into the journal's entry; its failure is the instance's. */
static int calibrate(struct instance_run *self, const char *when, struct error **err) {
    static const char name[] = "calibrate";
    const struct workload_description *workload = workload_find(name);
    cleanup_json json_t *parameters =
        json_pack("{s:I, s:I}", "loops", (json_int_t)5000000, "iterations", (json_int_t)5);
    cleanup_session_result struct session_result result = {0};
    if (session_run(&self->session, workload, parameters, self->run->request_timeout_ns, NULL,
                    &result, err) < 0)
        return error_wrap(err, "calibration");
    note_frequency(self, when);
    json_t *seconds = json_array();
    json_t *agent_seconds = json_array();
    for (unsigned i = 0; i < result.sample_count; i++) {
        const struct session_sample *sample = &result.samples[i];
        seconds = json_list_append(seconds, json_real(sample->value));
        if (isfinite(sample->agent_value))
            agent_seconds = json_list_append(agent_seconds, json_real(sample->agent_value));
    }
    char agent_key[64];
    snprintf(agent_key, sizeof(agent_key), "%s_agent", when);
    int failed = json_object_set_new(self->entry, when, seconds);
    failed |= json_object_set_new(self->entry, agent_key, agent_seconds);
    return failed ? error_no_memory(err) : 0;
}

static int identify(struct instance_run *self, struct error **err) {
    struct run *run = self->run;
    char sha256[65];
    json_t *facts = NULL;
    if (session_identify(&self->session, HELLO_TIMEOUT_NS, sha256, &facts, err) < 0)
        return -1;
    json_object_set_new(self->entry, "agent_sha256", json_string(sha256));
    json_object_set_new(self->entry, "agent_facts", facts);
    if (strcmp(sha256, run->agent_sha256) != 0) {
        error_set(err, ERROR_UNTRUSTWORTHY, 0,
                  "the agent inside is not the one outside (SHA-256 %.12s... instead of %.12s...)",
                  sha256, run->agent_sha256);
        return error_advise(err, "rebuild what holds the old agent: `boxmark guest build`");
    }
    return 0;
}

/* All environments must give the same answer to the same request. */
static int check_digest(struct instance_run *self, const char *workload, const char *digest,
                        struct error **err) {
    json_t *digests = self->run->digests;
    const char *expected = json_string_value(json_object_get(digests, workload));
    if (!expected)
        return json_object_set_new(digests, workload, json_string(digest)) < 0
                   ? error_no_memory(err)
                   : 0;
    if (strcmp(expected, digest) != 0)
        return error_set(err, ERROR_UNTRUSTWORTHY, 0,
                         "%s gave another answer here (%.60s) than before (%.60s): it is not the "
                         "same work",
                         workload, digest, expected);
    return 0;
}

static uint64_t cpu_ns(struct instance *instance) {
    struct footprint footprint = {0};
    if (instance->environment->ops->footprint(instance, &footprint, NULL) < 0)
        return FOOTPRINT_UNKNOWN;
    return footprint.cpu_ns;
}

static json_t *cpu_between(uint64_t before_ns, uint64_t after_ns) {
    bool known =
        before_ns != FOOTPRINT_UNKNOWN && after_ns != FOOTPRINT_UNKNOWN && after_ns >= before_ns;
    return known ? json_integer((json_int_t)(after_ns - before_ns)) : NULL;
}

/* What the environment counts (KVM's exits); NULL where it counts nothing. */
static json_t *read_counters(struct instance *instance) {
    if (!instance->environment->ops->counters)
        return NULL;
    json_t *counters = json_object();
    if (instance->environment->ops->counters(instance, counters, NULL) < 0 ||
        json_object_size(counters) == 0) {
        json_decref(counters);
        return NULL;
    }
    return counters;
}

/* What was counted between two readings; NULL where there are none. */
static json_t *counted_between(const json_t *before, json_t *after) {
    json_t *counted = before && after ? json_object() : NULL;
    const char *name;
    json_t *value;
    json_object_foreach(after, name, value) {
        json_int_t count =
            json_integer_value(value) - json_integer_value(json_object_get(before, name));
        if (counted && count > 0)
            json_object_set_new(counted, name, json_integer(count));
    }
    return counted;
}

static int store_result(struct instance_run *self, const struct work *work,
                        const struct session_result *result, const json_t *cpu_ns,
                        struct error **err) {
    struct run *run = self->run;
    uint64_t last_ns = 0;
    for (unsigned i = 0; i < result->sample_count; i++) {
        const struct session_sample *sample = &result->samples[i];
        last_ns = sample->time_ns;
        if (run_append(run, self->block, self->position, self->environment, work->description,
                       sample->metric->name, sample->iteration, sample->warmup, sample->value,
                       sample->agent_value, sample->time_ns, err) < 0)
            return -1;
    }
    if (cpu_ns && run_append(run, self->block, self->position, self->environment, work->description,
                             "cpu_seconds", 0, false, (double)json_integer_value(cpu_ns) / 1e9, NAN,
                             last_ns, err) < 0)
        return -1;
    return 0;
}

/* A request while it is performed. */
struct performing {
    struct instance_run *self;
    struct section_log log;
};

static void on_progress(void *cookie, double fraction) {
    const struct performing *performing = cookie;
    struct instance_run *self = performing->self;
    progress_update(&self->run->progress,
                    self->units_before + self->units * (self->requests_done + fraction) /
                                             (self->requests ? self->requests : 1));
}

static void on_section(void *cookie, const struct session_sample *sample) {
    struct performing *performing = cookie;
    section_log_note(&performing->log, sample);
}

static void performing_cleanup(struct performing *performing) {
    json_decref(performing->log.sections);
}

/* A laptop that was closed: caches are cold, clocks have jumped. The instance may well go on. */
static int check_awake(const struct witness *before, const struct witness *after, const char *name,
                       struct error **err) {
    uint64_t asleep_ns = witness_asleep_ns(before, after);
    if (asleep_ns == 0)
        return 0;
    return error_set(err, ERROR_INCONCLUSIVE, 0,
                     "%s: the machine was suspended for %.1f s meanwhile: left out", name,
                     (double)asleep_ns / 1e9);
}

static int perform(struct instance_run *self, const struct work *work, struct error **err) {
    struct run *run = self->run;
    const char *name = work->description->name;
    char title[160];
    instance_title(self, title, sizeof(title));
    progress_step(&run->progress, "block %llu/%u  %s  %s", (unsigned long long)self->block + 1,
                  run->blocks, title, name);
    CLEANUP(performing)
    struct performing performing = {
        .self = self, .log.data_folder = work->description->needs_data ? run->data_folder : NULL};
    struct session_watch watch = {
        .progress = on_progress, .section = on_section, .cookie = &performing};
    cleanup_session_result struct session_result result = {0};
    struct witness before, after;
    json_auto_t *counters_before = read_counters(self->instance);
    uint64_t cpu_before_ns = cpu_ns(self->instance);
    witness_take(&before, &run->setup.envelope, run->data_folder);
    if (session_run(&self->session, work->description, work->parameters, run->request_timeout_ns,
                    &watch, &result, err) < 0)
        return error_wrap(err, "%s", name);
    witness_take(&after, &run->setup.envelope, run->data_folder);
    uint64_t cpu_after_ns = cpu_ns(self->instance);
    json_auto_t *counters_after = read_counters(self->instance);
    if (check_digest(self, name, result.digest, err) < 0 ||
        check_awake(&before, &after, name, err) < 0)
        return -1;
    json_t *cpu = cpu_between(cpu_before_ns, cpu_after_ns);
    if (store_result(self, work, &result, cpu, err) < 0) {
        json_decref(cpu);
        return -1;
    }
    self->requests_done++;
    json_t *entry = json_pack(
        "{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:O, s:o*, s:o*, s:O*}", "block",
        (json_int_t)self->block, "environment", self->environment->label, "workload", name,
        "digest", result.digest, "host_elapsed_ns", (json_int_t)result.host_elapsed_ns,
        "agent_elapsed_ns", (json_int_t)result.agent_elapsed_ns, "round_trip_ns",
        (json_int_t)result.round_trip_ns, "witness", witness_between(&before, &after), "notes",
        result.notes, "cpu_ns", cpu, "counters", counted_between(counters_before, counters_after),
        "sections", performing.log.sections);
    return run_commit(run, "request", entry, err);
}

/* What went wrong, with what the environment knows of it; kept, said, counted. */
static int record_failure(struct instance_run *self, const char *what, struct error *failure,
                          struct error **err) {
    struct run *run = self->run;
    cleanup_free char *diagnosis =
        self->instance && !self->stopped && self->environment->ops->diagnose
            ? self->environment->ops->diagnose(self->instance)
            : NULL;
    char title[160];
    instance_title(self, title, sizeof(title));
    progress_warn(
        &run->progress, "%s: %s: %s%s%s%s%s%s", title, what, error_message(failure),
        diagnosis ? "; " : "", diagnosis ? diagnosis : "", failure && failure->advice ? " (" : "",
        failure && failure->advice ? failure->advice : "", failure && failure->advice ? ")" : "");
    run->problems++;
    json_t *entry = json_pack("{s:I, s:s, s:s, s:s, s:s*}", "block", (json_int_t)self->block,
                              "environment", self->environment->label, "what", what, "message",
                              error_message(failure), "diagnosis", diagnosis);
    return journal_append(run->journal, "failure", entry, err);
}

/* Errors that end the whole run: the user's wish, different work, a store that cannot be written.
 */
static bool ends_run(const struct error *error, bool storing) {
    return error && (error->kind == ERROR_INTERRUPTED || error->kind == ERROR_UNTRUSTWORTHY ||
                     (storing && error->kind == ERROR_INTERNAL));
}

/* All requests of the block's order. 0: the instance lives; 1: it is lost; -1: the run ends. */
static int perform_all(struct instance_run *self, const struct plan_block *plan, const bool *active,
                       struct error **err) {
    for (unsigned i = 0; i < self->run->works.count; i++) {
        const struct work *work = &self->run->works.works[plan->workloads[i]];
        if (work->description->by_harness || !active[plan->workloads[i]] ||
            resumption_has_request(self->run->resumption, self->block, self->environment->label,
                                   work->description->name))
            continue;
        cleanup_error struct error *failure = NULL;
        if (perform(self, work, &failure) == 0)
            continue;
        if (ends_run(failure, true))
            return error_move(err, TAKE_PTR(failure));
        bool lives = failure && failure->kind == ERROR_INCONCLUSIVE;
        if (record_failure(self, "request failed", failure, err) < 0)
            return -1;
        if (!lives)
            return 1;
    }
    return 0;
}

static void note_footprint(struct instance_run *self) {
    struct footprint footprint = {0};
    if (self->environment->ops->footprint(self->instance, &footprint, NULL) < 0)
        return;
    const struct {
        const char *key;
        uint64_t value;
    } values[] = {{"image_bytes", footprint.image_bytes},
                  {"resident_bytes", footprint.resident_bytes},
                  {"guest_bytes", footprint.guest_bytes},
                  {"cpu_ns", footprint.cpu_ns},
                  {"throttled_ns", footprint.throttled_ns}};
    json_t *json = json_object();
    for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (values[i].value != FOOTPRINT_UNKNOWN)
            json_object_set_new(json, values[i].key, json_integer((json_int_t)values[i].value));
    /* Where start-up is looked at, what an instance costs that only waits is, too. */
    if (self->measures_start)
        idle_measure(self->instance, json);
    json_object_set_new(self->entry, "footprint", json);
}

static void note_facts(struct instance_run *self) {
    json_t *facts = json_object();
    if (self->environment->ops->facts)
        (void)self->environment->ops->facts(self->instance, facts, NULL);
    json_object_set_new(self->entry, "facts", facts);
}

static void note_stamps(struct instance_run *self) {
    static const char *const names[STAMPS] = {
        [STAMP_LAUNCH] = "launch",
        [STAMP_HELPER_ALIVE] = "helper_alive",
        [STAMP_KERNEL_ENTERED] = "kernel_entered",
        [STAMP_USER_INSTRUCTION] = "user_instruction",
        [STAMP_AGENT_READY] = "agent_ready",
        [STAMP_STOP_REQUESTED] = "stop_requested",
        [STAMP_REAPED] = "reaped",
        [STAMP_CLEANED] = "cleaned",
    };
    json_t *stamps = json_object();
    uint64_t launch_ns = self->instance->stamps[STAMP_LAUNCH];
    for (unsigned i = 0; i < STAMPS; i++)
        if (self->instance->stamps[i] >= launch_ns && launch_ns)
            json_object_set_new(stamps, names[i],
                                json_integer((json_int_t)(self->instance->stamps[i] - launch_ns)));
    json_object_set_new(self->entry, "stamps_ns", stamps);
}

/* 0: served; 1: the instance is lost (recorded); -1: the run ends. */
static int serve(struct instance_run *self, const struct plan_block *plan, const bool *active,
                 struct error **err) {
    cleanup_error struct error *failure = NULL;
    self->session =
        (struct session){.channel = self->instance->channel, .clock = self->run->setup.clock};
    bool fine = session_hello(&self->session, HELLO_TIMEOUT_NS, PACKAGE_VERSION, &failure) == 0 &&
                identify(self, &failure) == 0 &&
                (self->requests == 0 || calibrate(self, "calibration_before", &failure) == 0);
    if (!fine) {
        if (ends_run(failure, false))
            return error_move(err, TAKE_PTR(failure));
        return record_failure(self, "not usable", failure, err) < 0 ? -1 : 1;
    }
    note_facts(self);
    int result = perform_all(self, plan, active, err);
    if (result != 0)
        return result;
    note_footprint(self);
    if ((self->requests > 0 && calibrate(self, "calibration_after", &failure) < 0) ||
        session_quit(&self->session, QUIT_TIMEOUT_NS, &failure) < 0) {
        if (ends_run(failure, false))
            return error_move(err, TAKE_PTR(failure));
        return record_failure(self, "does not end well", failure, err) < 0 ? -1 : 1;
    }
    return 0;
}

/* The instance is over, well or not: it is not tried again. */
static int commit_instance(struct instance_run *self, int outcome, struct error **err) {
    json_object_set_new(self->entry, "outcome", json_string(outcome == 0 ? "done" : "failed"));
    return run_commit(self->run, "instance", json_incref(self->entry), err);
}

static int stop_and_record(struct instance_run *self, int outcome, struct error **err) {
    struct run *run = self->run;
    cleanup_error struct error *failure = NULL;
    /* One that was not told to quit, or did not obey, will not end by itself. */
    uint64_t patience_ns = run->setup.stop_timeout_ns;
    if (outcome != 0)
        run->setup.stop_timeout_ns = LOST_STOP_TIMEOUT_NS;
    int stopped = self->environment->ops->stop(self->instance, &failure);
    self->stopped = true;
    run->setup.stop_timeout_ns = patience_ns;
    if (stopped < 0 && record_failure(self, "not cleaned up", failure, err) < 0)
        return -1;
    note_stamps(self);
    unsigned starts = run->options->starts ? run->options->starts : 1;
    if (outcome == 0 && run_record_start(run, self->block, self->position, self->instance,
                                         starts - 1, false, err) < 0)
        return -1;
    /* An instance that was interrupted is not over: a resumed run does the rest of it. */
    if (outcome < 0)
        return store_sync(run->store, err);
    return commit_instance(self, outcome, err);
}

/* A start that failed: the instance never was. */
static int start_failed(struct instance_run *self, struct error *failure, struct error **err) {
    if (ends_run(failure, false))
        return error_move(err, failure);
    int result = record_failure(self, "cannot be started", failure, err);
    error_free(failure);
    return result < 0 || commit_instance(self, 1, err) < 0 ? -1 : 1;
}

static int start_and_serve(struct instance_run *self, const struct plan_block *plan,
                           const bool *active, struct error **err) {
    struct run *run = self->run;
    char title[160];
    instance_title(self, title, sizeof(title));
    progress_step(&run->progress, "block %llu/%u  %s  start", (unsigned long long)self->block + 1,
                  run->blocks, title);
    struct error *failure = NULL;
    if (run_starts(run, self->block, self->position, self->index, &failure) < 0)
        return start_failed(self, failure, err);
    if (self->environment->ops->start(self->environment, &self->instance, &failure) < 0)
        return start_failed(self, failure, err);
    int outcome = serve(self, plan, active, err);
    /* After an error that ends the run, the instance is still stopped and what it gave is kept. */
    int recorded = stop_and_record(self, outcome, outcome < 0 ? NULL : err);
    return recorded < 0 ? -1 : outcome;
}

int run_instance(struct run *run, uint64_t block, unsigned position, unsigned environment,
                 const struct plan_block *plan, const bool *active, struct error **err) {
    cleanup_json json_t *entry =
        json_pack("{s:I, s:s, s:i}", "block", (json_int_t)block, "environment",
                  run->environments[environment]->label, "position", (int)position);
    struct instance_run self = {
        .run = run,
        .block = block,
        .position = position,
        .index = environment,
        .environment = run->environments[environment],
        .entry = entry,
        .units_before = run->progress.done,
        .units = environment_is_emulated(run->environments[environment]) ? 8 : 1,
    };
    if (!entry)
        return error_no_memory(err);
    for (unsigned i = 0; i < run->works.count; i++) {
        bool by_harness = run->works.works[i].description->by_harness;
        self.requests += active[i] && !by_harness;
        self.measures_start |= active[i] && by_harness;
    }
    int outcome = resumption_instance(run->resumption, block, self.environment->label);
    if (outcome < 0)
        outcome = start_and_serve(&self, plan, active, err);
    instance_free(self.instance);
    if (outcome < 0) {
        error_wrap(err, "%s", self.environment->label);
        return -1;
    }
    progress_update(&run->progress, self.units_before + self.units);
    run->failures[environment] = outcome == 0 ? 0 : run->failures[environment] + 1;
    if (run->failures[environment] >= FAILURES_MAX && !run->dropped[environment]) {
        run->dropped[environment] = true;
        progress_warn(&run->progress, "%s failed %d times in a row and is left out from here on",
                      self.environment->label, FAILURES_MAX);
    }
    return 0;
}
