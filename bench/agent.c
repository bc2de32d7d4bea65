// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The agent: one static program that performs workloads on request, the same bytes in every
 * environment. Reads requests and writes answers as JSON lines (protocol.h).
 *
 *   boxmark-agent [--data FOLDER] [--keep]   speaks over its standard input and output
 *   boxmark-agent --init ...                 as /init of a guest (init.h)
 */
#include "bench/identity.h"
#include "bench/init.h"
#include "bench/protocol.h"
#include "bench/run.h"
#include "config.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

struct agent {
    struct run_settings settings;
    struct agent_channel channel;
};

static void answer_identify(struct agent *agent, const struct message *request) {
    cleanup_error struct error *err = NULL;
    cleanup_message struct message identity = {.type = MESSAGE_IDENTITY, .id = request->id};
    if (identity_collect(&identity, &err) < 0)
        agent_send_error(&agent->channel, request->id, err);
    else
        agent_send(&agent->channel, &identity);
}

static void refuse_out_of_turn(struct agent *agent, const struct message *message) {
    cleanup_error struct error *err = NULL;
    error_set(&err, ERROR_USAGE, 0, "\"%s\" is not for an agent that waits for a request",
              message_type_name(message->type));
    agent_refuse(&agent->channel, err);
}

/* Returns false when the agent shall end. */
static bool answer(struct agent *agent, const struct message *request) {
    switch (request->type) {
    case MESSAGE_IDENTIFY:
        answer_identify(agent, request);
        break;
    case MESSAGE_RUN:
        agent_run(&agent->channel, request, &agent->settings);
        break;
    case MESSAGE_QUIT:
        agent_send(&agent->channel, &(struct message){.type = MESSAGE_END, .id = request->id});
        return false;
    default:
        refuse_out_of_turn(agent, request);
        break;
    }
    return !agent->channel.broken;
}

static int serve(struct agent *agent) {
    struct message hello = {.type = MESSAGE_HELLO, .number = PROTOCOL_VERSION};
    snprintf(hello.text, sizeof(hello.text), "%s", PACKAGE_VERSION);
    agent_send(&agent->channel, &hello);
    for (;;) {
        cleanup_message struct message request = {0};
        if (!agent_receive(&agent->channel, &request) || !answer(agent, &request))
            return agent->channel.nonsense;
    }
}

static int usage(FILE *to, int code) {
    fputs("usage: boxmark-agent [--data FOLDER] [--keep] [--channel stdio|virtio:NAME|tty:DEVICE]\n"
          "       /init --init [--data-device DEVICE] [--end reset|poweroff]\n"
          "             [--box SETTINGS] [--shell DEVICE] ...\n"
          "Performs boxmark's workloads on request, as JSON lines on its channel; with --init it\n"
          "sets up the guest whose first program it is, and ends it.\n"
          "Workloads write in FOLDER (\".\") and remove their files, unless they are to be kept.\n"
          "It is started by boxmark; see docs/protocol.md.\n",
          to);
    return code;
}

/* Everything on the command line; false when it cannot be understood. */
struct agent_options {
    bool init, keep_files;
    const char *box, *shell, *channel, *data_device, *data_folder;
    enum init_end end;
};

static int parse_options(int argc, char **argv, struct agent_options *ret_options) {
    static const struct option options[] = {{"box", required_argument, NULL, 'b'},
                                            {"channel", required_argument, NULL, 'c'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"data-device", required_argument, NULL, 'D'},
                                            {"end", required_argument, NULL, 'e'},
                                            {"init", no_argument, NULL, 'i'},
                                            {"keep", no_argument, NULL, 'k'},
                                            {"shell", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'b':
            ret_options->box = optarg;
            break;
        case 'c':
            ret_options->channel = optarg;
            break;
        case 'd':
            ret_options->data_folder = optarg;
            break;
        case 'D':
            ret_options->data_device = optarg;
            break;
        case 'e':
            if (strcmp(optarg, "reset") != 0 && strcmp(optarg, "poweroff") != 0)
                return usage(stderr, 2);
            ret_options->end = *optarg == 'r' ? INIT_END_RESET : INIT_END_POWER_OFF;
            break;
        case 'i':
            ret_options->init = true;
            break;
        case 'k':
            ret_options->keep_files = true;
            break;
        case 's':
            ret_options->shell = optarg;
            break;
        case 'h':
            return usage(stdout, 0);
        case 'v':
            puts("boxmark-agent " PACKAGE_VERSION);
            return 0;
        default:
            return usage(stderr, 2);
        }
    return optind == argc ? -1 : usage(stderr, 2);
}

/* The channel, by way of a set-up guest where we are its first process. -1, or the exit status. */
static int open_channel(const struct agent_options *options, struct agent *agent) {
    cleanup_error struct error *err = NULL;
    struct port port;
    if (options->init)
        init_start(&(struct init_options){.box = options->box,
                                          .shell = options->shell,
                                          .channel = options->channel,
                                          .data_device = options->data_device,
                                          .data_folder = options->data_folder,
                                          .end = options->end},
                   &port);
    else if (port_open(options->channel, 0, &port, &err) < 0) {
        fprintf(stderr, "boxmark-agent: %s\n", error_message(err));
        return 2;
    }
    agent->settings = (struct run_settings){.data_folder = options->data_folder,
                                            .keep_files = options->keep_files};
    agent->channel.output_fd = port.output_fd;
    line_reader_init(&agent->channel.input, port.input_fd);
    return -1;
}

int main(int argc, char **argv) {
    static struct agent agent;
    struct agent_options options = {.channel = "stdio", .data_folder = "."};
    bool first = argc > 1 && strcmp(argv[1], "--init") == 0 && getpid() == 1;
    if (first)
        init_announce();
    int status = parse_options(argc, argv, &options);
    if (status < 0 && options.init && !first) {
        fputs("boxmark-agent: --init is for the first process of a guest\n", stderr);
        status = 2;
    }
    if (status < 0)
        status = open_channel(&options, &agent);
    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    /* Its objects are small and come from the harness: no need to ask the kernel for a seed. */
    json_object_seed(1);
    return serve(&agent);
}
