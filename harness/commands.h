// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The sub-commands: one table, one file each. Help, manual page and completion come from it.
 */
#ifndef BOXMARK_HARNESS_COMMANDS_H
#define BOXMARK_HARNESS_COMMANDS_H

#include "common/error.h"

#include <argp.h>
#include <stdbool.h>

struct command {
    const char *name;
    const char *summary;     /* one line */
    const struct argp *argp; /* options and arguments */
    /* argv[0] is "boxmark NAME". Returns an exit code; on an error fills it (exit code from it). */
    int (*run)(int argc, char **argv, struct error **err);
    bool hidden;
};

/* NULL-name-terminated. */
extern const struct command commands[];

extern const struct argp run_argp, demo_argp, doctor_argp, list_argp, report_argp, plot_argp,
    compare_argp, baseline_argp, check_argp, shell_argp, guest_argp, verify_argp, history_argp,
    manual_argp;
int command_run(int argc, char **argv, struct error **err);
int command_demo(int argc, char **argv, struct error **err);
int command_doctor(int argc, char **argv, struct error **err);
int command_list(int argc, char **argv, struct error **err);
int command_report(int argc, char **argv, struct error **err);
int command_plot(int argc, char **argv, struct error **err);
int command_compare(int argc, char **argv, struct error **err);
int command_baseline(int argc, char **argv, struct error **err);
int command_check(int argc, char **argv, struct error **err);
int command_shell(int argc, char **argv, struct error **err);
int command_guest(int argc, char **argv, struct error **err);
int command_history(int argc, char **argv, struct error **err);
int command_verify(int argc, char **argv, struct error **err);
int command_manual(int argc, char **argv, struct error **err);

/*
 * argp_parse for a sub-command: --help prints and exits 0, a bad option exits 2. The parser may set
 * an error (through argp_failure-free code): state->input points to a struct command_input.
 */
struct command_input {
    void *options;
    struct error **err;
};
int command_parse(const struct argp *argp, int argc, char **argv, void *options,
                  struct error **err);

/* Prints "boxmark: MESSAGE" and the advice on standard error. */
void error_print(const struct error *error);

#endif
