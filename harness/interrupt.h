// SPDX-License-Identifier: GPL-3.0-or-later
/* SIGINT, SIGTERM and SIGHUP become a readable descriptor; every wait of the harness watches it. */
#ifndef BOXMARK_HARNESS_INTERRUPT_H
#define BOXMARK_HARNESS_INTERRUPT_H

#include "common/error.h"

int interrupt_install(struct error **err);

/* Readable for ever once a signal came; -1 before interrupt_install. */
int interrupt_fd(void);

#endif
