// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/parameters.h"

static json_t *good_disk(void) {
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "iterations", (json_int_t)1, "bytes",
                     (json_int_t)1 << 30, "record_bytes", (json_int_t)1 << 20, "depth",
                     (json_int_t)8, "seed", (json_int_t)0);
}

static int check_disk(const char *name, json_int_t value, struct error **err) {
    json_t *parameters = good_disk();
    if (name)
        json_object_set_new(parameters, name, json_integer(value));
    int result = parameters_check(workload_find("disk"), parameters, err);
    json_decref(parameters);
    return result;
}

static void assert_refused(const char *name, json_int_t value, const char *text) {
    struct error *err = NULL;
    assert_int_equal(check_disk(name, value, &err), -1);
    assert_error(err, ERROR_USAGE, text);
}

static void good_ones_pass(void **state) {
    (void)state;
    struct error *err = NULL;
    check_disk(NULL, 0, &err);
    assert_no_error(err);
    check_disk("record_bytes", 4096, &err);
    assert_no_error(err);
    json_t *none = json_object();
    parameters_check(workload_find("null"), none, &err);
    json_decref(none);
    assert_no_error(err);
}

static void bounds_hold(void **state) {
    (void)state;
    assert_refused("depth", 0, "\"depth\" is out of range: 0");
    assert_refused("depth", 257, "out of range");
    assert_refused("seed", -1, "out of range: -1");
    assert_refused("bytes", INT64_MAX, "out of range");
    assert_refused("iterations", INT64_MIN, "out of range");
}

static void nothing_is_missing_or_unknown(void **state) {
    (void)state;
    struct error *err = NULL;
    assert_refused("speed", 1, "does not know");
    json_t *parameters = good_disk();
    json_object_del(parameters, "depth");
    assert_int_equal(parameters_check(workload_find("disk"), parameters, &err), -1);
    assert_error(err, ERROR_USAGE, "\"depth\" is missing");
    json_object_set_new(parameters, "depth", json_real(1));
    assert_int_equal(parameters_check(workload_find("disk"), parameters, &err), -1);
    assert_error(err, ERROR_USAGE, "\"depth\" is missing");
    json_decref(parameters);
    assert_int_equal(parameters_check(workload_find("disk"), NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "is missing");
}

static void sizes_of_the_disk_fit_each_other(void **state) {
    (void)state;
    assert_refused("record_bytes", 4096 + 512, "multiple of 4096");
    assert_refused("bytes", (1 << 20) + 4096, "multiple of record_bytes");
    assert_refused("bytes", 4096, "multiple of record_bytes");
    assert_refused("bytes", (json_int_t)1 << 43, "more than 4194304 records");
    assert_refused("record_bytes", (json_int_t)1 << 28, "bytes in flight");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_pass),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(nothing_is_missing_or_unknown),
        cmocka_unit_test(sizes_of_the_disk_fit_each_other),
    };
    return cmocka_run_group_tests_name("parameters", tests, NULL, NULL);
}
