// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Times the start of the agent (launch to its first bytes) in environments of ours and under
 * commands of others, alternating, and prints medians and ratios. See container-start.sh.
 *
 *   container-start ROUNDS AGENT FOLDER ENVIRONMENT... [-- NAME COMMAND... [-- NAME COMMAND...]]
 */
#include "common/file.h"
#include "environments/environment.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CONTESTANTS_MAX 16

struct contestant {
    const char *name;
    struct environment *environment; /* NULL: a command */
    char **arguments;
    double *times_us, *alive_us, *exec_us; /* since launch; the last two of ours only */
    double *null_us;                       /* an empty request, there and back; ours only */
};

static struct environment_setup setup = {
    .start_timeout_ns = 10 * NS_PER_S,
    .stop_timeout_ns = 5 * NS_PER_S,
    .cancel_fd = -1,
    .clock = &clock_monotonic,
};

static double since_launch_us(const struct instance *instance, enum stamp stamp) {
    return (double)(instance->stamps[stamp] - instance->stamps[STAMP_LAUNCH]) / 1e3;
}

static int compare_times(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, unsigned count, unsigned percent) {
    qsort(values, count, sizeof(*values), compare_times);
    return values[count * percent / 100];
}

/* The median round trip of an empty request, from before it is sent to its last line. */
static int time_null(struct instance *instance, double *ret_us, struct error **err) {
    static const char request[] =
        "{\"type\":\"run\",\"id\":1,\"workload\":\"null\",\"paced\":false,\"parameters\":{}}\n";
    enum { TIMES = 101 };
    double times_us[TIMES];
    struct channel *channel = instance->channel;
    for (int i = -1; i < TIMES; i++) { /* the first line is the agent's hello */
        uint64_t deadline_ns = deadline_after(monotonic_ns(), 10 * NS_PER_S);
        uint64_t start_ns = monotonic_ns();
        if (i >= 0 &&
            channel->ops->send(channel, request, sizeof(request) - 1, deadline_ns, err) < 0)
            return -1;
        for (int lines = i < 0 ? 1 : 2; lines > 0; lines--) {
            char *line;
            size_t length;
            int got = channel->ops->receive(channel, deadline_ns, &line, &length, NULL, err);
            if (got <= 0)
                return got < 0 ? -1 : error_set(err, ERROR_CLOSED, 0, "the agent went away");
        }
        if (i >= 0)
            times_us[i] = (double)(monotonic_ns() - start_ns) / 1e3;
    }
    *ret_us = quantile(times_us, TIMES, 50);
    return 0;
}

static double time_environment(struct contestant *contestant, unsigned round, struct error **err) {
    struct instance *instance = NULL;
    if (contestant->environment->ops->start(contestant->environment, &instance, err) < 0)
        return -1;
    double elapsed_us = since_launch_us(instance, STAMP_AGENT_READY);
    contestant->alive_us[round] = since_launch_us(instance, STAMP_HELPER_ALIVE);
    contestant->exec_us[round] = since_launch_us(instance, STAMP_USER_INSTRUCTION);
    int result = time_null(instance, &contestant->null_us[round], err);
    if (contestant->environment->ops->stop(instance, result == 0 ? err : NULL) < 0)
        result = -1;
    instance_free(instance);
    return result < 0 ? -1 : elapsed_us;
}

static double time_command(struct contestant *contestant, struct error **err) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "socketpair");
    cleanup_fd int our_fd = sockets[0];
    cleanup_fd int agent_fd = sockets[1];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, agent_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, agent_fd, STDOUT_FILENO);
    pid_t pid;
    uint64_t begin_ns = monotonic_ns();
    int failure = posix_spawnp(&pid, contestant->arguments[0], &actions, NULL,
                               contestant->arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure)
        return error_set(err, ERROR_INTERNAL, failure, "cannot start %s", contestant->name);
    close_fd(&agent_fd);
    struct pollfd wait = {.fd = our_fd, .events = POLLIN};
    char byte;
    bool fine = poll(&wait, 1, 10000) == 1 && read(our_fd, &byte, 1) == 1;
    uint64_t end_ns = monotonic_ns();
    close_fd(&our_fd);
    if (!fine)
        kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (!fine)
        return error_set(err, ERROR_INTERNAL, 0, "%s did not start the agent", contestant->name);
    return (double)(end_ns - begin_ns) / 1e3;
}

