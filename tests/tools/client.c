// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A harness in miniature, for tests and for tests/crosscheck: starts an agent, asks it for one
 * workload, times sections and round trips on its own clock, prints plain lines:
 *
 *   client AGENT[,ARGUMENT...] REPEAT WORKLOAD [KEY=VALUE]...
 *
 *   sample METRIC ITERATION VALUE     section NAME ITERATION SECONDS     note KEY TEXT
 *   digest TEXT                       error CODE TEXT                    round_trip MICROSECONDS
 *
 * It is as strict as the harness: a metric that the catalog does not know, or one of the catalog
 * that never came, is a failure of the agent.
 *
 * Status 0: answered by an end; 1: by an error; 2: bad usage; 3: the agent failed.
 */
#include "bench/catalog.h"
#include "bench/protocol.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/line.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* More than any workload has. */
#define MAX_METRICS 64

struct client {
    const struct workload_description *workload;
    bool seen[MAX_METRICS]; /* by place in the workload's metrics */
    pid_t pid;
    int write_fd;
    struct line_reader reader;
};

static int spawn_agent(char *command, struct client *client) {
    char *arguments[32] = {NULL};
    unsigned count = 0;
    for (char *part; count < 31 && (part = strsep(&command, ","));)
        arguments[count++] = part;
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    int code = posix_spawnp(&client->pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    client->write_fd = to[1];
    line_reader_init(&client->reader, from[0]);
    return code == 0 ? 0 : -1;
}

static int receive(struct client *client, struct message *ret_message, uint64_t *ret_arrival_ns,
                   struct error **err) {
    char *line;
    size_t length;
    int got = line_read(&client->reader, -1, DEADLINE_NONE, &line, &length, ret_arrival_ns, err);
    if (got == 0)
        return error_set(err, ERROR_CLOSED, 0, "the agent went away");
    return got < 0 ? -1 : message_parse(line, length, ret_message, err);
}

static int make_request(int count, char **settings, const char *workload, struct message *request) {
    *request = (struct message){.type = MESSAGE_RUN, .id = 1, .object = json_object()};
    snprintf(request->name, sizeof(request->name), "%s", workload);
    for (int i = 0; i < count; i++) {
        char *value = strchr(settings[i], '=');
        if (!value)
            return -1;
        *value++ = '\0';
        json_object_set_new(request->object, settings[i], json_integer(strtoll(value, NULL, 10)));
    }
    return 0;
}

/* Ticks a metric off the catalog's list. */
static int see_metric(struct client *client, const struct message *message, bool section,
                      struct error **err) {
    const struct metric_description *metrics = client->workload->metrics;
    const struct metric_description *metric = metric_find(client->workload, message->name);
    if (!metric || metric->section != section)
        return error_set(err, ERROR_CLOSED, 0, "the catalog has no %s \"%s\"",
                         section ? "section" : "sample", message->name);
    if (!message->warmup)
        client->seen[metric - metrics] = true;
    return 0;
}

static int check_complete(const struct client *client, struct error **err) {
    const struct metric_description *metrics = client->workload->metrics;
    for (unsigned i = 0; metrics[i].name; i++)
        if (!client->seen[i])
            return error_set(err, ERROR_CLOSED, 0, "the metric \"%s\" never came", metrics[i].name);
    return 0;
}

/* One request up to its end or error; the status of the program, or -1. */
static int ask(struct client *client, const char *line, size_t length, struct error **err) {
    uint64_t sent_ns = monotonic_ns(), section_ns = 0;
    if (file_write_all(client->write_fd, line, length, "request", err) < 0)
        return -1;
    for (;;) {
        cleanup_message struct message message = {0};
        uint64_t arrival_ns;
        if (receive(client, &message, &arrival_ns, err) < 0)
            return -1;
        unsigned long long iteration = message.iteration;
        switch (message.type) {
        case MESSAGE_SECTION_START:
            section_ns = arrival_ns;
            if (see_metric(client, &message, true, err) < 0)
                return -1;
            break;
        case MESSAGE_SECTION_STOP:
            if (!message.warmup)
                printf("section %s %llu %.9f\n", message.name, iteration,
                       (double)(arrival_ns - section_ns) / 1e9);
            break;
        case MESSAGE_SAMPLE:
            if (see_metric(client, &message, false, err) < 0)
                return -1;
            if (!message.warmup)
                printf("sample %s %llu %.9g\n", message.name, iteration, message.value);
            break;
        case MESSAGE_NOTE:
            printf("note %s %s\n", message.name, message.text);
            break;
        case MESSAGE_END:
            printf("digest %s\nround_trip %.3f\n", message.text,
                   (double)(arrival_ns - sent_ns) / 1e3);
            return check_complete(client, err);
        case MESSAGE_ERROR:
            printf("error %s %s\n", message.name, message.text);
            return 1;
        default:
            break;
        }
    }
}

int main(int argc, char **argv) {
    cleanup_error struct error *err = NULL;
    cleanup_message struct message request = {0};
    cleanup_free char *line = NULL;
    size_t length = 0;
    long repeat = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
    if (repeat < 1 || make_request(argc - 4, argv + 4, argv[3], &request) < 0)
        return 2;
    static struct client client;
    client.workload = workload_find(argv[3]);
    if (!client.workload)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    if (spawn_agent(argv[1], &client) < 0)
        return 3;
    int status = 0;
    cleanup_message struct message hello = {0};
    if (message_format(&request, &line, &length, &err) < 0 ||
        receive(&client, &hello, NULL, &err) < 0 || hello.type != MESSAGE_HELLO)
        status = -1;
    while (status == 0 && repeat-- > 0)
        status = ask(&client, line, length, &err);
    if (err)
        fprintf(stderr, "client: %s\n", error_message(err));
    close(client.write_fd);
    close(client.reader.fd);
    waitpid(client.pid, NULL, 0);
    return status < 0 ? 3 : status;
}
