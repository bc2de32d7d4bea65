// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/run.h"

#include "bench/parameters.h"
#include "common/clock.h"
#include "common/file.h"

#include <omp.h>
#include <semaphore.h>
#include <stdarg.h>
#include <string.h>

struct workload_run {
    struct agent_channel *channel;
    const struct message *request;
    const struct workload_description *description;
    const struct run_settings *settings;
    uint64_t section_start_ns;
    struct message section; /* the open section's message, reused for its end */
    uint64_t progress_due_ns;
    char digest[PROTOCOL_TEXT_BYTES];
};

/* Least time between two reports of progress: callers need not count. */
#define PROGRESS_INTERVAL_NS (250 * NS_PER_MS)

void agent_send(struct agent_channel *channel, const struct message *message) {
    cleanup_free char *line = NULL;
    size_t length;
    if (channel->broken || message_format(message, &line, &length, NULL) < 0)
        return;
    if (file_write_all(channel->output_fd, line, length, "channel", NULL) < 0)
        channel->broken = true;
}

void agent_refuse(struct agent_channel *channel, const struct error *error) {
    agent_send_error(channel, 0, error);
    channel->broken = channel->nonsense = true;
}

bool agent_receive(struct agent_channel *channel, struct message *ret_message) {
    cleanup_error struct error *err = NULL;
    char *line;
    size_t length;
    int got = channel->ended
                  ? 0
                  : line_read(&channel->input, -1, DEADLINE_NONE, &line, &length, NULL, &err);
    channel->ended = got == 0;
    if (got < 0 || (got > 0 && message_parse(line, length, ret_message, &err) < 0))
        agent_refuse(channel, err);
    return got > 0 && !err;
}

static void copy_text(char *to, size_t capacity, const char *text) {
    size_t length = strlen(text);
    if (length >= capacity)
        length = capacity - 1;
    memcpy(to, text, length);
    to[length] = '\0';
}

/* Stable codes of error messages (docs/protocol.md). */
static const char *error_code_of(const struct error *error) {
    if (error && (error->errnum == ENOSPC || error->errnum == EDQUOT))
        return "no-space";
    if (error && error->errnum == ENOMEM)
        return "no-memory";
    if (error && error->errnum == EROFS)
        return "read-only";
    switch (error ? error->kind : ERROR_INTERNAL) {
    case ERROR_USAGE:
        return "bad-request";
    case ERROR_UNAVAILABLE:
        return "unavailable";
    case ERROR_UNTRUSTWORTHY:
        return "wrong-answer";
    default:
        return "failed";
    }
}

void agent_send_error(struct agent_channel *channel, uint64_t id, const struct error *error) {
    struct message message = {.type = MESSAGE_ERROR, .id = id};
    copy_text(message.name, sizeof(message.name), error_code_of(error));
    copy_text(message.text, sizeof(message.text), error_message(error));
    agent_send(channel, &message);
}

uint64_t run_parameter(const struct workload_run *run, const char *name) {
    return (uint64_t)json_integer_value(json_object_get(run->request->object, name));
}

const char *run_data_folder(const struct workload_run *run) {
    return run->settings->data_folder;
}

bool run_keeps_files(const struct workload_run *run) {
    return run->settings->keep_files;
}

/*
 * Sleeps until the harness has seen the line before. It may need the very CPU that the work keeps:
 * the kernel lets what runs go on for some milliseconds before it lets in who woke up, and the line
 * would be stamped so late. Where nobody is left to answer (one request by hand), it goes on.
 */
static void wait_for_go(struct workload_run *run) {
    cleanup_message struct message go = {0};
    struct agent_channel *channel = run->channel;
    if (!run->request->paced || channel->broken || !agent_receive(channel, &go))
        return;
    cleanup_error struct error *err = NULL;
    if (go.type == MESSAGE_GO && go.id == run->request->id)
        return;
    error_set(&err, ERROR_USAGE, 0, "\"%s\" while a section waits for \"go\"",
              message_type_name(go.type));
    agent_refuse(channel, err);
}

/*
 * The same, after a section. OpenMP's threads go on looking for work for some milliseconds, and
 * keep their CPUs from the harness: a task that sleeps makes them sleep.
 */
