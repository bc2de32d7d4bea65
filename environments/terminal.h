// SPDX-License-Identifier: GPL-3.0-or-later
/* The user's terminal, lent to a shell inside of an environment and taken back. */
#ifndef BOXMARK_ENVIRONMENTS_TERMINAL_H
#define BOXMARK_ENVIRONMENTS_TERMINAL_H

#include "environments/process.h"

/* Waits for the end of a shell that has the terminal itself; its exit status as a shell tells it.
 */
int terminal_wait(struct process *process);

/*
 * Passes everything between the terminal (made raw) and a guest's console until the process ends.
 * What is typed waits until `marker` has come from the guest: before that nobody there listens.
 * Ctrl-] ends the process. The end of a standard input that is no terminal is passed on as "exit".
 */
int terminal_relay(int console_fd, const char *marker, struct process *process, struct error **err);

#endif
