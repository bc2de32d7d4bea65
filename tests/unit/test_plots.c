// SPDX-License-Identifier: GPL-3.0-or-later
/* Figures by the real gnuplot. What they look like is for people: tests/unit/show_report. */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/file.h"
#include "plots/gnuplot.h"
#include "plots/sample_values.h"
#include "plots/spawn.h"
#include "results/store.h"
#include "tests/unit/report_fixture.h"

#include <dirent.h>
#include <math.h>

/* All folders of the tests lie in this one, which goes whatever fails. */
static char base[] = "/tmp/boxmark-plots-XXXXXX";

static int make_base(void **state) {
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state) {
    (void)state;
    return file_remove_tree(base, NULL);
}

static char *make_folder(void) {
    char *folder = text_format("%s/XXXXXX", base);
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void remove_folder(char *folder) {
    cleanup_error struct error *err = NULL;
    assert_int_equal(file_remove_tree(folder, &err), 0);
    free(folder);
}

static bool has_gnuplot(void) {
    cleanup_free char *path = file_find_program("gnuplot");
    return path != NULL;
}

static unsigned count_files(const char *folder, const char *ending) {
    unsigned count = 0;
    cleanup_dir DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name), wanted = strlen(ending);
        count += length > wanted && strcmp(entry->d_name + length - wanted, ending) == 0;
    }
    return count;
}

static void each_workload_gets_its_figures(void **state) {
    (void)state;
    if (!has_gnuplot())
        skip_because("gnuplot is not installed");
    char *folder = make_folder();
    struct report *report =
        fixture_report(&(struct fixture_options){3, .blocks = 10, .holes = true});
    struct plot_options options = {.formats = "svg,png", .output_folder = folder};
    cleanup_error struct error *err = NULL;
    unsigned count = 0;
    plot_run(report, &options, &count, &err);
    assert_no_error(err);
    assert_int_equal(count, count_files(folder, ".svg") + count_files(folder, ".png"));
    assert_int_equal(count_files(folder, ".part"), 0);
    static const char *const workloads[] = {"prime", "zip", "stream", "disk", "startup"};
    for (unsigned i = 0; i < 5; i++) {
        cleanup_free char *png = text_format("%s/%s.png", folder, workloads[i]);
        cleanup_free char *svg = text_format("%s/%s.svg", folder, workloads[i]);
        cleanup_free char *text = NULL;
        assert_true(file_exists(png));
        assert_int_equal(file_read(svg, &text, NULL, &err), 0);
        assert_non_null(strstr(text, "vm (TCG)"));
        assert_non_null(strstr(text, "software emulation (TCG), not KVM"));
        /* References to elsewhere: none but the names of name spaces. */
        assert_null(strstr(text, "href=\"http"));
    }
    fixture_free(report);
    remove_folder(folder);
}

static void all_kinds_and_styles_are_drawn(void **state) {
    (void)state;
    if (!has_gnuplot())
        skip_because("gnuplot is not installed");
    static const char *const styles[] = {"slide", "paper", "column", NULL};
    for (const char *const *style = styles; *style; style++) {
        char *folder = make_folder();
        struct report *report = fixture_report(&(struct fixture_options){3, .blocks = 10});
        fixture_store_samples(report, folder);
        struct plot_options options = {
            .formats = "svg", .output_folder = folder, .figures = "all", .style = *style};
        cleanup_error struct error *err = NULL;
        plot_run(report, &options, NULL, &err);
        assert_no_error(err);
        static const char *const figures[] = {
            "prime",         "overview",      "startup-timeline",
            "disk-series",   "zip-time-ecdf", "stream-distribution",
            "startup-series"};
        for (unsigned i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
            cleanup_free char *path = text_format("%s/%s.svg", folder, figures[i]);
            cleanup_free char *text = NULL;
            if (file_read(path, &text, NULL, &err) < 0)
                fail_msg("%s", error_message(err));
            assert_non_null(strstr(text, "(TCG), not KVM"));
        }
        fixture_free(report);
        remove_folder(folder);
    }
}

