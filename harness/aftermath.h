// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What must be done when this process is killed: a keeper (environments/keeper.h) ends the
 * processes of the instance that was running, removes its control groups and the data folder. What
 * engines and commands leave besides is their own keepers' work.
 */
#ifndef BOXMARK_HARNESS_AFTERMATH_H
#define BOXMARK_HARNESS_AFTERMATH_H

#include "environments/keeper.h"

struct aftermath {
    struct keeper keeper;
    pid_t *session; /* shared with the keeper; for environment_setup.session */
    const char *data_folder;
};

#define AFTERMATH_NONE ((struct aftermath){.keeper = KEEPER_NONE, .session = NULL})

/* The folder's name is borrowed; `aftermath` stays where it is until aftermath_end. */
int aftermath_begin(struct aftermath *aftermath, const char *data_folder, struct error **err);

/* Nothing is left to be done; fine when nothing was begun. */
void aftermath_end(struct aftermath *aftermath);

#endif
