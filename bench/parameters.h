// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether a request's parameters are what the catalog asks for: used by the agent, which trusts
 * nobody, and by the harness, which refuses before anything is started.
 */
#ifndef BOXMARK_BENCH_PARAMETERS_H
#define BOXMARK_BENCH_PARAMETERS_H

#include "bench/catalog.h"
#include "common/error.h"

#include <jansson.h>

/* Blocks of this size are what records are made of and what direct I/O can write everywhere. */
#define DISK_BLOCK_BYTES 4096

/* All of them, in range, fitting each other, and no other; else ERROR_USAGE. */
int parameters_check(const struct workload_description *description, const json_t *parameters,
                     struct error **err);

#endif
