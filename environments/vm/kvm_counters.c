// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/kvm_counters.h"

#include <string.h>

/* Histograms and states ("guest_mode": false) are not counts. */
static void add_count(json_t *counters, const json_t *statistic) {
    const char *name = json_string_value(json_object_get(statistic, "name"));
    const json_t *value = json_object_get(statistic, "value");
    if (!name || !json_is_integer(value))
        return;
    json_int_t sum =
        json_integer_value(json_object_get(counters, name)) + json_integer_value(value);
    json_object_set_new(counters, name, json_integer(sum));
}

int kvm_counters_read(struct qmp *qmp, uint64_t deadline_ns, json_t *counters, struct error **err) {
    json_auto_t *arguments =
        json_pack("{s:s, s:[{s:s}]}", "target", "vcpu", "providers", "provider", "kvm");
    json_auto_t *answer = NULL;
    cleanup_error struct error *failure = NULL;
    if (!arguments)
        return error_no_memory(err);
    if (qmp_execute(qmp, "query-stats", arguments, deadline_ns, &answer, &failure) < 0) {
        /* A QEMU that does not know the question; one that does not answer is another matter. */
        if (failure->kind == ERROR_INTERNAL)
            return 0;
        return error_move(err, TAKE_PTR(failure));
    }
    size_t i, j;
    json_t *cpu, *statistic;
    json_array_foreach(answer, i, cpu) {
        json_array_foreach(json_object_get(cpu, "stats"), j, statistic) {
            add_count(counters, statistic);
        }
    }
    return 0;
}
