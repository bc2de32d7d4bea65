// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/environment.h"

#include "common/units.h"

#include <string.h>

static int unknown_environment(const char *name, struct error **err) {
    enum { KINDS_MAX = 64 };
    const char *names[KINDS_MAX + 1] = {NULL};
    unsigned count = 0;
    for (unsigned i = 0; environment_table[i] && count < KINDS_MAX; i++)
        if (!environment_table[i]->hidden)
            names[count++] = environment_table[i]->name;
    return error_unknown_name("environment", name, names, err);
}

int environment_new(const char *spec_text, const struct environment_setup *setup,
                    struct environment **ret_environment, struct error **err) {
    cleanup_spec struct spec *spec = NULL;
    if (spec_parse(spec_text, &spec, err) < 0)
        return -1;
    const struct environment_ops *const *ops = environment_table;
    while (*ops && strcmp((*ops)->name, spec->name) != 0)
        ops++;
    if (!*ops)
        return unknown_environment(spec->name, err);
    if (spec_check(spec, (*ops)->keys, err) < 0)
        return -1;
    struct environment *environment = calloc(1, sizeof(*environment));
    if (!environment)
        return error_no_memory(err);
    environment->ops = *ops;
    environment->setup = setup;
    environment->label = strdup(spec_text);
    strcpy(environment->accelerator, "none");
    if (!environment->label) {
        free(environment);
        return error_no_memory(err);
    }
    environment->spec = TAKE_PTR(spec);
    *ret_environment = environment;
    return 0;
}

struct environment *environment_free(struct environment *environment) {
    if (!environment)
        return NULL;
    if (environment->ops->release)
        environment->ops->release(environment);
    spec_free(environment->spec);
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
