// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "harness/profile.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static const struct work_basis basis = {.cpus = 2, .cache_bytes = 32 * MIB};

static struct work_list make(const char *name, const char *const *names, const json_t *overrides) {
    const struct profile *profile = NULL;
    struct work_list list;
    struct error *err = NULL;
    profile_find(name, &profile, &err);
    assert_no_error(err);
    work_list_make(profile, &basis, names, overrides, &list, &err);
    assert_no_error(err);
    return list;
}

static uint64_t value(const struct work_list *list, const char *workload, const char *parameter) {
    const struct work *work = work_find(list, workload);
    assert_non_null(work);
    const json_t *number = json_object_get(work->parameters, parameter);
    assert_true(json_is_integer(number));
    return (uint64_t)json_integer_value(number);
}

/* Whatever the profile: every parameter that the agent wants, and in its range. */
static void every_profile_makes_complete_requests(void **state) {
    (void)state;
    for (const struct profile *profile = profiles; profile->name; profile++) {
        cleanup_work_list struct work_list list = make(profile->name, NULL, NULL);
        assert_int_equal(list.count, 5);
        for (unsigned i = 0; i < list.count; i++) {
            const struct parameter_description *at = list.works[i].description->parameters;
            for (; at->name; at++)
                assert_in_range(value(&list, list.works[i].description->name, at->name),
                                at->minimum, at->maximum);
        }
    }
}

static void sizes_are_those_that_are_promised(void **state) {
    (void)state;
    cleanup_work_list struct work_list standard = make("standard", NULL, NULL);
    cleanup_work_list struct work_list paper = make("paper", NULL, NULL);
    assert_int_equal(value(&standard, "disk", "bytes"), 4 * GIB);
    assert_int_equal(value(&standard, "disk", "record_bytes"), MIB);
    assert_int_equal(value(&paper, "disk", "bytes"), 4 * GIB);
    assert_int_equal(value(&paper, "zip", "bytes"), UINT64_C(10000000000));
    assert_int_equal(value(&paper, "zip", "to_file"), 1);
    assert_int_equal(value(&paper, "prime", "events"), 10000);
    assert_int_equal(value(&paper, "prime", "limit"), 10000);
    assert_int_equal(value(&standard, "prime", "threads"), 2);
}

/* STREAM's rule: each array at least four times the last-level cache. */
static void stream_follows_the_cache_not_beyond_its_bounds(void **state) {
    (void)state;
    cleanup_work_list struct work_list standard = make("standard", NULL, NULL);
    assert_int_equal(value(&standard, "stream", "elements") * sizeof(double), 128 * MIB);
    struct work_basis unknown = {.cpus = 1};
    struct work_basis tight = {.cpus = 1, .cache_bytes = GIB, .memory_bytes = GIB};
    const struct profile *profile = NULL;
    cleanup_work_list struct work_list small = {0}, capped = {0};
    profile_find("standard", &profile, NULL);
    assert_int_equal(work_list_make(profile, &unknown, NULL, NULL, &small, NULL), 0);
    assert_int_equal(value(&small, "stream", "elements") * sizeof(double), 64 * MIB);
    assert_int_equal(work_list_make(profile, &tight, NULL, NULL, &capped, NULL), 0);
    assert_true(value(&capped, "stream", "elements") * sizeof(double) * 3 <= GIB);
}

static void overrides_win(void **state) {
    (void)state;
    json_t *overrides = json_pack("{s:i, s:i}", "zip.bytes", 4096, "disk.depth", 8);
    cleanup_work_list struct work_list list = make("quick", NULL, overrides);
    assert_int_equal(value(&list, "zip", "bytes"), 4096);
    assert_int_equal(value(&list, "disk", "depth"), 8);
    assert_int_equal(value(&list, "prime", "limit"), 10000);
    json_decref(overrides);
}

static void wrong_overrides_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *key;
        json_int_t value;
        const char *message;
    } cases[] = {
        {"zip.speed", 1, "zip.speed"}, {"speed", 1, "speed"},
        {"zap.bytes", 1, "zap.bytes"}, {".bytes", 1, ".bytes"},
        {"zip.", 1, "zip."},           {"zip.level", 10, "out of range"},
        {"zip.bytes", -1, "out of"},   {"prime.threads", 0, "out of range"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct work_list list = {.count = 77};
        struct error *err = NULL;
        json_t *overrides = json_pack("{s:I}", cases[i].key, cases[i].value);
        if (work_list_make(&profiles[0], &basis, NULL, overrides, &list, &err) != -1)
            fail_msg("\"%s\" was taken", cases[i].key);
        json_decref(overrides);
        assert_int_equal(list.count, 77);
        assert_non_null(err->advice);
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void selection_keeps_the_catalogs_order(void **state) {
    (void)state;
    cleanup_work_list struct work_list list =
        make("smoke", (const char *const[]){"disk", "prime", "disk", NULL}, NULL);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.works[0].description->name, "prime");
    assert_string_equal(list.works[1].description->name, "disk");
    assert_null(work_find(&list, "zip"));
    struct error *err = NULL;
    struct work_list none;
    assert_int_equal(work_list_make(&profiles[0], &basis, (const char *const[]){"dsik", NULL}, NULL,
                                    &none, &err),
                     -1);
    assert_string_equal(err->advice, "did you mean \"disk\"?");
    assert_error(err, ERROR_USAGE, "dsik");
}

static void needs_cover_the_largest_request(void **state) {
    (void)state;
    cleanup_work_list struct work_list paper = make("paper", NULL, NULL);
    assert_true(work_list_data_bytes(&paper) >= UINT64_C(20000000000));
    assert_true(work_list_memory_bytes(&paper) >= 3 * 128 * MIB);
    cleanup_work_list struct work_list prime =
        make("paper", (const char *const[]){"prime", NULL}, NULL);
    assert_int_equal(work_list_data_bytes(&prime), 0);
}

static void unknown_profiles_are_named(void **state) {
    (void)state;
    const struct profile *profile = NULL;
    struct error *err = NULL;
    assert_int_equal(profile_find("papers", &profile, &err), -1);
    assert_string_equal(err->advice, "did you mean \"paper\"?");
    assert_error(err, ERROR_USAGE, "papers");
    assert_null(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_makes_complete_requests),
        cmocka_unit_test(sizes_are_those_that_are_promised),
        cmocka_unit_test(stream_follows_the_cache_not_beyond_its_bounds),
        cmocka_unit_test(overrides_win),
        cmocka_unit_test(wrong_overrides_are_refused),
        cmocka_unit_test(selection_keeps_the_catalogs_order),
        cmocka_unit_test(needs_cover_the_largest_request),
        cmocka_unit_test(unknown_profiles_are_named),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
