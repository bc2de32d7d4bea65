// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/summary.h"

#include <string.h>

/* Place of a name in a list; behind all of them when it is not there. */
static unsigned rank(const char *const *names, const char *name) {
    unsigned place = 0;
    while (names[place] && strcmp(names[place], name) != 0)
        place++;
    return place;
}

/* A stable order of `count` items by rank: ret_order[new place] = old place. */
static void order_by_rank(const unsigned *ranks, unsigned count, unsigned *ret_order) {
    for (unsigned i = 0; i < count; i++) {
        unsigned place = i;
        for (; place > 0 && ranks[ret_order[place - 1]] > ranks[i]; place--)
            ret_order[place] = ret_order[place - 1];
        ret_order[place] = i;
    }
}

static int reorder_environments(struct summary *summary, const char *const *names,
                                struct error **err) {
    unsigned count = summary->environment_count;
    cleanup_free unsigned *ranks = calloc(count + 1, sizeof(*ranks));
    cleanup_free unsigned *order = calloc(count + 1, sizeof(*order));
    cleanup_free struct summary_environment *environments =
        calloc(count + 1, sizeof(*environments));
    cleanup_free struct summary_cell *cells = calloc(count + 1, sizeof(*cells));
    if (!ranks || !order || !environments || !cells)
        return error_no_memory(err);
    for (unsigned i = 0; i < count; i++)
        ranks[i] = rank(names, summary->environments[i].label);
    order_by_rank(ranks, count, order);
    for (unsigned i = 0; i < count; i++)
        environments[i] = summary->environments[order[i]];
    memcpy(summary->environments, environments, count * sizeof(*environments));
    for (unsigned metric = 0; metric < summary->metric_count; metric++) {
        for (unsigned i = 0; i < count; i++)
            cells[i] = summary->metrics[metric].cells[order[i]];
        memcpy(summary->metrics[metric].cells, cells, count * sizeof(*cells));
    }
    return 0;
}

static int reorder_workloads(struct summary *summary, const char *const *names,
                             struct error **err) {
    unsigned count = summary->metric_count;
    cleanup_free unsigned *ranks = calloc(count + 1, sizeof(*ranks));
    cleanup_free unsigned *order = calloc(count + 1, sizeof(*order));
    cleanup_free struct summary_metric *metrics = calloc(count + 1, sizeof(*metrics));
    if (!ranks || !order || !metrics)
        return error_no_memory(err);
    for (unsigned i = 0; i < count; i++)
        ranks[i] = rank(names, summary->metrics[i].workload);
    order_by_rank(ranks, count, order);
    for (unsigned i = 0; i < count; i++)
        metrics[i] = summary->metrics[order[i]];
    memcpy(summary->metrics, metrics, count * sizeof(*metrics));
    return 0;
}

int summary_reorder(struct summary *summary, const char *const *environments,
                    const char *const *workloads, struct error **err) {
    if (reorder_environments(summary, environments, err) < 0)
        return -1;
    return reorder_workloads(summary, workloads, err);
}
