// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/session.h"

#include "results/statistics.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static int send_message(struct session *session, const struct message *message,
                        uint64_t deadline_ns, struct error **err) {
    cleanup_free char *line = NULL;
    size_t length;
    if (message_format(message, &line, &length, err) < 0)
        return -1;
    return session->channel->ops->send(session->channel, line, length, deadline_ns, err);
}

/* One message; the end of the stream is an error here. */
static int receive_message(struct session *session, uint64_t deadline_ns,
                           struct message *ret_message, uint64_t *ret_arrival_ns,
                           struct error **err) {
    char *line;
    size_t length;
    int got = session->channel->ops->receive(session->channel, deadline_ns, &line, &length,
                                             ret_arrival_ns, err);
    if (got < 0)
        return -1;
    if (got == 0)
        return error_set(err, ERROR_CLOSED, 0, "the agent closed its channel");
    if (message_parse(line, length, ret_message, err) < 0)
        return error_wrap(err, "the agent talks nonsense");
    return 0;
}

static int unexpected(const struct message *message, struct error **err) {
    if (message->type == MESSAGE_ERROR)
        return error_set(err, ERROR_CLOSED, 0, "the agent refuses: %s (%s)", message->text,
                         message->name);
    return error_set(err, ERROR_CLOSED, 0, "the agent says \"%s\" out of turn",
                     message_type_name(message->type));
}

int session_hello(struct session *session, uint64_t timeout_ns, const char *expected_version,
                  struct error **err) {
    uint64_t deadline_ns = deadline_after(clock_now_ns(session->clock), timeout_ns);
    cleanup_message struct message message = {0};
    if (receive_message(session, deadline_ns, &message, NULL, err) < 0)
        return -1;
    if (message.type != MESSAGE_HELLO)
        return unexpected(&message, err);
    if (message.number != PROTOCOL_VERSION || strcmp(message.text, expected_version) != 0) {
        error_set(
            err, ERROR_UNTRUSTWORTHY, 0,
            "the agent is of another version: %.40s, protocol %llu, instead of %s, protocol %d",
            message.text, (unsigned long long)message.number, expected_version, PROTOCOL_VERSION);
        return error_advise(err, "rebuild what holds the old agent: `boxmark guest build`");
    }
    memcpy(session->version, message.text, sizeof(session->version));
    return 0;
}

int session_identify(struct session *session, uint64_t timeout_ns, char ret_sha256[65],
                     json_t **ret_facts, struct error **err) {
    uint64_t deadline_ns = deadline_after(clock_now_ns(session->clock), timeout_ns);
    struct message request = {.type = MESSAGE_IDENTIFY, .id = ++session->last_id};
    cleanup_message struct message message = {0};
    if (send_message(session, &request, deadline_ns, err) < 0 ||
        receive_message(session, deadline_ns, &message, NULL, err) < 0)
        return -1;
    if (message.type != MESSAGE_IDENTITY || message.id != request.id)
        return unexpected(&message, err);
    size_t length = strlen(message.text);
    if (length != 64 || strspn(message.text, "0123456789abcdef") != 64)
        return error_set(err, ERROR_CLOSED, 0, "the agent's hash is not one");
    memcpy(ret_sha256, message.text, 65);
    *ret_facts = json_incref(message.object);
    return 0;
}

/* A request that is being answered. */
struct answering {
    struct session *session;
    const struct workload_description *workload;
    const struct session_watch *watch;
    struct session_result *result;
    unsigned capacity;
    unsigned messages;
    uint64_t deadline_ns;
    uint64_t begin_ns; /* 0: not yet begun */
    bool in_section;
    uint64_t go_ns;    /* just before the section's start was answered */
    uint64_t held_ns;  /* from the arrival of that start until then */
    uint64_t after_ns; /* just before a section's stop was answered; 0: its next line has come */
    struct message section;
    bool done;
};

static int add_sample(struct answering *answering, const struct session_sample *sample,
                      struct error **err) {
    struct session_result *result = answering->result;
    if (result->sample_count == answering->capacity) {
        unsigned capacity = answering->capacity ? answering->capacity * 2 : 64;
        struct session_sample *larger = reallocarray(result->samples, capacity, sizeof(*larger));
        if (!larger)
            return error_no_memory(err);
        result->samples = larger;
        answering->capacity = capacity;
    }
    result->samples[result->sample_count++] = *sample;
    return 0;
}

static int find_metric(const struct answering *answering, const char *name, bool section,
                       const struct metric_description **ret_metric, struct error **err) {
    const struct metric_description *metric = metric_find(answering->workload, name);
    if (!metric || metric->section != section)
        return error_set(err, ERROR_CLOSED, 0, "the agent reports \"%s\", which %s does not have",
                         name, answering->workload->name);
    *ret_metric = metric;
    return 0;
}

