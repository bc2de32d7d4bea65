// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/interrupt.h"
#include "harness/outcome.h"
#include "harness/run.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/units.h"

#include <string.h>

enum {
    KEY_CPUS = 256,
    KEY_MEMORY,
    KEY_DATA,
    KEY_KERNEL,
    KEY_SEED,
    KEY_BLOCKS,
    KEY_MAX_BLOCKS,
    KEY_PRECISION,
    KEY_BUDGET,
    KEY_STARTS,
    KEY_TIMEOUT,
    KEY_START_TIMEOUT,
    KEY_REQUIRE_KVM,
    KEY_DRY_RUN,
    KEY_NO_PLOTS,
    KEY_SET,
    KEY_RESUME,
    KEY_WAIT,
};

static const struct argp_option option_table[] = {
    {NULL, 0, NULL, 0, "What to compare", 1},
    {"profile", 'p', "PROFILE", 0, "size of the work: smoke, quick (default), standard, paper", 0},
    {"environment", 'e', "ENV", 0,
     "NAME[:KEY=VALUE,...], may be repeated (default: host, container, vm)", 0},
    {"workload", 'w', "NAME", 0, "may be repeated (default: all)", 0},
    {"cpus", KEY_CPUS, "N", 0, "CPUs for every environment (default: the cores, at most 4)", 0},
    {"memory", KEY_MEMORY, "SIZE", 0, "memory for every environment (default: what the work needs)",
     0},
    {"set", KEY_SET, "WORKLOAD.PARAMETER=N", 0, "change one parameter of the work that is done", 0},
    {"require-kvm", KEY_REQUIRE_KVM, NULL, 0, "refuse a VM under software emulation", 0},
    {"kernel", KEY_KERNEL, "FILE", 0, "kernel of the guest", 0},
    {NULL, 0, NULL, 0, "How often", 2},
    {"blocks", KEY_BLOCKS, "N", 0, "repetitions at least (default: the profile's)", 0},
    {"max-blocks", KEY_MAX_BLOCKS, "N", 0,
     "repetitions at most, where precision wants more (default: the profile's, or --blocks if more)",
     0},
    {"precision", KEY_PRECISION, "PERCENT", 0,
     "stop when every headline interval is narrower (default: 1)", 0},
    {"budget", KEY_BUDGET, "TIME", 0, "begin no further block after this time (default: none)", 0},
    {"starts", KEY_STARTS, "N", 0, "cold and warm starts in every block (default: 1)", 0},
    {"seed", KEY_SEED, "N", 0, "seed of the schedule (default: drawn)", 0},
    {NULL, 0, NULL, 0, "Where", 3},
    {"output", 'o', "DIR", 0, "run folder (default: boxmark-runs/TIME-PROFILE)", 0},
    {"data", KEY_DATA, "DIR", 0, "folder on the disk to be measured (default: the run folder)", 0},
    {"resume", KEY_RESUME, "RUN", 0, "continue a run that was interrupted, as it was planned", 0},
    {NULL, 0, NULL, 0, "How to behave", 4},
    {"timeout", KEY_TIMEOUT, "TIME", 0, "longest time for one request (default: the profile's)", 0},
    {"start-timeout", KEY_START_TIMEOUT, "TIME", 0, "longest time for one start (default: 2m)", 0},
    {"wait", KEY_WAIT, "TIME", 0,
     "wait so long for CPUs that another run has (default: 0, refuse at once)", 0},
    {"dry-run", KEY_DRY_RUN, NULL, 0, "print the plan and every command line; start nothing", 0},
    {"no-plots", KEY_NO_PLOTS, NULL, 0, "no figures now; `boxmark plot` draws them at any time", 0},
    {"quiet", 'q', NULL, 0, "no progress, warnings only", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

struct run_command {
    struct run_options options;
    const char *planned; /* an option that was given and is part of a run's plan, or NULL */
};

/* What a run does not keep in its record: all that --resume leaves to choose. */
static const int keys_beside_resume[] = {KEY_RESUME, KEY_WAIT, KEY_DRY_RUN, KEY_NO_PLOTS, 'q'};

/* Keeps the name of the first option that is part of the plan. */
static void note_planned(struct run_command *command, int key) {
    const unsigned count = sizeof(keys_beside_resume) / sizeof(*keys_beside_resume);
    for (unsigned i = 0; i < count; i++)
        if (keys_beside_resume[i] == key)
            return;
    for (const struct argp_option *option = option_table; option->name || option->doc; option++)
        if (option->name && option->key == key && !command->planned)
            command->planned = option->name;
}

/* What the options say together, whatever their order. */
static int check_together(const struct run_command *command, struct error **err) {
    if (command->options.resume && command->planned) {
        error_set(err, ERROR_USAGE, 0,
                  "--resume goes on as the run was planned: --%s cannot change", command->planned);
        return error_advise(err, "leave it out, or begin a new run; beside --resume there may be "
                                 "--wait, --dry-run, --no-plots and --quiet");
    }
    if (command->options.max_blocks && command->options.max_blocks < command->options.blocks) {
        error_set(err, ERROR_USAGE, 0, "--max-blocks %u is fewer than --blocks %u",
                  command->options.max_blocks, command->options.blocks);
        return error_advise(err, "--blocks is how often at least, --max-blocks how often at most");
    }
    return 0;
}

/* Adds to a NULL-terminated list; several may stand in one argument, split at commas. */
static int add_names(const char **list, unsigned capacity, char *text, const char *what,
                     struct error **err) {
    unsigned count = 0;
    while (list[count])
        count++;
    /* A spec with keys holds commas of its own. */
    bool split = !strchr(text, ':');
    for (char *name; text && (name = split ? strsep(&text, ",") : text);) {
        if (count + 1 >= capacity)
            return error_set(err, ERROR_USAGE, 0, "too many of %s", what);
        list[count++] = name;
        if (!split)
            break;
    }
    list[count] = NULL;
    return 0;
}

static int add_override(struct run_options *options, const char *text, struct error **err) {
    const char *equals = strchr(text, '=');
    cleanup_free char *key = equals ? strndup(text, (size_t)(equals - text)) : NULL;
    if (equals && !key)
        return error_no_memory(err);
    if (!key) {
        error_set(err, ERROR_USAGE, 0, "--set: \"%s\" is not WORKLOAD.PARAMETER=NUMBER", text);
        return error_advise(err, "write it like --set zip.bytes=64M");
    }
    uint64_t value;
    if (parse_size(equals + 1, text, &value, err) < 0)
        return -1;
    if (!options->overrides)
        options->overrides = json_object();
    return json_object_set_new(options->overrides, key, json_integer((json_int_t)value));
}

/* A size or a duration of nothing: what is meant is said by leaving the option out. */
static int refuse_nothing(const char *what, const char *text, const char *without,
                          struct error **err) {
    error_set(err, ERROR_USAGE, 0, "%s: \"%s\" is nothing", what, text);
    return error_advise(err, "without %s, %s", what, without);
}

static int parse_time(const char *text, const char *what, const char *without, uint64_t *ret_ns,
                      struct error **err) {
    uint64_t ns;
    if (parse_duration(text, what, &ns, err) < 0)
        return -1;
    if (ns == 0)
        return refuse_nothing(what, text, without, err);
    *ret_ns = ns;
    return 0;
}

static int parse_memory(const char *text, uint64_t *ret_bytes, struct error **err) {
    uint64_t bytes;
    if (parse_size(text, "--memory", &bytes, err) < 0)
        return -1;
    if (bytes == 0)
        return refuse_nothing("--memory", text, "environments get what the work needs", err);
    *ret_bytes = bytes;
    return 0;
}

static int parse_unsigned(const char *text, const char *what, uint64_t maximum, unsigned *ret,
                          struct error **err) {
    uint64_t value;
    if (parse_count(text, what, 1, maximum, &value, err) < 0)
        return -1;
    *ret = (unsigned)value;
    return 0;
}

static int parse_other(int key, char *argument, struct run_options *options, struct error **err) {
    switch (key) {
    case KEY_CPUS:
        return parse_unsigned(argument, "--cpus", ENVELOPE_MAX_CPUS, &options->cpus, err);
    case KEY_MEMORY:
        return parse_memory(argument, &options->memory_bytes, err);
    case KEY_BLOCKS:
        return parse_unsigned(argument, "--blocks", 100000, &options->blocks, err);
    case KEY_MAX_BLOCKS:
        return parse_unsigned(argument, "--max-blocks", 100000, &options->max_blocks, err);
    case KEY_PRECISION:
        return parse_percentage(argument, "--precision", &options->precision, err);
    case KEY_BUDGET:
        return parse_time(argument, "--budget", "the time is not limited", &options->budget_ns,
                          err);
    case KEY_STARTS:
        return parse_unsigned(argument, "--starts", 100000, &options->starts, err);
    case KEY_SEED:
        options->seed_given = true;
        return parse_count(argument, "--seed", 0, INT64_MAX, &options->seed, err);
    case KEY_TIMEOUT:
        return parse_time(argument, "--timeout", "it is the profile's",
                          &options->request_timeout_ns, err);
    case KEY_START_TIMEOUT:
        return parse_time(argument, "--start-timeout", "it is two minutes",
                          &options->start_timeout_ns, err);
    case KEY_WAIT:
        return parse_duration(argument, "--wait", &options->wait_ns, err);
    case KEY_SET:
        return add_override(options, argument, err);
    default:
        return 1;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct run_command *command = input->options;
    struct run_options *options = &command->options;
    int result = 0;
    note_planned(command, key);
    switch (key) {
    case ARGP_KEY_END:
        result = check_together(command, input->err);
        break;
    case 'p':
        options->profile = argument;
        break;
    case 'e':
        result = add_names(options->environments, PLAN_MAX, argument, "environments", input->err);
        break;
    case 'w':
        result = add_names(options->workloads, WORKLOADS_MAX, argument, "workloads", input->err);
        break;
    case 'o':
        options->output_folder = argument;
        break;
    case 'q':
        options->quiet = true;
        break;
    case KEY_DATA:
        options->data_folder = argument;
        break;
    case KEY_KERNEL:
        options->kernel = argument;
        break;
    case KEY_RESUME:
        options->resume = argument;
        break;
    case KEY_REQUIRE_KVM:
        options->require_kvm = true;
        break;
    case KEY_DRY_RUN:
        options->dry_run = true;
        break;
    case KEY_NO_PLOTS:
        options->no_plots = true;
        break;
    case ARGP_KEY_ARG:
        error_set(input->err, ERROR_USAGE, 0, "run takes no argument: \"%s\"", argument);
        error_advise(input->err, "environments are given with -e, workloads with -w");
        return EINVAL;
    default:
        result = parse_other(key, argument, options, input->err);
        if (result > 0)
            return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? EINVAL : 0;
}

const struct argp run_argp = {
    .options = option_table,
    .parser = parse,
    .doc = "Runs the same work in every environment, in random order, and compares.\v"
           "Example: boxmark run -p standard -w disk -e host -e container -e vm:machine=q35",
};

static int run_all(struct run *run, struct run_options *options, struct resumption **resumption,
                   struct error **err) {
    if (options->resume && resumption_load(options->resume, options, resumption, err) < 0)
        return -1;
    if (run_prepare(options, *resumption, interrupt_fd(), run, err) < 0)
        return -1;
    if (options->dry_run)
        return run_describe(run, stdout, err) < 0 ? -1 : EXIT_CODE_OK;
    int executed = run_carry_out(run, err);
    /* The table is worth showing even when the run was cut short. */
    int code = outcome_show(run, executed == 0 ? err : NULL);
    return executed < 0 ? -1 : code;
}

int command_run(int argc, char **argv, struct error **err) {
    struct run_command command = {.options = {.profile = profiles[0].name}};
    struct run_options *options = &command.options;
    struct run run = RUN_NONE;
    struct resumption *resumption = NULL;
    int code = command_parse(&run_argp, argc, argv, &command, err);
    if (code == 0)
        code = interrupt_install(err);
    if (code == 0)
        code = run_all(&run, options, &resumption, err);
    run_clear(&run);
    resumption_free(resumption);
    json_decref(options->overrides);
    return code;
}
