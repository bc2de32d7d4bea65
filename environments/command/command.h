// SPDX-License-Identifier: GPL-3.0-or-later
/* Any machine over a command: what its files share. docs/command.md. */
#ifndef BOXMARK_ENVIRONMENTS_COMMAND_H
#define BOXMARK_ENVIRONMENTS_COMMAND_H

#include "environments/command/words.h"
#include "environments/enclosure.h"
#include "environments/environment.h"
#include "environments/keeper.h"
#include "environments/vm/console.h"

/* The commands that a user gives, by the names of their keys. */
enum command_kind {
    COMMAND_COPY,
    COMMAND_START,
    COMMAND_EXEC,
    COMMAND_STOP,
    COMMAND_SHELL,
    COMMANDS,
};
extern const char *const command_names[COMMANDS];

/* environment->state */
struct command {
    char **words[COMMANDS]; /* as given, split; NULL: not given */
    bool copied;
    struct cgroup_world *world;
    struct cgroup_limits limits;
};

/* instance->state */
struct command_instance {
    struct enclosure enclosure;
    struct process process;
    struct keeper keeper;
    struct console *errors; /* its standard error */
    char **words;           /* of exec, filled */
    char *noise;            /* before the agent's first line; or NULL */
    pid_t agent_pid;        /* where the agent runs on this machine and in our session; else 0 */
    bool launched;          /* from `start` on: `stop` is due */
};

/* Fills environment->state; fine to call again. */
int command_open(struct environment *environment, struct error **err);

/* The words of one command with its placeholders filled; `data_path` may be NULL. */
int command_fill(const struct environment *environment, enum command_kind kind,
                 const char *data_path, char ***ret_words, struct error **err);

/* Runs one of the short commands to its end; nothing when it was not given. */
int command_perform(const struct environment *environment, enum command_kind kind, int cancel_fd,
                    struct error **err);

/* ---- command_instance.c ---- */
int command_start(struct environment *environment, struct instance **ret_instance,
                  struct error **err);
int command_footprint(struct instance *instance, struct footprint *ret_footprint,
                      struct error **err);
int command_facts(struct instance *instance, json_t *facts, struct error **err);
char *command_diagnose(struct instance *instance);
int command_stop(struct instance *instance, struct error **err);

#endif
