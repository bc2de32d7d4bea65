// SPDX-License-Identifier: GPL-3.0-or-later
/* boxmark: what does isolation cost? Finds the sub-command and turns its outcome into an exit code.
 */
#include "harness/commands.h"

#include "common/file.h"
#include "common/units.h"
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>

static void print_help(FILE *to) {
    fputs(
        "boxmark - what does isolation cost? The same work in a VM, a container and on the host.\n"
        "\n"
        "usage: boxmark COMMAND [OPTION...]\n\n",
        to);
    for (const struct command *command = commands; command->name; command++)
        if (!command->hidden)
            fprintf(to, "  %-9s %s\n", command->name, command->summary);
    fputs(
        "\n`boxmark COMMAND --help` explains each. Begin with `boxmark doctor`, then `boxmark run`.\n"
        "\n"
        "Exit codes: 0 done, or nothing worse; 1 a regression; 2 usage; 3 an environment is not\n"
        "available; 4 inconclusive; 5 untrustworthy; 70 an internal error; 130 interrupted.\n",
        to);
}

static int unknown_command(const char *word, struct error **err) {
    enum { COMMANDS_MAX = 32 };
    const char *names[COMMANDS_MAX + 1] = {NULL};
    for (unsigned i = 0; commands[i].name && i < COMMANDS_MAX; i++)
        names[i] = commands[i].name;
    return error_unknown_name("command", word, names, err);
}

static int dispatch(int argc, char **argv, struct error **err) {
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts("boxmark " PACKAGE_VERSION);
        return EXIT_CODE_OK;
    }
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, word) == 0) {
            cleanup_free char *name = text_format("boxmark %s", word);
            if (!name)
                return error_no_memory(err);
            argv[1] = name;
            return command->run(argc - 1, argv + 1, err);
        }
    return unknown_command(word, err);
}

int main(int argc, char **argv) {
    /* Texts in the user's encoding; numbers always with a point, in files and on the screen. */
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    signal(SIGPIPE, SIG_IGN);
    argp_err_exit_status = EXIT_CODE_USAGE;
    if (sodium_init() < 0) {
        fputs("boxmark: libsodium cannot be initialised\n", stderr);
        return EXIT_CODE_INTERNAL;
    }
    cleanup_error struct error *err = NULL;
    int code = dispatch(argc, argv, &err);
    /* What fails without a word is what only memory can refuse. */
    if (code < 0 && !err)
        error_no_memory(&err);
    if (err) {
        error_print(err);
        code = error_exit_code(err);
    }
    if (fflush(stdout) != 0 && code == EXIT_CODE_OK) {
        fprintf(stderr, "boxmark: cannot write the output: %s\n", strerror(errno));
        code = EXIT_CODE_INTERNAL;
    }
    return code < 0 ? EXIT_CODE_INTERNAL : code;
}
