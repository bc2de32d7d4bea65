// SPDX-License-Identifier: GPL-3.0-or-later
/* The agent's side of a request: makes the run context of workload.h and sends what it reports. */
#ifndef BOXMARK_BENCH_RUN_H
#define BOXMARK_BENCH_RUN_H

#include "bench/protocol.h"
#include "bench/workload.h"

/* Where the agent's messages go. */
struct agent_output {
    int fd;
    bool broken; /* the other side went away: nothing more is sent */
};

/* Sends one message; a broken channel is remembered, not reported. */
void agent_send(struct agent_output *output, const struct message *message);

/* What holds for all requests. */
struct run_settings {
    const char *data_folder;
    bool keep_files; /* leave what workloads write there, for people and tests to look at */
};

/* Carries out one MESSAGE_RUN and answers it with begin ... end or error. */
void agent_run(struct agent_output *output, const struct message *request,
               const struct run_settings *settings);

/* Answers a request with an error message made from `error`. */
void agent_send_error(struct agent_output *output, uint64_t id, const struct error *error);

#endif
