// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether it can run here; how it stands; how it ended. */
#include "environments/microguest/microguest.h"

#include "common/file.h"
#include "common/text.h"
#include "environments/capture.h"

#include <ctype.h>
#include <string.h>

#define PROBE_TIMEOUT_NS (2 * NS_PER_S)
/* Of the host's rate: native guests reach 0.9 and more, emulators 0.001. */
#define NATIVE_FRACTION 0.5

static void missing(struct probe_result *result, const char *detail, const char *advice) {
    result->readiness = READINESS_MISSING;
    snprintf(result->detail, sizeof(result->detail), "%s", detail);
    snprintf(result->advice, sizeof(result->advice), "%s", advice ? advice : "");
}

/* The value of a line KEY=VALUE of the monitor's answer; malloc'ed, or NULL. */
static char *answer_value(const char *answer, const char *key) {
    size_t length = strlen(key);
    for (const char *line = answer; line && *line; line = text_after(line, '\n'))
        if (strncmp(line, key, length) == 0 && line[length] == '=')
            return strndup(line + length + 1, strcspn(line + length + 1, "\n"));
    return NULL;
}

static void judge(const struct microguest *self, const char *answer, struct probe_result *result) {
    cleanup_free char *guest = answer_value(answer, "guest_steps_per_s");
    cleanup_free char *host = answer_value(answer, "host_steps_per_s");
    cleanup_free char *entry = answer_value(answer, "entry"), *time = answer_value(answer, "time");
    cleanup_free char *reason = answer_value(answer, "reason");
    cleanup_free char *advice = answer_value(answer, "advice");
    if (reason || !guest || !host) {
        missing(result, reason ? reason : "its monitor gives no answer", advice);
        return;
    }
    double fraction = strtod(host, NULL) > 0 ? strtod(guest, NULL) / strtod(host, NULL) : 0;
    if (fraction < NATIVE_FRACTION) {
        missing(result, "", "use a machine with VT-x or AMD-V");
        snprintf(result->detail, sizeof(result->detail),
                 "KVM executes guests' user mode in software, %.0f times slower than the host",
                 fraction > 0 ? 1 / fraction : 0);
        return;
    }
    char groups[120];
    bool complete = enclosure_describe_world(self->world, groups, sizeof(groups));
    bool counter = time && strcmp(time, "tsc") == 0;
    result->readiness = complete && counter ? READINESS_READY : READINESS_DEGRADED;
    snprintf(result->detail, sizeof(result->detail),
             "user mode at %.0f %% of the host's speed, calls by %s%s, %s", fraction * 100,
             entry ? entry : "?", counter ? "" : ", time by system call (no steady counter here)",
             groups);
    if (!complete)
        enclosure_advise(self->world, result->advice, sizeof(result->advice));
}

int microguest_probe(struct environment *environment, struct probe_result *ret_result,
                     struct error **err) {
    *ret_result = (struct probe_result){.readiness = READINESS_READY};
    snprintf(environment->accelerator, sizeof(environment->accelerator), "KVM");
    if (microguest_provision(environment, err) < 0)
        return -1;
    const struct microguest *self = environment->state;
    if (!self->monitor) {
        missing(ret_result, "its monitor, boxmark-microguest, is not installed",
                "it is built for x86-64 only");
        return 0;
    }
    cleanup_free char *answer = NULL;
    cleanup_error struct error *failure = NULL;
    const char *const arguments[] = {self->monitor, "--probe", NULL};
    if (capture_run(&(struct capture_options){.arguments = arguments,
                                              .timeout_ns = PROBE_TIMEOUT_NS,
                                              .cancel_fd = environment->setup->cancel_fd},
                    &answer, &failure) < 0)
        missing(ret_result, error_message(failure), failure->advice);
    else
        judge(self, answer, ret_result);
    return 0;
}

/* Strings of the status page are another process's: of bounded length, and only what prints. */
static char *safe_text(const char *text, size_t capacity) {
    char *copy = strndup(text, capacity);
    for (char *at = copy; at && *at; at++)
        if (!isprint((unsigned char)*at))
            *at = '?';
    return copy;
}

