// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every format against its golden file in tests/golden/. After a wanted change:
 *   BOXMARK_UPDATE_GOLDEN=1 make check TESTS=tests/unit/test_reports   and look at the difference.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "common/text.h"
#include "plots/html_chart.h"
#include "plots/report.h"
#include "tests/unit/report_fixture.h"

#include <csv.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>

struct golden {
    const char *file;
    const char *format;
    struct fixture_options fixture;
    unsigned columns;
    bool ascii, color, full;
    bool references; /* beside felter2014 and a hostile source */
    bool compare;    /* three runs side by side */
};

#define THREE                                                                                      \
    { .environments = 3, .blocks = 10 }
#define HOSTILE                                                                                    \
    { .environments = 3, .blocks = 6, .hostile = true }
#define HOLES                                                                                      \
    { .environments = 3, .blocks = 10, .holes = true }

static const struct golden goldens[] = {
    {"terminal-3.txt", "terminal", THREE, .columns = 80},
    {"terminal-color.txt",
     "terminal",
     {.environments = 2, .blocks = 10},
     .columns = 120,
     .color = true},
    {"terminal-narrow-ascii.txt", "terminal", HOLES, .columns = 40, .ascii = true},
    {"terminal-9-long-full.txt",
     "terminal",
     {.environments = 9, .blocks = 10, .long_labels = true},
     80,
     .full = true},
    {"terminal-hostile.txt", "terminal", {3, .blocks = 1, .hostile = true}, .columns = 80},
    {"terminal-alone.txt", "terminal", {1, .blocks = 10, .alone = true}, .columns = 80},
    {"terminal-references.txt", "terminal", THREE, .columns = 80, .references = true},
    {"markdown-references.md", "markdown", HOSTILE, .columns = 80, .references = true},
    {"html-hostile.html", "html", {2, .blocks = 6, .hostile = true}, .columns = 80},
    {"markdown-holes.md", "markdown", HOLES, .columns = 80},
    {"markdown-hostile.md", "markdown", HOSTILE, .columns = 80},
    {"latex-holes.tex", "latex", HOLES, .columns = 80},
    {"latex-hostile.tex", "latex", HOSTILE, .columns = 80},
    {"csv-holes.csv", "csv", HOLES, .columns = 80},
    {"csv-hostile.csv", "csv", HOSTILE, .columns = 80},
    {"compare-terminal.txt", "terminal", HOLES, .columns = 80, .compare = true},
    {"compare-terminal-hostile.txt", "terminal", HOSTILE, 40, .ascii = true, .compare = true},
    {"compare-markdown-hostile.md", "markdown", HOSTILE, .columns = 80, .compare = true},
    {"compare-latex-hostile.tex", "latex", HOSTILE, .columns = 80, .compare = true},
    {"compare-csv-hostile.csv", "csv", HOSTILE, .columns = 80, .compare = true},
    {"compare-json-hostile.json", "json", {2, .blocks = 6, .hostile = true}, 80, .compare = true},
    {"compare-html-hostile.html", "html", {2, .blocks = 6, .hostile = true}, 80, .compare = true},
    {"json-hostile.json", "json", {2, .blocks = 3, .hostile = true}, .columns = 80},
};

static void add_references(struct report *report, struct reference_data *data,
                           struct claims *claims) {
    cleanup_free char *folder = text_format("%s/results/reference", getenv("SRCDIR"));
    cleanup_error struct error *err = NULL;
    reference_add_folder(data, folder, &err);
    assert_no_error(err);
    for (size_t i = 0; i < data->count; i++)
        if (strcmp(data->rows[i].source, "docker-2026") == 0) {
            free(data->rows[i].source);
            free(data->rows[i].variant);
            data->rows[i].source = strdup(fixture_hostile_text);
            data->rows[i].variant = strdup(fixture_hostile_text);
        }
    assert_int_equal(claims_judge(data, report->summary, report->run, claims, &err), 0);
    report->references = data;
    report->claims = claims;
}

static char *written_comparison(const struct golden *golden) {
    struct report_comparison shape = {.columns = golden->columns,
                                      .color = golden->color,
                                      .ascii = golden->ascii,
                                      .full = golden->full};
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    cleanup_error struct error *err = NULL;
    assert_non_null(to);
    if (fixture_compare(&golden->fixture, report_writer_find(golden->format), &shape, to, &err) < 0)
        fail_msg("%s: %s", golden->file, error_message(err));
    fclose(to);
    return text;
}

