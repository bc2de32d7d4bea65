// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "harness/plan.h"

static void a_block_is_drawn_from_seed_and_number_alone(void **state) {
    (void)state;
    struct plan_block first, again, between;
    memset(&first, 0, sizeof(first));
    memset(&again, 0, sizeof(again));
    plan_block(42, 1000, 5, 7, &first);
    plan_block(42, 3, 64, 64, &between);
    plan_block(42, 1000, 5, 7, &again);
    assert_memory_equal(&first, &again, sizeof(first));
}

/* Golden: a run begun by one version must be continued by the next in the same order. */
static void the_order_never_changes_with_versions(void **state) {
    (void)state;
    struct plan_block plan;
    static const unsigned environments[] = {0, 2, 1};
    static const unsigned workloads[] = {3, 0, 1, 2, 4};
    plan_block(1, 0, 3, 5, &plan);
    assert_memory_equal(plan.environments, environments, sizeof(environments));
    assert_memory_equal(plan.workloads, workloads, sizeof(workloads));
}

static void orders_are_permutations(void **state) {
    (void)state;
    for (unsigned count = 1; count <= PLAN_MAX; count++) {
        struct plan_block plan;
        uint64_t environments = 0, workloads = 0;
        plan_block(count, count * 3, count, PLAN_MAX - count + 1, &plan);
        for (unsigned i = 0; i < count; i++)
            environments |= UINT64_C(1) << plan.environments[i];
        for (unsigned i = 0; i < PLAN_MAX - count + 1; i++)
            workloads |= UINT64_C(1) << plan.workloads[i];
        assert_true(environments == UINT64_MAX >> (PLAN_MAX - count));
        assert_true(workloads == UINT64_MAX >> (count - 1));
    }
}

/* Of three environments each stands about equally often in each place. */
static void no_place_is_favoured(void **state) {
    (void)state;
    enum { BLOCKS = 3000 };
    unsigned counts[3][3] = {{0}};
    for (uint64_t block = 0; block < BLOCKS; block++) {
        struct plan_block plan;
        plan_block(7, block, 3, 5, &plan);
        for (unsigned place = 0; place < 3; place++)
            counts[place][plan.environments[place]]++;
    }
    for (unsigned place = 0; place < 3; place++)
        for (unsigned environment = 0; environment < 3; environment++)
            assert_in_range(counts[place][environment], BLOCKS / 3 - 120, BLOCKS / 3 + 120);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_drawn_from_seed_and_number_alone),
        cmocka_unit_test(the_order_never_changes_with_versions),
        cmocka_unit_test(orders_are_permutations),
        cmocka_unit_test(no_place_is_favoured),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
