// SPDX-License-Identifier: GPL-3.0-or-later
/* Small, checked operations on files and descriptors. Strings returned are malloc'ed. */
#ifndef BOXMARK_COMMON_FILE_H
#define BOXMARK_COMMON_FILE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Largest file that file_read accepts. */
#define FILE_READ_MAX_BYTES (UINT64_C(256) << 20)

/*
 * The whole file, NUL-terminated. ret_size (may be NULL) receives the bytes before that NUL.
 * Works for files of unknown size (/proc, /sys). A file that is missing keeps errnum ENOENT.
 */
int file_read(const char *path, char **ret_text, size_t *ret_size, struct error **err);

/* Like file_read for small one-line files: no error object, NULL when unreadable, newline cut. */
char *file_read_line(const char *path);

/* Writes all bytes to a descriptor, retrying short writes and EINTR. `name` is for the message. */
int file_write_all(int fd, const void *data, size_t size, const char *name, struct error **err);

/* Replaces a file in one step: temporary name in the same folder, fsync, rename, fsync folder. */
int file_replace(const char *path, const void *data, size_t size, struct error **err);

/* The same, with owner and mode of `like` (NULL: one's own, 0644). */
int file_replace_alike(const char *path, const void *data, size_t size, const struct stat *like,
                       struct error **err);

/* Removes what a file_replace that was killed left in a folder that nobody else is using. */
void file_remove_half_replaced(const char *folder);

/* Writes a short text into an existing (kernel) file such as a cgroup's. */
int file_write_text(const char *path, const char *text, struct error **err);

/* mkdir -p with mode for every folder made. */
int file_make_folders(const char *path, mode_t mode, struct error **err);

/* rm -r of one tree, never following links nor leaving the file system; missing is fine. */
int file_remove_tree(const char *path, struct error **err);

/* printf into fresh memory; NULL when out of memory. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool file_exists(const char *path);

/* Lower-case hex SHA-256 of a file's content; `hex` holds 65 bytes. */
int file_sha256(const char *path, char hex[65], struct error **err);

/* The user's cache folder for boxmark ($XDG_CACHE_HOME or ~/.cache or /tmp/boxmark-UID), made. */
int file_cache_folder(char **ret_path, struct error **err);

/* First executable NAME in $PATH (or NAME itself when it holds a slash); NULL when not found. */
char *file_find_program(const char *name);

#endif