static char *written(const struct golden *golden) {
    if (golden->compare)
        return written_comparison(golden);
    struct report *report = fixture_report(&golden->fixture);
    report->columns = golden->columns;
    report->ascii = golden->ascii;
    report->color = golden->color;
    report->full = golden->full;
    cleanup_reference struct reference_data data = {0};
    cleanup_claims struct claims claims = {0};
    if (golden->references)
        add_references(report, &data, &claims);
    const struct report_writer *writer = report_writer_find(golden->format);
    assert_non_null(writer);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    cleanup_error struct error *err = NULL;
    if (writer->write(report, to, &err) < 0)
        fail_msg("%s: %s", golden->file, error_message(err));
    fclose(to);
    fixture_free(report);
    return text;
}

/* The first line that differs, so that a failure can be read. */
static void compare(const char *file, const char *expected, const char *found) {
    for (unsigned line = 1; *expected || *found; line++) {
        size_t a = strcspn(expected, "\n"), b = strcspn(found, "\n");
        if (a != b || memcmp(expected, found, a) != 0)
            fail_msg("%s:%u:\n  golden: %.*s\n  found:  %.*s", file, line, (int)a, expected, (int)b,
                     found);
        expected += a + (expected[a] != '\0');
        found += b + (found[b] != '\0');
    }
}

static void golden_files_are_met(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(*goldens); i++) {
        cleanup_free char *found = written(&goldens[i]);
        cleanup_free char *path =
            text_format("%s/tests/golden/%s", getenv("SRCDIR"), goldens[i].file);
        cleanup_free char *expected = NULL;
        cleanup_error struct error *err = NULL;
        if (getenv("BOXMARK_UPDATE_GOLDEN")) {
            assert_int_equal(file_replace(path, found, strlen(found), &err), 0);
            continue;
        }
        if (file_read(path, &expected, NULL, &err) < 0)
            fail_msg("%s", error_message(err));
        compare(goldens[i].file, expected, found);
    }
}

static void numbers_do_not_follow_the_locale(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", NULL};
    const char *const *locale = locales;
    while (*locale && !setlocale(LC_ALL, *locale))
        locale++;
    if (!*locale)
        skip_because("no locale with decimal commas is installed");
    struct golden golden = goldens[0];
    cleanup_free char *there = written(&golden);
    setlocale(LC_ALL, "C");
    cleanup_free char *here = written(&golden);
    assert_string_equal(there, here);
}

static void terminal_lines_fit(void **state) {
    (void)state;
    for (unsigned columns = 32; columns <= 130; columns += 7)
        for (unsigned environments = 1; environments <= 9; environments += 2) {
            struct golden golden = {.file = "width",
                                    .format = "terminal",
                                    .fixture = {environments, 10, .holes = true},
                                    .columns = columns,
                                    .full = true,
                                    .references = true,
                                    .compare = environments % 4 == 3};
            cleanup_free char *text = written(&golden);
            char *rest = text;
            for (char *line; (line = strsep(&rest, "\n"));)
                if (text_width(line) > columns)
                    fail_msg("%u columns wide at %u: %s", text_width(line), columns, line);
        }
}

/* Nothing that a terminal obeys comes out of labels. */
static void hostile_text_is_harmless_on_a_terminal(void **state) {
    (void)state;
    struct golden golden = {.file = "hostile",
                            .format = "terminal",
                            .fixture = HOSTILE,
                            .columns = 80,
                            .references = true};
    for (unsigned i = 0; i < 4; i++) {
        bool ascii = i % 2;
        golden.ascii = ascii;
        golden.compare = i >= 2;
        cleanup_free char *text = written(&golden);
        for (const char *at = text; *at; at++) {
            unsigned char byte = (unsigned char)*at;
            if ((byte < 0x20 && byte != '\n') || byte == 0x7f || (ascii && byte >= 0x80))
                fail_msg("byte 0x%02x in: %.60s", byte, at > text + 20 ? at - 20 : text);
        }
    }
}

