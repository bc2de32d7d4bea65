// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/mock.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/random.h"

#include <string.h>

#define MOCK_EPOCH_NS (1000 * NS_PER_S)

static uint64_t fake_now_ns = MOCK_EPOCH_NS;

static uint64_t mock_now_ns(struct clock *clock) {
    (void)clock;
    return fake_now_ns;
}

struct clock mock_clock = {.now_ns = mock_now_ns};

void mock_clock_reset(void) {
    fake_now_ns = MOCK_EPOCH_NS;
}

static const char *const failures[] = {
    "none",       "start",        "no-hello",      "hang",  "die",         "garbage", "flood",
    "wrong-hash", "wrong-digest", "wrong-version", "error", "out-of-turn", "stop",    NULL};

static const char *const accelerators[] = {"none", "in-doubt", NULL};

static const struct spec_key mock_keys[] = {
    {"delay", NULL, "factor on all times"},
    {"skew", NULL, "rate of the agent's clock"},
    {"noise", NULL, "relative noise on times"},
    {"fail", failures, "how it fails"},
    {"accel", accelerators,
     "in-doubt: as a KVM of which the probe cannot know whether it is native"},
    {"kernel", NULL, "factor on the time of system calls"},
    {"at", NULL, "number of the instance that fails"},
    {"label", NULL, "any text, to tell mocks apart"},
    {NULL, NULL, NULL},
};

/* What the scripted agent answers: a section of so many seconds, or a rate. */
static const struct {
    const char *workload, *metric;
    double value;
    bool section;
} script[] = {
    {"prime", "time", 1.0, true},       {"prime", "events_per_s", 4500, false},
    {"zip", "time", 0.5, true},         {"zip", "throughput", 60, false},
    {"stream", "triad", 10000, false},  {"disk", "seq_write_time", 0.25, true},
    {"disk", "seq_write", 1000, false}, {"disk", "seq_read", 1500, false},
    {"calibrate", "time", 0.01, true},  {"calls", "time", 0.002, true},
};

struct mock_environment {
    char agent_sha256[65];
    unsigned instances;
    struct random_state random;
};

/* The lines that wait to be received, each with the fake time that passes before it. */
struct mock_line {
    char *text;
    uint64_t after_ns;
};

struct mock_channel {
    struct channel channel;
    struct environment *environment;
    const char *fail; /* "none" or how this instance fails */
    struct mock_line *lines;
    unsigned count, next, capacity;
    char *current;
    uint64_t agent_ns; /* what the sections of this request took by the agent's clock */
    bool dead;
};

static double number_value(const struct environment *environment, const char *key,
                           double otherwise) {
    const char *text = environment_value(environment, key);
    return text ? strtod(text, NULL) : otherwise;
}

static void queue_text(struct mock_channel *self, const char *text, uint64_t after_ns) {
    if (self->count == self->capacity) {
        unsigned capacity = self->capacity ? self->capacity * 2 : 16;
        struct mock_line *larger = reallocarray(self->lines, capacity, sizeof(*larger));
        if (!larger)
            return;
        self->lines = larger;
        self->capacity = capacity;
    }
    char *own = strdup(text);
    if (own)
        self->lines[self->count++] = (struct mock_line){own, after_ns};
}

static void queue_message(struct mock_channel *self, const struct message *message,
                          uint64_t after_ns) {
    cleanup_free char *line = NULL;
    size_t length;
    if (message_format(message, &line, &length, NULL) < 0)
        return;
    line[length - 1] = '\0';
    queue_text(self, line, after_ns);
}

static bool fails(const struct mock_channel *self, const char *how) {
    return strcmp(self->fail, how) == 0;
}

static double noisy(struct mock_channel *self, double value) {
    struct mock_environment *state = self->environment->state;
    double noise = number_value(self->environment, "noise", 0);
    double uniform = (double)random_next(&state->random) / 0x1p64 * 2 - 1;
    return value * (1 + noise * uniform);
}

static void answer_section(struct mock_channel *self, const struct message *request,
                           const char *name, uint64_t iteration, bool warmup, double seconds) {
    uint64_t host_ns = (uint64_t)(seconds * 1e9);
    double skew = number_value(self->environment, "skew", 1);
    struct message section = {
        .type = MESSAGE_SECTION_START, .id = request->id, .iteration = iteration, .warmup = warmup};
    snprintf(section.name, sizeof(section.name), "%s", name);
    queue_message(self, &section, 0);
    section.type = MESSAGE_SECTION_STOP;
    section.number = (uint64_t)((double)host_ns * skew);
    self->agent_ns += section.number;
    queue_message(self, &section, host_ns);
}

static void answer_sample(struct mock_channel *self, const struct message *request,
                          const char *name, uint64_t iteration, bool warmup, double value) {
    struct message sample = {.type = MESSAGE_SAMPLE,
                             .id = request->id,
                             .iteration = iteration,
                             .warmup = warmup,
                             .value = value};
    snprintf(sample.name, sizeof(sample.name), "%s", name);
    queue_message(self, &sample, 0);
}

