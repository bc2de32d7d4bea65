// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A small process of our own that waits for the end of this one, and then does what this one could
 * not do any more: for what the kernel does not end with us (containers of a service, processes of
 * other sessions, machines that a command brought up). It is told to go away when nothing is left
 * to be done.
 */
#ifndef BOXMARK_ENVIRONMENTS_KEEPER_H
#define BOXMARK_ENVIRONMENTS_KEEPER_H

#include "common/error.h"

#include <sys/types.h>

struct keeper {
    pid_t pid; /* 0: none */
    int fd;    /* a byte into it: nothing is left to be done */
};

#define KEEPER_NONE ((struct keeper){.pid = 0, .fd = -1})

/*
 * `clean` is called in a copy of this process as it is now (memory that is shared stays so),
 * without its terminal, signals and descriptors. Nothing is done when the keeper is there already.
 */
int keeper_start(struct keeper *keeper, void (*clean)(const void *cookie), const void *cookie,
                 struct error **err);

/* Fine without a keeper. */
void keeper_dismiss(struct keeper *keeper);

#endif
