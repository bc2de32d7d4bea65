// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The harness's side of the agent protocol. Whatever the agent says is untrusted: every wait has a
 * deadline, every message is checked against the request and the catalog, counts are bounded.
 * Times are those of the harness's own clock, when a line arrives or just before one is sent.
 *
 * A section is timed from the "go" that answers its start to the arrival of its stop, less the
 * channel's round trip, as the instance's sections typically showed it so far (docs/protocol.md).
 * The agent sleeps meanwhile, so that the harness is not late.
 */
#ifndef BOXMARK_HARNESS_SESSION_H
#define BOXMARK_HARNESS_SESSION_H

#include "bench/catalog.h"
#include "bench/protocol.h"
#include "common/clock.h"
#include "environments/channel.h"

/* The latest round trips of a channel. */
#define ROUND_TRIPS_MAX 64
struct round_trips {
    unsigned count; /* of all */
    double seen_ns[ROUND_TRIPS_MAX];
};

struct session {
    struct channel *channel; /* borrowed */
    struct clock *clock;
    uint64_t last_id;
    struct round_trips said;           /* as the agent says how long it waited */
    struct round_trips seen;           /* from our answer to its next line */
    char version[PROTOCOL_TEXT_BYTES]; /* of the agent, after session_hello */
};

/* One value as it came: not yet a row. */
struct session_sample {
    const struct metric_description *metric;
    uint64_t iteration;
    bool warmup;
    double value;       /* sections: host's clock, seconds */
    double agent_value; /* sections: agent's clock, seconds; else NAN */
    uint64_t time_ns;   /* arrival */
};

struct session_result {
    unsigned sample_count;
    struct session_sample *samples;
    json_t *notes; /* {"key": "text"} */
    char digest[PROTOCOL_TEXT_BYTES];
    uint64_t host_elapsed_ns;  /* begin to end, on the host's clock */
    uint64_t agent_elapsed_ns; /* the same by the agent's clock */
    uint64_t round_trip_ns;    /* of the channel, as taken off all sections; 0 without one */
};

struct session_watch {
    void (*progress)(void *cookie, double fraction); /* may be NULL */
    /* Between the arrival of a line around a timed section and the agent's next step: at its start
     * `sample` is NULL, at its stop what was measured, the round trip included. May be NULL. */
    void (*section)(void *cookie, const struct session_sample *sample);
    void *cookie;
};

/* Reads the hello line; checks protocol and program version. */
int session_hello(struct session *session, uint64_t timeout_ns, const char *expected_version,
                  struct error **err);

/* Asks who it is; ret_sha256 holds 65 bytes; *ret_facts is owned by the caller. */
int session_identify(struct session *session, uint64_t timeout_ns, char ret_sha256[65],
                     json_t **ret_facts, struct error **err);

/*
 * Carries out one workload. When the agent answers with an error of its own, the kind is
 * ERROR_INCONCLUSIVE: the instance still works. Any other failure means that it does not.
 */
int session_run(struct session *session, const struct workload_description *workload,
                json_t *parameters, uint64_t timeout_ns, const struct session_watch *watch,
                struct session_result *ret_result, struct error **err);
void session_result_clear(struct session_result *result);
#define cleanup_session_result __attribute__((cleanup(session_result_clear)))

/* Asks it to end; does not wait for more than the answer. */
int session_quit(struct session *session, uint64_t timeout_ns, struct error **err);

#endif
