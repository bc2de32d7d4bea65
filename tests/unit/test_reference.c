// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "results/reference_judge.h"
#include "tests/unit/report_fixture.h"

#include <math.h>
#include <sys/stat.h>

static const char header[] =
    "source,workload,metric,unit,direction,environment,variant,value,sd,n,note\n";

static char folder[] = "/tmp/boxmark-reference-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static int read_text(struct reference_data *data, const char *rows, struct error **err) {
    cleanup_free char *path = text_format("%s/own.csv", folder);
    cleanup_free char *text = text_format("%s%s", header, rows);
    assert_int_equal(file_replace(path, text, strlen(text), err), 0);
    return reference_add_file(data, path, err);
}

static void figures_are_read(void **state) {
    (void)state;
    cleanup_reference struct reference_data data = {0};
    cleanup_error struct error *err = NULL;
    assert_int_equal(
        read_text(&data,
                  "a,disk,seq_read,MB/s,higher,host,\"1 MiB, \"\"direct\"\"\",806.9,0.4,"
                  "10,\n"
                  "a,disk,seq_read,MB/s,higher,vm,,5e2,,,an Upper Bound",
                  &err),
        0);
    assert_int_equal(data.count, 2);
    assert_string_equal(data.rows[0].variant, "1 MiB, \"direct\"");
    assert_true(data.rows[0].value == 806.9 && data.rows[0].sd == 0.4);
    assert_int_equal(data.rows[0].count, 10);
    assert_true(isnan(data.rows[1].sd));
    assert_int_equal(data.rows[1].count, 0);
    assert_int_equal(data.rows[1].bound, REFERENCE_UPPER_BOUND);
}

/* The place in the source, in files that tell it; its column may be missing altogether. */
static void tables_are_read(void **state) {
    (void)state;
    cleanup_reference struct reference_data data = {0};
    cleanup_error struct error *err = NULL;
    cleanup_free char *path = text_format("%s/tables.csv", folder);
    static const char text[] =
        "source,table,workload,metric,unit,direction,environment,variant,value,sd,n,note\n"
        "a,Table I,disk,seq_read,MB/s,higher,host,v,806.9,0.4,10,told\n"
        "a,,disk,seq_read,MB/s,higher,vm,,500,,,\n";
    assert_int_equal(file_replace(path, text, strlen(text), &err), 0);
    assert_int_equal(reference_add_file(&data, path, &err), 0);
    assert_string_equal(data.rows[0].table, "Table I");
    assert_string_equal(data.rows[0].workload, "disk");
    assert_string_equal(data.rows[0].variant, "v");
    assert_string_equal(data.rows[0].note, "told");
    assert_string_equal(data.rows[1].table, "");
    assert_int_equal(read_text(&data, "b,disk,seq_read,MB/s,higher,host,w,1,,,old\n", &err), 0);
    assert_string_equal(data.rows[2].table, "");
    assert_string_equal(data.rows[2].workload, "disk");
    assert_string_equal(data.rows[2].variant, "w");
    assert_string_equal(data.rows[2].note, "old");
}