static void wait_for_go_at_rest(struct workload_run *run) {
    json_int_t threads = json_integer_value(json_object_get(run->request->object, "threads"));
    if (!run->request->paced || threads < 2) {
        wait_for_go(run);
        return;
    }
    sem_t gone;
    sem_init(&gone, 0, 0);
#pragma omp parallel num_threads((int)threads)
    if (omp_get_thread_num() > 0) {
        while (sem_wait(&gone) < 0)
            ;
    } else {
        wait_for_go(run);
        for (json_int_t other = 1; other < threads; other++)
            sem_post(&gone);
    }
    sem_destroy(&gone);
}

/* Times that belong together are taken alike: both before their line is written and sent. */
void run_section_start(struct workload_run *run, const char *name, uint64_t iteration,
                       bool warmup) {
    uint64_t sent_ns = monotonic_ns();
    run->section = (struct message){.type = MESSAGE_SECTION_START,
                                    .id = run->request->id,
                                    .iteration = iteration,
                                    .warmup = warmup};
    copy_text(run->section.name, sizeof(run->section.name), name);
    agent_send(run->channel, &run->section);
    wait_for_go(run);
    run->section_start_ns = monotonic_ns();
    run->section.waited_ns = run->request->paced ? run->section_start_ns - sent_ns : 0;
}

uint64_t run_section_stop(struct workload_run *run) {
    uint64_t elapsed_ns = monotonic_ns() - run->section_start_ns;
    run->section.type = MESSAGE_SECTION_STOP;
    run->section.number = elapsed_ns;
    agent_send(run->channel, &run->section);
    wait_for_go_at_rest(run);
    return elapsed_ns;
}

void run_sample(struct workload_run *run, const char *metric, uint64_t iteration, bool warmup,
                double value) {
    struct message message = {.type = MESSAGE_SAMPLE,
                              .id = run->request->id,
                              .iteration = iteration,
                              .warmup = warmup,
                              .value = value};
    copy_text(message.name, sizeof(message.name), metric);
    agent_send(run->channel, &message);
}

void run_progress(struct workload_run *run, double fraction) {
    uint64_t now_ns = monotonic_ns();
    if (now_ns < run->progress_due_ns)
        return;
    run->progress_due_ns = now_ns + PROGRESS_INTERVAL_NS;
    struct message message = {.type = MESSAGE_PROGRESS, .id = run->request->id, .value = fraction};
    agent_send(run->channel, &message);
}

void run_note(struct workload_run *run, const char *key, const char *format, ...) {
    struct message message = {.type = MESSAGE_NOTE, .id = run->request->id};
    copy_text(message.name, sizeof(message.name), key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message.text, sizeof(message.text), format, arguments);
    va_end(arguments);
    agent_send(run->channel, &message);
}

void run_digest(struct workload_run *run, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->digest, sizeof(run->digest), format, arguments);
    va_end(arguments);
}

static const struct workload *find_workload(const char *name) {
    for (const struct workload *const *at = workloads; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static int carry_out(struct workload_run *run, const struct workload *workload,
                     struct error **err) {
    if (!workload || !run->description)
        return error_set(err, ERROR_USAGE, 0, "unknown workload \"%s\"", run->request->name);
    if (parameters_check(run->description, run->request->object, err) < 0)
        return -1;
    agent_send(run->channel, &(struct message){.type = MESSAGE_BEGIN, .id = run->request->id});
    return workload->run(run, err);
}

void agent_run(struct agent_channel *channel, const struct message *request,
               const struct run_settings *settings) {
    struct workload_run run = {
        .channel = channel,
        .request = request,
        .description = workload_find(request->name),
        .settings = settings,
    };
    cleanup_error struct error *err = NULL;
    uint64_t start_ns = monotonic_ns();
    if (carry_out(&run, find_workload(request->name), &err) < 0) {
        agent_send_error(channel, request->id, err);
        return;
    }
    struct message end = {
        .type = MESSAGE_END, .id = request->id, .number = monotonic_ns() - start_ns};
    copy_text(end.text, sizeof(end.text), run.digest);
    agent_send(channel, &end);
}
