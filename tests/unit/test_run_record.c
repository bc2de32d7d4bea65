// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/samples.h"

#include "results/run_record.h"

static const char good[] =
    "{'schema': 1, 'boxmark': '0.1.0', 'created': '2026-01-31T12:00:00Z', 'profile': 'smoke',\n"
    " 'seed': 7, 'status': 'finished', 'unknown to this version': [1],\n"
    " 'plan': {'blocks': 3, 'max_blocks': 3, 'precision': 0.01}, 'agent': {'sha256': 'aa'},\n"
    " 'environments': [{'label': 'host', 'kind': 'host', 'accelerator': 'none', 'title': 'host'}],\n"
    " 'workloads': [{'name': 'prime', 'parameters': {}}], 'machine': {}}\n";

static void write_record(const struct scratch *scratch, const char *text) {
    cleanup_free char *path = text_format("%s/run.json", scratch->folder);
    cleanup_free char *copy = strdup(text);
    for (char *at = copy; (at = strchr(at, '\'')); at++)
        *at = '"';
    struct error *err = NULL;
    file_replace(path, copy, strlen(copy), &err);
    assert_no_error(err);
}

static void a_record_survives_saving(void **state) {
    const struct scratch *scratch = *state;
    write_record(scratch, good);
    json_t *record = NULL, *again = NULL;
    struct error *err = NULL;
    assert_int_equal(run_record_load(scratch->folder, &record, &err), 0);
    assert_no_error(err);
    assert_int_equal(run_record_save(scratch->folder, record, &err), 0);
    assert_int_equal(run_record_load(scratch->folder, &again, &err), 0);
    assert_true(json_equal(record, again));
    json_object_del(again, "seed");
    assert_int_equal(run_record_save(scratch->folder, again, &err), -1);
    assert_error(err, ERROR_USAGE, "run.json: seed is missing");
    json_decref(record);
    json_decref(again);
}

/* `good` with one piece of text replaced. */
static void bad_records_are_named(void **state) {
    const struct scratch *scratch = *state;
    static const struct {
        const char *piece, *replacement, *message;
    } cases[] = {
        {"'schema': 1", "'schema': 2",
         "run.json: schema 2 is not the one that this version reads: 1"},
        {"'schema': 1", "'schema': '1'", "run.json: schema is not a whole number"},
        {"'schema': 1,", "", "run.json: schema is missing"},
        {"'seed': 7", "'seed': 7.5", "run.json: seed is not a whole number"},
        {"'blocks': 3,", "", "run.json: plan.blocks is missing"},
        {"'precision': 0.01", "'precision': 'x'", "run.json: plan.precision is not a number"},
        {"'plan': {", "'plan': [], 'p': {", "run.json: plan is not an object"},
        {"'sha256': 'aa'", "'sha256': 1", "run.json: agent.sha256 is not a text"},
        {"'accelerator': 'none',", "", "run.json: environments[0].accelerator is missing"},
        {"'environments': [{", "'environments': [5, {", "environments[0].label is missing"},
        {"'parameters': {}", "'parameters': []", "workloads[0].parameters is not an object"},
        {"'machine': {}", "'machine': {},", "run.json:5:"},
        {"'status'", "'seed': 8, 'status'", "run.json:2:"},
        {"'status': 'finished'", "'status': 'fin", "run.json:2:"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *at = strstr(good, cases[i].piece);
        assert_non_null(at);
        cleanup_free char *text = text_format("%.*s%s%s", (int)(at - good), good,
                                              cases[i].replacement, at + strlen(cases[i].piece));
        write_record(scratch, text);
        json_t *record = NULL;
        struct error *err = NULL;
        if (run_record_load(scratch->folder, &record, &err) == 0)
            fail_msg("accepted: %s", text);
        assert_null(record);
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void a_folder_that_is_no_run_is_refused(void **state) {
    const struct scratch *scratch = *state;
    json_t *record = NULL;
    struct error *err = NULL;
    assert_int_equal(run_record_load(scratch->folder, &record, &err), -1);
    assert_int_equal(err->errnum, ENOENT);
    assert_non_null(err->advice);
    assert_error(err, ERROR_USAGE, "run.json");
    write_record(scratch, "[1]");
    assert_int_equal(run_record_load(scratch->folder, &record, &err), -1);
    assert_error(err, ERROR_USAGE, "run.json: not an object");
    write_record(scratch, "");
    assert_int_equal(run_record_load(scratch->folder, &record, &err), -1);
    assert_error(err, ERROR_USAGE, "run.json:1:");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(a_record_survives_saving),
        scratch_test(bad_records_are_named),
        scratch_test(a_folder_that_is_no_run_is_refused),
    };
    return cmocka_run_group_tests_name("run_record", tests, NULL, NULL);
}
