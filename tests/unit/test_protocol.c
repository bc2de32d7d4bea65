// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/protocol.h"
#include "common/file.h"

#include <stdlib.h>

static int parse(const char *line, struct message *message, struct error **err) {
    return message_parse(line, strlen(line), message, err);
}

static void assert_refused(const char *line) {
    struct error *err = NULL;
    struct message message = {.type = MESSAGE_TYPES, .id = 4711};
    if (parse(line, &message, &err) == 0)
        fail_msg("accepted: %.200s", line);
    assert_non_null(err);
    assert_int_equal(err->kind, ERROR_CLOSED);
    error_free(err);
    /* Nothing is returned on failure. */
    assert_int_equal(message.type, MESSAGE_TYPES);
    assert_int_equal(message.id, 4711);
    assert_null(message.object);
}

static void every_message_survives_the_way(void **state) {
    (void)state;
    for (unsigned type = 0; type < MESSAGE_TYPES; type++) {
        struct error *err = NULL;
        cleanup_message struct message sent = {
            .type = (enum message_type)type,
            .id = INT64_MAX,
            .number = 1234567890123,
            .iteration = 7,
            .warmup = true,
            .paced = true,
            .waited_ns = 98765432109,
            .value = 0.1,
            .name = "a_name-1.x",
            .text = "\"quotes\", \\ and \xc3\xa4\xc3\xb6\xc3\xbc",
            .object = json_pack("{s:i}", "x", 1),
        };
        cleanup_message struct message got = {.type = MESSAGE_TYPES};
        cleanup_free char *line = NULL;
        size_t length;
        assert_int_equal(message_format(&sent, &line, &length, &err), 0);
        assert_int_equal(length, strlen(line));
        assert_int_equal(line[length - 1], '\n');
        assert_null(memchr(line, '\n', length - 1));
        assert_int_equal(message_parse(line, length - 1, &got, &err), 0);
        assert_int_equal(got.type, type);
        /* What the message carries came over; what it does not is empty. */
        assert_true(got.id == sent.id || got.id == 0);
        assert_true(got.number == sent.number || got.number == 0);
        assert_true(got.value == sent.value || got.value == 0);
        assert_true(got.paced == (type == MESSAGE_RUN));
        assert_true(got.waited_ns == (type == MESSAGE_SECTION_STOP ? sent.waited_ns : 0));
        assert_true(strcmp(got.name, sent.name) == 0 || !*got.name);
        assert_true(strcmp(got.text, sent.text) == 0 || !*got.text);
        assert_true(!got.object || json_equal(got.object, sent.object));
        if (type != MESSAGE_HELLO)
            assert_int_equal(got.id, sent.id);
    }
}

static void members_come_over(void **state) {
    (void)state;
    struct error *err = NULL;
    cleanup_message struct message got = {0};
    assert_int_equal(parse("{\"type\":\"sample\",\"id\":3,\"metric\":\"copy_best\",\"iteration\":2,"
                           "\"warmup\":false,\"value\":-1.5e3,\"later\":[1]}",
                           &got, &err),
                     0);
    assert_int_equal(got.type, MESSAGE_SAMPLE);
    assert_int_equal(got.id, 3);
    assert_string_equal(got.name, "copy_best");
    assert_int_equal(got.iteration, 2);
    assert_false(got.warmup);
    assert_true(got.value == -1500);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",
        " ",
        "hello",
        "null",
        "7",
        "\"end\"",
        "[]",
        "{}",
        "{\"type\":7}",
        "{\"type\":null}",
        "{\"type\":\"\"}",
        "{\"type\":\"End\"}",
        "{\"type\":\"end \"}",
        "{\"type\":\"end\\u0000\"}",
        "{\"type\":\"begin\",\"id\":1",
        "{\"type\":\"begin\",\"id\":1}}",
        "{\"type\":\"begin\",\"id\":1} x",
        "{\"type\":\"begin\",\"id\":1,\"id\":2}",
        "{'type':'begin','id':1}",
        "{\"type\":\"begin\",\"id\":01}",
        "{\"type\":\"begin\",\"id\":0x1}",
        "{\"type\":\"begin\"}",
        "{\"type\":\"begin\",\"id\":-1}",
        "{\"type\":\"begin\",\"id\":1.0}",
        "{\"type\":\"begin\",\"id\":\"1\"}",
        "{\"type\":\"begin\",\"id\":true}",
        "{\"type\":\"begin\",\"id\":null}",
        "{\"type\":\"begin\",\"id\":9223372036854775808}",
        "{\"type\":\"begin\",\"id\":99999999999999999999999999}",
        "\xff\xfe{\"type\":\"begin\",\"id\":1}",
    };
    for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        assert_refused(lines[i]);
}

