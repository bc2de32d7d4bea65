// SPDX-License-Identifier: GPL-3.0-or-later
/* The harness against agents that do not keep to the protocol; its own clock, no process. */
#include "tests/unit/unit.h"

#include "harness/session.h"

#include <math.h>

/* Gives out the lines one by one, a millisecond apart or at once; remembers what was sent. */
struct script_channel {
    struct channel channel;
    const char *const *lines;
    unsigned at_once; /* so many lines from the end arrive with the one before them */
    bool after_stop;
    char buffer[4096], sent[4096];
};

static uint64_t now_ns;
static uint64_t look_ns; /* what passes while the harness looks at its clock */
static uint64_t after_stop_ns = NS_PER_MS;

static uint64_t script_now_ns(struct clock *clock) {
    (void)clock;
    return now_ns += look_ns;
}

static struct clock script_clock = {.now_ns = script_now_ns};

static int script_send(struct channel *channel, const char *line, size_t length,
                       uint64_t deadline_ns, struct error **err) {
    struct script_channel *self = (struct script_channel *)channel;
    (void)deadline_ns;
    (void)err;
    size_t before = strlen(self->sent);
    assert_true(before + length < sizeof(self->sent));
    memcpy(self->sent + before, line, length);
    self->sent[before + length] = '\0';
    return 0;
}

static int script_receive(struct channel *channel, uint64_t deadline_ns, char **ret_line,
                          size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    struct script_channel *self = (struct script_channel *)channel;
    static uint64_t read_ns;
    unsigned left = 0;
    while (self->lines[left])
        left++;
    if (left > self->at_once || self->at_once == 0)
        read_ns = now_ns += self->after_stop ? after_stop_ns : NS_PER_MS;
    if (now_ns > deadline_ns)
        return error_set(err, ERROR_TIMEOUT, 0, "no answer before the deadline");
    if (!*self->lines)
        return 0;
    self->after_stop = strstr(*self->lines, "\"stop\"");
    snprintf(self->buffer, sizeof(self->buffer), "%s", *self->lines++);
    *ret_line = self->buffer;
    if (ret_length)
        *ret_length = strlen(self->buffer);
    if (ret_arrival_ns)
        *ret_arrival_ns = read_ns;
    return 1;
}

static const struct channel_ops script_ops = {script_send, script_receive, NULL};

static struct script_channel channel;

