// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/demo.h"
#include "harness/interrupt.h"
#include "harness/outcome.h"
#include "harness/run_view.h"

#include "common/units.h"

#include <langinfo.h>
#include <string.h>

/* No further block begins after this time; what is under way is ended. */
#define DEMO_BUDGET_NS (100 * NS_PER_S)

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct run_options *options = input->options;
    switch (key) {
    case 'p':
        options->profile = argument;
        return 0;
    case 'o':
        options->output_folder = argument;
        return 0;
    case 'e':
        for (unsigned i = 0; i < PLAN_MAX; i++)
            if (!options->environments[i]) {
                options->environments[i] = argument;
                return 0;
            }
        error_set(input->err, ERROR_USAGE, 0, "too many environments");
        return EINVAL;
    case ARGP_KEY_ARG:
        error_set(input->err, ERROR_USAGE, 0, "demo takes no argument: \"%s\"", argument);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp demo_argp = {
    .options =
        (const struct argp_option[]){
            {"environment", 'e', "ENV", 0,
             "NAME[:KEY=VALUE,...], may be repeated (default: host, container, vm)", 0},
            {"profile", 'p', "PROFILE", 0, "size of the work (default: demo)", 0},
            {"output", 'o', "DIR", 0, "run folder (default: boxmark-runs/TIME-demo)", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .doc =
        "A lesson of about two minutes: starts every environment, shows what it is made of while "
        "it runs, measures, explains the differences and writes the report.\v"
        "Lines that begin with \">\" are evidence: read from the running instance, or measured.",
};

static void introduce(const struct demo *demo) {
    char size[32];
    const struct envelope *envelope = &demo->run->setup.envelope;
    demo_heading(demo, "What does it cost to put a program into a box?");
    demo_say(demo,
             "The same small program will do the same work in %u boxes of this machine, each with "
             "the same %u CPUs and %s of memory. First you see what each box is made of, then all "
             "are measured in turn. It takes about two minutes. Lines that begin with > are "
             "evidence, read while the box runs.",
             demo->run->environment_count, envelope->cpu_count,
             format_size(envelope->memory_bytes, size));
}

/* What a machine without KVM, a guest's kernel or namespaces cannot show is said before. */
static void say_what_is_missing(const struct demo *demo) {
    bool guest = false;
    for (unsigned i = 0; i < demo->run->environment_count; i++)
        guest = guest || strcmp(demo->run->environments[i]->accelerator, "none") != 0;
    if (!guest && !demo->run->options->environments[0])
        demo_say(demo, "There is no virtual machine in this demonstration: it cannot run here. "
                       "`boxmark doctor` says why, and what to do about it.");
}

static int measure(const struct demo *demo, struct error **err) {
    struct run *run = demo->run;
    demo_heading(demo, "Now the measurement");
    demo_say(demo,
             "Every box is started afresh %u times, in random order, so that what disturbs the "
             "machine disturbs all of them. One start says little; several give an interval. "
             "About a minute from here.",
             run->blocks);
    return run_carry_out(run, err);
}

/* Returns the exit code: figures of small work may be worth little, the lesson is learnt. */
static int tell(const struct demo *demo, struct error **err) {
    cleanup_run_view struct run_view view = {0};
    struct report report;
    if (run_view_open(demo->run->folder, &view, err) < 0)
        return -1;
    run_view_report(&view, &report);
    report.ascii = demo->ascii;
    if (outcome_write(demo->run, &view, &report, err) < 0 || demo_result(demo, &report, err) < 0)
        return -1;
    demo_heading(demo, "The report");
    /* A path is to be copied: it stands whole on a line of its own. */
    demo_say(demo, "With every figure, its interval, the audit and the method:");
    fprintf(demo->to, "  %s/report.html\n", demo->run->folder);
    demo_say(demo, "The work was small. For figures to rely on: boxmark run -p standard");
    return demo->run->problems ? EXIT_CODE_UNAVAILABLE : EXIT_CODE_OK;
}

static int demonstrate(struct demo *demo, const struct run_options *options, struct error **err) {
    struct run *run = demo->run;
    if (run_prepare(options, NULL, interrupt_fd(), run, err) < 0)
        return -1;
    progress_end(&run->progress);
    introduce(demo);
    say_what_is_missing(demo);
    for (unsigned i = 0; i < run->environment_count; i++)
        if (demo_environment(demo, i, err) < 0)
            return error_advise(err, "nothing is left running; begin again with `boxmark demo`");
    int measured = measure(demo, err);
    return measured < 0 ? -1 : tell(demo, err);
}

int command_demo(int argc, char **argv, struct error **err) {
    struct run_options options = {.profile = "demo", .budget_ns = DEMO_BUDGET_NS};
    struct run run = RUN_NONE;
    struct demo demo = {
        .to = stdout,
        .columns = terminal_columns(STDOUT_FILENO),
        .color = terminal_color(STDOUT_FILENO),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
        .run = &run,
    };
    int code = command_parse(&demo_argp, argc, argv, &options, err);
    /* Progress is for people who watch; elsewhere its lines would bury the lesson. */
    options.quiet = !isatty(STDERR_FILENO);
    if (code == 0)
        code = interrupt_install(err);
    if (code == 0)
        code = demonstrate(&demo, &options, err);
    run_clear(&run);
    return code;
}
