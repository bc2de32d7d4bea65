// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/start.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/text.h"

#include <ctype.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

/* Between lines that are shown as one. */
#define BETWEEN " | "

int start_make_data_folder(struct instance *instance, struct error **err) {
    cleanup_free char *path =
        text_format("%s/instance.XXXXXX", instance->environment->setup->data_folder);
    if (!path)
        return error_no_memory(err);
    if (!mkdtemp(path))
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a folder in %s",
                         instance->environment->setup->data_folder);
    instance->data_path = TAKE_PTR(path);
    return 0;
}

int start_log_folder(const struct environment *environment, char **ret_path, struct error **err) {
    *ret_path = NULL;
    if (!environment->setup->log_folder)
        return 0;
    cleanup_free char *name = strdup(environment->label);
    if (!name)
        return error_no_memory(err);
    for (char *at = name; *at; at++)
        if (*at == '/' || !isgraph((unsigned char)*at))
            *at = '_';
    cleanup_free char *path = text_format("%s/%s", environment->setup->log_folder, name);
    if (!path)
        return error_no_memory(err);
    if (file_make_folders(path, 0755, err) < 0)
        return -1;
    *ret_path = TAKE_PTR(path);
    return 0;
}

/* The end of a stream makes it readable too. */
static bool has_bytes(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count > 0;
}

int start_wait_ready(struct instance *instance, int channel_fd, struct process *process,
                     struct error **err) {
    const struct environment_setup *setup = instance->environment->setup;
    /* What was done since the launch (talking to a helper) is part of the start. */
    uint64_t launch_ns = instance->stamps[STAMP_LAUNCH];
    uint64_t deadline_ns =
        deadline_after(launch_ns ? launch_ns : monotonic_ns(), setup->start_timeout_ns);
    for (;;) {
        struct pollfd waits[3] = {{.fd = channel_fd, .events = POLLIN},
                                  {.fd = setup->cancel_fd, .events = POLLIN},
                                  {.fd = process->pidfd, .events = POLLIN}};
        int ready = poll(waits, 3, deadline_poll_ms(monotonic_ns(), deadline_ns));
        uint64_t now_ns = clock_now_ns(setup->clock);
        if (ready < 0 && errno != EINTR)
            return error_set(err, ERROR_INTERNAL, errno, "cannot wait for the agent");
        if (ready < 0)
            continue;
        if (waits[1].revents)
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
        if (waits[0].revents & POLLIN && has_bytes(channel_fd)) {
            instance->stamps[STAMP_AGENT_READY] = now_ns;
            return 0;
        }
        if (waits[0].revents || waits[2].revents) {
            process_wait(process, deadline_after(monotonic_ns(), NS_PER_S));
            cleanup_free char *end = process_describe_end(process);
            return error_set(err, ERROR_CLOSED, 0, "it %s before its agent was ready",
                             end ? end : "ended");
        }
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "its agent was not ready within %.1f s",
                             (double)setup->start_timeout_ns / 1e9);
    }
}

/* As the agent writes it; what stands before it on its line is a prompt without a newline. */
static const char *find_hello(const char *line, size_t length, size_t *ret_length) {
    static const char words[] = "{\"type\":\"hello\"";
    const char *at = memmem(line, length, words, sizeof(words) - 1);
    if (!at)
        return NULL;
    cleanup_message struct message message = {0};
    *ret_length = length - (size_t)(at - line);
    return message_parse(at, *ret_length, &message, NULL) == 0 ? at : NULL;
}

/* Do the lines kept so far end with this one? */
static bool ends_with(const char *noise, size_t length, const char *line) {
    size_t rest = length - strlen(line);
    if (length < strlen(line) || strncmp(noise + rest, line, strlen(line)) != 0)
        return false;
    return rest == 0 || (rest >= strlen(BETWEEN) &&
                         strncmp(noise + rest - strlen(BETWEEN), BETWEEN, strlen(BETWEEN)) == 0);
}

/* Keeps the first words of what is not the agent's; of a line again and again, one and "...". */
static void keep_noise(char **noise, const char *line) {
    enum { NOISE_MAX_BYTES = 400 };
    static const char again[] = BETWEEN "...";
    cleanup_free char *clean = text_clean(line);
    size_t kept = *noise ? strlen(*noise) : 0;
    if (!clean || !*clean || kept >= NOISE_MAX_BYTES)
        return;
    bool repeats = kept >= strlen(again) && strcmp(*noise + kept - strlen(again), again) == 0;
    bool same = kept && ends_with(*noise, repeats ? kept - strlen(again) : kept, clean);
    if (same && repeats)
        return;
    char *longer = text_format("%s%s%.*s", *noise ? *noise : "", *noise ? BETWEEN : "",
                               (int)(NOISE_MAX_BYTES - kept), same ? "..." : clean);
    if (longer) {
        free(*noise);
        *noise = longer;
    }
}

static int ended_too_early(struct process *process, struct error **err) {
    process_wait(process, deadline_after(monotonic_ns(), NS_PER_S));
    if (!process_ended(process))
        return error_set(err, ERROR_CLOSED, 0, "its channel closed before its agent was ready");
    cleanup_free char *end = process_describe_end(process);
    return error_set(err, ERROR_CLOSED, 0, "it %s before its agent was ready", end ? end : "ended");
}

/* A line: 1. Else -1: none in time, none any more, interrupted. */
static int next_line(struct instance *instance, struct process *process, uint64_t deadline_ns,
                     char **ret_line, size_t *ret_length, uint64_t *ret_arrival_ns,
                     struct error **err) {
    /* A helper of the process may hold the channel open after its end. */
    static const uint64_t look_again_ns = 200 * NS_PER_MS;
    for (;;) {
        cleanup_error struct error *failure = NULL;
        bool ended = process_ended(process);
        uint64_t now_ns = monotonic_ns();
        uint64_t soon_ns = deadline_after(now_ns, look_again_ns);
        int got = instance->channel->ops->receive(instance->channel,
                                                  soon_ns < deadline_ns ? soon_ns : deadline_ns,
                                                  ret_line, ret_length, ret_arrival_ns, &failure);
        if (got > 0)
            return 1;
        if (got == 0 || (failure->kind == ERROR_TIMEOUT && ended))
            return ended_too_early(process, err);
        if (failure->kind != ERROR_TIMEOUT)
            return error_move(err, TAKE_PTR(failure));
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "its agent was not ready within %.1f s",
                             (double)instance->environment->setup->start_timeout_ns / 1e9);
    }
}

int start_wait_hello(struct instance *instance, struct process *process, char **ret_noise,
                     struct error **err) {
    enum { LINES_MAX = 1000 };
    uint64_t launch_ns = instance->stamps[STAMP_LAUNCH];
    uint64_t deadline_ns = deadline_after(launch_ns ? launch_ns : monotonic_ns(),
                                          instance->environment->setup->start_timeout_ns);
    *ret_noise = NULL;
    for (unsigned lines = 0; lines < LINES_MAX; lines++) {
        char *line;
        size_t length, hello_length;
        uint64_t arrival_ns;
        if (next_line(instance, process, deadline_ns, &line, &length, &arrival_ns, err) < 0)
            return -1;
        const char *hello = find_hello(line, length, &hello_length);
        if (hello) {
            instance->stamps[STAMP_AGENT_READY] = arrival_ns;
            return channel_open_held(TAKE_PTR(instance->channel), hello, hello_length, arrival_ns,
                                     &instance->channel, err);
        }
        keep_noise(ret_noise, line);
    }
    return error_set(err, ERROR_CLOSED, 0, "no agent speaks in the first %d lines", LINES_MAX);
}
