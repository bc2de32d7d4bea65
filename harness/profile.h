// SPDX-License-Identifier: GPL-3.0-or-later
/* The sizes of the work: one table for all profiles, and the requests that follow from it. */
#ifndef BOXMARK_HARNESS_PROFILE_H
#define BOXMARK_HARNESS_PROFILE_H

#include "bench/catalog.h"
#include "common/error.h"

#include <jansson.h>
#include <stdint.h>

/* Most workloads that one run can hold. */
#define WORKLOADS_MAX 16

struct profile {
    const char *name;
    const char *summary;
    unsigned blocks;     /* at least so many */
    unsigned max_blocks; /* at most so many, where precision asks for more */
    unsigned iterations; /* that count, in every instance */
    unsigned warmups;
    uint64_t prime_limit, prime_events;
    uint64_t zip_bytes;
    bool zip_to_file;
    uint64_t
        stream_cap_bytes; /* of one array; 0: four times the last-level cache, whatever it is */
    uint64_t stream_floor_bytes;
    unsigned stream_iterations;
    uint64_t disk_bytes, disk_record_bytes;
    unsigned disk_depth, disk_iterations;
    uint64_t request_timeout_s; /* for one request, under software emulation too */
};

/* NULL-name-terminated; the first is the default. */
extern const struct profile profiles[];

/* ERROR_USAGE with the nearest name. */
int profile_find(const char *name, const struct profile **ret_profile, struct error **err);

/* One workload of a run and all its parameters: exactly what the agent is asked. */
struct work {
    const struct workload_description *description;
    json_t *parameters; /* owned; whole numbers, every parameter of the catalog */
};

struct work_list {
    unsigned count;
    struct work works[WORKLOADS_MAX];
};

/* What sizes depend on beside the profile; the same for all environments. */
struct work_basis {
    unsigned cpus;
    uint64_t cache_bytes;  /* the host's last-level cache; 0: unknown */
    uint64_t memory_bytes; /* the envelope's; 0: not yet chosen, do not cap */
};

/*
 * The requests of a profile. `names` (NULL-terminated) selects; NULL selects all that are not
 * hidden. `overrides` is an object {"zip.bytes": N, ...} of what is selected; NULL for none.
 */
int work_list_make(const struct profile *profile, const struct work_basis *basis,
                   const char *const *names, const json_t *overrides, struct work_list *ret_list,
                   struct error **err);
void work_list_clear(struct work_list *list);
#define cleanup_work_list __attribute__((cleanup(work_list_clear)))

const struct work *work_find(const struct work_list *list, const char *name);

/* The most memory that one of the requests needs in an instance, kernel and agent included. */
uint64_t work_list_memory_bytes(const struct work_list *list);

/* The most that one of the requests writes to the data folder. */
uint64_t work_list_data_bytes(const struct work_list *list);

#endif
