// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The one error object. Library code never prints and never exits: it fills `*err` and returns a
 * negative value; callers add context on the way up; the command line prints it once.
 *
 * `struct error **err` is always the last parameter and may be NULL where the caller does not care.
 * On entry `*err` must be NULL. Functions with a `ret_` parameter do not touch it on failure.
 */
#ifndef BOXMARK_COMMON_ERROR_H
#define BOXMARK_COMMON_ERROR_H

#include "common/cleanup.h"

/* What kind of failure; decides the exit code of the program (see error_exit_code). */
enum error_kind {
    ERROR_INTERNAL = 1,  /* the machine or the program failed: exit 70 */
    ERROR_USAGE,         /* bad command line or bad input file: exit 2 */
    ERROR_UNAVAILABLE,   /* an asked-for environment cannot be had here: exit 3 */
    ERROR_INCONCLUSIVE,  /* the result does not decide: exit 4 */
    ERROR_UNTRUSTWORTHY, /* different work, broken identity, failed audit: exit 5 */
    ERROR_TIMEOUT,       /* a deadline passed: exit 70 unless the caller decides otherwise */
    ERROR_CLOSED,        /* the other side went away: exit 70 unless the caller decides otherwise */
    ERROR_INTERRUPTED,   /* SIGINT or SIGTERM: exit 130 */
};

/* Exit codes of the program: the one table (printed in the manual page too). */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_REGRESSION = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_UNAVAILABLE = 3,
    EXIT_CODE_INCONCLUSIVE = 4,
    EXIT_CODE_UNTRUSTWORTHY = 5,
    EXIT_CODE_INTERNAL = 70,
    EXIT_CODE_INTERRUPTED = 130,
};

struct error {
    enum error_kind kind;
    int errnum;    /* the errno value behind it, or 0 */
    char *message; /* what failed, on what, and why; one line, no full stop */
    char *advice;  /* what the user can do, or NULL; one line */
};

/*
 * Sets `*err` (replacing nothing: it must be NULL) and returns -1. With errnum, ": strerror" is
 * appended to the message. Messages and advice may quote files, agents and users: here they become
 * one line of valid UTF-8 that no terminal obeys (text_clean).
 */
int error_set(struct error **err, enum error_kind kind, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the message of an error already set; returns -1. */
int error_wrap(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes an error already set one of usage: of a file that the user named. Want of memory stays what
 * it is. Returns -1. */
int error_blame_usage(struct error **err);

/* Sets the advice of an error already set, unless it has one; returns -1. */
int error_advise(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Shorthand for "out of memory". */
int error_no_memory(struct error **err);

/* Text of the error, "unknown error" for NULL. Owned by the error. */
const char *error_message(const struct error *error);

enum exit_code error_exit_code(const struct error *error);

/* Frees an error (NULL is fine); returns NULL. */
struct error *error_free(struct error *error);

/* Moves an error from one place to another where it fits, else frees it; returns -1. */
int error_move(struct error **to, struct error *from);

static inline void error_cleanup(struct error **error) {
    error_free(*error);
}
#define cleanup_error CLEANUP(error)

#endif
