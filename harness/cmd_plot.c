// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/integrity.h"
#include "harness/reference_option.h"
#include "harness/run_view.h"

#include "common/file.h"
#include "plots/gnuplot.h"

#include <string.h>

enum { KEY_SCRIPTS = 256, KEY_FIGURES, KEY_STYLE, KEY_REFERENCE };

struct plot_command {
    const char *run;
    const char *output;
    struct plot_options plot;
    struct reference_option references;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct plot_command *options = input->options;
    switch (key) {
    case 'f':
        options->plot.formats = argument;
        return 0;
    case 'o':
        options->output = argument;
        return 0;
    case KEY_SCRIPTS:
        options->plot.script_folder = argument;
        return 0;
    case KEY_FIGURES:
        options->plot.figures = argument;
        return 0;
    case KEY_STYLE:
        options->plot.style = argument;
        return 0;
    case KEY_REFERENCE:
        return reference_option_add(&options->references, argument, input->err) < 0 ? EINVAL : 0;
    case ARGP_KEY_ARG:
        if (options->run) {
            error_set(input->err, ERROR_USAGE, 0, "one run at a time: \"%s\"", argument);
            return EINVAL;
        }
        options->run = argument;
        return 0;
    case ARGP_KEY_END:
        if (!options->run) {
            error_set(input->err, ERROR_USAGE, 0, "which run?");
            error_advise(input->err, "give its folder; `boxmark list runs` shows them");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp plot_argp = {
    .options =
        (const struct argp_option[]){
            {"format", 'f', "FORMAT,...", 0, "svg, png, pdf (default: svg,png)", 0},
            {"output", 'o', "DIR", 0, "folder for the figures (default: RUN/plots)", 0},
            {"figures", KEY_FIGURES, "NAME,...", 0,
             "bars, overview, timeline, distribution, series, ecdf, references, or all (default)",
             0},
            {"reference", KEY_REFERENCE, "NAME", 0, REFERENCE_OPTION_HELP, 0},
            {"style", KEY_STYLE, "STYLE", 0,
             "slide (default), paper (two columns wide, greys) or column", 0},
            {"scripts", KEY_SCRIPTS, "DIR", 0, "your own copies of the gnuplot scripts", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "RUN",
    .doc = "Draws the figures of a run with gnuplot.",
};

enum { REASONS_MAX = 16, REASONS_SHOWN = 3 };

/* The reasons why claims cannot be compared, the most frequent first, with their numbers. */
static unsigned count_reasons(const struct claims *claims, const char *reasons[REASONS_MAX],
                              unsigned counts[REASONS_MAX]) {
    unsigned count = 0;
    for (size_t i = 0; i < claims->count; i++) {
        unsigned j = 0;
        while (j < count && strcmp(reasons[j], claims->claims[i].why) != 0)
            j++;
        if (j == REASONS_MAX)
            continue;
        if (j == count) {
            reasons[count] = claims->claims[i].why;
            counts[count++] = 0;
        }
        counts[j]++;
        for (; j > 0 && counts[j] > counts[j - 1]; j--) {
            const char *reason = reasons[j];
            unsigned number = counts[j];
            reasons[j] = reasons[j - 1];
            counts[j] = counts[j - 1];
            reasons[j - 1] = reason;
            counts[j - 1] = number;
        }
    }
    return count;
}

/* Why `references` draws nothing: no source was named, or nothing of it can be compared. */
static void explain_references(const struct report *report, const char *figures) {
    const struct claims *claims = report->claims;
    bool asked = strstr(figures, "references") != NULL;
    if (!claims) {
        if (asked)
            fputs("boxmark: references: no source was given; name one with --reference "
                  "(`boxmark list references` shows them)\n",
                  stderr);
        return;
    }
    for (size_t i = 0; i < claims->count; i++)
        if (claims->claims[i].outcome != CLAIM_NOT_COMPARABLE)
            return;
    const char *reasons[REASONS_MAX];
    unsigned counts[REASONS_MAX];
    unsigned count = count_reasons(claims, reasons, counts);
    fprintf(stderr,
            "boxmark: references: none of %zu published ratios can be compared:", claims->count);
    for (unsigned i = 0; i < count && i < REASONS_SHOWN; i++)
        fprintf(stderr, "%s %s (%u)", i ? ";" : "", reasons[i], counts[i]);
    fprintf(stderr, "%s; `boxmark report RUN --reference NAME` tells it of each\n",
            count > REASONS_SHOWN ? "; ..." : "");
}

int command_plot(int argc, char **argv, struct error **err) {
    struct plot_command options = {.plot = {.formats = "svg,png", .figures = "all"}};
    cleanup_run_view struct run_view view = {0};
    if (command_parse(&plot_argp, argc, argv, &options, err) < 0 ||
        run_view_open(options.run, &view, err) < 0 || integrity_note(&view, err) < 0)
        return -1;
    cleanup_free char *folder =
        options.output ? text_format("%s", options.output) : text_format("%s/plots", view.folder);
    if (!folder)
        return error_no_memory(err);
    if (file_make_folders(folder, 0755, err) < 0)
        return -1;
    options.plot.output_folder = folder;
    struct report report;
    run_view_report(&view, &report);
    cleanup_reference_option struct reference_option references = options.references;
    if (reference_option_apply(&references, &report, err) < 0)
        return -1;
    unsigned count = 0;
    if (plot_run(&report, &options.plot, &count, err) < 0)
        return -1;
    explain_references(&report, options.plot.figures);
    printf("%u figures in %s\n", count, folder);
    return EXIT_CODE_OK;
}
