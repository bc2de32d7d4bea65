// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every format of a check against its golden file in tests/golden/. After a wanted change:
 *   BOXMARK_UPDATE_GOLDEN=1 make check TESTS=tests/unit/test_gate_reports   and look.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "plots/gate_report.h"
#include "tests/unit/gate_fixture.h"

#include <jansson.h>

static const struct golden {
    const char *file, *format;
    struct gate_fixture_options fixture;
    unsigned columns, fail_on;
    bool ascii, color, absolute;
} goldens[] = {
    {"gate-terminal.txt", "terminal", {.hostile = false}, .columns = 110, .fail_on = 7},
    {"gate-terminal-80.txt", "terminal", {.hostile = false}, .columns = 80, .fail_on = 7},
    {"gate-terminal-narrow.txt",
     "terminal",
     {.hostile = true},
     .columns = 40,
     .fail_on = 7,
     .ascii = true},
    {"gate-terminal-absolute.txt",
     "terminal",
     {.without = "zip"},
     .columns = 110,
     .fail_on = 7,
     .color = true,
     .absolute = true},
    {"gate-markdown.md", "markdown", {.hostile = true}, .columns = 80, .fail_on = 7},
    {"gate-json.json", "json", {.hostile = true}, .columns = 80, .fail_on = 7},
    {"gate-junit.xml", "junit", {.hostile = true}, .columns = 80, .fail_on = 7},
    {"gate-junit-worse.xml", "junit", {.factor = 1}, .columns = 80, .fail_on = 1},
    {"gate-tap.txt", "tap", {.hostile = true}, .columns = 80, .fail_on = 1},
    {"gate-github.txt", "github", {.hostile = true}, .columns = 80, .fail_on = 1},
    {"gate-gitlab.json", "gitlab", {.hostile = true}, .columns = 80, .fail_on = 7},
};

static char *written(const struct golden *golden) {
    cleanup_gate_fixture struct gate_fixture fixture;
    cleanup_gate_result struct gate_result result = {0};
    cleanup_error struct error *err = NULL;
    gate_fixture_make(&fixture, &golden->fixture);
    fixture.settings.fail_on = golden->fail_on;
    assert_int_equal(gate_decide(&fixture.before, &fixture.now, &fixture.settings, golden->absolute,
                                 &result, &err),
                     0);
    const char *path = golden->fixture.hostile ? gate_hostile_text : "ci/baseline.json";
    struct gate_report report = {.result = &result,
                                 .baseline_path = path,
                                 .run_folder = path,
                                 .created = "2026-01-31T12:00:00Z",
                                 .retries = golden->fixture.hostile,
                                 .columns = golden->columns,
                                 .color = golden->color,
                                 .ascii = golden->ascii};
    const struct gate_writer *writer = gate_writer_find(golden->format);
    assert_non_null(writer);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    if (writer->write(&report, to, &err) < 0)
        fail_msg("%s: %s", golden->file, error_message(err));
    fclose(to);
    return text;
}

static void golden_files_are_met(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(*goldens); i++) {
        cleanup_free char *found = written(&goldens[i]);
        cleanup_free char *expected = NULL;
        cleanup_free char *path =
            text_format("%s/tests/golden/%s", getenv("SRCDIR"), goldens[i].file);
        if (getenv("BOXMARK_UPDATE_GOLDEN") && *getenv("BOXMARK_UPDATE_GOLDEN"))
            assert_int_equal(file_replace(path, found, strlen(found), NULL), 0);
        assert_int_equal(file_read(path, &expected, NULL, NULL), 0);
        if (strcmp(expected, found) != 0)
            fail_msg("%s differs, found:\n%s", goldens[i].file, found);
    }
}

/* No text from elsewhere makes a command, a directive or a line of its own. */
static void hostile_text_stays_on_its_line(void **state) {
    (void)state;
    static const struct golden github = {
        .format = "github", .fixture = {.hostile = true}, .fail_on = 7};
    static const struct golden tap = {.format = "tap", .fixture = {.hostile = true}, .fail_on = 7};
    cleanup_free char *annotations = written(&github);
    for (char *rest = annotations, *line; (line = strsep(&rest, "\n")) && rest;)
        assert_true(strncmp(line, "::error file=", 13) == 0 ||
                    strncmp(line, "::notice title=", 15) == 0);
    cleanup_free char *points = written(&tap);
    for (char *rest = points, *line; (line = strsep(&rest, "\n")) && rest;)
        assert_true(strncmp(line, "ok ", 3) == 0 || strncmp(line, "not ok ", 7) == 0 ||
                    strncmp(line, "# ", 2) == 0 || strncmp(line, "1..", 3) == 0 ||
                    strcmp(line, "TAP version 13") == 0);
}

static void every_writer_is_found(void **state) {
    (void)state;
    for (const struct gate_writer *const *at = gate_writers; *at; at++) {
        assert_ptr_equal(gate_writer_find((*at)->name), *at);
        assert_true((*at)->summary[0] != '\0');
    }
    assert_null(gate_writer_find("nonsense"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files_are_met),
        cmocka_unit_test(hostile_text_stays_on_its_line),
        cmocka_unit_test(every_writer_is_found),
    };
    return cmocka_run_group_tests_name("gate_reports", tests, NULL, NULL);
}