/* Nothing is fetched, nothing is run. */
static void html_refers_to_nothing(void **state) {
    (void)state;
    static const struct fixture_options variants[] = {
        HOSTILE, HOLES, {9, .blocks = 10, .long_labels = true}, {1, .blocks = 1, .alone = true}};
    static const char *const forbidden[] = {
        "<script", "javascript:", "http:",   "https:", "src=",   "url(",
        "@import", "<link",       "<iframe", "<img",   "onload", NULL};
    for (size_t i = 0; i < 2 * sizeof(variants) / sizeof(*variants); i++) {
        struct golden golden = {
            "html", "html", variants[i / 2], .columns = 80, .references = i == 0, .compare = i % 2};
        cleanup_free char *text = written(&golden);
        for (const char *const *word = forbidden; *word; word++)
            if (strstr(text, *word))
                fail_msg("%s in: %.80s", *word, strstr(text, *word));
        for (const char *at = text; (at = strstr(at, "href=\"")); at++)
            assert_int_equal(at[6], '#');
        if (variants[i / 2].environments >= 3)
            assert_non_null(strstr(text, "software emulation (TCG), not KVM"));
    }
}

/* Programs can read what is for programs. */
static void json_is_valid_and_ascii(void **state) {
    (void)state;
    for (unsigned compare = 0; compare < 2; compare++) {
        struct golden golden = {
            "json", "json", HOSTILE, 80, .references = true, .compare = compare};
        cleanup_free char *text = written(&golden);
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        if (compare) {
            assert_int_equal(json_array_size(json_object_get(json, "runs")), 3);
        } else {
            assert_int_equal(json_array_size(json_object_get(json, "environments")), 3);
            assert_true(json_is_object(json_object_get(json, "run")));
            assert_true(json_is_array(json_object_get(json, "audit")));
        }
        json_decref(json);
        for (const char *at = text; *at; at++)
            assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7f));
    }
}

struct fields {
    unsigned count, expected;
};

static void count_field(void *field, size_t size, void *cookie) {
    (void)field;
    (void)size;
    ((struct fields *)cookie)->count++;
}

static void check_row(int terminator, void *cookie) {
    (void)terminator;
    struct fields *fields = cookie;
    assert_int_equal(fields->count, fields->expected);
    fields->count = 0;
}

static void csv_rows_have_all_columns(void **state) {
    (void)state;
    for (unsigned compare = 0; compare < 2; compare++) {
        struct golden golden = {"csv", "csv", HOSTILE, .columns = 80, .compare = compare};
        cleanup_free char *text = written(&golden);
        struct csv_parser parser;
        struct fields fields = {.expected = compare ? 23 : 25};
        assert_int_equal(csv_init(&parser, CSV_STRICT), 0);
        assert_int_equal(csv_parse(&parser, text, strlen(text), count_field, check_row, &fields),
                         strlen(text));
        csv_fini(&parser, count_field, check_row, &fields);
        csv_free(&parser);
    }
}

/* A text that a spreadsheet would run is marked as text. */
static void csv_holds_no_formulas(void **state) {
    (void)state;
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    free(report->summary->environments[1].label);
    report->summary->environments[1].label = strdup("=HYPERLINK(\"x\")");
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    cleanup_error struct error *err = NULL;
    assert_int_equal(report_writer_find("csv")->write(report, to, &err), 0);
    fclose(to);
    assert_null(strstr(text, ",\"="));
    assert_non_null(strstr(text, ",\"'=HYPERLINK"));
    free(text);
    fixture_free(report);
}

static void json_tells_footprint_and_counters(void **state) {
    (void)state;
    const struct golden golden = {.format = "json", .fixture = THREE};
    cleanup_free char *text = written(&golden);
    json_auto_t *json = json_loads(text, 0, NULL);
    const json_t *vm = json_array_get(json_object_get(json, "footprint"), 2);
    assert_string_equal(json_string_value(json_object_get(vm, "environment")), "vm");
    assert_true(json_number_value(json_object_get(vm, "guest_bytes")) == 61500000);
    assert_true(json_number_value(json_object_get(vm, "beyond_bytes")) == 20500000);
    /* 3 ms and 4 ms of 400 ms. */
    assert_true(fabs(json_number_value(json_object_get(vm, "idle_cpus")) - 0.00875) < 1e-9);
    const json_t *counters = json_object_get(json, "counters");
    assert_int_equal(json_object_size(counters), 1);
    const json_t *prime = json_object_get(json_object_get(counters, "vm"), "prime");
    assert_int_equal(json_integer_value(json_object_get(prime, "requests")), 2);
    prime = json_object_get(prime, "counters");
    assert_true(json_number_value(json_object_get(prime, "exits")) == 5001);
    /* 3 once; what the other request did not count happened in it not once. */
    assert_true(json_number_value(json_object_get(prime, "io_exits")) == 1.5);
}

