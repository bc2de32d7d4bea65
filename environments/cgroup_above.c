// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/cgroup_above.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "environments/cgroup.h"

#include <inttypes.h>
#include <string.h>

/* FOLDER/FILE, or NULL. */
static char *read_in(const char *folder, const char *file) {
    char *text = NULL;
    cleanup_free char *path = text_format("%s/%s", folder, file);
    return path && file_read(path, &text, NULL, NULL) == 0 ? text : NULL;
}

/* Cuts the last name off; false at the root of all. */
static bool go_up(char *folder) {
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return false;
    *slash = '\0';
    return true;
}

/* Version 1 counts nanoseconds, version 2 microseconds. */
static bool find_throttled(const char *text, uint64_t *ret_ns) {
    static const struct {
        const char *key;
        uint64_t unit_ns;
    } keys[] = {{"throttled_time ", 1}, {"throttled_usec ", NS_PER_US}};
    for (const char *line = text; line; line = text_after(line, '\n'))
        for (unsigned i = 0; i < 2; i++)
            if (strncmp(line, keys[i].key, strlen(keys[i].key)) == 0) {
                *ret_ns = strtoull(line + strlen(keys[i].key), NULL, 10) * keys[i].unit_ns;
                return true;
            }
    return false;
}

uint64_t cgroup_above_throttled_in(const char *folder) {
    uint64_t sum = CGROUP_UNKNOWN, ns;
    cleanup_free char *at = strdup(folder);
    if (!at)
        return sum;
    do {
        cleanup_free char *text = read_in(at, "cpu.stat");
        if (!text)
            break; /* above the tree's root */
        if (find_throttled(text, &ns))
            sum = sum == CGROUP_UNKNOWN ? ns : sum + ns;
    } while (go_up(at));
    return sum;
}

uint64_t cgroup_above_memory_in(const char *folder) {
    static const char *const files[] = {"memory.max", "memory.limit_in_bytes"};
    uint64_t least = UINT64_MAX, bytes;
    cleanup_free char *at = strdup(folder);
    if (!at)
        return least;
    do {
        /* The root of version 2 has none, nor has what is above the tree: it costs two looks. */
        for (unsigned i = 0; i < 2; i++) {
            cleanup_free char *text = read_in(at, files[i]);
            /* "max", or version 1's largest multiple of a page: no limit. */
            if (text && sscanf(text, "%" SCNu64, &bytes) == 1 && bytes < INT64_MAX / 2 &&
                bytes < least)
                least = bytes;
        }
    } while (go_up(at));
    return least;
}

/* Where this process stands; NULL without that controller. */
static char *own_folder(enum cgroup_controller controller) {
    cleanup_free char *self = NULL;
    cleanup_free char *mounts = NULL;
    cleanup_cgroup_world struct cgroup_world *world = NULL;
    if (file_read("/proc/self/cgroup", &self, NULL, NULL) < 0 ||
        file_read("/proc/self/mountinfo", &mounts, NULL, NULL) < 0 ||
        cgroup_world_parse(self, mounts, &world, NULL) < 0 || !world->parents[controller])
        return NULL;
    return strdup(world->parents[controller]);
}

uint64_t cgroup_above_throttled_ns(void) {
    cleanup_free char *folder = own_folder(CGROUP_CPU);
    return folder ? cgroup_above_throttled_in(folder) : CGROUP_UNKNOWN;
}

uint64_t cgroup_above_memory_bytes(void) {
    cleanup_free char *folder = own_folder(CGROUP_MEMORY);
    return folder ? cgroup_above_memory_in(folder) : UINT64_MAX;
}
