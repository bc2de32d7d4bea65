// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/envelope.h"

#include <hwloc.h>
#include <string.h>

static void topology_cleanup(hwloc_topology_t *topology) {
    if (*topology)
        hwloc_topology_destroy(*topology);
}

static void bitmap_cleanup(hwloc_bitmap_t *bitmap) {
    hwloc_bitmap_free(*bitmap);
}

static int load_topology(hwloc_topology_t *ret_topology, struct error **err) {
    __attribute__((cleanup(topology_cleanup))) hwloc_topology_t topology = NULL;
    if (hwloc_topology_init(&topology) < 0 || hwloc_topology_load(topology) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot read the machine's topology");
    *ret_topology = topology;
    topology = NULL;
    return 0;
}

/* Orders CPUs so that a prefix of them is a good envelope: first threads of distinct cores, in
 * the topology's order (which keeps caches and nodes together), then their siblings. */
static unsigned order_cpus(hwloc_topology_t topology, hwloc_const_bitmap_t allowed,
                           unsigned cpus[ENVELOPE_MAX_CPUS], unsigned *ret_cores) {
    unsigned count = 0;
    *ret_cores = 0;
    for (unsigned sibling = 0; sibling < 8; sibling++) {
        hwloc_obj_t core = NULL;
        while ((core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, core))) {
            unsigned seen = 0;
            int cpu;
            hwloc_bitmap_foreach_begin(cpu, core->cpuset) {
                if (hwloc_bitmap_isset(allowed, (unsigned)cpu) && seen++ == sibling &&
                    count < ENVELOPE_MAX_CPUS)
                    cpus[count++] = (unsigned)cpu;
            }
            hwloc_bitmap_foreach_end();
        }
        if (sibling == 0)
            *ret_cores = count;
    }
    return count;
}

static int compare_unsigned(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void write_lists(hwloc_topology_t topology, struct envelope *envelope) {
    __attribute__((cleanup(bitmap_cleanup))) hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    __attribute__((cleanup(bitmap_cleanup))) hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
    for (unsigned i = 0; i < envelope->cpu_count; i++)
        hwloc_bitmap_set(cpus, envelope->cpus[i]);
    hwloc_cpuset_to_nodeset(topology, cpus, nodes);
    hwloc_bitmap_list_snprintf(envelope->cpu_list, sizeof(envelope->cpu_list), cpus);
    hwloc_bitmap_list_snprintf(envelope->node_list, sizeof(envelope->node_list), nodes);
    if (!envelope->node_list[0])
        strcpy(envelope->node_list, "0");
}

int envelope_choose(unsigned cpus, unsigned default_cpus, uint64_t memory_bytes,
                    struct envelope *ret_envelope, struct error **err) {
    __attribute__((cleanup(topology_cleanup))) hwloc_topology_t topology = NULL;
    if (load_topology(&topology, err) < 0)
        return -1;
    __attribute__((cleanup(bitmap_cleanup))) hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
    if (hwloc_get_cpubind(topology, allowed, HWLOC_CPUBIND_PROCESS) < 0)
        hwloc_bitmap_copy(allowed, hwloc_topology_get_allowed_cpuset(topology));
    struct envelope envelope = {.memory_bytes = memory_bytes};
    unsigned cores;
    unsigned available = order_cpus(topology, allowed, envelope.cpus, &cores);
    if (available == 0) {
        /* A machine whose cores hwloc does not see: take the CPUs as they are. */
        int cpu;
        hwloc_bitmap_foreach_begin(cpu, allowed) {
            if (available < ENVELOPE_MAX_CPUS)
                envelope.cpus[available++] = (unsigned)cpu;
        }
        hwloc_bitmap_foreach_end();
        cores = available;
    }
    envelope.cpu_count = cpus ? cpus : cores < default_cpus ? cores : default_cpus;
    if (envelope.cpu_count > available) {
        error_set(err, ERROR_USAGE, 0, "%u CPUs asked for, but this process may use %u", cpus,
                  available);
        return error_advise(err, "give --cpus a number from 1 to %u", available);
    }
    uint64_t machine_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (memory_bytes > machine_bytes) {
        error_set(err, ERROR_USAGE, 0, "%.1f GiB of memory asked for, but this machine has %.1f",
                  (double)memory_bytes / 0x1p30, (double)machine_bytes / 0x1p30);
        return error_advise(err, "give --memory a smaller size, or choose a smaller profile");
    }
    qsort(envelope.cpus, envelope.cpu_count, sizeof(*envelope.cpus), compare_unsigned);
    write_lists(topology, &envelope);
    *ret_envelope = envelope;
    return 0;
}

void envelope_cpu_set(const struct envelope *envelope, cpu_set_t *ret_set) {
    CPU_ZERO(ret_set);
    for (unsigned i = 0; i < envelope->cpu_count; i++)
        CPU_SET(envelope->cpus[i], ret_set);
}

uint64_t host_last_level_cache_bytes(void) {
    __attribute__((cleanup(topology_cleanup))) hwloc_topology_t topology = NULL;
    if (load_topology(&topology, NULL) < 0)
        return 0;
    static const hwloc_obj_type_t levels[] = {HWLOC_OBJ_L5CACHE, HWLOC_OBJ_L4CACHE,
                                              HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L2CACHE,
                                              HWLOC_OBJ_L1CACHE};
    for (unsigned i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
        hwloc_obj_t cache = hwloc_get_obj_by_type(topology, levels[i], 0);
        if (cache)
            return cache->attr->cache.size;
    }
    return 0;
}