static int read_contestants(int argc, char **argv, struct contestant *contestants,
                            struct error **err) {
    int count = 0, i = 4;
    for (; i < argc && strcmp(argv[i], "--") != 0 && count < CONTESTANTS_MAX; i++, count++) {
        contestants[count].name = argv[i];
        if (environment_new(argv[i], &setup, &contestants[count].environment, err) < 0 ||
            contestants[count].environment->ops->provision(contestants[count].environment, err) < 0)
            return -1;
    }
    while (i + 2 < argc && count < CONTESTANTS_MAX) {
        argv[i] = NULL; /* ends the command before */
        contestants[count].name = argv[i + 1];
        contestants[count++].arguments = &argv[i + 2];
        for (i += 2; i < argc && strcmp(argv[i], "--") != 0;)
            i++;
    }
    return count;
}

static int race(unsigned rounds, struct contestant *contestants, int count, struct error **err) {
    for (int i = 0; i < count; i++) {
        contestants[i].times_us = calloc(rounds, sizeof(double));
        contestants[i].alive_us = calloc(rounds, sizeof(double));
        contestants[i].exec_us = calloc(rounds, sizeof(double));
        contestants[i].null_us = calloc(rounds, sizeof(double));
        if (!contestants[i].times_us || !contestants[i].alive_us || !contestants[i].exec_us ||
            !contestants[i].null_us)
            return error_no_memory(err);
    }
    for (unsigned round = 0; round < rounds; round++)
        for (int j = 0; j < count; j++) {
            /* Every round begins with another one. */
            struct contestant *one = &contestants[((unsigned)j + round) % (unsigned)count];
            double time_us =
                one->environment ? time_environment(one, round, err) : time_command(one, err);
            if (time_us < 0)
                return error_wrap(err, "%s", one->name);
            one->times_us[round] = time_us;
        }
    return 0;
}

static void print_results(struct contestant *contestants, int count, unsigned rounds) {
    printf("%-24s %9s %9s %9s %7s %9s %9s %9s\n", "launch to, in us", "ready", "10 %", "90 %",
           "ratio", "alive", "exec", "null");
    double first_us = 0;
    for (int i = 0; i < count; i++) {
        struct contestant *one = &contestants[i];
        double median_us = quantile(one->times_us, rounds, 50);
        if (i == 0)
            first_us = median_us;
        printf("%-24s %9.0f %9.0f %9.0f %7.2f", one->name, median_us,
               quantile(one->times_us, rounds, 10), quantile(one->times_us, rounds, 90),
               median_us / first_us);
        if (one->environment)
            printf(" %9.0f %9.0f %9.0f", quantile(one->alive_us, rounds, 50),
                   quantile(one->exec_us, rounds, 50), quantile(one->null_us, rounds, 50));
        putchar('\n');
    }
}

static void free_contestants(struct contestant *contestants) {
    for (int i = 0; i < CONTESTANTS_MAX; i++) {
        environment_free(contestants[i].environment);
        free(contestants[i].times_us);
        free(contestants[i].alive_us);
        free(contestants[i].exec_us);
        free(contestants[i].null_us);
    }
}

int main(int argc, char **argv) {
    static struct contestant contestants[CONTESTANTS_MAX];
    cleanup_error struct error *err = NULL;
    if (argc < 5) {
        fputs("usage: container-start ROUNDS AGENT FOLDER ENVIRONMENT... [-- NAME COMMAND...]\n",
              stderr);
        return 2;
    }
    unsigned rounds = (unsigned)atoi(argv[1]);
    setup.agent_path = argv[2];
    setup.data_folder = argv[3];
    int count = -1;
    if (rounds > 0 && envelope_choose(0, 2, UINT64_C(256) << 20, &setup.envelope, &err) == 0)
        count = read_contestants(argc, argv, contestants, &err);
    bool fine = count > 0 && race(rounds, contestants, count, &err) == 0;
    if (fine)
        print_results(contestants, count, rounds);
    else
        fprintf(stderr, "container-start: %s\n", error_message(err));
    free_contestants(contestants);
    return fine ? 0 : 1;
}
