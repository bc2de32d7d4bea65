// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/spec.h"

#include "common/units.h"

#include <ctype.h>
#include <string.h>

struct spec *spec_free(struct spec *spec) {
    if (!spec)
        return NULL;
    for (unsigned i = 0; i < spec->count; i++) {
        free(spec->entries[i].key);
        free(spec->entries[i].value);
    }
    free(spec->entries);
    free(spec->name);
    free(spec->text);
    free(spec);
    return NULL;
}

const char *spec_given(const struct spec *spec, const char *key) {
    for (unsigned i = 0; i < spec->count; i++)
        if (strcmp(spec->entries[i].key, key) == 0)
            return spec->entries[i].value;
    return NULL;
}

/* "...": without the quotes; a backslash escapes a quote or a backslash. */
static bool take_quoted(const char **at, char *value) {
    for ((*at)++; **at && **at != '"'; (*at)++) {
        if (**at == '\\' && ((*at)[1] == '"' || (*at)[1] == '\\'))
            (*at)++;
        *value++ = **at;
    }
    *value = '\0';
    return *(*at)++ == '"' && (!**at || **at == ',');
}

/* As it stands up to the next comma outside of quotes, which are kept: a command has its own. */
static bool take_plain(const char **at, char *value) {
    bool quoted = false;
    for (; **at && (quoted || **at != ','); (*at)++) {
        if (**at == '"')
            quoted = !quoted;
        else if (quoted && **at == '\\' && (*at)[1])
            *value++ = *(*at)++;
        *value++ = **at;
    }
    *value = '\0';
    return !quoted;
}

static int parse_value(const char *text, const char **at, char **ret_value, struct error **err) {
    const char *start = *at;
    cleanup_free char *value = malloc(strlen(start) + 1);
    if (!value)
        return error_no_memory(err);
    if (!(*start == '"' ? take_quoted : take_plain)(at, value)) {
        error_set(err, ERROR_USAGE, 0, "environment \"%s\": a quote does not close: %.40s", text,
                  start);
        return error_advise(err, "a quoted value ends with its quote, before the next comma");
    }
    *ret_value = TAKE_PTR(value);
    return 0;
}

static int parse_entry(struct spec *spec, const char **at, struct error **err) {
    size_t key_length = strcspn(*at, "=,");
    if (key_length == 0 || (*at)[key_length] != '=') {
        error_set(err, ERROR_USAGE, 0, "environment \"%s\": KEY=VALUE expected at \"%s\"",
                  spec->text, *at);
        return error_advise(err, "write it like container:seccomp=off,userns=on");
    }
    cleanup_free char *key = strndup(*at, key_length);
    cleanup_free char *value = NULL;
    *at += key_length + 1;
    if (!key)
        return error_no_memory(err);
    if (parse_value(spec->text, at, &value, err) < 0)
        return -1;
    if (spec_given(spec, key))
        return error_set(err, ERROR_USAGE, 0, "environment \"%s\": \"%s\" stands there twice",
                         spec->text, key);
    return spec_add(spec, key, value, err);
}

int spec_parse(const char *text, struct spec **ret_spec, struct error **err) {
    cleanup_spec struct spec *spec = calloc(1, sizeof(*spec));
    if (!spec || !(spec->text = strdup(text)))
        return error_no_memory(err);
    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return error_set(err, ERROR_USAGE, 0,
                             "an environment's name holds a control character");
    size_t name_length = strcspn(text, ":");
    spec->name = strndup(text, name_length);
    if (!spec->name)
        return error_no_memory(err);
    if (name_length == 0)
        return error_set(err, ERROR_USAGE, 0, "environment \"%s\" has no name", text);
    if (text[name_length] == ':') {
        const char *at = text + name_length + 1;
        do {
            if (parse_entry(spec, &at, err) < 0)
                return -1;
        } while (*at++ == ',');
    }
    *ret_spec = TAKE_PTR(spec);
    return 0;
}

static const struct spec_key *find_key(const struct spec_key *keys, const char *name) {
    for (; keys && keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static int unknown_key(const struct spec_key *keys, const char *name, struct error **err) {
    enum { KEYS_MAX = 64 };
    const char *names[KEYS_MAX + 1] = {NULL};
    for (unsigned i = 0; keys && keys[i].name && i < KEYS_MAX; i++)
        names[i] = keys[i].name;
    return error_unknown_name("key", name, names, err);
}

int spec_check_entry(const struct spec_entry *entry, const struct spec_key *keys,
                     struct error **err) {
    const struct spec_key *key = find_key(keys, entry->key);
    if (!key)
        return unknown_key(keys, entry->key, err);
    const char *const *value = key->values;
    while (value && *value && strcmp(*value, entry->value) != 0)
        value++;
    if (!value || *value)
        return 0;
    error_unknown_name("value", entry->value, key->values, err);
    return error_wrap(err, "\"%s\"", key->name);
}

int spec_check(const struct spec *spec, const struct spec_key *keys, struct error **err) {
    for (unsigned i = 0; i < spec->count; i++)
        if (spec_check_entry(&spec->entries[i], keys, err) < 0)
            return error_wrap(err, "environment \"%s\"", spec->text);
    return 0;
}

int spec_add(struct spec *spec, const char *key, const char *value, struct error **err) {
    cleanup_free char *own_key = strdup(key);
    cleanup_free char *own_value = strdup(value);
    struct spec_entry *entries =
        reallocarray(spec->entries, spec->count + 1, sizeof(*spec->entries));
    if (entries)
        spec->entries = entries;
    if (!entries || !own_key || !own_value)
        return error_no_memory(err);
    entries[spec->count++] = (struct spec_entry){TAKE_PTR(own_key), TAKE_PTR(own_value)};
    return 0;
}

const char *spec_value(const struct spec *spec, const struct spec_key *keys, const char *key) {
    const char *given = spec_given(spec, key);
    if (given)
        return given;
    const struct spec_key *known = find_key(keys, key);
    return known && known->values ? known->values[0] : NULL;
}

bool spec_is_on(const struct spec *spec, const struct spec_key *keys, const char *key) {
    const char *value = spec_value(spec, keys, key);
    return value && strcmp(value, "on") == 0;
}
