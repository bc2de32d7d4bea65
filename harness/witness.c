// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/witness.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/cgroup.h"
#include "environments/cgroup_above.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

/* /proc/stat of the envelope's CPUs: user nice system idle iowait irq softirq steal (proc(5)). */
static void take_cpu_times(struct witness *witness, const struct envelope *envelope) {
    cleanup_free char *text = NULL;
    if (file_read("/proc/stat", &text, NULL, NULL) < 0)
        return;
    const uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    for (unsigned i = 0; i < envelope->cpu_count; i++) {
        char key[32];
        snprintf(key, sizeof(key), "\ncpu%u ", envelope->cpus[i]);
        const char *line = strstr(text, key);
        unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
        if (!line || sscanf(line + strlen(key), "%llu %llu %llu %llu %llu %llu %llu %llu", &user,
                            &nice, &system, &idle, &iowait, &irq, &softirq, &steal) != 8)
            continue;
        witness->steal_ns += steal * tick_ns;
        witness->busy_ns += (user + nice + system + irq + softirq) * tick_ns;
    }
}

/* The counters of the block device that holds the folder; a virtual file system has none. */
struct disk_counters disk_counters_take(const char *data_folder) {
    struct stat status;
    if (!data_folder || stat(data_folder, &status) < 0)
        return (struct disk_counters){0};
    char path[96];
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat", major(status.st_dev),
             minor(status.st_dev));
    cleanup_free char *line = file_read_line(path);
    unsigned long long sectors_read, sectors_written;
    /* Fields 3 and 7, always in sectors of 512 bytes (Documentation/block/stat.rst). */
    if (!line ||
        sscanf(line, "%*u %*u %llu %*u %*u %*u %llu", &sectors_read, &sectors_written) != 2)
        return (struct disk_counters){0};
    return (struct disk_counters){true, sectors_read * 512, sectors_written * 512};
}

void disk_counters_add(const struct disk_counters *before, const struct disk_counters *after,
                       json_t *json) {
    if (!before->known || !after->known)
        return;
    json_object_set_new(json, "disk_read_bytes",
                        json_integer((json_int_t)(after->read_bytes - before->read_bytes)));
    json_object_set_new(json, "disk_written_bytes",
                        json_integer((json_int_t)(after->written_bytes - before->written_bytes)));
}

static void take_swap(struct witness *witness) {
    cleanup_free char *text = NULL;
    if (file_read("/proc/vmstat", &text, NULL, NULL) < 0)
        return;
    static const char *const keys[] = {"\npswpin ", "\npswpout "};
    for (unsigned i = 0; i < 2; i++) {
        const char *line = strstr(text, keys[i]);
        if (line)
            witness->swapped_pages += strtoull(line + strlen(keys[i]), NULL, 10);
    }
}

/* CLOCK_BOOTTIME goes on while the machine is suspended, CLOCK_MONOTONIC does not. */
static uint64_t read_asleep_ns(void) {
    struct timespec boot;
    uint64_t monotonic = monotonic_ns();
    if (clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return 0;
    uint64_t boot_ns = (uint64_t)boot.tv_sec * NS_PER_S + (uint64_t)boot.tv_nsec;
    return boot_ns > monotonic ? boot_ns - monotonic : 0;
}

uint64_t witness_asleep_ns(const struct witness *before, const struct witness *after) {
    /* The two clocks are not read at the same moment; no suspension is that short. */
    const uint64_t shortest_ns = NS_PER_S / 10;
    uint64_t asleep_ns =
        after->asleep_ns > before->asleep_ns ? after->asleep_ns - before->asleep_ns : 0;
    return asleep_ns >= shortest_ns ? asleep_ns : 0;
}

void witness_take(struct witness *witness, const struct envelope *envelope,
                  const char *data_folder) {
    *witness = (struct witness){.time_ns = monotonic_ns(), .asleep_ns = read_asleep_ns()};
    take_cpu_times(witness, envelope);
    witness->disk = disk_counters_take(data_folder);
    take_swap(witness);
    witness->throttled_ns = cgroup_above_throttled_ns();
}

json_t *witness_between(const struct witness *before, const struct witness *after) {
    json_t *json = json_pack("{s:I, s:I, s:I, s:I}", "elapsed_ns",
                             (json_int_t)(after->time_ns - before->time_ns), "steal_ns",
                             (json_int_t)(after->steal_ns - before->steal_ns), "busy_ns",
                             (json_int_t)(after->busy_ns - before->busy_ns), "swapped_pages",
                             (json_int_t)(after->swapped_pages - before->swapped_pages));
    if (json && before->throttled_ns != CGROUP_UNKNOWN && after->throttled_ns != CGROUP_UNKNOWN)
        json_object_set_new(json, "throttled_ns",
                            json_integer((json_int_t)(after->throttled_ns - before->throttled_ns)));
    if (json)
        disk_counters_add(&before->disk, &after->disk, json);
    return json;
}
