// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Names of what is made outside of this process and must not outlive it: control groups,
 * containers, images. A name says whose it is, so that anyone can tell what a killed run has left.
 */
#ifndef BOXMARK_ENVIRONMENTS_OWNER_H
#define BOXMARK_ENVIRONMENTS_OWNER_H

#include <stdbool.h>

/* "boxmark-NAMESPACE-PID-START-RANDOM": ours, alive as long as this process is; malloc'ed. */
char *owner_make_name(void);

/* True for a name of that form whose process is surely dead. */
bool owner_is_gone(const char *name);

#endif
