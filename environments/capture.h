// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs a helper program to its end, in bounded time, and keeps what it says. */
#ifndef BOXMARK_ENVIRONMENTS_CAPTURE_H
#define BOXMARK_ENVIRONMENTS_CAPTURE_H

#include "common/error.h"

#include <stdint.h>

/* Most output that is kept; the rest is read and dropped. */
#define CAPTURE_MAX_BYTES (1 << 20)

struct capture_options {
    const char *const *arguments; /* NULL-terminated; arguments[0] is a path or a name in $PATH */
    uint64_t timeout_ns;
    int cancel_fd; /* its readability ends the program and the wait; or -1 */
    /* Each line of output as it comes; may be NULL. */
    void (*line)(void *cookie, const char *line);
    void *cookie;
};

/*
 * Standard output and standard error go to *ret_output (may be NULL; malloc'ed, NUL-terminated).
 * Fails when the program is missing (ERROR_UNAVAILABLE), does not end in time or ends with a status
 * other than 0; the error holds its last lines.
 */
int capture_run(const struct capture_options *options, char **ret_output, struct error **err);

#endif
