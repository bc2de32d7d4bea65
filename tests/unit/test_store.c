// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/samples.h"

#include "common/random.h"

#include <float.h>
#include <locale.h>
#include <sys/stat.h>

static const char header[] = "\"schema\",\"block\",";

/* What a reading gave: copies of the last sample, and how many. */
struct seen {
    unsigned count;
    struct sample last;
    char texts[6][200];
    unsigned stop_at; /* 0: never */
};

static int visit(const struct sample *sample, void *cookie, struct error **err) {
    struct seen *seen = cookie;
    const char *const texts[] = {sample->environment, sample->accelerator, sample->workload,
                                 sample->metric,      sample->unit,        sample->better};
    seen->last = *sample;
    for (unsigned i = 0; i < 6; i++)
        snprintf(seen->texts[i], sizeof(seen->texts[i]), "%s", texts[i]);
    if (++seen->count == seen->stop_at)
        return error_set(err, ERROR_USAGE, 0, "enough");
    return 0;
}

static char *read_all(const char *path) {
    char *text = NULL;
    struct error *err = NULL;
    file_read(path, &text, NULL, &err);
    assert_no_error(err);
    return text;
}

static void write_all(const char *path, const char *text, size_t size) {
    struct error *err = NULL;
    file_replace(path, text, size, &err);
    assert_no_error(err);
}

/* A good file of one row, and a row after it as given. */
static void write_with_row(struct scratch *scratch, const char *row) {
    struct sample sample = sample_of(0, "host", 1);
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    cleanup_free char *good = read_all(scratch->path);
    cleanup_free char *both = text_format("%s%s", good, row);
    write_all(scratch->path, both, strlen(both));
}

static void what_is_written_is_read(void **state) {
    struct scratch *scratch = *state;
    struct sample sample = {
        .block = UINT64_MAX,
        .environment = "container:seccomp=off,note=\"a \"\"quoted\"\" one\"",
        .accelerator = "none",
        .workload = "a\nline",
        .metric = "comma, semicolon; tab\t",
        .unit = "MB/s",
        .better = "higher",
        .iteration = 7,
        .warmup = true,
        .value = 0.1,
        .agent_value = -1e-300,
        .position = 3,
        .time_ns = UINT64_C(12345678901234567),
    };
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    struct seen seen = {0};
    bool dropped = true;
    struct error *err = NULL;
    assert_int_equal(store_read(scratch->path, visit, &seen, &dropped, &err), 0);
    assert_no_error(err);
    assert_int_equal(seen.count, 1);
    assert_false(dropped);
    assert_true(seen.last.block == sample.block && seen.last.iteration == 7 && seen.last.warmup);
    assert_true(seen.last.value == sample.value && seen.last.agent_value == sample.agent_value);
    assert_true(seen.last.position == 3 && seen.last.time_ns == sample.time_ns);
    assert_string_equal(seen.texts[0], sample.environment);
    assert_string_equal(seen.texts[2], sample.workload);
    assert_string_equal(seen.texts[3], sample.metric);
    assert_string_equal(seen.texts[5], "higher");
}

static void every_number_comes_back_exactly(void **state) {
    struct scratch *scratch = *state;
    static const double special[] = {DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN,        0, -0.0,
                                     1.0 / 3, 1e23,     5e-324,  123456789012345678.0};
    struct random_state random = random_seeded(1);
    for (unsigned i = 0; i < 300; i++) {
        uint64_t bits = random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (i < sizeof(special) / sizeof(*special))
            value = special[i];
        if (!isfinite(value))
            continue;
        unlink(scratch->path);
        struct sample sample = sample_of(0, "host", value);
        sample.agent_value = value;
        scratch_add(scratch, &sample);
        scratch_close(scratch);
        struct seen seen = {0};
        struct error *err = NULL;
        assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), 0);
        assert_no_error(err);
        assert_memory_equal(&seen.last.value, &value, sizeof(value));
        assert_memory_equal(&seen.last.agent_value, &value, sizeof(value));
    }
}

