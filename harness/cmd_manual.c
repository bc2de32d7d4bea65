// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Hidden: writes the manual page (man) and the completion (bash) from the same tables that the
 * program itself obeys; run by the build.
 */
#include "harness/commands.h"

#include "common/units.h"
#include "config.h"
#include "environments/environment.h"
#include "harness/profile.h"
#include "plots/gate_report.h"
#include "plots/gnuplot.h"
#include "plots/history_report.h"
#include "results/gate_settings.h"

#include <ctype.h>
#include <string.h>

/* Text for roff: backslashes and a dot or quote at the beginning of a line mean something there. */
static void roff(const char *text) {
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

/* argp keeps what stands before and after the options in one string, divided by \v. */
static void roff_doc(const struct argp *argp, bool after) {
    const char *divider = argp->doc ? strchr(argp->doc, '\v') : NULL;
    cleanup_free char *part = NULL;
    if (after)
        part = divider ? strdup(divider + 1) : NULL;
    else
        part = strndup(argp->doc ? argp->doc : "", divider ? (size_t)(divider - argp->doc)
                                                           : strlen(argp->doc ? argp->doc : ""));
    if (part && *part) {
        fputs(".PP\n", stdout);
        roff(part);
        putchar('\n');
    }
}

static bool is_end(const struct argp_option *option) {
    return !option->name && !option->key && !option->doc;
}

static void roff_option(const struct argp_option *option) {
    if (!option->name)
        return;
    fputs(".TP\n\\fB", stdout);
    if (isprint(option->key))
        printf("\\-%c\\fR, \\fB", option->key);
    fputs("\\-\\-", stdout);
    roff(option->name);
    fputs("\\fR", stdout);
    if (option->arg) {
        fputs("=\\fI", stdout);
        roff(option->arg);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    roff(option->doc ? option->doc : "");
    putchar('\n');
}

static void roff_command(const struct command *command) {
    fputs(".SS boxmark ", stdout);
    roff(command->name);
    if (command->argp->args_doc) {
        fputs(" \\fI", stdout);
        roff(command->argp->args_doc);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    roff_doc(command->argp, false);
    for (const struct argp_option *option = command->argp->options; option && !is_end(option);
         option++)
        roff_option(option);
    roff_doc(command->argp, true);
}

static void roff_environments(void) {
    fputs(
        ".SH ENVIRONMENTS\nWritten as NAME or NAME:KEY=VALUE,...; the first value of a key is its "
        "default.\n",
        stdout);
    for (const struct environment_ops *const *at = environment_table; *at; at++) {
        if ((*at)->hidden)
            continue;
        fputs(".TP\n\\fB", stdout);
        roff((*at)->name);
        fputs("\\fR\n", stdout);
        roff((*at)->summary);
        putchar('\n');
        for (const struct spec_key *key = (*at)->keys; key && key->name; key++) {
            fputs(".RS\n.PP\n\\fB", stdout);
            roff(key->name);
            fputs("=\\fR", stdout);
            for (unsigned i = 0; key->values && key->values[i]; i++) {
                fputs(i ? "|" : "", stdout);
                roff(key->values[i]);
            }
            fputs(key->values ? "  " : "...  ", stdout);
            roff(key->summary ? key->summary : "");
            fputs("\n.RE\n", stdout);
        }
    }
}

static const struct {
    int code;
    const char *meaning;
} exit_codes[] = {
    {EXIT_CODE_OK, "done, or nothing worse"},
    {EXIT_CODE_REGRESSION, "a regression"},
    {EXIT_CODE_USAGE, "a bad command line or a bad input file"},
    {EXIT_CODE_UNAVAILABLE, "an asked-for environment is not available, or failed"},
    {EXIT_CODE_INCONCLUSIVE, "inconclusive"},
    {EXIT_CODE_UNTRUSTWORTHY, "untrustworthy: not the same work, or an audit that failed"},
    {EXIT_CODE_INTERNAL, "an internal error, or the machine failed (disk full, ...)"},
    {EXIT_CODE_INTERRUPTED, "interrupted"},
};

static void write_man(void) {
    printf(".TH BOXMARK 1 \"\" \"boxmark %s\" \"User Commands\"\n", PACKAGE_VERSION);
    fputs(
        ".SH NAME\nboxmark \\- what does isolation cost?\n"
        ".SH SYNOPSIS\n\\fBboxmark\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n"
        ".SH DESCRIPTION\n"
        "Runs the same work (prime numbers, compression, memory bandwidth, disk, start\\-up) in a\n"
        "KVM guest, in a namespace container and on the bare host, in random order, and says what\n"
        "each layer of isolation costs, with the uncertainty of every figure.\n"
        ".SH COMMANDS\n",
        stdout);
    for (const struct command *command = commands; command->name; command++)
        if (!command->hidden)
            roff_command(command);
    roff_environments();
    fputs(".SH EXIT STATUS\n", stdout);
    for (unsigned i = 0; i < sizeof(exit_codes) / sizeof(*exit_codes); i++)
        printf(".TP\n\\fB%d\\fR\n%s\n", exit_codes[i].code, exit_codes[i].meaning);
    fputs(".SH ENVIRONMENT VARIABLES\n"
          ".TP\n\\fBNO_COLOR\\fR\nno colour, if set and not empty\n"
          ".TP\n\\fBXDG_CACHE_HOME\\fR\nwhere guest images are kept (~/.cache)\n"
          ".TP\n\\fBBOXMARK_AGENT\\fR\npath of the agent, for development\n"
          ".SH FILES\nA run folder holds run.json, samples.csv, journal.jsonl, topology.xml,\n"
          "summary.json, plots/ and environments/.\n",
          stdout);
}

static void complete_command(const struct command *command) {
    printf("    %s) words=\"", command->name);
    for (const struct argp_option *option = command->argp->options; option && !is_end(option);
         option++)
        if (option->name)
            printf("--%s%s ", option->name, option->arg ? "=" : "");
    fputs("--help\" ;;\n", stdout);
}

static void complete_values(const char *option, const char *command) {
    printf("    %s) words=\"%s\" ;;\n", option, command);
}

/* "build|info|clean": the words that a command takes, as its usage names them. */
static void complete_arguments(void) {
    for (const struct command *command = commands; command->name; command++) {
        const char *words = command->argp->args_doc;
        if (command->hidden || !words || !strchr(words, '|'))
            continue;
        printf("    %s) words=\"", command->name);
        for (; *words && *words != ' '; words++)
            putchar(*words == '|' ? ' ' : *words);
        fputs("\" ;;\n", stdout);
    }
}

/* Formats differ from command to command. */
static void complete_formats(void) {
    fputs("    -f|--format)\n      case ${COMP_WORDS[1]} in\n"
          "      plot) words=\"svg png pdf\" ;;\n      check) words=\"",
          stdout);
    for (unsigned i = 0; gate_writers[i]; i++)
        printf("%s ", gate_writers[i]->name);
    fputs("\" ;;\n      history) words=\"", stdout);
    for (const struct history_writer *writer = history_writers; writer->name; writer++)
        printf("%s ", writer->name);
    fputs("\" ;;\n      *) words=\"", stdout);
    for (unsigned i = 0; report_writers[i]; i++)
        printf("%s ", report_writers[i]->name);
    fputs("\" ;;\n      esac ;;\n    --fail-on) words=\"", stdout);
    for (const char *const *name = gate_fail_on_names; *name; name++)
        printf("%s ", *name);
    fputs("\" ;;\n", stdout);
}

/* Values of `report', `plot' and `compare'; sources are asked for when they are wanted. */
static void complete_reports(void) {
    complete_formats();
    fputs("    --plot-format) words=\"svg png pdf\" ;;\n    --figures) words=\"", stdout);
    for (unsigned i = 0; plot_figure_name(i); i++)
        printf("%s ", plot_figure_name(i));
    fputs("all\" ;;\n    --style) words=\"", stdout);
    for (unsigned i = 0; plot_style_name(i); i++)
        printf("%s ", plot_style_name(i));
    fputs("\" ;;\n"
          "    --reference) words=$(boxmark list references 2>/dev/null | cut -d ' ' -f 1) ;;\n",
          stdout);
}

static void write_bash(void) {
    fputs("# bash completion for boxmark, written by `boxmark manual bash`\n"
          "_boxmark() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "  # Bash parts --option=value at the sign.\n"
          "  if [ \"$current\" = = ]; then\n    current=\n"
          "  elif [ \"$previous\" = = ]; then\n    previous=${COMP_WORDS[COMP_CWORD-2]}\n  fi\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"",
          stdout);
    for (const struct command *command = commands; command->name; command++)
        if (!command->hidden)
            printf("%s ", command->name);
    fputs("help --version\"\n  else\n    case ${COMP_WORDS[1]} in\n", stdout);
    for (const struct command *command = commands; command->name; command++)
        if (!command->hidden)
            complete_command(command);
    fputs("    esac\n    case $previous in\n", stdout);
    char names[1024] = "";
    for (unsigned i = 0; environment_table[i]; i++)
        if (!environment_table[i]->hidden)
            strncat(strcat(names, " "), environment_table[i]->name, 64);
    complete_values("-e|--environment|shell", names + 1);
    names[0] = '\0';
    for (unsigned i = 0; workload_catalog[i]; i++)
        if (!workload_catalog[i]->hidden)
            strncat(strcat(names, " "), workload_catalog[i]->name, 64);
    complete_values("-w|--workload", names + 1);
    names[0] = '\0';
    for (unsigned i = 0; profiles[i].name; i++)
        strncat(strcat(names, " "), profiles[i].name, 64);
    complete_values("-p|--profile", names + 1);
    complete_arguments();
    complete_reports();
    fputs("    esac\n  fi\n"
          "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
          "  case ${COMPREPLY[0]-} in *=) compopt -o nospace ;; esac\n"
          "}\n"
          "complete -F _boxmark boxmark\n",
          stdout);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    const char **what = input->options;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    *what = argument;
    return 0;
}

const struct argp manual_argp = {
    .options = (const struct argp_option[]){{NULL, 0, NULL, 0, NULL, 0}},
    .parser = parse,
    .args_doc = "man|bash",
    .doc = "Writes the manual page or the completion.",
};

int command_manual(int argc, char **argv, struct error **err) {
    static const char *const names[] = {"man", "bash", NULL};
    const char *what = "man";
    if (command_parse(&manual_argp, argc, argv, &what, err) < 0)
        return -1;
    if (strcmp(what, "man") == 0)
        write_man();
    else if (strcmp(what, "bash") == 0)
        write_bash();
    else
        return error_unknown_name("output", what, names, err);
    return EXIT_CODE_OK;
}
