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

static const char *value_given(const struct spec *spec, const char *key) {
    for (unsigned i = 0; i < spec->count; i++)
        if (strcmp(spec->entries[i].key, key) == 0)
            return spec->entries[i].value;
    return NULL;
}

/* Reads one value up to the next comma outside of quotes into fresh memory. */
static int parse_value(const char *text, const char **at, char **ret_value, struct error **err) {
    cleanup_free char *value = malloc(strlen(*at) + 1);
    if (!value)
        return error_no_memory(err);
    size_t length = 0;
    bool quoted = false;
    for (; **at && (quoted || **at != ','); (*at)++) {
        if (**at == '"')
            quoted = !quoted;
        else if (quoted && **at == '\\' && ((*at)[1] == '"' || (*at)[1] == '\\'))
            value[length++] = *++(*at);
        else
            value[length++] = **at;
    }
    if (quoted)
        return error_set(err, ERROR_USAGE, 0, "environment \"%s\": a quote does not close", text);
    value[length] = '\0';
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
    if (value_given(spec, key))
        return error_set(err, ERROR_USAGE, 0, "environment \"%s\": \"%s\" stands there twice",
                         spec->text, key);
    struct spec_entry *entries =
        reallocarray(spec->entries, spec->count + 1, sizeof(*spec->entries));
    if (!entries)
        return error_no_memory(err);
    spec->entries = entries;
    entries[spec->count++] = (struct spec_entry){TAKE_PTR(key), TAKE_PTR(value)};
    return 0;
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

static int unknown_key(const struct spec *spec, const struct spec_key *keys, const char *name,
                       struct error **err) {
    enum { KEYS_MAX = 64 };
    const char *names[KEYS_MAX + 1] = {NULL};
    for (unsigned i = 0; keys && keys[i].name && i < KEYS_MAX; i++)
        names[i] = keys[i].name;
    error_unknown_name("key", name, names, err);
    return error_wrap(err, "environment \"%s\"", spec->text);
}

int spec_check(const struct spec *spec, const struct spec_key *keys, struct error **err) {
    for (unsigned i = 0; i < spec->count; i++) {
        const struct spec_key *key = find_key(keys, spec->entries[i].key);
        if (!key)
            return unknown_key(spec, keys, spec->entries[i].key, err);
        if (!key->values)
            continue;
        const char *const *value = key->values;
        while (*value && strcmp(*value, spec->entries[i].value) != 0)
            value++;
        if (!*value) {
            error_unknown_name("value", spec->entries[i].value, key->values, err);
            return error_wrap(err, "environment \"%s\": \"%s\"", spec->text, key->name);
        }
    }
    return 0;
}

const char *spec_value(const struct spec *spec, const struct spec_key *keys, const char *key) {
    const char *given = value_given(spec, key);
    if (given)
        return given;
    const struct spec_key *known = find_key(keys, key);
    return known && known->values ? known->values[0] : NULL;
}

bool spec_is_on(const struct spec *spec, const struct spec_key *keys, const char *key) {
    const char *value = spec_value(spec, keys, key);
    return value && strcmp(value, "on") == 0;
}