static char *text_of(const struct report *report, const char *format) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    cleanup_error struct error *err = NULL;
    if (report_writer_find(format)->write(report, to, &err) < 0)
        fail_msg("%s", error_message(err));
    fclose(to);
    return text;
}

static void says(const struct report *report, const char *format, const char *words) {
    cleanup_free char *text = text_of(report, format);
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in the %s report:\n%s", words, format, text);
}

/* Neither an environment without any figure nor a failing check that touches none is silent. */
static void what_is_missing_or_fails_is_named(void **state) {
    (void)state;
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    report->columns = 2000;
    json_array_append_new(json_object_get(report->run, "environments"),
                          json_pack("{s:s}", "label", "lxc"));
    json_array_append_new((json_t *)report->journal,
                          json_pack("{s:s, s:s, s:s, s:s}", "type", "failure", "environment", "lxc",
                                    "what", "cannot be started", "message", "no such template"));
    json_array_append_new((json_t *)report->audit,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", "failures",
                                    "environment", "lxc", "touches", "*", "state", "failing",
                                    "evidence", "0 instances done", "reason", "says little"));
    static const char *const formats[] = {"terminal", "html", "latex", "markdown"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        says(report, formats[i], "lxc measured nothing: cannot be started: no such template.");
        says(report, formats[i], "lxc: the audit failed: failures: 0 instances done (says little)");
    }
    fixture_free(report);

    report = fixture_report(&(struct fixture_options){3, .blocks = 6, .holes = true});
    report->columns = 2000;
    says(report, "terminal", "WARNING: container did not measure zip: no failure was recorded.");
    fixture_free(report);
}

/* The reason stands with the verdict wherever the interval does not tell it. */
static void what_is_open_has_its_reason(void **state) {
    (void)state;
    struct report *report = fixture_report(&(struct fixture_options){3, .blocks = 6});
    report->columns = 2000;
    struct summary_cell *chance = &report->summary->metrics[0].cells[2],
                        *negative = &report->summary->metrics[3].cells[1];
    chance->verdict = negative->verdict = VERDICT_INCONCLUSIVE;
    free(chance->reason);
    chance->reason = strdup("it may be chance");
    free(negative->reason);
    negative->reason = strdup("no ratio: in block 3 host has the value -1");
    negative->flags |= SUMMARY_NOT_POSITIVE;
    negative->ratio = negative->ratio_low = negative->ratio_high = NAN;
    report->summary->metrics[8].cells[1].flags |= SUMMARY_OUTLIERS;
    static const char *const formats[] = {"terminal", "markdown", "html"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        bool markdown = strcmp(formats[i], "markdown") == 0;
        says(report, formats[i],
             "prime time in vm (TCG) is inconclusive although its interval lies beyond the margin: "
             "it may be chance");
        says(report, formats[i],
             "zip time in container is inconclusive: no ratio: in block 3 host has the value -1");
        says(report, formats[i], "outliers (kept; a median hardly feels them): stream triad in");
        if (markdown)
            says(report, formats[i],
                 "inconclusive, although the interval lies beyond the margin of 1 %: it may be");
    }
    fixture_free(report);
}

/* What is told without the correction says so, where there is one. */
static void detectable_names_the_correction(void **state) {
    (void)state;
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    report->columns = 2000;
    says(report, "terminal",
         "zip time: smallest difference that this run could have seen as its only comparison "
         "(Holm's correction over all headlines asks for more): 0.4 % in container");
    for (unsigned i = 0; i < report->summary->metric_count; i++)
        if (i != 3)
            report->summary->metrics[i].cells[1].p_holm = NAN;
    says(report, "terminal",
         "zip time: smallest difference that this run could have seen: 0.4 % in container");
    fixture_free(report);
}