static void numbers_must_be_finite(void **state) {
    (void)state;
    static const char *const values[] = {"1e999",      "-1e999", "NaN",  "Infinity", "-Infinity",
                                         "\"1\"",      "null",   "true", "[1]",      "1e",
                                         "1.7976e309", ".5",     "+1",   "{}",       ""};
    for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++) {
        cleanup_free char *line =
            text_format("{\"type\":\"progress\",\"id\":1,\"fraction\":%s}", values[i]);
        assert_refused(line);
    }
}

static void names_are_narrow(void **state) {
    (void)state;
    static const char *const names[] = {
        "",
        "A",
        "a b",
        "a/b",
        "../../etc/passwd",
        "a\\u0000b",
        "a\\n",
        "\\u001b[31m",
        "a,b",
        "=1",
        "\xc3\xa4",
        "\xff",
        "a\"b",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        cleanup_free char *line =
            text_format("{\"type\":\"note\",\"id\":1,\"key\":\"%s\",\"text\":\"x\"}", names[i]);
        assert_refused(line);
    }
    struct error *err = NULL;
    cleanup_message struct message got = {0};
    assert_int_equal(
        parse("{\"type\":\"note\",\"id\":1,\"key\":"
              "\"012345678901234567890123456789012345678901234567890123456789012\",\"text\":\"\"}",
              &got, &err),
        0);
    assert_int_equal(strlen(got.name), PROTOCOL_NAME_BYTES - 1);
}

static void text_is_bounded_and_tame(void **state) {
    (void)state;
    struct error *err = NULL;
    char longest[PROTOCOL_TEXT_BYTES + 1];
    memset(longest, 'x', sizeof(longest));
    longest[PROTOCOL_TEXT_BYTES] = '\0';
    cleanup_free char *too_long =
        text_format("{\"type\":\"note\",\"id\":1,\"key\":\"a\",\"text\":\"%s\"}", longest);
    assert_refused(too_long);
    longest[PROTOCOL_TEXT_BYTES - 1] = '\0';
    cleanup_free char *fits =
        text_format("{\"type\":\"note\",\"id\":1,\"key\":\"a\",\"text\":\"%s\"}", longest);
    cleanup_message struct message got = {0};
    assert_int_equal(parse(fits, &got, &err), 0);
    assert_string_equal(got.text, longest);

    cleanup_message struct message tame = {0};
    assert_int_equal(parse("{\"type\":\"error\",\"id\":1,\"code\":\"failed\","
                           "\"message\":\"a\\u001b[2Jb\\nc\\td\\u007f\"}",
                           &tame, &err),
                     0);
    assert_string_equal(tame.text, "a [2Jb c d ");
    /* A NUL would hide what follows it. */
    assert_refused("{\"type\":\"error\",\"id\":1,\"code\":\"failed\",\"message\":\"a\\u0000b\"}");
}

