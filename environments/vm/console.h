// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The guest's console, read by a thread of its own for as long as the instance lives (a console
 * that nobody reads would hold the guest up): into the run's log file, with the last lines kept
 * for messages, and with the host's time of the first byte and of the agent's first words.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_CONSOLE_H
#define BOXMARK_ENVIRONMENTS_VM_CONSOLE_H

#include "common/clock.h"
#include "common/error.h"

#include <stdint.h>

struct console;

/*
 * Takes over `fd`, even on failure. `log_path` may be NULL; the file is opened for appending.
 * `marker`: the text whose arrival is stamped.
 */
int console_open(int fd, const char *log_path, const char *marker, struct clock *clock,
                 struct console **ret_console, struct error **err);

/* When the first byte and the marker arrived; 0 where they have not. */
void console_stamps(struct console *console, uint64_t *ret_first_byte_ns, uint64_t *ret_marker_ns);

/*
 * The last lines, without control characters, joined by " | "; malloc'ed; NULL when there are
 * none. Where the guest's kernel panicked, the lines from there on. Call it after the guest has
 * ended for all that it said.
 */
char *console_last_lines(struct console *console, unsigned lines);

/* Waits at most so long for the console's end (when QEMU has ended, it is near). */
void console_drain(struct console *console, uint64_t timeout_ns);

/* Ends the thread and frees; NULL is fine; returns NULL. */
struct console *console_close(struct console *console);

#endif