static void answer_work(struct mock_channel *self, const struct message *request) {
    double delay = number_value(self->environment, "delay", 1);
    if (strcmp(request->name, "calls") == 0)
        delay *= number_value(self->environment, "kernel", 1);
    json_int_t warmups = json_integer_value(json_object_get(request->object, "warmups"));
    json_int_t iterations = json_integer_value(json_object_get(request->object, "iterations"));
    for (json_int_t round = 0; round < warmups + iterations; round++) {
        bool warmup = round < warmups;
        uint64_t iteration = (uint64_t)(warmup ? round : round - warmups);
        for (unsigned i = 0; i < sizeof(script) / sizeof(*script); i++) {
            if (strcmp(script[i].workload, request->name) != 0)
                continue;
            if (script[i].section)
                answer_section(self, request, script[i].metric, iteration, warmup,
                               noisy(self, script[i].value * delay));
            else
                answer_sample(self, request, script[i].metric, iteration, warmup,
                              noisy(self, script[i].value / delay));
        }
    }
}

static void answer_run(struct mock_channel *self, const struct message *request) {
    bool calibrating =
        strcmp(request->name, "calibrate") == 0 || strcmp(request->name, "calls") == 0;
    queue_message(self, &(struct message){.type = MESSAGE_BEGIN, .id = request->id}, 0);
    if (!calibrating && fails(self, "hang"))
        return;
    if (!calibrating && fails(self, "die")) {
        self->dead = true;
        return;
    }
    if (!calibrating && fails(self, "garbage"))
        queue_text(self, "\x1b[31mSegmentation fault {\"type\":", 0);
    for (unsigned i = 0; !calibrating && fails(self, "flood") && i <= PROTOCOL_MAX_MESSAGES; i++)
        queue_text(self, "{\"type\":\"progress\",\"id\":3,\"fraction\":0.5}", 0);
    if (!calibrating && fails(self, "out-of-turn"))
        queue_message(
            self,
            &(struct message){.type = MESSAGE_SECTION_STOP, .id = request->id, .name = "time"}, 0);
    if (!calibrating && fails(self, "error")) {
        struct message error = {.type = MESSAGE_ERROR,
                                .id = request->id,
                                .name = "no-space",
                                .text = "cannot write /data/file: No space left on device"};
        queue_message(self, &error, 0);
        return;
    }
    self->agent_ns = 0;
    answer_work(self, request);
    struct message end = {.type = MESSAGE_END, .id = request->id, .number = self->agent_ns};
    snprintf(end.text, sizeof(end.text), "%s %s", request->name,
             !calibrating && fails(self, "wrong-digest") ? "other" : "digest");
    queue_message(self, &end, 0);
}

static void answer_identify(struct mock_channel *self, const struct message *request) {
    struct mock_environment *state = self->environment->state;
    cleanup_message struct message identity = {.type = MESSAGE_IDENTITY, .id = request->id};
    snprintf(identity.text, sizeof(identity.text), "%s", state->agent_sha256);
    if (fails(self, "wrong-hash"))
        memset(identity.text, '0', 64);
    identity.object = json_pack("{s:s, s:i}", "kernel", "mock", "cpus",
                                (int)self->environment->setup->envelope.cpu_count);
    queue_message(self, &identity, NS_PER_MS);
}

static int mock_send(struct channel *channel, const char *line, size_t length, uint64_t deadline_ns,
                     struct error **err) {
    struct mock_channel *self = (struct mock_channel *)channel;
    cleanup_message struct message request = {0};
    (void)deadline_ns;
    if (self->dead)
        return error_set(err, ERROR_CLOSED, 0, "the agent closed its channel");
    if (message_parse(line, length, &request, err) < 0)
        return -1;
    if (request.type == MESSAGE_IDENTIFY)
        answer_identify(self, &request);
    else if (request.type == MESSAGE_RUN)
        answer_run(self, &request);
    else if (request.type != MESSAGE_GO) /* its answers are all there already */
        queue_message(self, &(struct message){.type = MESSAGE_END, .id = request.id}, 0);
    return 0;
}

static int mock_receive(struct channel *channel, uint64_t deadline_ns, char **ret_line,
                        size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    struct mock_channel *self = (struct mock_channel *)channel;
    if (self->next == self->count && self->dead)
        return 0;
    if (self->next == self->count ||
        deadline_after(fake_now_ns, self->lines[self->next].after_ns) > deadline_ns) {
        fake_now_ns = deadline_ns;
        return error_set(err, ERROR_TIMEOUT, 0, "no answer before the deadline");
    }
    struct mock_line *line = &self->lines[self->next++];
    fake_now_ns += line->after_ns;
    free(self->current);
    self->current = TAKE_PTR(line->text);
    *ret_line = self->current;
    *ret_length = strlen(self->current);
    if (ret_arrival_ns)
        *ret_arrival_ns = fake_now_ns;
    return 1;
}

