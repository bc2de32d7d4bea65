// SPDX-License-Identifier: GPL-3.0-or-later
/* The agent's side of a request: makes the run context of workload.h and sends what it reports. */
#ifndef BOXMARK_BENCH_RUN_H
#define BOXMARK_BENCH_RUN_H

#include "bench/protocol.h"
#include "bench/workload.h"
#include "common/line.h"

/* Where the agent's messages go, and where the harness's come from. */
struct agent_channel {
    struct line_reader input;
    int output_fd;
    bool ended;    /* nobody sends any more */
    bool broken;   /* nobody listens any more: nothing more is sent */
    bool nonsense; /* the other side does not keep to the protocol; said to it, and broken */
};

/* Sends one message; a broken channel is remembered, not reported. */
void agent_send(struct agent_channel *channel, const struct message *message);

/*
 * Waits for one message (zeroed by the caller). False when there is none: the channel has ended, or
 * what came is nonsense.
 */
bool agent_receive(struct agent_channel *channel, struct message *ret_message);

/* Says what the other side did wrong (id 0); nothing else is sent after it. */
void agent_refuse(struct agent_channel *channel, const struct error *error);

/* What holds for all requests. */
struct run_settings {
    const char *data_folder;
    bool keep_files; /* leave what workloads write there, for people and tests to look at */
};

/* Carries out one MESSAGE_RUN and answers it with begin ... end or error. */
void agent_run(struct agent_channel *channel, const struct message *request,
               const struct run_settings *settings);

/* Answers a request with an error message made from `error`. */
void agent_send_error(struct agent_channel *channel, uint64_t id, const struct error *error);

#endif