static void bad_files_are_named(void **state) {
    (void)state;
    static const struct {
        const char *rows, *message;
    } cases[] = {
        {"a,disk,seq_read,MB/s,higher,host,,fast,,,\n", ":2: value: \"fast\" is not a finite"},
        {"a,disk,seq_read,MB/s,higher,host,,1,,,\na,disk,seq_read,MB/s,higher,vm,,nan,,,\n",
         ":3: value: \"nan\""},
        {"a,disk,seq_read,MB/s,higher,host,,0,,,\n", ":2: value: \"0\" is not above zero"},
        {"a,disk,seq_read,MB/s,higher,host,,1,-2,,\n", ":2: sd: \"-2\""},
        {"a,disk,seq_read,MB/s,higher,host,,1,,2.5,\n", ":2: n: \"2.5\""},
        {"a,disk,seq_read,MB/s,up,host,,1,,,\n", ":2: direction: \"up\""},
        {",disk,seq_read,MB/s,higher,host,,1,,,\n", ":2: source: \"\" is empty"},
        {"a,disk,seq_read\n", ":2: 3 fields instead of 11"},
        {"a,disk,seq_read,MB/s,higher,host,,1,,,,,\n", ":2: 13 fields instead of 11"},
        {"a,\"disk,seq_read\n", ":2: "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cleanup_reference struct reference_data data = {0};
        struct error *err = NULL;
        assert_int_equal(read_text(&data, cases[i].rows, &err), -1);
        assert_non_null(strstr(error_message(err), "own.csv"));
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
    cleanup_reference struct reference_data data = {0};
    struct error *err = NULL;
    assert_int_equal(reference_add_file(&data, "/nonexistent.csv", &err), -1);
    assert_error(err, ERROR_USAGE, "/nonexistent.csv");
}

/* The files that are installed are good, and every source has a citation. */
static void our_own_files_are_good(void **state) {
    (void)state;
    cleanup_reference struct reference_data data = {0};
    cleanup_error struct error *err = NULL;
    cleanup_free char *path = text_format("%s/results/reference", getenv("SRCDIR"));
    reference_add_folder(&data, path, &err);
    assert_no_error(err);
    assert_true(data.count > 40);
    for (size_t i = 0; i < data.count; i++)
        if (!reference_citation(&data, data.rows[i].source))
            fail_msg("%s has no citation", data.rows[i].source);
}

/* The user's folder counts, by source; a source that is unknown gets the nearest name. */
static void users_add_their_own(void **state) {
    (void)state;
    cleanup_free char *own = text_format("%s/boxmark/reference", folder);
    cleanup_free char *path = text_format("%s/mine.csv", own);
    cleanup_free char *text = text_format(
        "%sours2026,prime,time,s,lower,host,,1,,,\nours2026,prime,time,s,lower,vm,,2,,,\n"
        "else,prime,time,s,lower,vm,,2,,,\n",
        header);
    struct error *err = NULL;
    assert_int_equal(file_make_folders(own, 0700, &err), 0);
    assert_int_equal(file_replace(path, text, strlen(text), &err), 0);
    setenv("XDG_DATA_HOME", folder, 1);
    cleanup_reference struct reference_data data = {0};
    assert_int_equal(reference_load_named(&data, "ours2026", &err), 0);
    assert_int_equal(data.count, 2);
    assert_int_equal(reference_load_named(&data, "else", &err), 0);
    assert_int_equal(data.count, 3);
    assert_int_equal(reference_load_named(&data, "ours2062", &err), -1);
    assert_non_null(strstr(err->advice, "ours2026"));
    assert_error(err, ERROR_USAGE, "ours2062");
    assert_int_equal(reference_load_named(&data, path, &err), 0);
    assert_int_equal(data.count, 6);
    unsetenv("XDG_DATA_HOME");
}

/* Judges one published ratio against a made-up run whose ratios are 7.6 (vm) and 1.0 (container).
 */
struct trial {
    const char *rows;
    const char *accelerator; /* of the run's vm */
    double own, own_low, own_high;
    enum claim_outcome outcome;
    const char *why;
};

static void judge(const struct trial *trial) {
    struct report *report = fixture_report(&(struct fixture_options){3, .blocks = 10});
    struct summary *summary = (struct summary *)report->summary;
    free(summary->environments[2].accelerator);
    summary->environments[2].accelerator = strdup(trial->accelerator);
    struct summary_metric *metric =
        (struct summary_metric *)summary_find(summary, "disk", "seq_read");
    for (unsigned i = 1; i < 3; i++) {
        metric->cells[i].ratio = trial->own;
        metric->cells[i].ratio_low = trial->own_low;
        metric->cells[i].ratio_high = trial->own_high;
    }
    cleanup_reference struct reference_data data = {0};
    cleanup_claims struct claims claims = {0};
    cleanup_error struct error *err = NULL;
    json_t *run = json_pack("{s:[{s:s, s:{s:I, s:I}}]}", "workloads", "name", "disk", "parameters",
                            "bytes", (json_int_t)4294967296, "record_bytes", (json_int_t)1048576);
    read_text(&data, trial->rows, &err);
    assert_no_error(err);
    assert_int_equal(claims_judge(&data, summary, run, &claims, &err), 0);
    assert_int_equal(claims.count, 1);
    if (claims.claims[0].outcome != trial->outcome || !strstr(claims.claims[0].why, trial->why))
        fail_msg("%s%s: %s", trial->rows, claim_outcome_name(claims.claims[0].outcome),
                 claims.claims[0].why);
    json_decref(run);
    fixture_free(report);
}

#define HOST "s,disk,seq_read,MB/s,higher,host,direct,100,1,10,\n"

static void claims_are_judged(void **state) {
    (void)state;
    static const struct trial trials[] = {
        {HOST "s,disk,seq_read,MB/s,higher,container,direct,99,1,10,\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_REPRODUCED, ""},
        {HOST "s,disk,seq_read,GB/s,higher,container,direct,99,1,10,\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_NOT_COMPARABLE, "no figure of a host"}, /* another unit is another figure */
        {HOST "s,disk,seq_read,MB/s,higher,container,direct,80,1,10,\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_NOT_REPRODUCED, ""},
        {HOST "s,disk,seq_read,MB/s,higher,container,direct tuned,99,,,\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_REPRODUCED, ""}, /* the host's variant is the beginning of this one */
        {HOST "s,disk,seq_read,MB/s,higher,container,buffered,99,,,\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_NOT_COMPARABLE, "no figure of a host"},
        {HOST "s,disk,seq_read,MB/s,higher,vm,direct,99,1,10,KVM\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_REPRODUCED, ""},
        {HOST "s,disk,seq_read,MB/s,higher,vm,direct,99,1,10,KVM\n", "TCG", 0.99, 0.98, 1.0,
         CLAIM_NOT_COMPARABLE, "accelerators differ"},
        {HOST "s,disk,seq_read,MB/s,higher,container,direct,99,1,10,\n", "KVM", 0.99, 0.5, 1.9,
         CLAIM_NOT_COMPARABLE, "too wide"},
        {HOST "s,disk,seq_read,MB/s,higher,container,direct,99,1,10,\n", "KVM", 0.99, NAN, NAN,
         CLAIM_NOT_COMPARABLE, "too few blocks"},
        {HOST "s,disk,seq_read,MB/s,higher,gvisor,direct,99,1,10,\n", "KVM", 0.99, 0.98, 1.0,
         CLAIM_NOT_COMPARABLE, "no environment of this run is a gvisor"},
        {"s,disk,seq_read,IOPS,higher,host,,100,,,\ns,disk,seq_read,IOPS,higher,vm,,90,,,\n", "KVM",
         0.9, 0.89, 0.91, CLAIM_NOT_COMPARABLE, "units differ: IOPS there, MB/s here"},
        {"s,disk,rand_read_4k,IOPS,higher,host,,100,,,\n"
         "s,disk,rand_read_4k,IOPS,higher,vm,,90,,,\n",
         "KVM", 0.9, 0.89, 0.91, CLAIM_NOT_COMPARABLE, "did not measure disk rand_read_4k"},
        {"s,disk,seq_read,MB/s,higher,host,4 GB file 1 MB records,100,,,\n"
         "s,disk,seq_read,MB/s,higher,vm,4 GB file 1 MB records,95,,,\n",
         "KVM", 0.95, 0.94, 0.96, CLAIM_REPRODUCED, ""},
        {"s,disk,seq_read,MB/s,higher,host,10 GB file 1 MB records,100,,,\n"
         "s,disk,seq_read,MB/s,higher,vm,10 GB file 1 MB records,95,,,\n",
         "KVM", 0.95, 0.94, 0.96, CLAIM_NOT_COMPARABLE, "sizes differ: a file"},
        {"s,disk,seq_read,MB/s,higher,host,4 KiB direct,100,,,\n"
         "s,disk,seq_read,MB/s,higher,vm,4 KiB direct,95,,,\n",
         "KVM", 0.95, 0.94, 0.96, CLAIM_NOT_COMPARABLE, "sizes differ: records"},
        {"s,disk,seq_read,MB/s,higher,host,,100,,,\n"
         "s,disk,seq_read,MB/s,higher,vm,,50,,,an upper bound\n",
         "KVM", 0.3, 0.29, 0.31, CLAIM_REPRODUCED, ""},
        {"s,disk,seq_read,MB/s,higher,host,,100,,,\n"
         "s,disk,seq_read,MB/s,higher,vm,,50,,,an upper bound\n",
         "KVM", 0.6, 0.59, 0.61, CLAIM_NOT_REPRODUCED, ""},
        {"s,startup,ready,ms,lower,vm,Firecracker,125,,,\n", "KVM", 1, 1, 1, CLAIM_NOT_COMPARABLE,
         "no figure of a host"},
        {"s,disk,seq_read,ratio to Docker,higher,container,,1,,,\n"
         "s,disk,seq_read,ratio to Docker,higher,vm,,0.46,,,\n",
         "KVM", 0.46, 0.45, 0.47, CLAIM_NOT_COMPARABLE, "no ratio to a container"},
    };
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++)
        judge(&trials[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_read),    cmocka_unit_test(tables_are_read),
        cmocka_unit_test(bad_files_are_named), cmocka_unit_test(our_own_files_are_good),
        cmocka_unit_test(users_add_their_own), cmocka_unit_test(claims_are_judged),
    };
    return cmocka_run_group_tests_name("reference", tests, make_folder, remove_folder);
}
