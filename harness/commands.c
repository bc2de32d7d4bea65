// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"

#include "common/file.h"
#include "common/units.h"

#include <string.h>

const struct command commands[] = {
    {"run", "run the comparison and print its table", &run_argp, command_run, false},
    {"demo", "a lesson of two minutes: what each box is made of, and what it costs", &demo_argp,
     command_demo, false},
    {"doctor", "what this machine can run, how well, and what to do about the rest", &doctor_argp,
     command_doctor, false},
    {"list", "environments, workloads, profiles, references or runs", &list_argp, command_list,
     false},
    {"report", "show a run again, in several formats", &report_argp, command_report, false},
    {"plot", "draw the figures of a run", &plot_argp, command_plot, false},
    {"compare", "several runs side by side: what changed, and what differs between the machines",
     &compare_argp, command_compare, false},
    {"baseline", "keep what runs say of the overhead, to compare later ones with", &baseline_argp,
     command_baseline, false},
    {"check", "has isolation become dearer than a baseline says?", &check_argp, command_check,
     false},
    {"shell", "a prompt inside an environment, to see what the workloads see", &shell_argp,
     command_shell, false},
    {"guest", "build, show or remove the virtual machine's kernel and image", &guest_argp,
     command_guest, false},
    {"history", "collect the summaries of many runs; see when something changed", &history_argp,
     command_history, false},
    {"verify", "show that a run is what it was; sign it", &verify_argp, command_verify, false},
    {"manual", "the manual page and the completion", &manual_argp, command_manual, true},
    {NULL, NULL, NULL, NULL, false},
};

void error_print(const struct error *error) {
    fprintf(stderr, "boxmark: %s\n", error_message(error));
    if (error && error->advice)
        fprintf(stderr, "  %s\n", error->advice);
}

/* The names of all long options of a parser, NULL-terminated; `names` holds `capacity`. */
static void long_options(const struct argp *argp, const char **names, unsigned capacity) {
    unsigned count = 0;
    for (const struct argp_option *option = argp->options;
         option && (option->name || option->key || option->doc) && count < capacity - 5; option++)
        if (option->name)
            names[count++] = option->name;
    names[count++] = "help";
    names[count++] = "usage";
    names[count] = NULL;
}

/* argp says only that an option is unknown; people want to know which one they meant. */
static int check_long_options(const struct argp *argp, int argc, char **argv, struct error **err) {
    const char *names[64];
    long_options(argp, names, sizeof(names) / sizeof(*names));
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        cleanup_free char *word = strndup(argv[i] + 2, strcspn(argv[i] + 2, "="));
        bool known = !word;
        for (unsigned j = 0; names[j] && !known; j++)
            known = strncmp(names[j], word, strlen(word)) == 0;
        if (known)
            continue;
        const char *nearest = nearest_name(word, names);
        error_set(err, ERROR_USAGE, 0, "unknown option \"--%s\"", word);
        if (nearest)
            return error_advise(err, "did you mean --%s?", nearest);
        return error_advise(err, "`%s --help` shows all options", argv[0]);
    }
    return 0;
}

int command_parse(const struct argp *argp, int argc, char **argv, void *options,
                  struct error **err) {
    if (check_long_options(argp, argc, argv, err) < 0)
        return -1;
    struct command_input input = {.options = options, .err = err};
    int result = argp_parse(argp, argc, argv, 0, NULL, &input);
    if (result != 0 && err && !*err)
        error_set(err, ERROR_USAGE, result, "cannot read the command line");
    return result == 0 ? 0 : -1;
}
