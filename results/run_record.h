// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * run.json: read back with every member that a reader relies on checked (docs/schema.md). What a
 * member means is the harness's; here is only that it is there, of its type, and of a schema that
 * this version reads.
 */
#ifndef BOXMARK_RESULTS_RUN_RECORD_H
#define BOXMARK_RESULTS_RUN_RECORD_H

#include "common/error.h"

#include <jansson.h>

#define RUN_RECORD_SCHEMA_VERSION 1

/* Checks the members; `name` stands in messages. */
int run_record_check(const json_t *record, const char *name, struct error **err);

/* Reads and checks FOLDER/run.json; corrupt JSON is named with its line. */
int run_record_load(const char *folder, json_t **ret_record, struct error **err);

/* The same from a text; `name` stands in messages. */
int run_record_parse(const char *text, size_t size, const char *name, json_t **ret_record,
                     struct error **err);

/* Checks, then replaces FOLDER/run.json in one step. */
int run_record_save(const char *folder, const json_t *record, struct error **err);

#endif
