// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/random.h"

#include <stdbool.h>

/* The first outputs of Vigna's public-domain splitmix64.c for the seed 1234567. */
static void next_is_splitmix64(void **state) {
    (void)state;
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
    struct random_state random = random_seeded(1234567);
    for (size_t i = 0; i < 5; i++)
        assert_true(random_next(&random) == expected[i]);
}

static void below_stays_below(void **state) {
    (void)state;
    struct random_state random = random_seeded(1);
    bool seen[7] = {false};
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t value = random_below(&random, 7);
        assert_true(value < 7);
        seen[value] = true;
    }
    for (unsigned i = 0; i < 7; i++)
        assert_true(seen[i]);
    assert_int_equal(random_below(&random, 1), 0);
    /* A bound where a plain modulo would be off by half of the range. */
    uint64_t bound = (UINT64_C(1) << 63) + 1;
    for (unsigned i = 0; i < 1000; i++)
        assert_true(random_below(&random, bound) < bound);
}

static void shuffle_is_a_permutation_and_repeats(void **state) {
    (void)state;
    enum { COUNT = 100 };
    unsigned first[COUNT], second[COUNT];
    bool seen[COUNT] = {false}, moved = false;
    for (unsigned i = 0; i < COUNT; i++)
        first[i] = second[i] = i;
    struct random_state random = random_seeded(99);
    random_shuffle(&random, first, COUNT);
    random = random_seeded(99);
    random_shuffle(&random, second, COUNT);
    assert_memory_equal(first, second, sizeof(first));
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(first[i] < COUNT);
        assert_false(seen[first[i]]);
        seen[first[i]] = true;
        moved = moved || first[i] != i;
    }
    assert_true(moved);
    random_shuffle(&random, first, 0);
    random_shuffle(&random, first, 1);
}

/* Each of the six orders of three items comes up about as often as the others. */
static void shuffle_favours_no_order(void **state) {
    (void)state;
    enum { ROUNDS = 6000 };
    unsigned counts[27] = {0};
    struct random_state random = random_seeded(5);
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned items[3] = {0, 1, 2};
        random_shuffle(&random, items, 3);
        counts[items[0] * 9 + items[1] * 3 + items[2]]++;
    }
    unsigned orders = 0;
    for (unsigned i = 0; i < 27; i++)
        if (counts[i] > 0) {
            orders++;
            assert_in_range(counts[i], ROUNDS / 6 - 150, ROUNDS / 6 + 150);
        }
    assert_int_equal(orders, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_is_splitmix64),
        cmocka_unit_test(below_stays_below),
        cmocka_unit_test(shuffle_is_a_permutation_and_repeats),
        cmocka_unit_test(shuffle_favours_no_order),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
