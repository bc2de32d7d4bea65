// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/clock.h"

#include <limits.h>
#include <time.h>

static void monotonic_does_not_go_back(void **state) {
    (void)state;
    uint64_t before_ns = monotonic_ns();
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now_ns = clock_now_ns(&clock_monotonic);
        assert_true(now_ns >= before_ns);
        before_ns = now_ns;
    }
}

struct fake_clock {
    struct clock clock;
    uint64_t ns;
};

static uint64_t fake_now_ns(struct clock *clock) {
    return ((struct fake_clock *)clock)->ns;
}

static void clock_can_be_faked(void **state) {
    (void)state;
    struct fake_clock fake = {{fake_now_ns}, 42};
    assert_int_equal(clock_now_ns(&fake.clock), 42);
}

static void deadlines_saturate(void **state) {
    (void)state;
    assert_int_equal(deadline_after(10, 5), 15);
    assert_true(deadline_after(10, DEADLINE_NONE) == DEADLINE_NONE);
    assert_true(deadline_after(10, DEADLINE_NONE - 10) == DEADLINE_NONE);
    assert_true(deadline_after(10, DEADLINE_NONE - 11) == DEADLINE_NONE - 1);
}

static void poll_waits_are_rounded_up(void **state) {
    (void)state;
    assert_int_equal(deadline_poll_ms(5, DEADLINE_NONE), -1);
    assert_int_equal(deadline_poll_ms(5, 5), 0);
    assert_int_equal(deadline_poll_ms(6, 5), 0);
    /* Rounded down, a wait of less than 1 ms would be a busy loop. */
    assert_int_equal(deadline_poll_ms(5, 6), 1);
    assert_int_equal(deadline_poll_ms(0, NS_PER_MS), 1);
    assert_int_equal(deadline_poll_ms(0, NS_PER_MS + 1), 2);
    assert_int_equal(deadline_poll_ms(0, DEADLINE_NONE - 1), INT_MAX);
}

static void utc_text_is_iso_8601(void **state) {
    (void)state;
    char text[21];
    clock_utc_text(text);
    struct tm time;
    memset(&time, 0, sizeof(time));
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &time);
    assert_non_null(rest);
    assert_string_equal(rest, "");
    assert_int_equal(strlen(text), 20);
    assert_true(time.tm_year + 1900 >= 2024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_does_not_go_back), cmocka_unit_test(clock_can_be_faked),
        cmocka_unit_test(deadlines_saturate),         cmocka_unit_test(poll_waits_are_rounded_up),
        cmocka_unit_test(utc_text_is_iso_8601),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
