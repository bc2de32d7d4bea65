// SPDX-License-Identifier: GPL-3.0-or-later
/* The CPUs and the memory that every environment gets alike. */
#ifndef BOXMARK_ENVIRONMENTS_ENVELOPE_H
#define BOXMARK_ENVIRONMENTS_ENVELOPE_H

#include "common/error.h"

#include <sched.h>
#include <stdint.h>

#define ENVELOPE_MAX_CPUS 256

struct envelope {
    unsigned cpu_count;
    unsigned cpus[ENVELOPE_MAX_CPUS]; /* the operating system's numbers */
    char cpu_list[512];               /* "0-1,4" as cpusets take it */
    char node_list[128];              /* memory nodes of those CPUs, "0" */
    uint64_t memory_bytes;
};

/*
 * Chooses CPUs by the host's topology: among those this process may use, distinct cores first, in
 * one NUMA node and one last-level cache where they fit. 0 CPUs: as many cores as there are, at
 * most `default_cpus`. ERROR_USAGE when the machine does not have that many CPUs or that much
 * memory.
 */
int envelope_choose(unsigned cpus, unsigned default_cpus, uint64_t memory_bytes,
                    struct envelope *ret_envelope, struct error **err);

/* The envelope as a CPU mask for sched_setaffinity. */
void envelope_cpu_set(const struct envelope *envelope, cpu_set_t *ret_set);

/* Size of the host's last-level cache; 0 when the machine does not tell. */
uint64_t host_last_level_cache_bytes(void);

#endif
