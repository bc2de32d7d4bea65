// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/integrity.h"
#include "harness/profile.h"
#include "harness/progress.h"
#include "harness/run_view.h"

#include "common/file.h"
#include "common/output.h"
#include "common/units.h"
#include "plots/compare.h"
#include "plots/gnuplot.h"

#include <langinfo.h>
#include <string.h>

enum { KEY_FULL = 256, KEY_PLOT, KEY_PLOT_FORMAT, KEY_STYLE };

struct compare_options {
    const char *runs[COMPARISON_RUNS_MAX];
    unsigned count;
    const char *workloads[WORKLOADS_MAX + 1];
    unsigned workload_count;
    const char *format;
    const char *output;
    bool full;
    struct plot_options plot; /* output_folder: NULL without --plot */
};

static int add_workloads(struct compare_options *options, char *text, struct error **err) {
    const char *names[WORKLOADS_MAX + 1] = {NULL};
    for (unsigned i = 0; workload_catalog[i] && i < WORKLOADS_MAX; i++)
        names[i] = workload_catalog[i]->name;
    for (char *name; (name = strsep(&text, ","));) {
        if (!workload_find(name))
            return error_unknown_name("workload", name, names, err);
        if (options->workload_count == WORKLOADS_MAX)
            return error_set(err, ERROR_USAGE, 0, "too many workloads");
        options->workloads[options->workload_count++] = name;
    }
    return 0;
}

