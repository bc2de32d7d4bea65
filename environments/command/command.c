// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any machine over a command: whatever can run a program and pass its standard input and output
 * (ssh, virsh, kubectl exec, ...) becomes an environment. What is on the other side is the user's:
 * boxmark can hold no limits there, and says so.
 */
#include "environments/command/command.h"

#include "common/file.h"
#include "environments/capture.h"
#include "environments/terminal.h"

#include <ctype.h>
#include <string.h>

const char *const command_names[COMMANDS] = {[COMMAND_COPY] = "copy",
                                             [COMMAND_START] = "start",
                                             [COMMAND_EXEC] = "exec",
                                             [COMMAND_STOP] = "stop",
                                             [COMMAND_SHELL] = "shell"};

static const struct spec_key command_keys[] = {
    {"exec", NULL, "the command whose standard input and output are the agent's"},
    {"copy", NULL, "puts {agent} on the other side, once a run"},
    {"start", NULL, "before each exec: brings the machine up"},
    {"stop", NULL, "after each exec: takes it down"},
    {"shell", NULL, "gives a prompt there (boxmark shell)"},
    {"label", NULL, "its name in tables and figures"},
    {NULL, NULL, NULL},
};

#define EXAMPLE "command:exec=\"ssh guest1 /tmp/boxmark-agent\""

static int check_label(const char *label, struct error **err) {
    enum { LABEL_MAX_BYTES = 60 };
    size_t length = strlen(label);
    bool fine = length > 0 && length <= LABEL_MAX_BYTES && label[0] != ' ';
    for (size_t i = 0; i < length; i++)
        fine = fine && !iscntrl((unsigned char)label[i]);
    if (!fine)
        return error_set(err, ERROR_USAGE, 0,
                         "a label has 1 to %d characters and begins with none that is a blank",
                         LABEL_MAX_BYTES);
    /* Reports would take it for the real one. */
    if (environment_kind(label))
        return error_set(err, ERROR_USAGE, 0, "\"%s\" is the name of a kind of environment", label);
    return 0;
}

/* The placeholders and, in a check, something for each. */
static void list_placeholders(const struct environment_setup *setup, const char *data_path,
                              char numbers[2][32], struct placeholder placeholders[6]) {
    snprintf(numbers[0], 32, "%u", setup ? setup->envelope.cpu_count : 1);
    snprintf(numbers[1], 32, "%llu",
             setup ? (unsigned long long)(setup->envelope.memory_bytes >> 20) : 1);
    memcpy(placeholders,
           (const struct placeholder[]){{"agent", setup ? setup->agent_path : "agent"},
                                        {"cpus", numbers[0]},
                                        {"cpu_list", setup ? setup->envelope.cpu_list : "0"},
                                        {"memory_mib", numbers[1]},
                                        {"data", data_path},
                                        {NULL, NULL}},
           6 * sizeof(*placeholders));
}

static int check_value(const char *key, const char *value, struct error **err) {
    if (strcmp(key, "label") == 0)
        return check_label(value, err);
    cleanup_words char **words = NULL, **filled = NULL;
    char numbers[2][32];
    struct placeholder placeholders[6];
    bool own_data = strcmp(key, "exec") == 0;
    list_placeholders(NULL, own_data ? "data" : NULL, numbers, placeholders);
    if (words_split(value, &words, err) < 0)
        return -1;
    return words_fill(words, placeholders, &filled, err);
}

int command_open(struct environment *environment, struct error **err) {
    if (environment->state)
        return 0;
    struct command *self = environment->state = calloc(1, sizeof(*self));
    if (!self)
        return error_no_memory(err);
    for (unsigned i = 0; i < COMMANDS; i++) {
        const char *text = environment_value(environment, command_names[i]);
        if (text && words_split(text, &self->words[i], err) < 0)
            return error_wrap(err, "environment \"%s\": \"%s\"", environment->label,
                              command_names[i]);
    }
    cgroup_limits_of(&environment->setup->envelope, &self->limits);
    if (cgroup_world_find(&self->world, err) < 0)
        return -1;
    cgroup_remove_leftovers(self->world);
    return 0;
}

static void command_release(struct environment *environment) {
    struct command *self = environment->state;
    if (!self)
        return;
    for (unsigned i = 0; i < COMMANDS; i++)
        words_free(self->words[i]);
    cgroup_world_free(self->world);
    free(self);
    environment->state = NULL;
}

int command_fill(const struct environment *environment, enum command_kind kind,
                 const char *data_path, char ***ret_words, struct error **err) {
    const struct command *self = environment->state;
    char numbers[2][32];
    struct placeholder placeholders[6];
    list_placeholders(environment->setup, data_path, numbers, placeholders);
    if (words_fill(self->words[kind], placeholders, ret_words, err) < 0)
        return error_wrap(err, "environment \"%s\": \"%s\"", environment->label,
                          command_names[kind]);
    return 0;
}

/* A program that is given by a path must be there; another one in $PATH. */
static bool is_there(const char *program) {
    if (strchr(program, '/'))
        return access(program, F_OK) == 0;
    cleanup_free char *path = file_find_program(program);
    return path != NULL;
}

