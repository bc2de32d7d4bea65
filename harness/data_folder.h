// SPDX-License-Identifier: GPL-3.0-or-later
/* The folder on the file system under test in which instances keep their data. */
#ifndef BOXMARK_HARNESS_DATA_FOLDER_H
#define BOXMARK_HARNESS_DATA_FOLDER_H

#include "common/error.h"

#include <stdint.h>

/*
 * Makes an empty, private folder of a fresh name in `parent`, after a check that the parent is a
 * folder that can be written and has room for `bytes`; what killed runs left there is removed
 * before. ERROR_USAGE says which it is not. *ret_lock_fd marks it as used until it is closed; -1
 * where there are no locks. Fills a malloc'ed absolute path.
 */
int data_folder_make(const char *parent, uint64_t bytes, char **ret_path, int *ret_lock_fd,
                     struct error **err);

/* Removes the folders in `parent` that killed runs of this user left; returns how many. */
unsigned data_folder_remove_leftovers(const char *parent);

/* Removes one such folder, unless a run is using it; anything else is left alone. */
int data_folder_remove_leftover(const char *path, struct error **err);

#endif