static int add_run(struct compare_options *options, const char *text, struct error **err) {
    if (options->count == COMPARISON_RUNS_MAX)
        return error_set(err, ERROR_USAGE, 0, "more than %d runs", COMPARISON_RUNS_MAX);
    options->runs[options->count++] = text;
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct compare_options *options = input->options;
    switch (key) {
    case 'f':
        options->format = argument;
        return 0;
    case 'o':
        options->output = output_path(argument);
        return 0;
    case 'w':
        return add_workloads(options, argument, input->err) < 0 ? EINVAL : 0;
    case KEY_FULL:
        options->full = true;
        return 0;
    case KEY_PLOT:
        options->plot.output_folder = argument;
        return 0;
    case KEY_PLOT_FORMAT:
        options->plot.formats = argument;
        return 0;
    case KEY_STYLE:
        options->plot.style = argument;
        return 0;
    case ARGP_KEY_ARG:
        return add_run(options, argument, input->err) < 0 ? EINVAL : 0;
    case ARGP_KEY_END:
        if (options->count < 2) {
            error_set(input->err, ERROR_USAGE, 0, "a comparison needs two runs at least");
            error_advise(input->err, "give their folders; `boxmark list runs` shows them");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp compare_argp = {
    .options =
        (const struct argp_option[]){
            {"format", 'f', "FORMAT", 0, "terminal (default), html, markdown, latex, csv or json",
             0},
            {"output", 'o', "FILE", 0, "write there instead of to standard output", 0},
            {"workload", 'w', "NAME", 0, "only this one; may be repeated", 0},
            {"full", KEY_FULL, NULL, 0, "every metric, not the headlines alone", 0},
            {"plot", KEY_PLOT, "DIR", 0, "draw the figure `comparison' into this folder", 0},
            {"plot-format", KEY_PLOT_FORMAT, "FORMAT,...", 0, "svg, png, pdf (default: svg,png)",
             0},
            {"style", KEY_STYLE, "STYLE", 0,
             "slide (default), paper (two columns wide, greys) or column", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "[NAME=]RUN [NAME=]RUN...",
    .doc = "Shows several runs side by side: the ratios of each, whether they changed since the "
           "first, and what differs between the machines.\v"
           "Ratios of one run refer to the host of the same run, so that runs of different "
           "machines, kernels and months can be compared. Where the runs did not do the same work "
           "(other parameters, another answer), the comparison is refused with exit code 5; "
           "`-w' chooses the workloads that are the same.",
};

/* Everything of one run. */
struct side {
    struct run_view view;
    struct report report;
    char *name, *folder;
};

struct sides {
    unsigned count;
    struct side sides[COMPARISON_RUNS_MAX];
};

static void sides_cleanup(struct sides *sides) {
    for (unsigned i = 0; i < sides->count; i++) {
        run_view_clear(&sides->sides[i].view);
        free(sides->sides[i].name);
        free(sides->sides[i].folder);
    }
}

/* "FOLDER" is called by its last part, "NAME=FOLDER" as it says; a folder may hold "=", too. */
static int name_side(struct side *side, const char *text, struct error **err) {
    const char *equals = strchr(text, '=');
    if (equals && equals > text && !file_exists(text)) {
        side->name = strndup(text, (size_t)(equals - text));
        side->folder = strdup(equals + 1);
    } else {
        cleanup_free char *path = realpath(text, NULL);
        const char *last = path ? strrchr(path, '/') : NULL;
        side->name = strdup(last && last[1] ? last + 1 : text);
        side->folder = strdup(text);
    }
    return side->name && side->folder ? 0 : error_no_memory(err);
}

static bool is_taken(const struct sides *sides, unsigned before, const char *name) {
    for (unsigned i = 0; i < before; i++)
        if (strcmp(sides->sides[i].name, name) == 0)
            return true;
    return false;
}

/* Runs of the same name on two machines: "quick", "quick#2". */
static int make_unique(struct sides *sides, struct error **err) {
    for (unsigned i = 1; i < sides->count; i++) {
        cleanup_free char *name = strdup(sides->sides[i].name);
        for (unsigned number = 2; name && is_taken(sides, i, name); number++) {
            free(name);
            name = text_format("%s#%u", sides->sides[i].name, number);
        }
        if (!name)
            return error_no_memory(err);
        free(sides->sides[i].name);
        sides->sides[i].name = TAKE_PTR(name);
    }
    return 0;
}

static int open_sides(const struct compare_options *options, struct sides *sides,
                      struct error **err) {
    for (unsigned i = 0; i < options->count; i++) {
        struct side *side = &sides->sides[sides->count++];
        if (name_side(side, options->runs[i], err) < 0 ||
            run_view_open(side->folder, &side->view, err) < 0 ||
            integrity_note(&side->view, err) < 0)
            return -1;
        run_view_report(&side->view, &side->report);
    }
    return make_unique(sides, err);
}

static int write_comparison(const struct compare_options *options,
                            const struct report_writer *writer, const struct comparison *comparison,
                            struct error **err) {
    struct report_comparison report = {
        .comparison = comparison,
        .columns = terminal_columns(STDOUT_FILENO),
        .color = !options->output && terminal_color(STDOUT_FILENO),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
        .full = options->full,
    };
    cleanup_output struct output output = {0};
    if (output_open(options->output, &output, err) < 0 ||
        writer->compare(&report, output.file, err) < 0)
        return -1;
    return output_commit(&output, err);
}

/* Only the chosen workloads: the figure shows all headlines that a report has. */
static void keep_workloads(const struct compare_options *options, struct summary *summary) {
    for (unsigned i = 0; i < summary->metric_count; i++)
        summary->metrics[i].headline =
            summary->metrics[i].headline &&
            comparison_has_workload(options->workloads, summary->metrics[i].workload);
}

static int draw(const struct compare_options *options, struct sides *sides, struct error **err) {
    const struct report *reports[COMPARISON_RUNS_MAX];
    const char *names[COMPARISON_RUNS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < sides->count; i++) {
        keep_workloads(options, sides->sides[i].view.summary);
        reports[i] = &sides->sides[i].report;
        names[i] = sides->sides[i].name;
    }
    if (file_make_folders(options->plot.output_folder, 0755, err) < 0)
        return -1;
    cleanup_free char *folder = realpath(options->plot.output_folder, NULL);
    if (!folder)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", options->plot.output_folder);
    struct plot_options plot = options->plot;
    plot.output_folder = folder;
    if (plot_comparison(reports, names, sides->count, &plot, &count, err) < 0)
        return -1;
    fprintf(stderr, "%u figures in %s\n", count, folder);
    return 0;
}

int command_compare(int argc, char **argv, struct error **err) {
    struct compare_options options = {.format = "terminal"};
    const struct report_writer *writer;
    __attribute__((cleanup(sides_cleanup))) struct sides sides = {0};
    if (command_parse(&compare_argp, argc, argv, &options, err) < 0 ||
        report_writer_named(options.format, &writer, err) < 0 ||
        open_sides(&options, &sides, err) < 0)
        return -1;
    struct compared_run runs[COMPARISON_RUNS_MAX];
    for (unsigned i = 0; i < sides.count; i++)
        runs[i] = (struct compared_run){.name = sides.sides[i].name,
                                        .folder = sides.sides[i].folder,
                                        .record = sides.sides[i].view.record,
                                        .journal = sides.sides[i].view.journal,
                                        .summary = sides.sides[i].view.summary,
                                        .files_problem = sides.sides[i].view.files_problem};
    cleanup_comparison struct comparison *comparison = NULL;
    if (comparison_make(runs, sides.count, options.workloads, &comparison, err) < 0 ||
        write_comparison(&options, writer, comparison, err) < 0 ||
        (options.plot.output_folder && draw(&options, &sides, err) < 0))
        return -1;
    return EXIT_CODE_OK;
}