/* A locale with a decimal comma: one that is installed, or one made for the test. */
static bool set_comma_locale(struct scratch *scratch) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (setlocale(LC_ALL, names[i]) && *localeconv()->decimal_point == ',')
            return true;
    cleanup_free char *command =
        text_format("localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", scratch->folder);
    if (system(command) != 0)
        return false;
    setenv("LOCPATH", scratch->folder, 1);
    bool made = setlocale(LC_ALL, "de_DE.UTF-8") && *localeconv()->decimal_point == ',';
    unsetenv("LOCPATH");
    return made;
}

static void a_decimal_comma_changes_nothing(void **state) {
    struct scratch *scratch = *state;
    if (!set_comma_locale(scratch))
        skip_because("no locale with a decimal comma, and none can be made");
    struct sample sample = sample_of(0, "host", 1.25);
    sample.agent_value = 1e-7;
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    struct seen seen = {0};
    struct error *err = NULL;
    int result = store_read(scratch->path, visit, &seen, NULL, &err);
    cleanup_free char *text = read_all(scratch->path);
    setlocale(LC_ALL, "C");
    assert_no_error(err);
    assert_int_equal(result, 0);
    assert_true(seen.last.value == 1.25 && seen.last.agent_value == 1e-7);
    assert_non_null(strstr(text, ",1.25,1e-07,"));
}

static void a_half_written_row_is_dropped_and_told(void **state) {
    struct scratch *scratch = *state;
    struct sample sample = sample_of(0, "two\nlines, \"quoted\"", 1);
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    cleanup_free char *one = read_all(scratch->path);
    size_t second = strlen(one);
    sample.block = 1;
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    cleanup_free char *whole = read_all(scratch->path);
    size_t size = strlen(whole);
    /* Killed at any byte of the second row. */
    for (size_t cut = second; cut <= size; cut++) {
        write_all(scratch->path, whole, cut);
        struct seen seen = {0};
        bool dropped;
        struct error *err = NULL;
        assert_int_equal(store_read(scratch->path, visit, &seen, &dropped, &err), 0);
        assert_no_error(err);
        assert_int_equal(seen.count, cut == size ? 2 : 1);
        assert_int_equal(dropped, cut > second && cut < size);
        /* Going on: the half row goes, the next one is whole. */
        bool cut_off;
        assert_int_equal(store_open(scratch->path, &scratch->store, &cut_off, &err), 0);
        assert_int_equal(cut_off, dropped);
        sample.block = 2;
        scratch_add(scratch, &sample);
        scratch_close(scratch);
        seen = (struct seen){0};
        assert_int_equal(store_read(scratch->path, visit, &seen, &dropped, &err), 0);
        assert_int_equal(seen.count, cut == size ? 3 : 2);
        assert_true(seen.last.block == 2 && !dropped);
    }
}

static void a_half_written_header_is_written_anew(void **state) {
    struct scratch *scratch = *state;
    write_all(scratch->path, header, 10);
    struct sample sample = sample_of(0, "host", 1);
    bool dropped = false;
    struct error *err = NULL;
    struct seen seen = {0};
    assert_int_equal(store_open(scratch->path, &scratch->store, &dropped, &err), 0);
    assert_true(dropped);
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), 0);
    assert_int_equal(seen.count, 1);
}

