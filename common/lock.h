// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Locks that end with their holder, however it ends: flock on a file or folder. Nothing has to be
 * cleaned up after a crash, and who finds a lock free knows that nobody is there any more.
 */
#ifndef BOXMARK_COMMON_LOCK_H
#define BOXMARK_COMMON_LOCK_H

#include <sys/types.h>

enum lock_state {
    LOCK_TAKEN,  /* *ret_fd holds it until it is closed */
    LOCK_HELD,   /* by somebody else */
    LOCK_UNABLE, /* there are no locks here, or it may not be opened: errno says why */
};

/* Locks a folder that exists. */
enum lock_state lock_folder(const char *path, int *ret_fd);

/* Locks a file, which is made if need be; a name that somebody else put there is not followed. */
enum lock_state lock_file(const char *path, int *ret_fd);

/* Removes a file that we have locked, and ends the lock. */
void lock_file_remove(const char *path, int *fd);

/* "process 123 (boxmark run -o x)", malloc'ed; "another process" where the kernel does not tell. */
char *lock_holder(const char *path);

#endif
