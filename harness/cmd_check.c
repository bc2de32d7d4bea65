// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/gate_output.h"
#include "harness/gate_run.h"
#include "harness/progress.h"
#include "harness/retry.h"

#include "common/file.h"
#include "common/output.h"
#include "common/units.h"
#include "results/gate_notes.h"

#include <langinfo.h>
#include <string.h>

#define SETTINGS_NAME "boxmark.ini"

enum {
    KEY_BASELINE = 256,
    KEY_ABSOLUTE,
    KEY_CONFIG,
    KEY_RETRY,
    KEY_WAIT,
    KEY_FAIL_ON,
    KEY_JUNIT,
    FORMATS_MAX = 16,
    RETRIES_MAX = 20,
};

struct check_options {
    const char *run, *baseline, *config, *output, *fail_on;
    bool absolute, quiet;
    unsigned retries;
    uint64_t wait_ns; /* for CPUs that another run has, with retries */
    struct gate_output formats[FORMATS_MAX];
    unsigned format_count;
};

static void options_cleanup(struct check_options *options) {
    for (unsigned i = 0; i < options->format_count; i++)
        free(options->formats[i].text);
}

static int unknown_format(const char *name, struct error **err) {
    const char *names[FORMATS_MAX + 1] = {NULL};
    for (unsigned i = 0; gate_writers[i] && i < FORMATS_MAX; i++)
        names[i] = gate_writers[i]->name;
    return error_unknown_name("format", name, names, err);
}

/* "junit=report.xml", or a name alone for standard output. */
static int add_format(struct check_options *options, const char *name, const char *argument,
                      struct error **err) {
    if (options->format_count == FORMATS_MAX)
        return error_set(err, ERROR_USAGE, 0, "more than %d formats", FORMATS_MAX);
    struct gate_output *format = &options->formats[options->format_count];
    format->text = name ? text_format("%s=%s", name, argument) : strdup(argument);
    if (!format->text)
        return error_no_memory(err);
    options->format_count++;
    char *equals = strchr(format->text, '=');
    if (equals) {
        *equals = '\0';
        format->path = output_path(equals + 1);
        if (!equals[1])
            return error_set(err, ERROR_USAGE, 0, "--format: no file after \"%s=\"", format->text);
    }
    format->writer = gate_writer_find(format->text);
    return format->writer ? 0 : unknown_format(format->text, err);
}

