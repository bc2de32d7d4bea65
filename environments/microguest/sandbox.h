// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The monitor locks itself in before the program's first instruction: should the program take it
 * over, it is an unprivileged process that can do little but what the program could do anyway.
 */
#ifndef BOXMARK_MICROGUEST_SANDBOX_H
#define BOXMARK_MICROGUEST_SANDBOX_H

#include "common/error.h"

#include <stdint.h>

/* Another user and group (0: stay), no capabilities, no new privileges, few open files, no core
 * dumps, and a filter of system calls. */
int sandbox_enter(unsigned user, struct error **err);

/* How many instructions the filter has. */
unsigned sandbox_filter_length(void);

#endif
