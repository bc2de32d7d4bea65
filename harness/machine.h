// SPDX-License-Identifier: GPL-3.0-or-later
/* What the host is: the machine record of run.json and topology.xml (docs/schema.md, "machine"). */
#ifndef BOXMARK_HARNESS_MACHINE_H
#define BOXMARK_HARNESS_MACHINE_H

#include "common/error.h"
#include "environments/envelope.h"

#include <jansson.h>

/* Facts as a JSON object; what the machine does not tell is left out. Never fails half-way. */
int machine_facts(const struct envelope *envelope, json_t **ret_facts, struct error **err);

/*
 * The frequency governor of the envelope's CPUs (without one: of CPU 0) below `folder`
 * (/sys/devices/system/cpu); "performance and powersave" where they differ. NULL when not told.
 */
char *machine_governor(const char *folder, const struct envelope *envelope);

/* Appends what could be better about a machine, each with the command that would do it. */
void machine_advise(const json_t *machine, json_t *list);

/* hwloc's topology of this machine as XML. */
int machine_write_topology(const char *path, struct error **err);

#endif