static int on_begin(struct answering *answering, const struct message *message, uint64_t arrival_ns,
                    struct error **err) {
    if (answering->begin_ns)
        return unexpected(message, err);
    answering->begin_ns = arrival_ns ? arrival_ns : 1;
    return 0;
}

static void watch_section(const struct answering *answering, const struct session_sample *sample) {
    if (answering->watch && answering->watch->section)
        answering->watch->section(answering->watch->cookie, sample);
}

/* The agent waits for it. */
static int send_go(struct answering *answering, struct error **err) {
    struct message go = {.type = MESSAGE_GO, .id = answering->session->last_id};
    return send_message(answering->session, &go, answering->deadline_ns, err);
}

static int on_section_start(struct answering *answering, const struct message *message,
                            uint64_t arrival_ns, struct error **err) {
    if (answering->in_section)
        return unexpected(message, err);
    answering->in_section = true;
    answering->section = *message;
    watch_section(answering, NULL);
    answering->go_ns = clock_now_ns(answering->session->clock);
    answering->held_ns = answering->go_ns - arrival_ns;
    return send_go(answering, err);
}

static void note_round_trip(struct round_trips *trips, uint64_t ns) {
    trips->seen_ns[trips->count++ % ROUND_TRIPS_MAX] = (double)ns;
}

static double median_ns(const struct round_trips *trips) {
    double values[ROUND_TRIPS_MAX];
    unsigned count = trips->count < ROUND_TRIPS_MAX ? trips->count : ROUND_TRIPS_MAX;
    memcpy(values, trips->seen_ns, count * sizeof(*values));
    return count ? statistics_median(values, count) : 0;
}

/*
 * After the answer to a stop the agent sends its next line at once. What it does until then comes
 * on top, so that this is a little more than the round trip; but it is seen on our clock alone, and
 * bounds what an agent can say of its own.
 */
static int note_line_after(struct answering *answering, uint64_t arrival_ns, struct error **err) {
    if (!answering->after_ns)
        return 0;
    if (arrival_ns < answering->after_ns)
        return error_set(err, ERROR_CLOSED, 0, "the agent did not wait for \"go\"");
    note_round_trip(&answering->session->seen, arrival_ns - answering->after_ns);
    answering->after_ns = 0;
    return 0;
}

/*
 * At the end, when the most is known of it. What is typical: single ones, in which either side had
 * to wait for a CPU, neither lengthen nor shorten all others.
 */
static void take_off_round_trip(struct session_result *result, const struct session *session) {
    double round_trip_ns = fmin(median_ns(&session->said), median_ns(&session->seen));
    for (unsigned i = 0; i < result->sample_count; i++) {
        struct session_sample *sample = &result->samples[i];
        if (!sample->metric->section)
            continue;
        sample->value = fmax(sample->value - round_trip_ns / 1e9, 0);
        result->round_trip_ns = (uint64_t)round_trip_ns;
    }
}

static int on_section_stop(struct answering *answering, const struct message *message,
                           uint64_t arrival_ns, struct error **err) {
    const struct message *start = &answering->section;
    if (!answering->in_section || strcmp(start->name, message->name) != 0 ||
        start->iteration != message->iteration || start->warmup != message->warmup)
        return unexpected(message, err);
    if (arrival_ns < answering->go_ns)
        return error_set(err, ERROR_CLOSED, 0, "the agent did not wait for \"go\"");
    answering->in_section = false;
    /* How long the agent waited for the answer to the start, less how long we held that back. */
    uint64_t waited_ns = message->waited_ns, held_ns = answering->held_ns;
    note_round_trip(&answering->session->said, waited_ns > held_ns ? waited_ns - held_ns : 0);
    struct session_sample sample = {
        .iteration = message->iteration,
        .warmup = message->warmup,
        .value = (double)(arrival_ns - answering->go_ns) / 1e9,
        .agent_value = (double)message->number / 1e9,
        .time_ns = arrival_ns,
    };
    if (find_metric(answering, message->name, true, &sample.metric, err) < 0)
        return -1;
    watch_section(answering, &sample);
    if (add_sample(answering, &sample, err) < 0)
        return -1;
    answering->after_ns = clock_now_ns(answering->session->clock);
    return send_go(answering, err);
}

static int on_sample(struct answering *answering, const struct message *message,
                     uint64_t arrival_ns, struct error **err) {
    struct session_sample sample = {
        .iteration = message->iteration,
        .warmup = message->warmup,
        .value = message->value,
        .agent_value = NAN,
        .time_ns = arrival_ns,
    };
    if (find_metric(answering, message->name, false, &sample.metric, err) < 0)
        return -1;
    return add_sample(answering, &sample, err);
}

