// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/integrity.h"
#include "harness/run_view.h"

#include "common/file.h"
#include "common/output.h"
#include "common/units.h"
#include "harness/progress.h"
#include "plots/history_report.h"
#include "results/run_record.h"

#include <dirent.h>
#include <fnmatch.h>
#include <langinfo.h>
#include <string.h>

enum {
    KEY_HISTORY = 256,
    KEY_FULL,
    KEY_ABSOLUTE,
    KEY_PLOT,
    KEY_PLOT_FORMAT,
    KEY_STYLE,
    KEY_OTAVA,
    KEY_MAX_P,
    KEY_MIN_CHANGE,
    KEY_WINDOW,
    KEY_UNTRUSTWORTHY,
};

struct history_command {
    const char *folder, *history, *format, *output, *otava_folder;
    struct history_view_options view;
    struct plot_options plot; /* output_folder: NULL without --plot */
};

/* A number between two others, both allowed. */
static int parse_number(const char *text, const char *what, double least, double greatest,
                        double *ret_value, struct error **err) {
    char *end = NULL;
    *ret_value = strtod(text, &end);
    /* strtod knows hexadecimal and "inf", too. */
    if (end != text && !*end && !text[strspn(text, "0123456789.eE+-")] && *ret_value >= least &&
        *ret_value <= greatest)
        return 0;
    return error_set(err, ERROR_USAGE, 0, "%s: \"%s\" is not a number from %g to %g", what, text,
                     least, greatest);
}

