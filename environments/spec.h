// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * NAME[:KEY=VALUE,...], as written on the command line: one kind of environment can stand twice in
 * a comparison. A value in "..." may hold commas, and \" and \\; quotes further inside of a value
 * are kept and protect commas. The whole text is the default label.
 */
#ifndef BOXMARK_ENVIRONMENTS_SPEC_H
#define BOXMARK_ENVIRONMENTS_SPEC_H

#include "common/error.h"

#include <stdbool.h>

/* A key that a kind of environment knows. */
struct spec_key {
    const char *name;
    /* Allowed values, NULL-terminated; NULL: any text. The first one is the default. */
    const char *const *values;
    const char *summary;
};

struct spec_entry {
    char *key, *value;
};

struct spec {
    char *text; /* as written */
    char *name;
    unsigned count;
    struct spec_entry *entries; /* no key twice */
};

/* Splits; says what is wrong with quotes, empty keys, keys twice. Does not know the keys. */
int spec_parse(const char *text, struct spec **ret_spec, struct error **err);

/* Checks keys and values against a NULL-name-terminated list; suggests the nearest. */
int spec_check(const struct spec *spec, const struct spec_key *keys, struct error **err);

/* The same for one of them; the message does not name the environment. */
int spec_check_entry(const struct spec_entry *entry, const struct spec_key *keys,
                     struct error **err);

/* Adds an entry; the caller has seen that the key is not there yet. */
int spec_add(struct spec *spec, const char *key, const char *value, struct error **err);

/* The value that was given for a key, or NULL. */
const char *spec_given(const struct spec *spec, const char *key);

/* The value of a key; the key's default (may be NULL) when it was not given. */
const char *spec_value(const struct spec *spec, const struct spec_key *keys, const char *key);

/* True when the value of the key (given or default) is "on". */
bool spec_is_on(const struct spec *spec, const struct spec_key *keys, const char *key);

struct spec *spec_free(struct spec *spec); /* NULL is fine; returns NULL */
static inline void spec_cleanup(struct spec **spec) {
    spec_free(*spec);
}
#define cleanup_spec CLEANUP(spec)

#endif