static json_t *count_json(const struct status_count *spent) {
    return json_pack("{s:I, s:I}", "count", (json_int_t)atomic_load(&spent->count), "ns",
                     (json_int_t)atomic_load(&spent->ns));
}

static const char *const exit_names[STATUS_EXITS] = {
    [STATUS_EXIT_SYSCALL] = "system_call",
    [STATUS_EXIT_WAIT] = "wait",
    [STATUS_EXIT_PAGE_FAULT] = "page_fault_retried",
    [STATUS_EXIT_FAULT] = "fault",
    [STATUS_EXIT_SIGNAL] = "interrupted",
    [STATUS_EXIT_MEMORY] = "memory_changing",
};

json_t *microguest_exits(const struct status *status) {
    json_t *exits = json_object(), *calls = json_object();
    for (unsigned i = 0; i < STATUS_EXITS; i++)
        if (atomic_load(&status->exits[i].count) > 0)
            json_object_set_new(exits, exit_names[i], count_json(&status->exits[i]));
    for (unsigned i = 0; i < STATUS_CALLS_MAX; i++) {
        if (atomic_load(&status->calls[i].spent.count) == 0)
            continue;
        cleanup_free char *name =
            safe_text(status->calls[i].name, sizeof(status->calls[i].name) - 1);
        if (name)
            json_object_set_new(calls, name, count_json(&status->calls[i].spent));
    }
    return json_pack("{s:o, s:o, s:I}", "exits", exits, "calls", calls, "calls_refused",
                     (json_int_t)atomic_load(&status->refused_calls));
}

static void add_counter(json_t *counters, const char *prefix, const char *name, size_t capacity,
                        const char *suffix, uint64_t value) {
    cleanup_free char *safe = value ? safe_text(name, capacity) : NULL;
    cleanup_free char *key = safe ? text_format("%s%s%s", prefix, safe, suffix) : NULL;
    if (key)
        json_object_set_new(counters, key, json_integer((json_int_t)value));
}

/* What waiting takes is the program's own time, and says nothing of a cost. */
static void add_spent(json_t *counters, const char *prefix, const char *name, size_t capacity,
                      const struct status_count *spent, bool waits) {
    add_counter(counters, prefix, name, capacity, "", atomic_load(&spent->count));
    if (!waits)
        add_counter(counters, prefix, name, capacity, "_ns", atomic_load(&spent->ns));
}

int microguest_counters(struct instance *instance, json_t *counters, struct error **err) {
    const struct microguest_instance *self = instance->state;
    const struct status *status = self->status;
    (void)err;
    if (!status)
        return 0;
    for (unsigned i = 0; i < STATUS_EXITS; i++)
        add_spent(counters, "exits.", exit_names[i], SIZE_MAX, &status->exits[i],
                  i == STATUS_EXIT_WAIT);
    for (unsigned i = 0; i < STATUS_CALLS_MAX; i++)
        add_spent(counters, "calls.", status->calls[i].name, sizeof(status->calls[i].name) - 1,
                  &status->calls[i].spent, status->calls[i].waits);
    add_counter(counters, "calls_refused", "", 0, "", atomic_load(&status->refused_calls));
    add_counter(counters, "io_polled", "", 0, "", atomic_load(&status->polled_requests));
    add_counter(counters, "io_poll_misses", "", 0, "", atomic_load(&status->poll_misses));
    unsigned count = atomic_load(&status->engine_count);
    for (unsigned i = 0; i < count && i < STATUS_ENGINE_MAX; i++)
        add_counter(counters, "kvm.", status->engine[i].name, sizeof(status->engine[i].name) - 1,
                    "", atomic_load(&status->engine[i].value));
    return 0;
}

