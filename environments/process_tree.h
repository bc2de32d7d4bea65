// SPDX-License-Identifier: GPL-3.0-or-later
/* A process and everything that descends from it, as /proc shows it now. */
#ifndef BOXMARK_ENVIRONMENTS_PROCESS_TREE_H
#define BOXMARK_ENVIRONMENTS_PROCESS_TREE_H

#include <sys/types.h>

/* Fills `pids` with the root and its descendants, at most `capacity`; returns how many. */
unsigned process_tree(pid_t root, pid_t *pids, unsigned capacity);

/* 0 when it is gone. */
pid_t process_parent(pid_t pid);

#endif
