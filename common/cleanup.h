// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Cleanup attributes: a variable declared with one of these releases what it holds when it leaves
 * its scope. Every destructor accepts the empty value (NULL, -1).
 */
#ifndef BOXMARK_COMMON_CLEANUP_H
#define BOXMARK_COMMON_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Declares `NAME_cleanup(type *)`, for use with CLEANUP(NAME). */
#define DEFINE_CLEANUP(type, name, destroy, empty)                                                 \
    static inline void name##_cleanup(type *value) {                                               \
        if (*value != (empty))                                                                     \
            destroy(*value);                                                                       \
    }                                                                                              \
    struct name##_cleanup_swallow_semicolon

#define CLEANUP(name) __attribute__((cleanup(name##_cleanup)))

static inline void free_cleanup(void *pointer) {
    free(*(void **)pointer);
}

static inline void fd_cleanup(int *fd) {
    if (*fd >= 0) {
        int saved_errno = errno;
        close(*fd);
        errno = saved_errno;
    }
}

DEFINE_CLEANUP(FILE *, file, fclose, NULL);
DEFINE_CLEANUP(DIR *, dir, closedir, NULL);

#define cleanup_free CLEANUP(free)
#define cleanup_fd CLEANUP(fd)
#define cleanup_file CLEANUP(file)
#define cleanup_dir CLEANUP(dir)

/* Hands ownership out of a cleanup variable: returns the value and leaves the empty one behind. */
#define TAKE_PTR(pointer)                                                                          \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

/* Closes a descriptor now and marks it closed, so that its cleanup does nothing. */
static inline void close_fd(int *fd) {
    fd_cleanup(fd);
    *fd = -1;
}

#endif
