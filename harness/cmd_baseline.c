// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/gate_run.h"

#include "common/output.h"

#include <string.h>

enum { KEY_FULL = 256, RUNS_MAX = 100 };

struct baseline_options {
    const char *runs[RUNS_MAX];
    unsigned run_count;
    const char *output;
    bool full;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct baseline_options *options = input->options;
    switch (key) {
    case 'o':
        options->output = argument;
        return 0;
    case KEY_FULL:
        options->full = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->run_count == RUNS_MAX) {
            error_set(input->err, ERROR_USAGE, 0, "more than %d runs", RUNS_MAX);
            return EINVAL;
        }
        options->runs[options->run_count++] = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->run_count > 0 && options->output)
            return 0;
        error_set(input->err, ERROR_USAGE, 0,
                  options->run_count ? "where to? Give a file with -o" : "which run?");
        error_advise(input->err, "boxmark baseline RUN... -o FILE; `boxmark list runs` shows runs");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp baseline_argp = {
    .options =
        (const struct argp_option[]){
            {"output", 'o', "FILE", 0, "the baseline to write", 0},
            {"full", KEY_FULL, NULL, 0, "every metric, not the headlines alone", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "RUN...",
    .doc = "Keeps what runs say of the overhead, for `boxmark check` to compare later runs with.\v"
           "Several runs make a baseline sturdier: they show how much runs differ by themselves. "
           "The file is small and made to be reviewed and kept beside the sources.",
};

/* A baseline that cannot be trusted would make every later check worthless. */
static int check_trust(const struct baseline *baseline, struct error **err) {
    for (size_t i = 0; i < baseline->series_count; i++) {
        const struct baseline_series *series = &baseline->series[i];
        if (!series->distrust)
            continue;
        error_set(err, ERROR_UNTRUSTWORTHY, 0, "no baseline of this: %s/%s in %s: %s",
                  series->workload, series->metric, series->environment, series->distrust);
        return error_advise(err, "measure again without what disturbs, or leave out what cannot "
                                 "be trusted (-w, -e)");
    }
    return 0;
}

/* How many ratios there are to compare: none is no baseline. */
static size_t count_series(const struct baseline *baseline) {
    size_t count = 0;
    for (size_t i = 0; i < baseline->series_count; i++)
        count += strcmp(baseline->series[i].environment, baseline->reference) != 0;
    return count;
}

int command_baseline(int argc, char **argv, struct error **err) {
    struct baseline_options options = {0};
    cleanup_baseline struct baseline baseline = {0};
    if (command_parse(&baseline_argp, argc, argv, &options, err) < 0)
        return -1;
    for (unsigned i = 0; i < options.run_count; i++)
        if (gate_run_add(&baseline, options.runs[i], options.full, false, NULL, err) < 0)
            return -1;
    if (check_trust(&baseline, err) < 0)
        return -1;
    size_t count = count_series(&baseline);
    if (count == 0)
        return error_set(err, ERROR_USAGE, 0, "there is nothing beside %s in this run to watch",
                         baseline.reference);
    const char *path = output_path(options.output);
    if (baseline_write(&baseline, path, err) < 0)
        return -1;
    fprintf(path ? stdout : stderr, "%s: %zu metrics of %u run%s\n",
            path ? path : "standard output", count, baseline.run_count,
            baseline.run_count == 1 ? "" : "s");
    return EXIT_CODE_OK;
}