static void bad_rows_are_named(void **state) {
    struct scratch *scratch = *state;
    static const struct {
        const char *row, *message;
    } cases[] = {
        {"1,0,0,h,none,w,m,s,lower,0,0,nan,,0\n", ":3: value: \"nan\" is not a finite number"},
        {"1,0,0,h,none,w,m,s,lower,0,0,inf,,0\n", ":3: value: \"inf\" is not"},
        {"1,0,0,h,none,w,m,s,lower,0,0,1e999,,0\n", ":3: value: \"1e999\" is not"},
        {"1,0,0,h,none,w,m,s,lower,0,0,,,0\n", ":3: value: \"\" is not a finite number"},
        {"1,0,0,h,none,w,m,s,lower,0,0,\"1,5\",,0\n", ":3: value: \"1,5\" is not"},
        {"1,0,0,h,none,w,m,s,lower,0,0,0x10,,0\n", ":3: value: \"0x10\" is not"},
        {"1,0,0,h,none,w,m,s,lower,0,0, 1,,0\n",
         NULL}, /* spaces around fields are no part of them */
        {"1,0,0,h,none,w,m,s,lower,0,0,1,nan,0\n", ":3: agent_value: \"nan\" is not"},
        {"1,-1,0,h,none,w,m,s,lower,0,0,1,,0\n", ":3: block: \"-1\" is not a whole number"},
        {"1,0.5,0,h,none,w,m,s,lower,0,0,1,,0\n", ":3: block: \"0.5\" is not"},
        {"1,99999999999999999999,0,h,none,w,m,s,lower,0,0,1,,0\n", ":3: block: \"9999"},
        {"1,,0,h,none,w,m,s,lower,0,0,1,,0\n", ":3: block: \"\" is not"},
        {"1,0,0,,none,w,m,s,lower,0,0,1,,0\n", ":3: environment: \"\" is empty"},
        {"1,0,0,h,none,w,m,s,sideways,0,0,1,,0\n", ":3: better: \"sideways\" is not"},
        {"1,0,0,h,none,w,m,s,lower,0,2,1,,0\n", ":3: warmup: \"2\" is not"},
        {"2,0,0,h,none,w,m,s,lower,0,0,1,,0\n", ":3: schema: \"2\" is a schema"},
        {"1,0,0,h,none,w,m,s,lower,0,0,1\n", ":3: 12 fields instead of 14"},
        {"1,0,0,h,none,w,m,s,lower,0,0,1,,0,9\n", ":3: 15 fields instead of 14"},
        {"1,0,0,h,none,w,m,s,lower,0,0,1,,0\n1,0\n", ":4: 2 fields"},
        {"1,0,0,\"h\"x,none,w,m,s,lower,0,0,1,,0\n", ":3: "},
        {"1,0,0,h\"x,none,w,m,s,lower,0,0,1,,0\n", ":3: "},
        /* A newline within quotes is part of a field, and a line of the file. */
        {"1,0,0,\"h\nh\",none,w,m,s,lower,0,0,1,,0\n1,0\n", ":5: 2 fields"},
        {"\n1,0\n", ":4: 2 fields"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unlink(scratch->path);
        write_with_row(scratch, cases[i].row);
        struct seen seen = {0};
        struct error *err = NULL;
        int result = store_read(scratch->path, visit, &seen, NULL, &err);
        if (!cases[i].message) {
            assert_no_error(err);
            continue;
        }
        if (result != -1)
            fail_msg("accepted: %s", cases[i].row);
        if (!strstr(error_message(err), scratch->path))
            fail_msg("no file name: %s", error_message(err));
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void a_byte_that_ends_a_text_is_refused(void **state) {
    struct scratch *scratch = *state;
    static const char row[] = "1,0,0,h\0x,none,w,m,s,lower,0,0,1,,0\n";
    write_with_row(scratch, "");
    cleanup_free char *good = read_all(scratch->path);
    size_t size = strlen(good);
    cleanup_free char *both = calloc(1, size + sizeof(row));
    memcpy(both, good, size);
    memcpy(both + size, row, sizeof(row) - 1);
    write_all(scratch->path, both, size + sizeof(row) - 1);
    struct seen seen = {0};
    struct error *err = NULL;
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, ":3: environment");
}

static void only_finite_values_are_stored(void **state) {
    struct scratch *scratch = *state;
    static const double values[] = {NAN, INFINITY, -INFINITY};
    struct sample good = sample_of(0, "host", 1);
    scratch_add(scratch, &good);
    for (unsigned i = 0; i < 3; i++) {
        struct sample sample = sample_of(0, "host", values[i]);
        struct error *err = NULL;
        assert_int_equal(store_append(scratch->store, &sample, &err), -1);
        assert_error(err, ERROR_INTERNAL, "a value of prime time is not finite");
    }
    scratch_close(scratch);
    struct seen seen = {0};
    struct error *err = NULL;
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), 0);
    assert_int_equal(seen.count, 1);
}

