// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The agent: one static program that performs workloads on request, the same bytes in every
 * environment. Reads requests and writes answers as JSON lines (protocol.h).
 *
 *   boxmark-agent [--data FOLDER] [--keep]   speaks over its standard input and output
 *   boxmark-agent --init ...                 as /init of a guest (init.h)
 */
#include "bench/identity.h"
#include "bench/protocol.h"
#include "bench/run.h"
#include "common/clock.h"
#include "common/line.h"
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

struct agent {
    int input_fd;
    struct run_settings settings;
    struct agent_output output;
    struct line_reader reader;
};

static void answer_identify(struct agent *agent, const struct message *request) {
    cleanup_error struct error *err = NULL;
    cleanup_message struct message identity = {.type = MESSAGE_IDENTITY, .id = request->id};
    if (identity_collect(&identity, &err) < 0)
        agent_send_error(&agent->output, request->id, err);
    else
        agent_send(&agent->output, &identity);
}

/* Returns false when the agent shall end. */
static bool answer(struct agent *agent, const struct message *request) {
    switch (request->type) {
    case MESSAGE_IDENTIFY:
        answer_identify(agent, request);
        break;
    case MESSAGE_RUN:
        agent_run(&agent->output, request, &agent->settings);
        break;
    case MESSAGE_QUIT:
        agent_send(&agent->output, &(struct message){.type = MESSAGE_END, .id = request->id});
        return false;
    default:
        return false;
    }
    return !agent->output.broken;
}

static int serve(struct agent *agent) {
    struct message hello = {.type = MESSAGE_HELLO, .number = PROTOCOL_VERSION};
    snprintf(hello.text, sizeof(hello.text), "%s", PACKAGE_VERSION);
    agent_send(&agent->output, &hello);
    for (;;) {
        cleanup_error struct error *err = NULL;
        cleanup_message struct message request = {.type = MESSAGE_QUIT};
        char *line;
        size_t length;
        int got = line_read(&agent->reader, -1, DEADLINE_NONE, &line, &length, NULL, &err);
        if (got <= 0)
            return got < 0;
        if (message_parse(line, length, &request, &err) < 0) {
            agent_send_error(&agent->output, 0, err);
            return 1;
        }
        if (!answer(agent, &request))
            return 0;
    }
}

static int usage(FILE *to, int code) {
    fputs("usage: boxmark-agent [--data FOLDER] [--keep]\n"
          "Performs boxmark's workloads on request, as JSON lines on standard input and output.\n"
          "Workloads write in FOLDER (\".\") and remove their files, unless they are to be kept.\n"
          "It is started by boxmark; see docs/protocol.md.\n",
          to);
    return code;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"keep", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    static struct agent agent = {.input_fd = STDIN_FILENO,
                                 .settings = {.data_folder = "."},
                                 .output = {.fd = STDOUT_FILENO}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'd':
            agent.settings.data_folder = optarg;
            break;
        case 'k':
            agent.settings.keep_files = true;
            break;
        case 'h':
            return usage(stdout, 0);
        case 'v':
            puts("boxmark-agent " PACKAGE_VERSION);
            return 0;
        default:
            return usage(stderr, 2);
        }
    if (optind != argc)
        return usage(stderr, 2);
    signal(SIGPIPE, SIG_IGN);
    line_reader_init(&agent.reader, agent.input_fd);
    return serve(&agent);
}
