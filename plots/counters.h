// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What environments counted during each request (KVM's exits by reason and halt polling, a
 * micro-guest's exits): medians over the requests of a workload, from the journal. They explain a
 * cost; they are not judged.
 */
#ifndef BOXMARK_PLOTS_COUNTERS_H
#define BOXMARK_PLOTS_COUNTERS_H

#include "plots/side_table.h"

/*
 * environment -> workload -> {"requests": N, "counters": {name: median}} of all that counted
 * anything; an empty object where nothing did (docs/schema.md). In the report's order.
 */
int counters_to_json(const struct report *report, json_t **ret_json, struct error **err);

/* One table an environment: a row a counter, a column a workload. */
int counters_tables(const struct report *report, struct side_tables *tables, struct error **err);

#endif