static int command_probe(struct environment *environment, struct probe_result *ret_result,
                         struct error **err) {
    struct probe_result result = {.readiness = READINESS_READY};
    if (command_open(environment, err) < 0)
        return -1;
    const struct command *self = environment->state;
    for (unsigned i = 0; i < COMMANDS; i++) {
        cleanup_words char **words = NULL;
        if (!self->words[i])
            continue;
        if (command_fill(environment, i, "data", &words, err) < 0)
            return -1;
        if (is_there(words[0]))
            continue;
        result.readiness = READINESS_MISSING;
        snprintf(result.detail, sizeof(result.detail), "\"%s\": the program %.160s does not exist",
                 command_names[i], words[0]);
        snprintf(result.advice, sizeof(result.advice), "install it, or correct the command");
        *ret_result = result;
        return 0;
    }
    if (!self->words[COMMAND_EXEC]) {
        result.readiness = READINESS_MISSING;
        snprintf(result.detail, sizeof(result.detail), "it needs a command (exec)");
        snprintf(result.advice, sizeof(result.advice), "give one, such as " EXAMPLE);
    } else {
        cleanup_free char *line = words_join(self->words[COMMAND_EXEC]);
        snprintf(result.detail, sizeof(result.detail),
                 "%.120s; nothing can be held or read back on the other side of a command",
                 line ? line : "");
    }
    *ret_result = result;
    return 0;
}

int command_perform(const struct environment *environment, enum command_kind kind, int cancel_fd,
                    struct error **err) {
    const struct command *self = environment->state;
    cleanup_words char **words = NULL;
    if (!self->words[kind])
        return 0;
    if (command_fill(environment, kind, NULL, &words, err) < 0)
        return -1;
    const struct capture_options options = {.arguments = (const char *const *)words,
                                            .timeout_ns = environment->setup->start_timeout_ns,
                                            .cancel_fd = cancel_fd};
    cleanup_error struct error *failure = NULL;
    if (capture_run(&options, NULL, &failure) == 0)
        return 0;
    /* It did not end as it should: that is the user's machine, no fault of ours. */
    if (failure->kind == ERROR_TIMEOUT || (failure->kind == ERROR_INTERNAL && !failure->errnum)) {
        cleanup_free char *line = words_join(words);
        failure->kind = ERROR_UNAVAILABLE;
        if (line)
            error_advise(&failure, "see what it does by itself: %s", line);
    }
    error_wrap(&failure, "\"%s\"", command_names[kind]);
    return error_move(err, TAKE_PTR(failure));
}

static int command_provision(struct environment *environment, struct error **err) {
    const struct environment_setup *setup = environment->setup;
    if (command_open(environment, err) < 0)
        return -1;
    struct command *self = environment->state;
    if (!self->words[COMMAND_EXEC]) {
        error_set(err, ERROR_USAGE, 0, "environment \"%s\" needs a command", environment->label);
        return error_advise(err, "give one, such as " EXAMPLE);
    }
    if (self->copied || !self->words[COMMAND_COPY])
        return 0;
    if (setup->say)
        setup->say(setup->say_cookie, "copying the agent to the other side");
    if (command_perform(environment, COMMAND_COPY, setup->cancel_fd, err) < 0)
        return -1;
    self->copied = true;
    return 0;
}

static int command_describe(struct environment *environment, FILE *to, struct error **err) {
    static const char *const when[COMMANDS] = {
        [COMMAND_COPY] = "once, before the first start",
        [COMMAND_START] = "at each start, timed",
        [COMMAND_EXEC] = "the agent's channel, timed until its first line",
        [COMMAND_STOP] = "after each instance",
    };
    if (command_open(environment, err) < 0)
        return -1;
    const struct command *self = environment->state;
    enclosure_describe(environment->setup, self->world, &self->limits, to);
    fputs("  These hold the command here, not what it starts elsewhere.\n", to);
    for (unsigned i = 0; i < COMMANDS; i++) {
        cleanup_words char **words = NULL;
        if (!self->words[i] || !when[i])
            continue;
        if (command_fill(environment, i, "DATA/instance.XXXXXX", &words, err) < 0)
            return -1;
        cleanup_free char *line = words_join(words);
        fprintf(to, "%s (%s): %s\n", command_names[i], when[i], line ? line : "");
    }
    return 0;
}

static int command_shell(struct environment *environment, int *ret_status, struct error **err) {
    const struct command *self = environment->state;
    cleanup_words char **words = NULL;
    if (!self->words[COMMAND_SHELL]) {
        error_set(err, ERROR_UNAVAILABLE, 0, "%s has no command that gives a prompt",
                  environment->label);
        return error_advise(err, "add shell = ..., such as shell = ssh -t guest1");
    }
    if (command_fill(environment, COMMAND_SHELL, NULL, &words, err) < 0)
        return -1;
    cleanup_free char *path = file_find_program(words[0]);
    struct process process = PROCESS_NONE;
    if (!path)
        return error_set(err, ERROR_UNAVAILABLE, 0, "the program %s does not exist", words[0]);
    free(words[0]);
    words[0] = TAKE_PTR(path);
    if (process_start(&(struct process_options){.arguments = (const char *const *)words,
                                                .stdin_fd = STDIN_FILENO,
                                                .stdout_fd = STDOUT_FILENO,
                                                .stderr_fd = STDERR_FILENO,
                                                .cgroup_procs_fd = -1},
                      &process, NULL, NULL, err) < 0)
        return -1;
    *ret_status = terminal_wait(&process);
    return 0;
}

const struct environment_ops environment_command = {
    .name = "command",
    .summary = "any machine that a command reaches: ssh, virsh, kubectl exec, ...",
    .keys = command_keys,
    .label_key = "label",
    .check_value = check_value,
    .probe = command_probe,
    .provision = command_provision,
    .describe = command_describe,
    .start = command_start,
    .footprint = command_footprint,
    .facts = command_facts,
    .diagnose = command_diagnose,
    .stop = command_stop,
    .release = command_release,
    .shell = command_shell,
};