static void mock_close(struct channel *channel) {
    struct mock_channel *self = (struct mock_channel *)channel;
    for (unsigned i = 0; i < self->count; i++)
        free(self->lines[i].text);
    free(self->lines);
    free(self->current);
    free(self);
}

static const struct channel_ops mock_channel_ops = {mock_send, mock_receive, mock_close};

static int mock_probe(struct environment *environment, struct probe_result *ret_result,
                      struct error **err) {
    (void)err;
    *ret_result = (struct probe_result){.readiness = READINESS_READY, .detail = "for tests"};
    environment->accelerator_in_doubt =
        strcmp(environment_value(environment, "accel"), "in-doubt") == 0;
    if (environment->accelerator_in_doubt)
        strcpy(environment->accelerator, ACCELERATOR_KVM_EMULATED);
    return 0;
}

static int mock_provision(struct environment *environment, struct error **err) {
    struct mock_environment *state = calloc(1, sizeof(*state));
    if (!state)
        return error_no_memory(err);
    environment->state = state;
    state->random = random_seeded(1);
    for (const char *at = environment->label; *at; at++)
        state->random.state = state->random.state * 31 + (unsigned char)*at;
    return file_sha256(environment->setup->agent_path, state->agent_sha256, err);
}

static int mock_describe(struct environment *environment, FILE *to, struct error **err) {
    (void)err;
    fprintf(to, "a scripted agent: %s\n", environment->spec->text);
    return 0;
}

static const char *failure_of(const struct environment *environment, unsigned number) {
    const char *at = environment_value(environment, "at");
    bool now = !at || strtoul(at, NULL, 10) == number;
    return now ? environment_value(environment, "fail") : "none";
}

static int mock_start(struct environment *environment, struct instance **ret_instance,
                      struct error **err) {
    struct mock_environment *state = environment->state;
    const char *fail = failure_of(environment, state->instances++);
    uint64_t delay_ns = (uint64_t)(number_value(environment, "delay", 1) * (double)NS_PER_MS);
    if (strcmp(fail, "start") == 0)
        return error_set(err, ERROR_CLOSED, 0,
                         "it exited with status 1 before its agent was ready");
    struct instance *instance = instance_new(environment);
    struct mock_channel *channel = calloc(1, sizeof(*channel));
    if (!instance || !channel) {
        free(channel);
        instance_free(instance);
        return error_no_memory(err);
    }
    *channel = (struct mock_channel){
        .channel.ops = &mock_channel_ops, .environment = environment, .fail = fail};
    instance->channel = &channel->channel;
    instance_stamp(instance, STAMP_LAUNCH);
    fake_now_ns += 2 * delay_ns;
    instance_stamp(instance, STAMP_HELPER_ALIVE);
    fake_now_ns += 3 * delay_ns;
    instance_stamp(instance, STAMP_AGENT_READY);
    struct message hello = {.type = MESSAGE_HELLO, .number = PROTOCOL_VERSION};
    snprintf(hello.text, sizeof(hello.text), "%s",
             strcmp(fail, "wrong-version") == 0 ? "0.0.0" : environment->setup->version);
    if (strcmp(fail, "no-hello") != 0)
        queue_message(channel, &hello, 0);
    *ret_instance = instance;
    return 0;
}

static int mock_footprint(struct instance *instance, struct footprint *ret_footprint,
                          struct error **err) {
    (void)instance;
    (void)err;
    *ret_footprint = (struct footprint){.image_bytes = 1 << 20,
                                        .resident_bytes = 1 << 21,
                                        .cpu_ns = fake_now_ns - MOCK_EPOCH_NS,
                                        .throttled_ns = FOOTPRINT_UNKNOWN};
    return 0;
}

static char *mock_diagnose(struct instance *instance) {
    const struct mock_channel *channel = (const struct mock_channel *)instance->channel;
    return channel && channel->dead ? strdup("the agent was killed by signal 9 (Killed)") : NULL;
}

static int mock_stop(struct instance *instance, struct error **err) {
    const struct mock_channel *channel = (const struct mock_channel *)instance->channel;
    bool stuck = channel && fails(channel, "stop");
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    fake_now_ns += NS_PER_MS;
    instance_stamp(instance, STAMP_REAPED);
    instance_stamp(instance, STAMP_CLEANED);
    return stuck ? error_set(err, ERROR_INTERNAL, EBUSY, "cannot unmount /mock") : 0;
}

static void mock_release(struct environment *environment) {
    free(environment->state);
}

const struct environment_ops environment_mock = {
    .name = "mock",
    .summary = "a scripted agent on a fake clock, for tests",
    .keys = mock_keys,
    .hidden = true,
    .clock = &mock_clock,
    .probe = mock_probe,
    .provision = mock_provision,
    .describe = mock_describe,
    .start = mock_start,
    .footprint = mock_footprint,
    .diagnose = mock_diagnose,
    .stop = mock_stop,
    .release = mock_release,
};