static void runs_are_drawn_side_by_side(void **state) {
    (void)state;
    if (!has_gnuplot())
        skip_because("gnuplot is not installed");
    char *folder = make_folder();
    struct report *reports[] = {
        fixture_report(&(struct fixture_options){3, .blocks = 10}),
        fixture_report(&(struct fixture_options){2, .blocks = 1}),
        fixture_report(&(struct fixture_options){3, .blocks = 10, .holes = true, .hostile = true}),
    };
    const char *const names[] = {"2026-01", "2026-02, Linux 7", "'evil` \n"};
    struct plot_options options = {.formats = "svg", .output_folder = folder};
    cleanup_error struct error *err = NULL;
    unsigned count = 0;
    plot_comparison((const struct report *const *)reports, names, 3, &options, &count, &err);
    assert_no_error(err);
    assert_int_equal(count, 1);
    cleanup_free char *path = text_format("%s/comparison.svg", folder);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(path, &text, NULL, &err), 0);
    assert_non_null(strstr(text, "vm (TCG), 2026-01"));
    assert_non_null(strstr(text, "container, 2026-02, Linux 7"));
    assert_non_null(strstr(text, "(TCG), not KVM"));
    for (unsigned i = 0; i < 3; i++)
        fixture_free(reports[i]);
    remove_folder(folder);
}

/* A block that was started again counts once; warm-ups do not. */
static void samples_of_a_new_start_supersede(void **state) {
    (void)state;
    char *folder = make_folder();
    cleanup_free char *path = text_format("%s/samples.csv", folder);
    static const struct {
        uint64_t block, iteration;
        bool warmup;
        double value;
    } rows[] = {{0, 0, false, 5},  {0, 1, true, 99}, {0, 1, false, 4}, {1, 0, false, 98},
                {1, 1, false, 97}, {1, 0, false, 3}, {2, 0, false, 1}, {2, 1, false, 2}};
    struct report *report = fixture_report(&(struct fixture_options){1, .blocks = 1});
    struct store *store = NULL;
    struct error *err = NULL;
    assert_int_equal(store_open(path, &store, NULL, &err), 0);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sample sample = {.block = rows[i].block,
                                .environment = "host",
                                .accelerator = "none",
                                .workload = "prime",
                                .metric = "time",
                                .unit = "s",
                                .better = "lower",
                                .iteration = rows[i].iteration,
                                .warmup = rows[i].warmup,
                                .value = rows[i].value,
                                .agent_value = NAN};
        assert_int_equal(store_append(store, &sample, &err), 0);
    }
    assert_int_equal(store_sync(store, &err), 0);
    store_close(store);
    report->run_folder = folder;
    struct sample_values values;
    assert_int_equal(sample_values_load(report, &values, &err), 0);
    const struct sample_list *list = sample_values_of(&values, 0, 0);
    assert_int_equal(list->count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_true(list->values[i] == i + 1);
    assert_int_equal(sample_values_of(&values, 1, 0)->count, 0);
    sample_values_cleanup(&values);
    report->run_folder = "/nonexistent";
    assert_int_equal(sample_values_load(report, &values, &err), -1);
    assert_error(err, ERROR_USAGE, "samples.csv");
    fixture_free(report);
    remove_folder(folder);
}

/* Labels cannot end their strings, run commands or change the text's style. */
static void hostile_labels_are_only_text(void **state) {
    (void)state;
    if (!has_gnuplot())
        skip_because("gnuplot is not installed");
    char *folder = make_folder();
    cleanup_free char *witness = text_format("%s/witness", folder);
    struct report *report =
        fixture_report(&(struct fixture_options){2, .blocks = 6, .hostile = true});
    struct summary_environment *environment = &report->summary->environments[1];
    free(environment->title);
    environment->title =
        text_format("'.system('touch %s').'`touch %s`\"; !touch %s\n!touch %s\n{/Bold <b>&",
                    witness, witness, witness, witness);
    struct plot_options options = {.formats = "svg", .output_folder = folder};
    cleanup_error struct error *err = NULL;
    plot_run(report, &options, NULL, &err);
    assert_no_error(err);
    assert_false(file_exists(witness));
    cleanup_free char *svg = text_format("%s/prime.svg", folder);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(svg, &text, NULL, &err), 0);
    assert_null(strstr(text, "<b>"));
    assert_non_null(strstr(text, "&lt;b>&amp;"));
    assert_non_null(strstr(text, "'.system('touch"));
    fixture_free(report);
    remove_folder(folder);
}

static void workload_names_cannot_leave_the_folder(void **state) {
    (void)state;
    if (!has_gnuplot())
        skip_because("gnuplot is not installed");
    char *folder = make_folder();
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    free(report->summary->metrics[0].workload);
    report->summary->metrics[0].workload = strdup("../../up");
    struct plot_options options = {.formats = "svg", .output_folder = folder};
    cleanup_error struct error *err = NULL;
    plot_run(report, &options, NULL, &err);
    assert_no_error(err);
    cleanup_free char *svg = text_format("%s/______up.svg", folder);
    assert_true(file_exists(svg));
    fixture_free(report);
    remove_folder(folder);
}

