// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a user asks to have written somewhere (-o FILE, --junit FILE). A regular file is replaced in
 * one step, at the end of a link if the path is one. A device, a pipe or a descriptor
 * (/dev/stdout) is written to as it is: renaming over it would destroy it.
 */
#ifndef BOXMARK_COMMON_OUTPUT_H
#define BOXMARK_COMMON_OUTPUT_H

#include "common/error.h"

#include <stdio.h>

/* "-" (or NULL) is standard output: NULL; every other path is itself. */
const char *output_path(const char *argument);

/* ERROR_USAGE where nothing can be written there; NULL: standard output. */
int output_write(const char *path, const void *data, size_t size, struct error **err);

/* Collects what is written into `file` and puts it in its place when all of it is there. */
struct output {
    FILE *file;
    const char *path; /* borrowed; NULL: standard output, to which `file` writes at once */
    char *text;
    size_t size;
};

int output_open(const char *path, struct output *ret_output, struct error **err);
int output_commit(struct output *output, struct error **err);

void output_cleanup(struct output *output);
#define cleanup_output CLEANUP(output)

#endif
