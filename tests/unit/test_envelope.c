// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "environments/envelope.h"

#include <stdio.h>

/* Runs before each case and is undone after it: some cases narrow the process's own CPUs. */
static cpu_set_t allowed;

static int setup(void **state) {
    (void)state;
    return sched_getaffinity(0, sizeof(allowed), &allowed);
}

static int teardown(void **state) {
    (void)state;
    return sched_setaffinity(0, sizeof(allowed), &allowed);
}

static void chosen_cpus_are_distinct_and_allowed(void **state) {
    (void)state;
    struct envelope envelope;
    struct error *err = NULL;
    unsigned all = (unsigned)CPU_COUNT(&allowed);
    for (unsigned cpus = 1; cpus <= all && cpus <= 64; cpus++) {
        envelope_choose(cpus, 2, 1 << 20, &envelope, &err);
        assert_no_error(err);
        assert_int_equal(envelope.cpu_count, cpus);
        assert_int_equal(envelope.memory_bytes, 1 << 20);
        for (unsigned i = 0; i < cpus; i++) {
            assert_true(CPU_ISSET(envelope.cpus[i], &allowed));
            if (i > 0)
                assert_true(envelope.cpus[i] > envelope.cpus[i - 1]);
        }
        cpu_set_t set;
        envelope_cpu_set(&envelope, &set);
        assert_int_equal(CPU_COUNT(&set), cpus);
        assert_true(strlen(envelope.cpu_list) > 0);
        assert_true(strlen(envelope.node_list) > 0);
    }
}

static void the_default_is_bounded(void **state) {
    (void)state;
    struct envelope envelope;
    assert_int_equal(envelope_choose(0, 1, 1 << 20, &envelope, NULL), 0);
    assert_int_equal(envelope.cpu_count, 1);
    assert_int_equal(envelope_choose(0, 4096, 1 << 20, &envelope, NULL), 0);
    assert_in_range(envelope.cpu_count, 1, CPU_COUNT(&allowed));
}

static void the_process_is_never_left(void **state) {
    (void)state;
    cpu_set_t one;
    unsigned last = 0;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            last = cpu;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    struct envelope envelope;
    struct error *err = NULL;
    char expected[16];
    snprintf(expected, sizeof(expected), "%u", last);
    assert_int_equal(envelope_choose(0, 8, 1 << 20, &envelope, &err), 0);
    assert_int_equal(envelope.cpu_count, 1);
    assert_int_equal(envelope.cpus[0], last);
    assert_string_equal(envelope.cpu_list, expected);
    assert_int_equal(envelope_choose(2, 8, 1 << 20, &envelope, &err), -1);
    assert_string_equal(err->advice, "give --cpus a number from 1 to 1");
    assert_error(err, ERROR_USAGE, "2 CPUs");
}

static void the_impossible_is_refused(void **state) {
    (void)state;
    struct envelope envelope = {.cpu_count = 77};
    struct error *err = NULL;
    assert_int_equal(envelope_choose(100000, 2, 1 << 20, &envelope, &err), -1);
    assert_error(err, ERROR_USAGE, "100000 CPUs");
    assert_int_equal(envelope_choose(1, 2, UINT64_MAX, &envelope, &err), -1);
    assert_non_null(err->advice);
    assert_error(err, ERROR_USAGE, "memory");
    assert_int_equal(envelope.cpu_count, 77);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(chosen_cpus_are_distinct_and_allowed),
        CASE(the_default_is_bounded),
        CASE(the_process_is_never_left),
        CASE(the_impossible_is_refused),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