static void no_gnuplot_says_what_to_do(void **state) {
    (void)state;
    char *folder = make_folder();
    cleanup_free char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    struct plot_options options = {.formats = "svg", .output_folder = folder};
    struct error *err = NULL;
    int result = plot_run(report, &options, NULL, &err);
    setenv("PATH", path, 1);
    assert_int_equal(result, -1);
    assert_non_null(err->advice);
    assert_error(err, ERROR_UNAVAILABLE, "gnuplot");
    fixture_free(report);
    remove_folder(folder);
}

static void unknown_names_are_refused(void **state) {
    (void)state;
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    struct plot_options options = {.formats = "svg,pgn", .output_folder = "/nonexistent"};
    struct error *err = NULL;
    assert_int_equal(plot_run(report, &options, NULL, &err), -1);
    assert_non_null(strstr(err->advice, "png"));
    assert_error(err, ERROR_USAGE, "pgn");
    options = (struct plot_options){.output_folder = "/nonexistent", .figures = "bars,pie"};
    assert_int_equal(plot_run(report, &options, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "pie");
    options = (struct plot_options){.output_folder = "/nonexistent", .style = "baroque"};
    assert_int_equal(plot_run(report, &options, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "baroque");
    fixture_free(report);
}

/* The user's own script: used when good; when not, gnuplot's words come back, no file is left. */
static void own_scripts_are_used(void **state) {
    (void)state;
    if (!has_gnuplot())
        skip_because("gnuplot is not installed");
    char *folder = make_folder();
    char *scripts = make_folder();
    cleanup_free char *path = text_format("%s/bars.gp", scripts);
    static const char good[] = "plot x title 'my very own'\n", bad[] = "plot nonsense(\n";
    struct report *report = fixture_report(&(struct fixture_options){2, .blocks = 6});
    struct plot_options options = {
        .formats = "svg", .output_folder = folder, .script_folder = scripts};
    struct error *err = NULL;
    assert_int_equal(file_replace(path, good, strlen(good), &err), 0);
    /* Scripts that the folder lacks come from where they are installed. */
    plot_run(report, &options, NULL, &err);
    assert_no_error(err);
    cleanup_free char *svg = text_format("%s/prime.svg", folder);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(svg, &text, NULL, &err), 0);
    assert_non_null(strstr(text, "my very own"));
    assert_int_equal(file_replace(path, bad, strlen(bad), &err), 0);
    assert_int_equal(plot_run(report, &options, NULL, &err), -1);
    assert_non_null(strstr(error_message(err), "bars.gp"));
    assert_error(err, ERROR_USAGE, "nonsense");
    assert_int_equal(count_files(folder, ".part"), 0);
    fixture_free(report);
    remove_folder(folder);
    remove_folder(scripts);
}

static void programs_are_bounded_in_time(void **state) {
    (void)state;
    struct error *err = NULL;
    const char *slow[] = {"/bin/sleep", "1000", NULL};
    assert_int_equal(
        spawn_and_wait(slow, "/", deadline_after(monotonic_ns(), 50 * NS_PER_MS), &err), -1);
    assert_error(err, ERROR_TIMEOUT, "/bin/sleep");
    const char *missing[] = {"/nonexistent/gnuplot", NULL};
    assert_int_equal(spawn_and_wait(missing, "/", DEADLINE_NONE, &err), -1);
    assert_error(err, ERROR_INTERNAL, "/nonexistent/gnuplot");
    const char *failing[] = {"/bin/ls", "/nonexistent/\x1b[31mfolder", NULL};
    assert_int_equal(spawn_and_wait(failing, "/", DEADLINE_NONE, &err), -1);
    assert_null(strchr(error_message(err), '\x1b'));
    assert_error(err, ERROR_INTERNAL, "folder");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_workload_gets_its_figures),
        cmocka_unit_test(all_kinds_and_styles_are_drawn),
        cmocka_unit_test(runs_are_drawn_side_by_side),
        cmocka_unit_test(samples_of_a_new_start_supersede),
        cmocka_unit_test(hostile_labels_are_only_text),
        cmocka_unit_test(workload_names_cannot_leave_the_folder),
        cmocka_unit_test(no_gnuplot_says_what_to_do),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(own_scripts_are_used),
        cmocka_unit_test(programs_are_bounded_in_time),
    };
    return cmocka_run_group_tests_name("plots", tests, make_base, remove_base);
}