static int on_progress(struct answering *answering, const struct message *message,
                       uint64_t arrival_ns, struct error **err) {
    (void)arrival_ns;
    (void)err;
    const struct session_watch *watch = answering->watch;
    if (watch && watch->progress)
        watch->progress(watch->cookie, fmin(fmax(message->value, 0), 1));
    return 0;
}

static int on_note(struct answering *answering, const struct message *message, uint64_t arrival_ns,
                   struct error **err) {
    (void)arrival_ns;
    if (json_object_set_new(answering->result->notes, message->name, json_string(message->text)) <
        0)
        return error_no_memory(err);
    return 0;
}

static int on_end(struct answering *answering, const struct message *message, uint64_t arrival_ns,
                  struct error **err) {
    if (answering->in_section)
        return unexpected(message, err);
    answering->done = true;
    take_off_round_trip(answering->result, answering->session);
    answering->result->host_elapsed_ns = arrival_ns - answering->begin_ns;
    answering->result->agent_elapsed_ns = message->number;
    memcpy(answering->result->digest, message->text, sizeof(message->text));
    return 0;
}

static int on_error(struct answering *answering, const struct message *message, uint64_t arrival_ns,
                    struct error **err) {
    (void)answering;
    (void)arrival_ns;
    enum error_kind kind =
        strcmp(message->name, "wrong-answer") == 0 ? ERROR_UNTRUSTWORTHY : ERROR_INCONCLUSIVE;
    error_set(err, kind, 0, "the agent reports: %s (%s)", message->text, message->name);
    if (strcmp(message->name, "no-space") == 0)
        error_advise(err, "make room in the data folder, or choose another with --data");
    if (strcmp(message->name, "no-memory") == 0)
        error_advise(err, "give more with --memory");
    return -1;
}

typedef int (*message_handler)(struct answering *answering, const struct message *message,
                               uint64_t arrival_ns, struct error **err);

static const message_handler handlers[MESSAGE_TYPES] = {
    [MESSAGE_BEGIN] = on_begin,
    [MESSAGE_SECTION_START] = on_section_start,
    [MESSAGE_SECTION_STOP] = on_section_stop,
    [MESSAGE_PROGRESS] = on_progress,
    [MESSAGE_SAMPLE] = on_sample,
    [MESSAGE_NOTE] = on_note,
    [MESSAGE_END] = on_end,
    [MESSAGE_ERROR] = on_error,
};

static int handle(struct answering *answering, uint64_t id, struct error **err) {
    cleanup_message struct message message = {0};
    uint64_t arrival_ns;
    if (receive_message(answering->session, answering->deadline_ns, &message, &arrival_ns, err) < 0)
        return -1;
    if (!handlers[message.type] || message.id != id)
        return unexpected(&message, err);
    if (!answering->begin_ns && message.type != MESSAGE_BEGIN && message.type != MESSAGE_ERROR)
        return unexpected(&message, err);
    if (++answering->messages > PROTOCOL_MAX_MESSAGES)
        return error_set(err, ERROR_CLOSED, 0, "the agent floods: more than %d messages",
                         PROTOCOL_MAX_MESSAGES);
    if (note_line_after(answering, arrival_ns, err) < 0)
        return -1;
    return handlers[message.type](answering, &message, arrival_ns, err);
}

int session_run(struct session *session, const struct workload_description *workload,
                json_t *parameters, uint64_t timeout_ns, const struct session_watch *watch,
                struct session_result *ret_result, struct error **err) {
    uint64_t deadline_ns = deadline_after(clock_now_ns(session->clock), timeout_ns);
    struct message request = {
        .type = MESSAGE_RUN, .id = ++session->last_id, .paced = true, .object = parameters};
    snprintf(request.name, sizeof(request.name), "%s", workload->name);
    cleanup_session_result struct session_result result = {.notes = json_object()};
    struct answering answering = {
        .session = session,
        .workload = workload,
        .watch = watch,
        .result = &result,
        .deadline_ns = deadline_ns,
    };
    if (send_message(session, &request, deadline_ns, err) < 0)
        return -1;
    while (!answering.done)
        if (handle(&answering, request.id, err) < 0)
            return -1;
    *ret_result = result;
    result = (struct session_result){0};
    return 0;
}

void session_result_clear(struct session_result *result) {
    free(result->samples);
    json_decref(result->notes);
    *result = (struct session_result){0};
}

int session_quit(struct session *session, uint64_t timeout_ns, struct error **err) {
    uint64_t deadline_ns = deadline_after(clock_now_ns(session->clock), timeout_ns);
    struct message request = {.type = MESSAGE_QUIT, .id = ++session->last_id};
    cleanup_message struct message message = {0};
    if (send_message(session, &request, deadline_ns, err) < 0 ||
        receive_message(session, deadline_ns, &message, NULL, err) < 0)
        return -1;
    return message.type == MESSAGE_END ? 0 : unexpected(&message, err);
}
