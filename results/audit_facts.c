// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/audit_checks.h"

#include "common/file.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Items are bounded by checks times environments; a hostile journal must not grow them further. */
#define MAX_ITEMS 10000

/*
 * Evidence quotes what agents and kernels said, cut to a length: no terminal escapes, and no half
 * of a character.
 */
static void make_plain(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            *text = '?';
}

void audit_say(struct audit_facts *facts, const struct audit_check *check,
               const struct audit_environment *environment, const char *touches,
               enum audit_state state, const char *format, ...) {
    struct audit *audit = facts->audit;
    if (audit->count == MAX_ITEMS)
        return;
    if (audit->count == audit->capacity) {
        size_t capacity = audit->capacity ? audit->capacity * 2 : 64;
        struct audit_item *larger = reallocarray(audit->items, capacity, sizeof(*larger));
        if (!larger) {
            facts->out_of_memory = true;
            return;
        }
        audit->items = larger;
        audit->capacity = capacity;
    }
    va_list arguments;
    va_start(arguments, format);
    char *evidence = NULL;
    if (vasprintf(&evidence, format, arguments) < 0)
        evidence = NULL;
    va_end(arguments);
    if (evidence)
        make_plain(evidence);
    struct audit_item *item = &audit->items[audit->count++];
    *item = (struct audit_item){
        .name = strdup(check->name),
        .environment = environment ? strdup(environment->label) : NULL,
        .touches = strdup(touches),
        .state = state,
        .evidence = evidence,
        .reason = strdup(check->reason),
    };
    if (!item->name || (environment && !item->environment) || !item->touches || !item->evidence ||
        !item->reason)
        facts->out_of_memory = true;
}

const struct audit_threshold *audit_threshold_find(const char *name) {
    const struct audit_threshold *at = audit_thresholds;
    while (at->name && strcmp(at->name, name) != 0)
        at++;
    return at;
}

enum audit_state audit_judge(const char *threshold, double value) {
    const struct audit_threshold *limits = audit_threshold_find(threshold);
    if (value > limits->failing)
        return AUDIT_FAILING;
    return value <= limits->noted ? AUDIT_OK : AUDIT_NOTED;
}

const json_t *audit_next(const struct audit_facts *facts, const char *type, const char *environment,
                         size_t *position) {
    while (*position < json_array_size(facts->journal)) {
        const json_t *entry = json_array_get(facts->journal, (*position)++);
        const char *entry_type = fact_text(entry, "type");
        const char *label = fact_text(entry, "environment");
        if (entry_type && strcmp(entry_type, type) == 0 &&
            (!environment || (label && strcmp(label, environment) == 0)))
            return entry;
    }
    return NULL;
}

const json_t *fact(const json_t *object, const char *path) {
    while (object) {
        size_t length = strcspn(path, ".");
        cleanup_free char *key = strndup(path, length);
        object = key ? json_object_get(object, key) : NULL;
        if (!path[length])
            return object;
        path += length + 1;
    }
    return NULL;
}

const char *fact_text(const json_t *object, const char *path) {
    return json_string_value(fact(object, path));
}

double fact_number(const json_t *object, const char *path) {
    const json_t *value = fact(object, path);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

double fact_request_sum(const struct audit_facts *facts, const char *environment,
                        const char *path) {
    double sum = 0;
    bool any = false;
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "request", environment, &position));) {
        sum += fact_number(entry, path);
        any = true;
    }
    return any ? sum : NAN;
}

double fact_median(const json_t *array) {
    size_t count = json_array_size(array), kept = 0;
    cleanup_free double *values = calloc(count + 1, sizeof(*values));
    for (size_t i = 0; values && i < count; i++)
        if (json_is_number(json_array_get(array, i)))
            values[kept++] = json_number_value(json_array_get(array, i));
    return values ? statistics_median(values, kept) : NAN;
}

double fact_minimum(const json_t *array) {
    double minimum = NAN;
    size_t index;
    const json_t *value;
    json_array_foreach(array, index, value) if (json_is_number(value)) minimum =
        fmin(minimum, json_number_value(value)); /* fmin passes over a NAN */
    return minimum;
}

double fact_calibration(const json_t *instance, const char *when) {
    char key[64];
    snprintf(key, sizeof(key), "%s_agent", when);
    const json_t *host = fact(instance, when), *agent = fact(instance, key);
    cleanup_json_array json_t *seconds = json_array();
    size_t index;
    const json_t *value;
    json_array_foreach(host, index, value) {
        const json_t *inside = json_array_get(agent, index);
        if (json_is_number(value))
            json_array_append_new(
                seconds, json_real(fmax(json_number_value(value), json_number_value(inside))));
    }
    return fact_minimum(seconds);
}