int microguest_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct microguest_instance *self = instance->state;
    const struct microguest *microguest = instance->environment->state;
    (void)err;
    enclosure_facts(&self->enclosure, instance->pid, facts);
    cleanup_free char *entry = safe_text(self->status->entry, sizeof(self->status->entry) - 1);
    cleanup_free char *time =
        safe_text(self->status->time_source, sizeof(self->status->time_source) - 1);
    json_object_set_new(facts, "monitor", json_string(microguest->monitor));
    json_object_set_new(facts, "monitor_user", json_integer(microguest->user));
    json_object_set_new(facts, "system_call_entry", json_string(entry));
    json_object_set_new(facts, "time_source", json_string(time));
    json_object_set_new(facts, "guest_memory_bytes",
                        json_integer((json_int_t)atomic_load(&self->status->memory_bytes)));
    json_object_set_new(facts, "exit_ns",
                        json_integer((json_int_t)atomic_load(&self->status->exit_ns)));
    json_t *exits = microguest_exits(self->status);
    json_object_update(facts, exits);
    json_decref(exits);
    return 0;
}

int microguest_log_exits(const struct instance *instance, struct error **err) {
    const struct microguest_instance *self = instance->state;
    const char *log_folder = instance->environment->setup->log_folder;
    if (!log_folder || !self->status || atomic_load(&self->status->entered_ns) == 0)
        return 0;
    cleanup_free char *name = strdup(instance->environment->label);
    for (char *at = name; at && *at; at++)
        if (*at == '/' || !isgraph((unsigned char)*at))
            *at = '_';
    cleanup_free char *folder = name ? text_format("%s/%s", log_folder, name) : NULL;
    cleanup_free char *path = folder ? text_format("%s/exits.jsonl", folder) : NULL;
    if (!path)
        return error_no_memory(err);
    if (file_make_folders(folder, 0755, err) < 0)
        return -1;
    json_t *exits = microguest_exits(self->status);
    cleanup_free char *text = json_dumps(exits, JSON_COMPACT);
    json_decref(exits);
    cleanup_file FILE *file = fopen(path, "ae");
    if (!text || !file || fprintf(file, "%s\n", text) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
    return 0;
}

char *microguest_words(const struct microguest_instance *self) {
    if (!self->status || !atomic_load(&self->status->ended) || !self->status->words[0])
        return NULL;
    return safe_text(self->status->words, sizeof(self->status->words) - 1);
}

/* "thread 1 is in its own code for 3.2 s, thread 2 in the system call futex for 3.2 s" */
static char *describe_threads(const struct status *status) {
    char text[512] = "";
    size_t length = 0;
    uint64_t now_ns = monotonic_ns();
    for (unsigned i = 0; i < VCPUS_MAX && length < sizeof(text); i++) {
        uint32_t state = atomic_load(&status->cpus[i].state);
        uint32_t call = atomic_load(&status->cpus[i].call);
        uint64_t since_ns = atomic_load(&status->cpus[i].since_ns);
        if (state == CPU_UNUSED || call >= STATUS_CALLS_MAX)
            continue;
        bool in_call = state == CPU_IN_CALL;
        cleanup_free char *name =
            safe_text(status->calls[call].name, sizeof(status->calls[call].name) - 1);
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%sthread %u in %s%s for %.1f s", length ? ", " : "", i + 1,
                                   in_call ? "the system call " : "its own code",
                                   in_call && name ? name : "",
                                   now_ns > since_ns ? (double)(now_ns - since_ns) / 1e9 : 0.0);
    }
    return strdup(text);
}

char *microguest_diagnose(struct instance *instance) {
    struct microguest_instance *self = instance->state;
    if (!self->status)
        return NULL;
    if (!process_wait(&self->process, deadline_after(monotonic_ns(), PROCESS_END_IS_NEAR_NS))) {
        cleanup_free char *threads = describe_threads(self->status);
        return threads && *threads ? text_format("the guest runs: %s", threads) : NULL;
    }
    cleanup_free char *words = microguest_words(self);
    if (words)
        return strdup(words);
    cleanup_free char *end = process_describe_end(&self->process);
    return text_format("the guest's monitor %s%s", end ? end : "ended",
                       enclosure_killed_by_limit(&self->enclosure, &self->process)
                           ? ": it reached the memory limit of its cgroup"
                           : "");
}