static int finish_options(struct check_options *options, struct error **err) {
    if (!options->run || !options->baseline) {
        error_set(err, ERROR_USAGE, 0, options->run ? "which baseline?" : "which run?");
        return error_advise(err, "boxmark check --baseline FILE RUN");
    }
    if (options->output) {
        if (options->format_count == 0 && add_format(options, NULL, "terminal", err) < 0)
            return -1;
        if (options->format_count != 1 || options->formats[0].path) {
            error_set(err, ERROR_USAGE, 0, "-o is for one format");
            return error_advise(err, "with several, write --format FORMAT=FILE for each");
        }
        options->formats[0].path = options->output;
    }
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct check_options *options = input->options;
    uint64_t number;
    switch (key) {
    case KEY_BASELINE:
        options->baseline = argument;
        return 0;
    case KEY_ABSOLUTE:
        options->absolute = true;
        return 0;
    case KEY_CONFIG:
        options->config = argument;
        return 0;
    case KEY_FAIL_ON:
        options->fail_on = argument;
        return 0;
    case KEY_RETRY:
        if (parse_count(argument, "--retry", 0, RETRIES_MAX, &number, input->err) < 0)
            return EINVAL;
        options->retries = (unsigned)number;
        return 0;
    case KEY_WAIT:
        return parse_duration(argument, "--wait", &options->wait_ns, input->err) < 0 ? EINVAL : 0;
    case KEY_JUNIT:
        return add_format(options, "junit", argument, input->err) < 0 ? EINVAL : 0;
    case 'f':
        return add_format(options, NULL, argument, input->err) < 0 ? EINVAL : 0;
    case 'o':
        options->output = output_path(argument);
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->run) {
            error_set(input->err, ERROR_USAGE, 0, "one run at a time: \"%s\"", argument);
            return EINVAL;
        }
        options->run = argument;
        return 0;
    case ARGP_KEY_END:
        return finish_options(options, input->err) < 0 ? EINVAL : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp check_argp = {
    .options =
        (const struct argp_option[]){
            {"baseline", KEY_BASELINE, "FILE", 0, "what to compare with (needed)", 0},
            {"absolute", KEY_ABSOLUTE, NULL, 0,
             "compare times and rates themselves, not ratios to the host: same machine only", 0},
            {"config", KEY_CONFIG, "FILE", 0,
             "margins and other settings (default: " SETTINGS_NAME " here, if there is one)", 0},
            {"retry", KEY_RETRY, "N", 0,
             "measure what is suspicious again here, up to N times; all samples count", 0},
            {"wait", KEY_WAIT, "TIME", 0,
             "with --retry: wait so long for CPUs that another run has (default: refuse)", 0},
            {"fail-on", KEY_FAIL_ON, "LIST", 0,
             "of worse, inconclusive, untrustworthy (default: all); worse always fails", 0},
            {"format", 'f', "FORMAT[=FILE]", 0,
             "terminal, markdown, json, junit, tap, github, gitlab; may be repeated", 0},
            {"junit", KEY_JUNIT, "FILE", 0, "the same as --format junit=FILE", 0},
            {"output", 'o', "FILE", 0, "write there instead of to standard output", 0},
            {"quiet", 'q', NULL, 0, "no table, no progress", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .args_doc = "RUN",
    .doc =
        "Has isolation become dearer than the baseline says?\v"
        "Exit codes: 0 nothing worse; 1 a regression; 2 not comparable, or bad input; 3 "
        "--retry cannot measure here now (CPUs in use, say); 4 inconclusive; 5 untrustworthy. Example: boxmark check --baseline baseline.json "
        "--retry 2 --junit report.xml RUN",
};

/* ---- The check --------------------------------------------------------------------------------
 */

struct check {
    const struct check_options *options;
    struct gate_settings settings;
    struct baseline before, now;
    json_t *record;
    struct gate_result result;
    unsigned retries; /* that count */
};

static void check_cleanup(struct check *check) {
    gate_result_clear(&check->result);
    gate_settings_clear(&check->settings);
    baseline_clear(&check->before);
    baseline_clear(&check->now);
    json_decref(check->record);
}

static int load_settings(struct check *check, struct error **err) {
    const struct check_options *options = check->options;
    if (gate_settings_default(&check->settings, err) < 0)
        return -1;
    const char *path = options->config              ? options->config
                       : file_exists(SETTINGS_NAME) ? SETTINGS_NAME
                                                    : NULL;
    if (path && gate_settings_read(&check->settings, path, err) < 0)
        return -1;
    /* Not every format has room for it, and --quiet shows none. */
    if (path && !options->config)
        fprintf(stderr, "boxmark: settings are those of %s in this folder\n", path);
    return options->fail_on ? gate_fail_on_parse(options->fail_on, "outcome of --fail-on",
                                                 &check->settings.fail_on, err)
                            : 0;
}

/* Reads the run with all its retries and decides. */
static int decide(struct check *check, struct error **err) {
    const struct check_options *options = check->options;
    gate_result_clear(&check->result);
    baseline_clear(&check->now);
    json_decref(check->record);
    check->record = NULL;
    if (gate_run_add(&check->now, options->run, true, false, &check->record, err) < 0 ||
        gate_retries_add(&check->now, options->run, &check->retries, err) < 0 ||
        baseline_distinct(&check->before, &check->now, err) < 0 ||
        baseline_comparable(&check->before, &check->now, options->absolute, err) < 0)
        return -1;
    return gate_decide(&check->before, &check->now, &check->settings, options->absolute,
                       &check->result, err);
}

static unsigned count_suspicious(const struct gate_result *result) {
    unsigned count = 0;
    for (size_t i = 0; i < result->row_count; i++)
        count += gate_row_suspicious(&result->rows[i]);
    return count;
}

/* Only what is suspicious is measured again, and what was measured before stays in. */
static int retry_suspicious(struct check *check, struct error **err) {
    const struct check_options *options = check->options;
    for (unsigned i = 0; i < options->retries; i++) {
        unsigned suspicious = count_suspicious(&check->result);
        if (suspicious == 0)
            return 0;
        cleanup_free char *folder = gate_retry_folder(options->run, check->retries + 1);
        if (!folder)
            return error_no_memory(err);
        if (!options->quiet)
            fprintf(stderr, "boxmark: %u suspicious metric%s: measuring again (%u of %u), in %s\n",
                    suspicious, suspicious == 1 ? "" : "s", i + 1, options->retries, folder);
        if (retry_measure(&check->result, check->record, folder, options->wait_ns, options->quiet,
                          err) < 0 ||
            decide(check, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- Output -----------------------------------------------------------------------------------
 */

static int write_all(const struct check *check, struct error **err) {
    const struct check_options *options = check->options;
    struct gate_report report = {
        .result = &check->result,
        .baseline_path = options->baseline,
        .run_folder = options->run,
        .created = json_string_value(json_object_get(check->record, "created")),
        .retries = check->retries,
        .columns = terminal_columns(STDOUT_FILENO),
        .color = terminal_color(STDOUT_FILENO),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
    bool shown = options->quiet;
    for (unsigned i = 0; i < options->format_count; i++)
        shown |= !options->formats[i].path || options->output;
    if (!shown && gate_writer_terminal.write(&report, stdout, err) < 0)
        return -1;
    return gate_outputs_write(options->formats, options->format_count, &report, err);
}

/* A verdict stands, even where what is suspicious could not be measured again. */
static int write_first_verdict(struct check *check, struct error *failure, struct error **err) {
    char *note =
        text_format("What is suspicious could not be measured again: %s", error_message(failure));
    if (gate_note_add(&check->result, note, err) < 0)
        return -1;
    return write_all(check, err);
}

static int carry_out(struct check *check, struct error **err) {
    struct error *failure = NULL;
    if (load_settings(check, err) < 0 ||
        baseline_read(check->options->baseline, &check->before, err) < 0 || decide(check, err) < 0)
        return -1;
    if (retry_suspicious(check, &failure) == 0)
        return write_all(check, err);
    if (check->result.row_count == 0 || write_first_verdict(check, failure, err) == 0)
        return error_move(err, failure);
    error_free(failure);
    return -1;
}

int command_check(int argc, char **argv, struct error **err) {
    __attribute__((cleanup(options_cleanup))) struct check_options options = {0};
    __attribute__((cleanup(check_cleanup))) struct check check = {.options = &options};
    struct error *why = NULL;
    if (command_parse(&check_argp, argc, argv, &options, &why) == 0 && carry_out(&check, &why) == 0)
        return (int)gate_exit_code(&check.result);
    const struct gate_failure failure = {.baseline_path = options.baseline,
                                         .run_folder = options.run,
                                         .message = error_message(why)};
    /* With a verdict, its outputs are written. */
    if (check.result.row_count == 0)
        gate_outputs_fail(options.formats, options.format_count, &failure);
    return error_move(err, why);
}
