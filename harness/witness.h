// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the host's own counters say around a request: steal time and other load on the envelope's
 * CPUs, quotas from outside, sectors that really reached the disk, swapping. Evidence for the
 * fairness audit.
 */
#ifndef BOXMARK_HARNESS_WITNESS_H
#define BOXMARK_HARNESS_WITNESS_H

#include "environments/envelope.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Of the disk below the data folder. */
struct disk_counters {
    bool known;
    uint64_t read_bytes, written_bytes;
};

struct witness {
    uint64_t time_ns;
    uint64_t steal_ns, busy_ns; /* summed over the envelope's CPUs */
    struct disk_counters disk;
    uint64_t swapped_pages;
    uint64_t throttled_ns; /* by quotas of groups above; CGROUP_UNKNOWN */
    uint64_t asleep_ns;    /* since the machine was started */
};

/* These alone; what cannot be told, or `data_folder` NULL, is not known. */
struct disk_counters disk_counters_take(const char *data_folder);

/* Adds "disk_read_bytes" and "disk_written_bytes", the differences, where both are known. */
void disk_counters_add(const struct disk_counters *before, const struct disk_counters *after,
                       json_t *json);

void witness_take(struct witness *witness, const struct envelope *envelope,
                  const char *data_folder);

/* How long the machine was suspended between the two; 0 when it was not. */
uint64_t witness_asleep_ns(const struct witness *before, const struct witness *after);

/* The differences as a JSON object (docs/schema.md, "witness"). */
json_t *witness_between(const struct witness *before, const struct witness *after);

#endif
