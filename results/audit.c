// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/audit.h"

#include "common/file.h"
#include "results/audit_checks.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

static const char *const state_names[] = {
    [AUDIT_OK] = "ok", [AUDIT_NOTED] = "noted", [AUDIT_FAILING] = "failing"};

const char *audit_state_name(enum audit_state state) {
    return state_names[state];
}

static void find_instance(const struct audit_facts *facts, struct audit_environment *environment) {
    const char *kernel = fact_text(facts->machine, "kernel_version");
    size_t position = 0;
    for (const json_t *entry;
         (entry = audit_next(facts, "instance", environment->label, &position));)
        if (fact(entry, "agent_facts")) {
            const char *inside = fact_text(entry, "agent_facts.kernel_version");
            environment->instance = entry;
            environment->same_kernel = kernel && inside && strcmp(kernel, inside) == 0;
            return;
        }
}

static unsigned find_environments(const struct audit_facts *facts,
                                  struct audit_environment *environments) {
    unsigned count = 0;
    size_t index;
    const json_t *described;
    json_array_foreach(fact(facts->run, "environments"), index, described) {
        const char *label = fact_text(described, "label");
        const char *accelerator = fact_text(described, "accelerator");
        if (!label)
            continue;
        environments[count] = (struct audit_environment){
            .label = label, .accelerator = accelerator ? accelerator : ""};
        find_instance(facts, &environments[count++]);
    }
    return count;
}

int audit_examine(const json_t *run, const json_t *journal, struct audit **ret_audit,
                  struct error **err) {
    static const struct audit_check *const lists[] = {audit_identity_checks, audit_envelope_checks,
                                                      audit_machine_checks, audit_clock_checks,
                                                      audit_disk_checks};
    cleanup_audit struct audit *audit = calloc(1, sizeof(*audit));
    cleanup_free struct audit_environment *environments =
        calloc(json_array_size(fact(run, "environments")) + 1, sizeof(*environments));
    if (!audit || !environments)
        return error_no_memory(err);
    struct audit_facts facts = {
        .run = run,
        .journal = journal,
        .machine = fact(run, "machine"),
        .envelope = fact(run, "machine.envelope"),
        .environments = environments,
        .cpus = fact_number(run, "machine.envelope.cpu_count"),
        .audit = audit,
    };
    facts.environment_count = find_environments(&facts, environments);
    for (unsigned i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        for (const struct audit_check *check = lists[i]; check->name; check++)
            check->examine(&facts, check);
    if (facts.out_of_memory)
        return error_no_memory(err);
    *ret_audit = TAKE_PTR(audit);
    return 0;
}

void audit_apply(const struct audit *audit, struct summary *summary) {
    for (size_t i = 0; i < audit->count; i++) {
        const struct audit_item *item = &audit->items[i];
        if (item->state != AUDIT_FAILING)
            continue;
        cleanup_free char *reason = text_format("%s: %s", item->name, item->evidence);
        for (unsigned m = 0; m < summary->metric_count; m++) {
            const struct summary_metric *metric = &summary->metrics[m];
            cleanup_free char *name = text_format("%s/%s", metric->workload, metric->metric);
            /* Out of memory: rather distrust too much than too little. */
            if (!name || fnmatch(item->touches, name, 0) == 0)
                summary_distrust(summary, item->environment, metric->workload, metric->metric,
                                 reason ? reason : item->name);
        }
    }
}

enum audit_state audit_worst(const struct audit *audit) {
    enum audit_state worst = AUDIT_OK;
    for (size_t i = 0; i < audit->count; i++)
        if (audit->items[i].state > worst)
            worst = audit->items[i].state;
    return worst;
}

int audit_to_json(const struct audit *audit, json_t **ret_json, struct error **err) {
    json_t *array = json_array();
    for (size_t i = 0; i < audit->count; i++) {
        const struct audit_item *item = &audit->items[i];
        json_t *object = json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s}", "name", item->name,
                                   "environment", item->environment, "touches", item->touches,
                                   "state", audit_state_name(item->state), "evidence",
                                   item->evidence, "reason", item->reason);
        if (!object || json_array_append_new(array, object) < 0) {
            json_decref(array);
            return error_set(err, ERROR_INTERNAL, 0,
                             "the audit cannot be put into JSON: no memory, or text that is not "
                             "UTF-8 in %s",
                             item->name);
        }
    }
    *ret_json = array;
    return 0;
}

/* A copy of a text member; a missing one is an error unless it may be null. */
static char *take_text(const json_t *object, const char *key, bool may_be_null, const char *name,
                       size_t index, struct error **err) {
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value)) {
        char *copy = strdup(json_string_value(value));
        if (!copy)
            error_no_memory(err);
        return copy;
    }
    if (!(may_be_null && (!value || json_is_null(value))))
        error_set(err, ERROR_USAGE, 0, "%s: audit item %zu: \"%s\" is missing or not a text", name,
                  index, key);
    return NULL;
}

static int read_item(const json_t *object, const char *name, size_t index, struct audit_item *item,
                     struct error **err) {
    cleanup_error struct error *problem = NULL;
    if (!json_is_object(object))
        return error_set(err, ERROR_USAGE, 0, "%s: audit item %zu is not an object", name, index);
    /* One after the other: the first problem is the one that is told. */
    if ((item->name = take_text(object, "name", false, name, index, &problem)) &&
        (item->touches = take_text(object, "touches", false, name, index, &problem)) &&
        (item->evidence = take_text(object, "evidence", false, name, index, &problem)) &&
        (item->reason = take_text(object, "reason", false, name, index, &problem)))
        item->environment = take_text(object, "environment", true, name, index, &problem);
    if (problem)
        return error_move(err, TAKE_PTR(problem));
    const char *state = fact_text(object, "state");
    for (unsigned i = 0; state && i < sizeof(state_names) / sizeof(*state_names); i++)
        if (strcmp(state, state_names[i]) == 0) {
            item->state = (enum audit_state)i;
            return 0;
        }
    return error_set(err, ERROR_USAGE, 0,
                     "%s: audit item %zu: \"state\" is not ok, noted or failing", name, index);
}

int audit_from_json(const json_t *json, const char *name, struct audit **ret_audit,
                    struct error **err) {
    if (!json_is_array(json))
        return error_set(err, ERROR_USAGE, 0, "%s: the audit is not an array", name);
    cleanup_audit struct audit *audit = calloc(1, sizeof(*audit));
    size_t count = json_array_size(json);
    if (!audit || !(audit->items = calloc(count + 1, sizeof(*audit->items))))
        return error_no_memory(err);
    audit->count = audit->capacity = count;
    for (size_t i = 0; i < count; i++)
        if (read_item(json_array_get(json, i), name, i, &audit->items[i], err) < 0)
            return -1;
    *ret_audit = TAKE_PTR(audit);
    return 0;
}

struct audit *audit_free(struct audit *audit) {
    for (size_t i = 0; audit && i < audit->count; i++) {
        struct audit_item *item = &audit->items[i];
        free(item->name);
        free(item->environment);
        free(item->touches);
        free(item->evidence);
        free(item->reason);
    }
    free(audit ? audit->items : NULL);
    free(audit);
    return NULL;
}
