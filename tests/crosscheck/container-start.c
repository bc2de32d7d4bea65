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
    double *times_us;
};

static struct environment_setup setup = {
    .start_timeout_ns = 10 * NS_PER_S,
    .stop_timeout_ns = 5 * NS_PER_S,
    .cancel_fd = -1,
    .clock = &clock_monotonic,
};

static double time_environment(struct contestant *contestant, struct error **err) {
    struct instance *instance = NULL;
    if (contestant->environment->ops->start(contestant->environment, &instance, err) < 0)
        return -1;
    double elapsed_us =
        (double)(instance->stamps[STAMP_AGENT_READY] - instance->stamps[STAMP_LAUNCH]) / 1e3;
    int result = contestant->environment->ops->stop(instance, err);
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

static int compare_times(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
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
    for (int i = 0; i < count; i++)
        if (!(contestants[i].times_us = calloc(rounds, sizeof(double))))
            return error_no_memory(err);
    for (unsigned round = 0; round < rounds; round++)
        for (int j = 0; j < count; j++) {
            /* Every round begins with another one. */
            struct contestant *one = &contestants[((unsigned)j + round) % (unsigned)count];
            double time_us = one->environment ? time_environment(one, err) : time_command(one, err);
            if (time_us < 0)
                return error_wrap(err, "%s", one->name);
            one->times_us[round] = time_us;
        }
    return 0;
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
    if (count < 0 || race(rounds, contestants, count, &err) < 0) {
        fprintf(stderr, "container-start: %s\n", error_message(err));
        return 1;
    }
    printf("%-28s %10s %10s %10s %8s\n", "launch to agent ready", "median us", "10 % us", "90 % us",
           "ratio");
    double first_us = 0;
    for (int i = 0; i < count; i++) {
        double *times_us = contestants[i].times_us;
        qsort(times_us, rounds, sizeof(double), compare_times);
        double median_us = times_us[rounds / 2];
        if (i == 0)
            first_us = median_us;
        printf("%-28s %10.0f %10.0f %10.0f %8.2f\n", contestants[i].name, median_us,
               times_us[rounds / 10], times_us[rounds * 9 / 10], median_us / first_us);
        environment_free(contestants[i].environment);
        free(times_us);
    }
    return 0;
}
