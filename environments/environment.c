// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/environment.h"

#include "common/units.h"
#include "environments/definition.h"
#include "environments/stack.h"

#include <string.h>

const struct environment_ops *environment_kind(const char *name) {
    for (const struct environment_ops *const *ops = environment_table; *ops; ops++)
        if (strcmp((*ops)->name, name) == 0)
            return *ops;
    return NULL;
}

static int unknown_environment(const char *name, struct error **err) {
    if (strchr(name, ',')) {
        error_set(err, ERROR_USAGE, 0, "unknown environment \"%s\"", name);
        return error_advise(err, "several environments are several options: -e host -e container");
    }
    enum { NAMES_MAX = 128 };
    const char *names[NAMES_MAX + 1] = {NULL};
    unsigned count = 0;
    cleanup_definitions struct definitions definitions = {0};
    for (unsigned i = 0; environment_table[i] && count < NAMES_MAX; i++)
        if (!environment_table[i]->hidden)
            names[count++] = environment_table[i]->name;
    if (definitions_find(&definitions, NULL) == 0)
        for (unsigned i = 0; i < definitions.count && count < NAMES_MAX; i++)
            names[count++] = definitions.entries[i].name;
    return error_unknown_name("environment", name, names, err);
}

int environment_check_entry(const struct environment_ops *ops, const struct spec_entry *entry,
                            struct error **err) {
    if (spec_check_entry(entry, ops->keys, err) < 0)
        return -1;
    return ops->check_value ? ops->check_value(entry->key, entry->value, err) : 0;
}

/* What was written on the command line. */
static int check(const struct spec *spec, const struct environment_ops *ops, struct error **err) {
    if (spec_check(spec, ops->keys, err) < 0)
        return -1;
    for (unsigned i = 0; ops->check_value && i < spec->count; i++)
        if (ops->check_value(spec->entries[i].key, spec->entries[i].value, err) < 0)
            return error_wrap(err, "environment \"%s\": \"%s\"", spec->text, spec->entries[i].key);
    return 0;
}

/* What the text names: the kind, its spec and, of a stack, the inner one's. */
struct reading {
    const struct environment_ops *ops;
    struct spec *spec, *inner;
};

static void reading_cleanup(struct reading *reading) {
    spec_free(reading->spec);
    spec_free(reading->inner);
}

static int read_stack(const char *text, const char *inner, const char *outer,
                      struct reading *reading, struct error **err) {
    reading->ops = &environment_stack;
    if (spec_parse(inner, &reading->inner, err) < 0 || spec_parse(outer, &reading->spec, err) < 0 ||
        check(reading->inner, &environment_container, err) < 0 ||
        check(reading->spec, &environment_vm, err) < 0)
        return -1;
    char *whole = strdup(text);
    if (!whole)
        return error_no_memory(err);
    free(reading->spec->text);
    reading->spec->text = whole;
    return 0;
}

static int read_single(const char *text, struct reading *reading, struct error **err) {
    cleanup_definition struct definition *definition = NULL;
    if (spec_parse(text, &reading->spec, err) < 0)
        return -1;
    reading->ops = environment_kind(reading->spec->name);
    if (!reading->ops) {
        int found = definition_load(reading->spec->name, &definition, err);
        if (found <= 0)
            return found < 0 ? -1 : unknown_environment(reading->spec->name, err);
        reading->ops = definition->ops;
    }
    if (check(reading->spec, reading->ops, err) < 0)
        return -1;
    return definition ? definition_apply(definition, reading->spec, err) : 0;
}

int environment_new(const char *spec_text, const struct environment_setup *setup,
                    struct environment **ret_environment, struct error **err) {
    __attribute__((cleanup(reading_cleanup))) struct reading reading = {NULL, NULL, NULL};
    cleanup_free char *inner = NULL, *outer = NULL;
    int stacked = stack_split(spec_text, &inner, &outer, err);
    if (stacked < 0 || (stacked ? read_stack(spec_text, inner, outer, &reading, err)
                                : read_single(spec_text, &reading, err)) < 0)
        return -1;
    struct environment *environment = calloc(1, sizeof(*environment));
    if (!environment)
        return error_no_memory(err);
    environment->ops = reading.ops;
    environment->setup = setup;
    const char *label_key = reading.ops->label_key;
    const char *label = label_key ? spec_given(reading.spec, label_key) : NULL;
    environment->label = strdup(label ? label : spec_text);
    strcpy(environment->accelerator, "none");
    if (!environment->label) {
        free(environment);
        return error_no_memory(err);
    }
    environment->spec = TAKE_PTR(reading.spec);
    environment->inner = TAKE_PTR(reading.inner);
    *ret_environment = environment;
    return 0;
}

struct environment *environment_free(struct environment *environment) {
    if (!environment)
        return NULL;
    if (environment->ops->release)
        environment->ops->release(environment);
    spec_free(environment->spec);
    spec_free(environment->inner);
    free(environment->label);
    free(environment);
    return NULL;
}

void environment_title(const struct environment *environment, char *text, size_t capacity) {
    if (strcmp(environment->accelerator, "none") == 0)
        snprintf(text, capacity, "%s", environment->label);
    else
        snprintf(text, capacity, "%s (%s)", environment->label, environment->accelerator);
}

bool environment_is_emulated(const struct environment *environment) {
    return strcmp(environment->accelerator, ACCELERATOR_TCG) == 0 ||
           strcmp(environment->accelerator, ACCELERATOR_KVM_EMULATED) == 0;
}

const char *environment_value(const struct environment *environment, const char *key) {
    return spec_value(environment->spec, environment->ops->keys, key);
}

bool environment_is_on(const struct environment *environment, const char *key) {
    return spec_is_on(environment->spec, environment->ops->keys, key);
}

struct instance *instance_new(struct environment *environment) {
    struct instance *instance = calloc(1, sizeof(*instance));
    if (instance)
        instance->environment = environment;
    return instance;
}

struct instance *instance_free(struct instance *instance) {
    if (!instance)
        return NULL;
    channel_close(instance->channel);
    free(instance->data_path);
    free(instance);
    return NULL;
}

void instance_stamp(struct instance *instance, enum stamp stamp) {
    instance->stamps[stamp] = clock_now_ns(instance->environment->setup->clock);
}