static void other_members_must_have_their_type(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"type\":\"run\",\"id\":1,\"workload\":\"x\",\"paced\":true}",
        "{\"type\":\"run\",\"id\":1,\"workload\":\"x\",\"paced\":true,\"parameters\":[]}",
        "{\"type\":\"run\",\"id\":1,\"workload\":7,\"paced\":true,\"parameters\":{}}",
        "{\"type\":\"run\",\"id\":1,\"workload\":\"x\",\"paced\":true,\"parameters\":null}",
        "{\"type\":\"run\",\"id\":1,\"workload\":\"x\",\"parameters\":{}}",
        "{\"type\":\"run\",\"id\":1,\"workload\":\"x\",\"paced\":1,\"parameters\":{}}",
        "{\"type\":\"go\"}",
        "{\"type\":\"start\",\"id\":1,\"section\":\"x\",\"iteration\":0}",
        "{\"type\":\"start\",\"id\":1,\"section\":\"x\",\"iteration\":0,\"warmup\":0}",
        "{\"type\":\"start\",\"id\":1,\"section\":\"x\",\"iteration\":-1,\"warmup\":true}",
        "{\"type\":\"stop\",\"id\":1,\"section\":\"x\",\"iteration\":0,\"warmup\":true,"
        "\"waited_ns\":1}",
        "{\"type\":\"stop\",\"id\":1,\"section\":\"x\",\"iteration\":0,\"warmup\":true,"
        "\"elapsed_ns\":1}",
        "{\"type\":\"stop\",\"id\":1,\"section\":\"x\",\"iteration\":0,\"warmup\":true,"
        "\"elapsed_ns\":1,\"waited_ns\":-1}",
        "{\"type\":\"hello\",\"boxmark\":\"1\",\"version\":\"1\"}",
        "{\"type\":\"hello\",\"boxmark\":1}",
        "{\"type\":\"identity\",\"id\":1,\"agent_sha256\":\"x\"}",
    };
    for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        assert_refused(lines[i]);
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    enum { DEPTH = 30000 };
    cleanup_free char *line = malloc(2 * DEPTH + 1);
    memset(line, '[', DEPTH);
    memset(line + DEPTH, ']', DEPTH);
    line[2 * DEPTH] = '\0';
    assert_refused(line);
}

/* Every line that differs from a good one in one byte is taken or refused, but never crashes. */
static void one_wrong_byte_does_no_harm(void **state) {
    (void)state;
    static const char good[] = "{\"type\":\"run\",\"id\":12,\"workload\":\"prime\","
                               "\"paced\":true,\"parameters\":{\"threads\":2,\"limit\":10000}}";
    static const char bytes[] = {'"', '{', '}', '\\', ',', ':', '0', '-', '\n', (char)0xff, 0};
    unsigned refused = 0, taken = 0;
    for (size_t at = 0; at < sizeof(good) - 1; at++)
        for (size_t i = 0; i < sizeof(bytes); i++) {
            cleanup_error struct error *err = NULL;
            cleanup_message struct message got = {0};
            char line[sizeof(good)];
            memcpy(line, good, sizeof(good));
            line[at] = bytes[i];
            if (message_parse(line, sizeof(good) - 1, &got, &err) == 0)
                taken++;
            else
                refused++;
        }
    assert_true(refused > 500);
    assert_true(taken > 0);
}

/* Facts from /proc may be in any encoding. */
static void text_that_is_not_utf8_is_made_so(void **state) {
    (void)state;
    struct error *err = NULL;
    struct message sent = {.type = MESSAGE_NOTE, .name = "a", .text = "caf\xe9 \xff"};
    cleanup_message struct message got = {0};
    cleanup_free char *line = NULL;
    size_t length;
    assert_int_equal(message_format(&sent, &line, &length, &err), 0);
    assert_int_equal(message_parse(line, length - 1, &got, &err), 0);
    assert_string_equal(got.text, "caf? ?");
}

static void numbers_that_are_not_finite_are_not_sent(void **state) {
    (void)state;
    struct error *err = NULL;
    struct message sent = {.type = MESSAGE_PROGRESS};
    char *line = NULL;
    size_t length;
    sent.value = strtod("nan", NULL);
    assert_int_equal(message_format(&sent, &line, &length, &err), -1);
    assert_error(err, ERROR_INTERNAL, "fraction");
    assert_null(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_the_way),
        cmocka_unit_test(members_come_over),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(numbers_must_be_finite),
        cmocka_unit_test(names_are_narrow),
        cmocka_unit_test(text_is_bounded_and_tame),
        cmocka_unit_test(other_members_must_have_their_type),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(one_wrong_byte_does_no_harm),
        cmocka_unit_test(text_that_is_not_utf8_is_made_so),
        cmocka_unit_test(numbers_that_are_not_finite_are_not_sent),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
