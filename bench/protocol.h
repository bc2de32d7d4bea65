// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The agent protocol, version 2: one JSON object a line, both directions (docs/protocol.md).
 * Both sides parse strictly: unknown types, missing or ill-typed members, numbers that are not
 * finite, names that are not [a-z0-9_.-] are errors. A message is never trusted.
 */
#ifndef BOXMARK_BENCH_PROTOCOL_H
#define BOXMARK_BENCH_PROTOCOL_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION 2
#define PROTOCOL_NAME_BYTES 64  /* names, NUL included */
#define PROTOCOL_TEXT_BYTES 512 /* messages and notes, NUL included */

/* Most messages an agent may send in answer to one request. */
#define PROTOCOL_MAX_MESSAGES 200000

enum message_type {
    /* harness to agent */
    MESSAGE_IDENTIFY, /* id */
    MESSAGE_RUN,      /* id, name = workload, paced, object = parameters (whole numbers) */
    MESSAGE_GO,       /* id: the line around a section was seen, go on; only when paced */
    MESSAGE_QUIT,     /* id */
    /* agent to harness */
    MESSAGE_HELLO,    /* number = protocol version, text = program version: unasked, first line */
    MESSAGE_IDENTITY, /* id, text = SHA-256 of the agent's executable, object = facts */
    MESSAGE_BEGIN,    /* id */
    MESSAGE_SECTION_START, /* id, name, iteration, warmup */
    MESSAGE_SECTION_STOP,  /* id, name, iteration, warmup, number = agent's elapsed_ns, waited_ns */
    MESSAGE_PROGRESS,      /* id, value = fraction done */
    MESSAGE_SAMPLE,        /* id, name = metric, iteration, warmup, value */
    MESSAGE_NOTE,          /* id, name = key, text */
    MESSAGE_END,           /* id, number = agent's elapsed_ns, text = digest */
    MESSAGE_ERROR,         /* id, name = stable code, text */
    MESSAGE_TYPES,
};

struct message {
    enum message_type type;
    uint64_t id;
    uint64_t number;
    uint64_t iteration;
    bool warmup;
    bool paced;         /* whether each start and stop of a section is answered with MESSAGE_GO */
    uint64_t waited_ns; /* from before the start was sent to its MESSAGE_GO; 0 when not paced */
    double value;
    char name[PROTOCOL_NAME_BYTES];
    char text[PROTOCOL_TEXT_BYTES];
    json_t *object; /* owned; see message_clear */
};

/* Parses one line (without its newline). On success *ret_message owns its object. */
int message_parse(const char *line, size_t length, struct message *ret_message, struct error **err);

/* One line with its newline, malloc'ed. Text that is not UTF-8 is made so. */
int message_format(const struct message *message, char **ret_line, size_t *ret_length,
                   struct error **err);

const char *message_type_name(enum message_type type);

void message_clear(struct message *message);
#define cleanup_message CLEANUP(message)
static inline void message_cleanup(struct message *message) {
    message_clear(message);
}

static inline void json_cleanup(json_t **json) {
    json_decref(*json);
}
#define cleanup_json CLEANUP(json)

#endif