static int parse_change(int key, const char *argument, struct change_point_options *change,
                        struct error **err) {
    uint64_t window;
    double percent;
    switch (key) {
    case KEY_MAX_P:
        return parse_number(argument, "--max-p", 1e-12, 0.5, &change->max_p, err);
    case KEY_MIN_CHANGE:
        if (parse_number(argument, "--min-change", 0, 1000, &percent, err) < 0)
            return -1;
        change->min_change = percent / 100;
        return 0;
    default:
        if (parse_count(argument, "--window", 4, 1000, &window, err) < 0)
            return -1;
        change->window = (size_t)window;
        return 0;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct history_command *options = input->options;
    switch (key) {
    case 'f':
        options->format = argument;
        return 0;
    case 'o':
        options->output = output_path(argument);
        return 0;
    case KEY_HISTORY:
        options->history = output_path(argument);
        if (options->history)
            return 0;
        error_set(input->err, ERROR_USAGE, 0,
                  "--history is a file that is read and written: \"-\" is none");
        error_advise(input->err, "--format csv writes the change points to standard output");
        return EINVAL;
    case KEY_FULL:
        options->view.full = true;
        return 0;
    case KEY_ABSOLUTE:
        options->view.absolute = true;
        return 0;
    case KEY_UNTRUSTWORTHY:
        options->view.all = true;
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
    case KEY_OTAVA:
        options->otava_folder = argument;
        return 0;
    case KEY_MAX_P:
    case KEY_MIN_CHANGE:
    case KEY_WINDOW:
        return parse_change(key, argument, &options->view.change, input->err) < 0 ? EINVAL : 0;
    case ARGP_KEY_ARG:
        if (options->folder) {
            error_set(input->err, ERROR_USAGE, 0, "one folder of runs at a time: \"%s\"", argument);
            return EINVAL;
        }
        options->folder = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp history_argp = {
    .options =
        (const struct argp_option[]){
            {"history", KEY_HISTORY, "FILE", 0, "the collected CSV (default: DIR/history.csv)", 0},
            {"format", 'f', "FORMAT", 0, "terminal (default), markdown, csv or json", 0},
            {"output", 'o', "FILE", 0, "write there instead of to standard output", 0},
            {"full", KEY_FULL, NULL, 0, "every metric, not the headlines alone", 0},
            {"absolute", KEY_ABSOLUTE, NULL, 0,
             "medians, machine by machine, in place of ratios to the host", 0},
            {"untrustworthy", KEY_UNTRUSTWORTHY, NULL, 0,
             "count values that the audit of their run calls untrustworthy, too", 0},
            {"max-p", KEY_MAX_P, "P", 0, "most p-value of a change point (default: 0.001)", 0},
            {"min-change", KEY_MIN_CHANGE, "PERCENT", 0, "least change that counts (default: 1)",
             0},
            {"window", KEY_WINDOW, "RUNS", 0, "runs looked at together (default: 50)", 0},
            {"plot", KEY_PLOT, "DIR", 0, "draw a chart of each metric into this folder", 0},
            {"plot-format", KEY_PLOT_FORMAT, "FORMAT,...", 0, "svg, png, pdf (default: svg,png)",
             0},
            {"style", KEY_STYLE, "STYLE", 0,
             "slide (default), paper (two columns wide, greys) or column", 0},
            {"otava", KEY_OTAVA, "DIR", 0, "write files for Apache Otava into this folder", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "[DIR]",
    .doc = "Adds the summaries of the finished runs in DIR (default: boxmark-runs) to one CSV and "
           "shows when a metric changed for good: its change points.\v"
           "Runs that are there already are not added again; they may be deleted from DIR. What "
           "is not finished is left out with a note, what was edited with exit code 5.",
};

/* What a pass over a folder met. */
struct collecting {
    struct history *history;
    size_t added, unfinished, refused;
};

/* The three files that matter here are what the manifest says. */
static int check_manifest(const char *folder, struct error **err) {
    static const char *const names[] = {"run.json", "samples.csv", "summary.json", NULL};
    cleanup_free char *problem = NULL;
    if (integrity_examine(folder, names, &problem, err) < 0)
        return -1;
    if (!problem)
        return 0;
    error_set(err, ERROR_UNTRUSTWORTHY, 0, "%s", problem);
    return error_advise(err, "`boxmark verify %s' says more", folder);
}

/* The run's own summary; made anew where there is none. */
static int load_summary(const char *folder, json_t **ret_summary, struct error **err) {
    cleanup_free char *path = text_format("%s/summary.json", folder);
    cleanup_free char *text = NULL;
    size_t size;
    json_error_t problem;
    if (!path)
        return error_no_memory(err);
    if (!file_exists(path)) {
        cleanup_run_view struct run_view view = {0};
        return run_view_open(folder, &view, err) < 0 ? -1
                                                     : run_view_summary(&view, ret_summary, err);
    }
    if (file_read(path, &text, &size, err) < 0)
        return -1;
    *ret_summary = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    return *ret_summary ? 0
                        : error_set(err, ERROR_USAGE, 0, "summary.json:%d:%d: %s", problem.line,
                                    problem.column, problem.text);
}

static int add_run(struct collecting *collecting, const char *folder, const char *record_path,
                   struct error **err) {
    cleanup_free char *text = NULL;
    json_auto_t *record = NULL, *summary = NULL;
    size_t size;
    bool added = false;
    if (file_read(record_path, &text, &size, err) < 0 ||
        run_record_parse(text, size, "run.json", &record, err) < 0)
        return -1;
    const char *status = json_string_value(json_object_get(record, "status"));
    if (strcmp(status, "finished") != 0) {
        collecting->unfinished++;
        fprintf(stderr, "boxmark: %s is left out: it is not finished (%s)\n", folder, status);
        return 0;
    }
    if (check_manifest(folder, err) < 0 || load_summary(folder, &summary, err) < 0 ||
        history_add_run(collecting->history, text, record, summary, &added, err) < 0)
        return -1;
    collecting->added += added;
    return 0;
}

/* A run that cannot be added is named and left out; only the machine's own failures end it all. */
static int collect(struct collecting *collecting, const char *folder, struct error **err) {
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    int result = 0;
    if (count < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", folder);
    for (int i = 0; i < count; i++) {
        struct error *why = NULL;
        cleanup_free char *run = text_format("%s/%s", folder, entries[i]->d_name);
        cleanup_free char *record = run ? text_format("%s/run.json", run) : NULL;
        /* What `boxmark check --retry' measures again belongs to the run beside it. */
        bool hidden =
            entries[i]->d_name[0] == '.' || fnmatch("*.retry-[0-9]*", entries[i]->d_name, 0) == 0;
        free(entries[i]);
        if (result < 0 || hidden)
            continue;
        if (!record)
            result = error_no_memory(err);
        else if (file_exists(record) && add_run(collecting, run, record, &why) < 0) {
            error_wrap(&why, "%s is left out", run);
            collecting->refused++;
            if (why->kind == ERROR_INTERNAL && why->errnum == ENOMEM) {
                result = error_move(err, why);
                continue;
            }
            error_print(why);
            error_free(why);
        }
    }
    free(entries);
    return result;
}

/* The history as it is now: the file, and what DIR adds to it. */
static int update(const struct history_command *options, const char *path,
                  struct collecting *collecting, struct error **err) {
    struct history *history = collecting->history;
    size_t disordered = 0, older = 0;
    if (history_load(path, history, err) < 0)
        return -1;
    history_sort(history, &disordered);
    if (disordered > 0)
        fprintf(stderr, "boxmark: %s was not in order of date; it is now\n", path);
    if (collect(collecting, options->folder, err) < 0)
        return -1;
    history_sort(history, &older);
    if (history->count == 0) {
        error_set(err, ERROR_USAGE, 0, "there is no finished run in %s, and no history in %s",
                  options->folder, path);
        return error_advise(err, "`boxmark run' makes one; `boxmark list runs DIR' shows them");
    }
    if (collecting->added > 0 || disordered > 0)
        return history_save(path, history, err);
    return 0;
}

static int show(const struct history_command *options, const struct history_report *report,
                struct error **err) {
    enum { WRITERS_MAX = 8 };
    const char *names[WRITERS_MAX + 1] = {NULL};
    const struct history_writer *writer = history_writers;
    for (unsigned i = 0; history_writers[i].name && i < WRITERS_MAX; i++)
        names[i] = history_writers[i].name;
    while (writer->name && strcmp(writer->name, options->format) != 0)
        writer++;
    if (!writer->name)
        return error_unknown_name("format", options->format, names, err);
    cleanup_output struct output output = {0};
    if (output_open(options->output, &output, err) < 0 ||
        writer->write(report, output.file, err) < 0)
        return -1;
    return output_commit(&output, err);
}

static int show_all(const struct history_command *options, const struct history *history,
                    struct error **err) {
    cleanup_history_view struct history_view view = {0};
    if (history_view_make(history, &options->view, &view, err) < 0)
        return -1;
    const struct history_report report = {
        .history = history,
        .view = &view,
        .options = options->view,
        .columns = terminal_columns(STDOUT_FILENO),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
    unsigned count = 0;
    cleanup_free char *untrustworthy = history_untrustworthy_words(&report);
    if (!untrustworthy)
        return error_no_memory(err);
    if (show(options, &report, err) < 0)
        return -1;
    if (*untrustworthy) /* not every format has room for it */
        fprintf(stderr, "boxmark: %s\n", untrustworthy);
    if (options->otava_folder) {
        if (history_export_otava(&report, options->otava_folder, &count, err) < 0)
            return -1;
        fprintf(stderr, "boxmark: %u CSV file%s and otava.yaml in %s\n", count,
                count == 1 ? "" : "s", options->otava_folder);
    }
    if (options->plot.output_folder) {
        if (file_make_folders(options->plot.output_folder, 0755, err) < 0 ||
            plot_history(&report, &options->plot, &count, err) < 0)
            return -1;
        fprintf(stderr, "boxmark: %u figures in %s\n", count, options->plot.output_folder);
    }
    return 0;
}

int command_history(int argc, char **argv, struct error **err) {
    struct history_command options = {.folder = NULL,
                                      .format = history_writers[0].name,
                                      .view.change = change_point_defaults,
                                      .plot.formats = "svg,png"};
    if (command_parse(&history_argp, argc, argv, &options, err) < 0)
        return -1;
    if (!options.folder)
        options.folder = "boxmark-runs";
    cleanup_history struct history history = {0};
    struct collecting collecting = {.history = &history};
    cleanup_free char *path =
        options.history ? strdup(options.history) : text_format("%s/history.csv", options.folder);
    if (!path)
        return error_no_memory(err);
    if (update(&options, path, &collecting, err) < 0 || show_all(&options, &history, err) < 0)
        return -1;
    fprintf(stderr, "boxmark: %zu run%s added to %s\n", collecting.added,
            collecting.added == 1 ? "" : "s", path);
    if (collecting.refused > 0)
        return error_set(err, ERROR_UNTRUSTWORTHY, 0, "%zu run%s left out (see above)",
                         collecting.refused, collecting.refused == 1 ? " was" : "s were");
    return EXIT_CODE_OK;
}
