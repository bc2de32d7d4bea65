// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/interrupt.h"

#include "common/file.h"
#include "config.h"
#include "environments/environment.h"
#include "harness/aftermath.h"
#include "harness/agent_path.h"
#include "harness/data_folder.h"

#include <stdio.h>
#include <unistd.h>

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    const char **spec = input->options;
    if (key == ARGP_KEY_ARG && !*spec) {
        *spec = argument;
        return 0;
    }
    if (key == ARGP_KEY_ARG || (key == ARGP_KEY_END && !*spec)) {
        error_set(input->err, ERROR_USAGE, 0, "give one environment, such as container");
        return EINVAL;
    }
    return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

const struct argp shell_argp = {
    .options = (const struct argp_option[]){{NULL, 0, NULL, 0, NULL, 0}},
    .parser = parse,
    .args_doc = "ENV",
    .doc =
        "Opens a prompt inside an environment, to see what the workloads see, with a note of what "
        "to look at. The exit code is the shell's; from a guest (vm, uml, container@vm) it cannot "
        "be known, and is 0.",
};

/* A tour of what isolation is made of: the same questions everywhere, other answers. */
static const char tour[] =
    "What to look at in there, and once more on the host:\n"
    "  echo $$; cat /proc/1/comm    this shell's number, and who is process 1\n"
    "  ps                           which processes can be seen\n"
    "  cat /proc/mounts             what is mounted, and what of it may be written (ro, rw)\n"
    "  hostname; cat /proc/net/dev  its name, its network devices\n"
    "  cat /proc/self/cgroup        its control group\n"
    "  uname -r; cat /proc/cmdline  the kernel: the host's, or one of its own\n"
    "  grep -E 'Cap|Secc' /proc/self/status   capabilities (0: none), filter of system calls (2: on)\n"
    "  nproc; free                  its CPUs and memory\n"
    "`exit` leaves it; everything is removed then.\n";

static int open_shell(struct environment *environment, struct error **err) {
    struct probe_result probe;
    if (!environment->ops->shell) {
        error_set(err, ERROR_UNAVAILABLE, 0, "%s cannot give a prompt", environment->label);
        return error_advise(err, "container, vm, uml, container@vm and a command with shell= can");
    }
    if (environment->ops->probe(environment, &probe, err) < 0)
        return -1;
    if (probe.readiness == READINESS_MISSING) {
        error_set(err, ERROR_UNAVAILABLE, 0, "%s cannot run here: %s", environment->label,
                  probe.detail);
        return probe.advice[0] ? error_advise(err, "%s", probe.advice) : -1;
    }
    int status = 0;
    if (environment->ops->provision(environment, err) < 0)
        return -1;
    /* Where a person types. */
    if (isatty(STDIN_FILENO)) {
        fputs(tour, stdout);
        if (environment->ops->shell_note)
            puts(environment->ops->shell_note);
        fflush(stdout);
    }
    if (environment->ops->shell(environment, &status, err) < 0)
        return -1;
    return status == 0 ? EXIT_CODE_OK : status;
}

int command_shell(int argc, char **argv, struct error **err) {
    const char *spec = NULL;
    cleanup_free char *agent = NULL;
    cleanup_free char *data = NULL;
    struct environment_setup setup = {
        .version = PACKAGE_VERSION,
        .start_timeout_ns = 120 * NS_PER_S,
        .stop_timeout_ns = 10 * NS_PER_S,
        .cancel_fd = -1,
        .clock = &clock_monotonic,
    };
    if (command_parse(&shell_argp, argc, argv, &spec, err) < 0 ||
        agent_path_find(&agent, err) < 0 ||
        envelope_choose(0, 4, UINT64_C(1) << 30, &setup.envelope, err) < 0)
        return -1;
    setup.agent_path = agent;
    struct environment *environment = NULL;
    if (environment_new(spec, &setup, &environment, err) < 0)
        return -1;
    const char *parent = getenv("TMPDIR");
    cleanup_fd int lock_fd = -1;
    struct aftermath aftermath = AFTERMATH_NONE;
    int code = data_folder_make(parent ? parent : "/tmp", 0, &data, &lock_fd, err);
    setup.data_folder = data;
    if (code == 0)
        code = aftermath_begin(&aftermath, data, err);
    setup.session = aftermath.session;
    if (code == 0)
        code = open_shell(environment, err);
    environment_free(environment);
    if (data)
        (void)file_remove_tree(data, NULL);
    aftermath_end(&aftermath);
    return code;
}