static void other_files_are_refused(void **state) {
    struct scratch *scratch = *state;
    static const char foreign[] = "a,b,c\n1,2,3\n";
    struct seen seen = {0};
    struct error *err = NULL;
    write_all(scratch->path, foreign, strlen(foreign));
    assert_int_equal(store_open(scratch->path, &scratch->store, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "samples.csv:1: not the header of schema 1");
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "samples.csv:1: 3 fields instead of 14");
    cleanup_free char *kept = read_all(scratch->path);
    assert_string_equal(kept, foreign);
    write_all(scratch->path, "", 0);
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "the file is empty");
    unlink(scratch->path);
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "cannot open");
    assert_int_equal(store_read(scratch->folder, visit, &seen, NULL, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot read");
    assert_int_equal(store_open(scratch->folder, &scratch->store, NULL, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot open");
}

static void a_visitor_that_stops_is_told_where(void **state) {
    struct scratch *scratch = *state;
    struct sample sample = sample_of(0, "host", 1);
    for (unsigned i = 0; i < 5; i++)
        scratch_add(scratch, &sample);
    scratch_close(scratch);
    struct seen seen = {.stop_at = 3};
    struct error *err = NULL;
    assert_int_equal(store_read(scratch->path, visit, &seen, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "samples.csv:4: enough");
    assert_int_equal(seen.count, 3);
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    if (!file_exists("/dev/full"))
        skip_because("no /dev/full");
    struct store *store = NULL;
    struct error *err = NULL;
    int result = store_open("/dev/full", &store, NULL, &err);
    store_close(store);
    assert_int_equal(result, -1);
    assert_error(err, ERROR_INTERNAL, "/dev/full");
}

/* Whatever stands in the file: no crash, and either samples or an error with file and line. */
static void damaged_files_do_no_harm(void **state) {
    struct scratch *scratch = *state;
    for (unsigned i = 0; i < 4; i++) {
        struct sample sample = sample_of(i, i % 2 ? "vm:\"a,b\"" : "host", 1.5 * i);
        scratch_add(scratch, &sample);
    }
    scratch_close(scratch);
    cleanup_free char *good = read_all(scratch->path);
    size_t size = strlen(good);
    struct random_state random = random_seeded(2);
    static const char likely[] = "\",\n\r\0 019-.eE\xff";
    unsigned refused = 0;
    for (unsigned round = 0; round < 2000; round++) {
        cleanup_free char *bad = malloc(size);
        memcpy(bad, good, size);
        for (uint64_t changes = 1 + random_below(&random, 4); changes > 0; changes--)
            bad[random_below(&random, size)] =
                random_below(&random, 2) ? likely[random_below(&random, sizeof(likely) - 1)]
                                         : (char)random_next(&random);
        FILE *file = fopen(scratch->path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(bad, 1, size, file), size);
        fclose(file);
        struct seen seen = {0};
        struct error *err = NULL;
        if (store_read(scratch->path, visit, &seen, NULL, &err) == 0) {
            assert_null(err);
            continue;
        }
        refused++;
        assert_non_null(strstr(error_message(err), "samples.csv:"));
        error_free(err);
    }
    assert_true(refused > 1000 && refused < 2000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(what_is_written_is_read),
        scratch_test(every_number_comes_back_exactly),
        scratch_test(a_decimal_comma_changes_nothing),
        scratch_test(a_half_written_row_is_dropped_and_told),
        scratch_test(a_half_written_header_is_written_anew),
        scratch_test(bad_rows_are_named),
        scratch_test(a_byte_that_ends_a_text_is_refused),
        scratch_test(only_finite_values_are_stored),
        scratch_test(other_files_are_refused),
        scratch_test(a_visitor_that_stops_is_told_where),
        scratch_test(a_full_disk_is_an_error),
        scratch_test(damaged_files_do_no_harm),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
