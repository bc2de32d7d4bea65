// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOXMARK_HARNESS_DATA_FOLDER_H
#define BOXMARK_HARNESS_DATA_FOLDER_H

#include "common/error.h"

#include <stdint.h>

/*
 * Makes a private sub-folder of `parent` for the data of the instances, after checking that the
 * parent is there, can be written, and has room for `bytes` (a file system image around them and a
 * reserve included). Absolute, malloc'ed; the caller removes it.
 */
int data_folder_make(const char *parent, uint64_t bytes, char **ret_path, struct error **err);

#endif