/* What a virtual machine was is part of how it was measured. */
static void methods_tell_the_machine_inside(void **state) {
    (void)state;
    struct report *report = fixture_report(&(struct fixture_options){3, .blocks = 6});
    json_array_append_new((json_t *)report->journal,
                          json_pack("{s:s, s:s, s:{s:s, s:s, s:[s, s, s], s:{s:s, s:s}}}", "type",
                                    "instance", "environment", "vm", "facts", "qemu_version",
                                    "7.2.22", "guest_kernel", "6.1.0", "command", "qemu",
                                    "-machine", "microvm", "disk", "cache", "none", "format",
                                    "raw"));
    says(report, "markdown",
         "vm (TCG) was QEMU 7.2.22, machine type microvm, guest kernel Linux 6.1.0, disk image "
         "raw, cache mode none.");
    says(report, "markdown", "container was of version 1.0.");
    fixture_free(report);
}

/* Nothing but answers stands before the picture, and there is one answer a workload. */
static void html_begins_with_the_answer(void **state) {
    (void)state;
    for (unsigned environments = 2; environments <= 9; environments++) {
        struct report *report =
            fixture_report(&(struct fixture_options){environments, .blocks = 10});
        cleanup_free char *text = text_of(report, "html");
        char *picture = strstr(text, "<figure id=\"overview\">");
        assert_non_null(picture);
        assert_true(!strstr(text, "class=\"warning\"") ||
                    strstr(text, "class=\"warning\"") > picture);
        assert_true(strstr(text, "<nav") > picture);
        unsigned answers = 0;
        for (char *at = text; (at = strstr(at, "<li>")) && at < picture; at++)
            answers++;
        assert_int_equal(answers, 5);
        fixture_free(report);
    }
    struct report *report = fixture_report(&(struct fixture_options){3, .blocks = 10});
    says(report, "html",
         "<li>Finding prime numbers, times as long as on host: 1.002 in container (same) and 7.610 "
         "in vm (TCG) (worse).</li>");
    fixture_free(report);
    report = fixture_report(&(struct fixture_options){9, .blocks = 10});
    says(report, "html",
         "<li>Finding prime numbers, times as long as on host: from 0.986 in container:seccomp=off "
         "(better) to 7.610 in vm (TCG) (worse).</li>");
    fixture_free(report);
}

/* "The same work" is not said where some of it is missing, nor of one environment. */
static void html_says_what_was_done(void **state) {
    (void)state;
    static const struct {
        struct fixture_options fixture;
        const char *words;
    } pages[] = {
        {{2, .blocks = 6}, "<strong>container</strong> did the same work."},
        {{1, .blocks = 6}, "<strong>host</strong> did the work alone: there is nothing"},
        {{3, .blocks = 6, .holes = true}, "were given the same work; what is missing stands among"},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        struct report *report = fixture_report(&pages[i].fixture);
        says(report, "html", pages[i].words);
        fixture_free(report);
    }
}

/* Labels such as "-80 %" have room beside each other, and an axis is never without any. */
static void linear_axes_have_few_ticks(void **state) {
    (void)state;
    for (double limit = 0.001; limit < 1e6; limit *= 1.07) {
        struct axis axis = axis_make(-limit, limit, false);
        assert_in_range(axis.tick_count, 2, 6);
        axis = axis_make(0, limit, false);
        assert_in_range(axis.tick_count, 2, 6);
    }
}

static void unknown_writer_is_null(void **state) {
    (void)state;
    assert_null(report_writer_find("papyrus"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files_are_met),
        cmocka_unit_test(numbers_do_not_follow_the_locale),
        cmocka_unit_test(terminal_lines_fit),
        cmocka_unit_test(hostile_text_is_harmless_on_a_terminal),
        cmocka_unit_test(html_refers_to_nothing),
        cmocka_unit_test(json_is_valid_and_ascii),
        cmocka_unit_test(csv_rows_have_all_columns),
        cmocka_unit_test(csv_holds_no_formulas),
        cmocka_unit_test(json_tells_footprint_and_counters),
        cmocka_unit_test(what_is_missing_or_fails_is_named),
        cmocka_unit_test(what_is_open_has_its_reason),
        cmocka_unit_test(detectable_names_the_correction),
        cmocka_unit_test(methods_tell_the_machine_inside),
        cmocka_unit_test(html_begins_with_the_answer),
        cmocka_unit_test(html_says_what_was_done),
        cmocka_unit_test(linear_axes_have_few_ticks),
        cmocka_unit_test(unknown_writer_is_null),
    };
    return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
