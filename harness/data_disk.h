// SPDX-License-Identifier: GPL-3.0-or-later
/* The disk below a folder, as far as the kernel tells: what makes it another one, and its name. */
#ifndef BOXMARK_HARNESS_DATA_DISK_H
#define BOXMARK_HARNESS_DATA_DISK_H

#include "common/error.h"

#include <jansson.h>

/* "data_disk" of run.json (docs/schema.md); what cannot be found out is absent. */
int data_disk_facts(const char *folder, json_t **ret_facts, struct error **err);

#endif
