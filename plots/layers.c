// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/layers.h"

#include "common/file.h"
#include "plots/cost.h"
#include "plots/format.h"

#include <string.h>

enum { COLUMNS = 5, NONE = -1 };

/* The first environment of a kind, whatever its keys: the label begins with the kind's name. */
static int find_kind(const struct summary *summary, const char *kind) {
    size_t length = strlen(kind);
    for (unsigned i = 1; i < summary->environment_count; i++) {
        const char *label = summary->environments[i].label;
        if (strncmp(label, kind, length) == 0 && (label[length] == '\0' || label[length] == ':'))
            return (int)i;
    }
    return NONE;
}

/* The cost of one environment as a multiple of another's; the reference's own is 1. */
static char *cost_text(const struct report *report, const struct summary_metric *metric, int of,
                       int over) {
    char text[FORMAT_BYTES];
    double cost = 1;
    if (of == NONE || !cost_is_shown(report, metric, (unsigned)of) ||
        (over != 0 && !cost_is_shown(report, metric, (unsigned)over)))
        return strdup("-");
    cost = cost_of(metric, &metric->cells[of]).middle;
    if (over != 0)
        cost /= cost_of(metric, &metric->cells[over]).middle;
    return strdup(format_ratio(cost, text));
}

int layers_table(const struct report *report, struct side_tables *tables, struct error **err) {
    const struct summary *summary = report->summary;
    int container = find_kind(summary, "container"), vm = find_kind(summary, "vm");
    int guest = find_kind(summary, "microguest");
    if (!summary->has_reference || vm == NONE || guest == NONE)
        return 0;
    static const char *const heads[COLUMNS] = {
        "cost, as a multiple", "namespaces (container : host)", "a virtual CPU (microguest : host)",
        "a second kernel and its devices (vm : microguest)", "all of it (vm : host)"};
    bool emulated = strcmp(summary->environments[vm].accelerator, "TCG") == 0;
    struct side_table *table = NULL;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        if (!cost_is_shown(report, metric, (unsigned)guest) ||
            !cost_is_shown(report, metric, (unsigned)vm))
            continue;
        if (!table &&
            side_tables_add(
                tables, strdup("What a virtual machine is made of"),
                emulated ? "The last but one times the one before it is all of it. Above 1 is "
                           "slower. The virtual machine's CPU is emulated here (TCG): that, too, "
                           "is in what its kernel and devices seem to cost."
                         : "The last but one times the one before it is all of it. Above 1 is "
                           "slower. What it comes from, exits by reason, is counted below.",
                heads, COLUMNS, &table, err) < 0)
            return -1;
        if (side_table_add_row(table, err) < 0 ||
            side_table_set(table, 0, text_format("%s %s", metric->workload, metric->metric), err) <
                0 ||
            side_table_set(table, 1, cost_text(report, metric, container, 0), err) < 0 ||
            side_table_set(table, 2, cost_text(report, metric, guest, 0), err) < 0 ||
            side_table_set(table, 3, cost_text(report, metric, vm, guest), err) < 0 ||
            side_table_set(table, 4, cost_text(report, metric, vm, 0), err) < 0)
            return -1;
    }
    return 0;
}
