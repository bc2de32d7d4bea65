// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/integrity.h"
#include "harness/reference_option.h"
#include "harness/run_view.h"

#include "common/output.h"

#include <string.h>

enum { KEY_FULL = 256, KEY_REFERENCE };

struct report_options {
    const char *run;
    const char *format;
    const char *output;
    bool full;
    struct reference_option references;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct report_options *options = input->options;
    switch (key) {
    case 'f':
        options->format = argument;
        return 0;
    case 'o':
        options->output = output_path(argument);
        return 0;
    case KEY_FULL:
        options->full = true;
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

const struct argp report_argp = {
    .options =
        (const struct argp_option[]){
            {"format", 'f', "FORMAT", 0, "terminal (default), or as `--format help` lists", 0},
            {"output", 'o', "FILE", 0, "write there instead of to standard output", 0},
            {"reference", KEY_REFERENCE, "NAME", 0, REFERENCE_OPTION_HELP, 0},
            {"full", KEY_FULL, NULL, 0, "every metric, not the headlines alone", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "RUN",
    .doc = "Shows a run, derived again from its samples.",
};

static int write_report(const struct report_options *options, const struct report_writer *writer,
                        const struct report *report, struct error **err) {
    cleanup_output struct output output = {0};
    if (output_open(options->output, &output, err) < 0 ||
        writer->write(report, output.file, err) < 0)
        return -1;
    return output_commit(&output, err);
}

int command_report(int argc, char **argv, struct error **err) {
    struct report_options options = {.format = "terminal"};
    const struct report_writer *writer;
    cleanup_run_view struct run_view view = {0};
    if (command_parse(&report_argp, argc, argv, &options, err) < 0 ||
        report_writer_named(options.format, &writer, err) < 0 ||
        run_view_open(options.run, &view, err) < 0 || integrity_note(&view, err) < 0)
        return -1;
    struct report report;
    run_view_report(&view, &report);
    report.full = options.full;
    if (options.output)
        report.color = false;
    cleanup_reference_option struct reference_option references = options.references;
    if (reference_option_apply(&references, &report, err) < 0)
        return -1;
    return write_report(&options, writer, &report, err) < 0 ? -1 : EXIT_CODE_OK;
}
