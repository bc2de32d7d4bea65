// SPDX-License-Identifier: GPL-3.0-or-later
/* Sizes, durations and counts as people write them, and the nearest of a list of names. */
#ifndef BOXMARK_COMMON_UNITS_H
#define BOXMARK_COMMON_UNITS_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/* "512M", "4GiB", "1.5g", "4096": powers of 1024. `what` names the value in messages. */
int parse_size(const char *text, const char *what, uint64_t *ret_bytes, struct error **err);

/* "30s", "5m", "1h", "250ms", "90" (seconds). */
int parse_duration(const char *text, const char *what, uint64_t *ret_ns, struct error **err);

/* "1", "0.5%": above 0 and up to 100 per cent, as a fraction of 1. */
int parse_percentage(const char *text, const char *what, double *ret_fraction, struct error **err);

/* A whole decimal number in [minimum, maximum]. */
int parse_count(const char *text, const char *what, uint64_t minimum, uint64_t maximum,
                uint64_t *ret_count, struct error **err);

/* "4.0 GiB", "17 B"; `text` holds 32 bytes; returns text. */
char *format_size(uint64_t bytes, char text[32]);

/* "3 min 20 s", "1.25 s", "830 us"; `text` holds 32 bytes; returns text. */
char *format_duration(uint64_t duration_ns, char text[32]);

/*
 * The name nearest to `word` by edit distance (transpositions count one), or NULL when none is
 * near enough to be a likely slip. `names` is NULL-terminated.
 */
const char *nearest_name(const char *word, const char *const *names);

/* ERROR_USAGE "unknown WHAT "WORD"" with "did you mean" or the list as advice; returns -1. */
int error_unknown_name(const char *what, const char *word, const char *const *names,
                       struct error **err);

#endif
