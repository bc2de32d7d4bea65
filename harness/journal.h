// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * journal.jsonl of a run folder: one line for everything that happened, appended and made durable
 * (docs/schema.md). It says what is done, so that a killed run can be continued, and holds the
 * facts of every instance, from which the fairness audit is made.
 */
#ifndef BOXMARK_HARNESS_JOURNAL_H
#define BOXMARK_HARNESS_JOURNAL_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

struct journal;

/* Opens for appending; a half-written last line is cut off. */
int journal_open(const char *path, struct journal **ret_journal, struct error **err);

/* Writes one entry of a type; takes over `entry` (also on failure). */
int journal_append(struct journal *journal, const char *type, json_t *entry, struct error **err);

struct journal *journal_close(struct journal *journal); /* NULL is fine; returns NULL */

/* All entries as an array; a half-written last line is passed over. File and line in errors. */
int journal_read(const char *path, json_t **ret_entries, struct error **err);
/* The same from a text that ends with NUL; `name` stands in messages. */
int journal_parse(const char *text, const char *name, json_t **ret_entries, struct error **err);

#endif
