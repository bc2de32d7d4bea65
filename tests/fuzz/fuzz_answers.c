// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an agent says to the harness. The first byte chooses what was asked of it (h: hello, i:
 * identify, q: quit, else: a workload of the catalog); then its lines.
 */
#include "tests/fuzz/fuzz.h"

#include "harness/session.h"

#include <math.h>

/* Lines from memory, a microsecond apart. */
struct memory_channel {
    struct channel channel;
    char *at, *end;
    uint64_t now_ns;
};

static struct memory_channel channel;

static uint64_t memory_now_ns(struct clock *clock) {
    (void)clock;
    return channel.now_ns;
}

static struct clock memory_clock = {.now_ns = memory_now_ns};

static int memory_send(struct channel *self, const char *line, size_t length, uint64_t deadline_ns,
                       struct error **err) {
    (void)self;
    (void)deadline_ns;
    (void)err;
    fuzz_check(length > 1 && line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
    return 0;
}

static int memory_receive(struct channel *self, uint64_t deadline_ns, char **ret_line,
                          size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    (void)self;
    (void)deadline_ns;
    (void)err;
    channel.now_ns += NS_PER_US;
    char *newline = memchr(channel.at, '\n', (size_t)(channel.end - channel.at));
    if (!newline)
        return 0;
    *newline = '\0';
    *ret_line = channel.at;
    *ret_length = (size_t)(newline - channel.at);
    if (ret_arrival_ns)
        *ret_arrival_ns = channel.now_ns;
    channel.at = newline + 1;
    return 1;
}

static const struct channel_ops memory_ops = {memory_send, memory_receive, NULL};

static void watch_progress(void *cookie, double fraction) {
    (void)cookie;
    fuzz_check(fraction >= 0 && fraction <= 1);
}

static int run(struct session *session, const struct workload_description *workload,
               struct error **err) {
    static const struct session_watch watch = {.progress = watch_progress};
    cleanup_session_result struct session_result result = {0};
    cleanup_json json_t *parameters = json_object();
    if (session_run(session, workload, parameters, NS_PER_S, &watch, &result, err) < 0)
        return -1;
    for (unsigned i = 0; i < result.sample_count; i++) {
        const struct session_sample *sample = &result.samples[i];
        fuzz_check(sample->metric == metric_find(workload, sample->metric->name));
        fuzz_check(isfinite(sample->value));
        fuzz_check(sample->metric->section ? isfinite(sample->agent_value)
                                           : isnan(sample->agent_value));
    }
    fuzz_check(json_is_object(result.notes));
    fuzz_check(strlen(result.digest) < sizeof(result.digest));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    cleanup_free char *text = fuzz_text(data + 1, size - 1);
    channel = (struct memory_channel){
        .channel.ops = &memory_ops, .at = text, .end = text + size - 1, .now_ns = NS_PER_S};
    struct session session = {.channel = &channel.channel, .clock = &memory_clock};
    cleanup_error struct error *err = NULL;
    cleanup_json json_t *facts = NULL;
    char sha256[65];
    int result;
    switch (data[0]) {
    case 'h':
        result = session_hello(&session, NS_PER_S, "0.1.0", &err);
        break;
    case 'i':
        result = session_identify(&session, NS_PER_S, sha256, &facts, &err);
        fuzz_check(result < 0 || (strlen(sha256) == 64 && json_is_object(facts)));
        break;
    case 'q':
        result = session_quit(&session, NS_PER_S, &err);
        break;
    default: {
        unsigned count = 0;
        while (workload_catalog[count])
            count++;
        result = run(&session, workload_catalog[data[0] % count], &err);
    }
    }
    fuzz_check_result(result, err);
    return 0;
}