static struct session session_with(const char *const *lines) {
    now_ns = NS_PER_S;
    channel = (struct script_channel){.channel.ops = &script_ops, .lines = lines};
    return (struct session){.channel = &channel.channel, .clock = &script_clock};
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define BEGIN "{\"type\":\"begin\",\"id\":1}"
#define START(iteration)                                                                           \
    "{\"type\":\"start\",\"id\":1,\"section\":\"time\",\"iteration\":" #iteration                  \
    ",\"warmup\":false}"
#define STOP_WAITED(iteration, waited_ns)                                                          \
    "{\"type\":\"stop\",\"id\":1,\"section\":\"time\",\"iteration\":" #iteration                   \
    ",\"warmup\":false,\"elapsed_ns\":500000,\"waited_ns\":" #waited_ns "}"
#define STOP(iteration) STOP_WAITED(iteration, 0)
#define GO "{\"type\":\"go\",\"id\":1}\n"
#define SAMPLE(metric)                                                                             \
    "{\"type\":\"sample\",\"id\":1,\"metric\":\"" metric                                           \
    "\",\"iteration\":0,\"warmup\":false,\"value\":2.5}"
#define END "{\"type\":\"end\",\"id\":1,\"elapsed_ns\":7,\"digest\":\"d\"}"

static int run_prime(const char *const *lines, struct session_result *ret_result,
                     struct error **err) {
    struct session session = session_with(lines);
    json_t *parameters = json_object();
    int result =
        session_run(&session, workload_find("prime"), parameters, NS_PER_S, NULL, ret_result, err);
    json_decref(parameters);
    return result;
}

static void sections_are_timed_on_our_clock(void **state) {
    (void)state;
    cleanup_session_result struct session_result result = {0};
    struct error *err = NULL;
    run_prime(LINES(BEGIN, START(0), STOP(0), SAMPLE("events_per_s"),
                    "{\"type\":\"note\",\"id\":1,\"key\":\"path\",\"text\":\"x\"}", END),
              &result, &err);
    assert_no_error(err);
    assert_string_equal(channel.sent,
                        "{\"type\":\"run\",\"id\":1,\"paced\":true,\"workload\":\"prime\","
                        "\"parameters\":{}}\n" GO GO);
    assert_int_equal(result.sample_count, 2);
    assert_string_equal(result.samples[0].metric->name, "time");
    assert_true(fabs(result.samples[0].value - 1e-3) < 1e-12);
    assert_true(fabs(result.samples[0].agent_value - 5e-4) < 1e-12);
    assert_true(result.samples[1].value == 2.5);
    assert_true(isnan(result.samples[1].agent_value));
    assert_string_equal(result.digest, "d");
    assert_string_equal(json_string_value(json_object_get(result.notes, "path")), "x");
    assert_int_equal(result.host_elapsed_ns, 5 * NS_PER_MS);
    assert_int_equal(result.agent_elapsed_ns, 7);
}

/* Every section's value in microseconds. */
static void assert_times(const char *const *lines, unsigned count, long expected_us) {
    cleanup_session_result struct session_result result = {0};
    struct error *err = NULL;
    run_prime(lines, &result, &err);
    assert_no_error(err);
    assert_int_equal(result.sample_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(lround(result.samples[i].value * 1e6), expected_us);
}

#define SECTION(iteration, waited_ns) START(iteration), STOP_WAITED(iteration, waited_ns)

/* From the answer to the start, less what a line and its answer typically need. */
static void the_way_of_the_lines_is_no_work(void **state) {
    (void)state;
    assert_times(LINES(BEGIN, SECTION(0, 200000), END), 1, 800);
    /* One whose start came late, or whose agent woke late, counts no more than the others. */
    assert_times(LINES(BEGIN, SECTION(0, 900000), SECTION(1, 200000), SECTION(2, 200000), END), 3,
                 800);
    assert_times(LINES(BEGIN, SECTION(0, 200000), SECTION(1, 0), SECTION(2, 200000), END), 3, 800);
    /* Whatever an agent says, no more than from our answer to its next line. */
    after_stop_ns = 300 * NS_PER_US;
    assert_times(LINES(BEGIN, SECTION(0, 900000), END), 1, 700);
    assert_times(LINES(BEGIN, SECTION(0, 9223372036854775807), END), 1, 700);
    assert_times(LINES(BEGIN, SECTION(0, 200000), END), 1, 800);
    /* More than there was: nothing is left, not less. */
    after_stop_ns = 2 * NS_PER_MS;
    assert_times(LINES(BEGIN, SECTION(0, 5000000), END), 1, 0);
    after_stop_ns = NS_PER_MS;
    /* How long we held the answer back is ours to know: 10 us of it here. */
    look_ns = 10 * NS_PER_US;
    assert_times(LINES(BEGIN, SECTION(0, 210000), END), 1, 800);
    assert_times(LINES(BEGIN, SECTION(0, 5000), END), 1, 1000);
    look_ns = 0;
}

/* Neither before the work nor after it. */
static void an_agent_must_wait(void **state) {
    (void)state;
    for (unsigned at_once = 1; at_once <= 2; at_once++) {
        struct session session = session_with(LINES(BEGIN, START(0), STOP(0), END));
        struct session_result result = {0};
        struct error *err = NULL;
        json_t *parameters = json_object();
        channel.at_once = at_once;
        look_ns = 10 * NS_PER_US;
        int status = session_run(&session, workload_find("prime"), parameters, NS_PER_S, NULL,
                                 &result, &err);
        look_ns = 0;
        json_decref(parameters);
        assert_int_equal(status, -1);
        assert_error(err, ERROR_CLOSED, "did not wait");
    }
}

static void what_breaks_the_protocol_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *lines[6];
        const char *message;
    } cases[] = {
        {{END}, "out of turn"},
        {{SAMPLE("events_per_s")}, "out of turn"},
        {{BEGIN, BEGIN}, "out of turn"},
        {{BEGIN, STOP(0)}, "out of turn"},
        {{BEGIN, START(0), START(1)}, "out of turn"},
        {{BEGIN, START(0), STOP(1)}, "out of turn"},
        {{BEGIN, START(0), END}, "out of turn"},
        {{BEGIN, "{\"type\":\"end\",\"id\":2,\"elapsed_ns\":7,\"digest\":\"d\"}"}, "out of turn"},
        {{"{\"type\":\"begin\",\"id\":9}"}, "out of turn"},
        {{BEGIN, "{\"type\":\"hello\",\"boxmark\":1,\"version\":\"1\"}"}, "out of turn"},
        {{BEGIN, "{\"type\":\"run\",\"id\":1,\"workload\":\"x\",\"paced\":true,\"parameters\":{}}"},
         "out of"},
        {{BEGIN, SAMPLE("no_such_metric")}, "no_such_metric"},
        /* A section's figure is the harness's to measure, not the agent's to say. */
        {{BEGIN, SAMPLE("time")}, "\"time\""},
        {{BEGIN, "{\"type\":\"sample\",\"id\":1,\"metric\":\"events_per_s\",\"iteration\":0,"
                 "\"warmup\":false,\"value\":\"1\"}"},
         "nonsense"},
        {{BEGIN, "{\"type\":\"sample\",\"id\":1,\"metric\":\"events_per_s\",\"iteration\":-1,"
                 "\"warmup\":false,\"value\":1}"},
         "nonsense"},
        {{BEGIN, "{\"type\":\"sample\",\"id\":1,\"metric\":\"events_per_s\",\"iteration\":0,"
                 "\"warmup\":false,\"value\":1e999}"},
         "nonsense"},
        {{BEGIN, ""}, "nonsense"},
        {{BEGIN, "null"}, "nonsense"},
        {{BEGIN}, "closed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct session_result result = {.sample_count = 77};
        struct error *err = NULL;
        if (run_prime(cases[i].lines, &result, &err) != -1)
            fail_msg("case %zu was taken", i);
        /* Nothing is handed out on failure. */
        assert_int_equal(result.sample_count, 77);
        assert_error(err, ERROR_CLOSED, cases[i].message);
    }
}

static void an_agent_that_is_silent_times_out(void **state) {
    (void)state;
    struct session_result result = {0};
    struct error *err = NULL;
    static const char progress[] = "{\"type\":\"progress\",\"id\":1,\"fraction\":0.5}";
    const char *lines[1201];
    lines[0] = BEGIN;
    for (unsigned i = 1; i < 1200; i++)
        lines[i] = progress;
    lines[1200] = NULL;
    /* Talking does not prolong the deadline. */
    assert_int_equal(run_prime(lines, &result, &err), -1);
    assert_error(err, ERROR_TIMEOUT, "deadline");
}

static void its_own_errors_leave_it_alive(void **state) {
    (void)state;
    struct session_result result = {0};
    struct error *err = NULL;
    assert_int_equal(run_prime(LINES("{\"type\":\"error\",\"id\":1,\"code\":\"no-space\","
                                     "\"message\":\"disk full\"}"),
                               &result, &err),
                     -1);
    assert_non_null(err->advice);
    assert_error(err, ERROR_INCONCLUSIVE, "disk full");
    assert_int_equal(run_prime(LINES(BEGIN, "{\"type\":\"error\",\"id\":1,\"code\":"
                                            "\"wrong-answer\",\"message\":\"1228 is not 7\"}"),
                               &result, &err),
                     -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "1228 is not 7");
}

static void keep_fraction(void *cookie, double fraction) {
    *(double *)cookie = fraction;
}

static void progress_stays_between_0_and_1(void **state) {
    (void)state;
    cleanup_session_result struct session_result result = {0};
    double fraction = -1;
    struct session_watch watch = {.progress = keep_fraction, .cookie = &fraction};
    struct session session =
        session_with(LINES(BEGIN, "{\"type\":\"progress\",\"id\":1,\"fraction\":1e300}", END));
    json_t *parameters = json_object();
    assert_int_equal(
        session_run(&session, workload_find("prime"), parameters, NS_PER_S, &watch, &result, NULL),
        0);
    json_decref(parameters);
    assert_true(fraction == 1);
}

static unsigned gos_sent(void) {
    unsigned count = 0;
    for (const char *at = channel.sent; (at = strstr(at, GO)); at++)
        count++;
    return count;
}

/* One letter for each call: ( at the start, ) at the stop, with the value in milliseconds; and how
 * often the agent had been told to go on. */
static void keep_section(void *cookie, const struct session_sample *sample) {
    char *text = cookie, *end = text + strlen(text);
    if (sample)
        sprintf(end, "%s %.0f %u)", sample->metric->name, sample->value * 1e3, gos_sent());
    else
        sprintf(end, "%u(", gos_sent());
}

static void sections_are_watched_when_their_lines_arrive(void **state) {
    (void)state;
    cleanup_session_result struct session_result result = {0};
    char seen[64] = "";
    struct error *err = NULL;
    struct session_watch watch = {.section = keep_section, .cookie = seen};
    struct session session = session_with(LINES(BEGIN, START(0), STOP(0), START(1), STOP(1), END));
    json_t *parameters = json_object();
    session_run(&session, workload_find("prime"), parameters, NS_PER_S, &watch, &result, &err);
    assert_no_error(err);
    assert_string_equal(seen, "0(time 1 1)2(time 1 3)");
    /* What is no section of this work is not seen as one. */
    *seen = '\0';
    session = session_with(LINES(
        BEGIN, "{\"type\":\"start\",\"id\":1,\"section\":\"x\",\"iteration\":0,\"warmup\":false}",
        "{\"type\":\"stop\",\"id\":1,\"section\":\"x\",\"iteration\":0,\"warmup\":false,"
        "\"elapsed_ns\":5,\"waited_ns\":0}",
        END));
    assert_int_equal(
        session_run(&session, workload_find("prime"), parameters, NS_PER_S, &watch, &result, &err),
        -1);
    assert_error(err, ERROR_CLOSED, "which prime does not have");
    assert_string_equal(seen, "0(");
    json_decref(parameters);
}

static void hello_must_be_ours(void **state) {
    (void)state;
    struct error *err = NULL;
    struct session session =
        session_with(LINES("{\"type\":\"hello\",\"boxmark\":2,\"version\":\"1.2\"}"));
    assert_int_equal(session_hello(&session, NS_PER_S, "1.2", &err), 0);
    assert_string_equal(session.version, "1.2");
    session = session_with(LINES("{\"type\":\"hello\",\"boxmark\":2,\"version\":\"1.1\"}"));
    assert_int_equal(session_hello(&session, NS_PER_S, "1.2", &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "another version");
    session = session_with(LINES("{\"type\":\"hello\",\"boxmark\":1,\"version\":\"1.2\"}"));
    assert_int_equal(session_hello(&session, NS_PER_S, "1.2", &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "protocol 1");
    session = session_with(LINES(BEGIN));
    assert_int_equal(session_hello(&session, NS_PER_S, "1.2", &err), -1);
    assert_error(err, ERROR_CLOSED, "out of turn");
    session = session_with((const char *const[]){NULL});
    assert_int_equal(session_hello(&session, NS_PER_S, "1.2", &err), -1);
    assert_error(err, ERROR_CLOSED, "closed");
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void identity_must_be_a_hash(void **state) {
    (void)state;
    static const char *const refused[] = {
        "{\"type\":\"identity\",\"id\":1,\"agent_sha256\":\"\",\"facts\":{}}",
        "{\"type\":\"identity\",\"id\":1,\"agent_sha256\":\"" HASH "0\",\"facts\":{}}",
        "{\"type\":\"identity\",\"id\":1,\"agent_sha256\":\"zz" HASH "\",\"facts\":{}}",
        "{\"type\":\"identity\",\"id\":1,\"agent_sha256\":\"" HASH "\",\"facts\":[]}",
        "{\"type\":\"identity\",\"id\":2,\"agent_sha256\":\"" HASH "\",\"facts\":{}}",
        BEGIN,
    };
    char sha256[65] = "untouched";
    json_t *facts = NULL;
    struct error *err = NULL;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct session session = session_with(LINES(refused[i]));
        if (session_identify(&session, NS_PER_S, sha256, &facts, &err) != -1)
            fail_msg("case %zu was taken", i);
        assert_error(err, ERROR_CLOSED, "agent");
        assert_string_equal(sha256, "untouched");
        assert_null(facts);
    }
    struct session session = session_with(
        LINES("{\"type\":\"identity\",\"id\":1,\"agent_sha256\":\"" HASH "\",\"facts\":{}}"));
    assert_int_equal(session_identify(&session, NS_PER_S, sha256, &facts, &err), 0);
    assert_string_equal(sha256, HASH);
    json_decref(facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_timed_on_our_clock),
        cmocka_unit_test(the_way_of_the_lines_is_no_work),
        cmocka_unit_test(an_agent_must_wait),
        cmocka_unit_test(what_breaks_the_protocol_is_refused),
        cmocka_unit_test(an_agent_that_is_silent_times_out),
        cmocka_unit_test(its_own_errors_leave_it_alive),
        cmocka_unit_test(progress_stays_between_0_and_1),
        cmocka_unit_test(sections_are_watched_when_their_lines_arrive),
        cmocka_unit_test(hello_must_be_ours),
        cmocka_unit_test(identity_must_be_a_hash),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
