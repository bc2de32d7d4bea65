// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * For people: the made-up report of the tests in any format, to look at.
 *   show_report FORMAT|compare:FORMAT|plots:FOLDER|comparison:FOLDER ENVIRONMENTS BLOCKS COLUMNS
 * WORD... with words of: hostile long holes alone full color ascii; for figures: main paper column
 * pdf
 */
#include "common/file.h"
#include "plots/gnuplot.h"
#include "tests/unit/report_fixture.h"

#include <locale.h>
#include <string.h>

static bool has(char **words, const char *word) {
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static const char *style_of(char **words) {
    return has(words, "paper") ? "paper" : has(words, "column") ? "column" : NULL;
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    setlocale(LC_ALL, "");
    struct fixture_options options = {
        .environments = (unsigned)atoi(argv[2]),
        .blocks = (unsigned)atoi(argv[3]),
        .hostile = has(argv + 5, "hostile"),
        .long_labels = has(argv + 5, "long"),
        .holes = has(argv + 5, "holes"),
        .alone = has(argv + 5, "alone"),
    };
    struct report *report = fixture_report(&options);
    report->columns = (unsigned)atoi(argv[4]);
    report->full = has(argv + 5, "full");
    report->color = has(argv + 5, "color");
    report->ascii = has(argv + 5, "ascii");
    cleanup_error struct error *err = NULL;
    int result = 0;
    if (strncmp(argv[1], "comparison:", 11) == 0) {
        const struct report *const reports[] = {report, report, report};
        const char *const names[] = {"January", "February, Linux 6.18", "March"};
        struct plot_options plots = {.output_folder = argv[1] + 11, .style = style_of(argv + 5)};
        result = plot_comparison(reports, names, 3, &plots, NULL, &err);
    } else if (strncmp(argv[1], "compare:", 8) == 0) {
        const struct report_writer *writer = report_writer_find(argv[1] + 8);
        struct report_comparison shape = {.columns = report->columns,
                                          .color = report->color,
                                          .ascii = report->ascii,
                                          .full = report->full};
        result = writer ? fixture_compare(&options, writer, &shape, stdout, &err) : 2;
    } else if (strncmp(argv[1], "plots:", 6) == 0) {
        unsigned count = 0;
        fixture_store_samples(report, argv[1] + 6);
        struct plot_options plots = {.formats = has(argv + 5, "pdf") ? "pdf" : "svg,png",
                                     .output_folder = argv[1] + 6,
                                     .figures = has(argv + 5, "main") ? NULL : "all",
                                     .style = style_of(argv + 5)};
        result = plot_run(report, &plots, &count, &err);
        printf("%u files\n", count);
    } else {
        const struct report_writer *writer = report_writer_find(argv[1]);
        result = writer ? writer->write(report, stdout, &err) : 2;
    }
    if (err)
        fprintf(stderr, "%s%s%s\n", error_message(err), err->advice ? "; " : "",
                err->advice ? err->advice : "");
    fixture_free(report);
    return result ? 1 : 0;
}
