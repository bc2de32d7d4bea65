// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Limits from outside: of the control groups that this process stands in, up to the root of their
 * tree (a CI job's, a user's session's). They hold for every instance, and no instance can see
 * them.
 */
#ifndef BOXMARK_ENVIRONMENTS_CGROUP_ABOVE_H
#define BOXMARK_ENVIRONMENTS_CGROUP_ABOVE_H

#include <stdint.h>

/* How long their quotas have held something back so far, all together; CGROUP_UNKNOWN (cgroup.h)
 * where no group tells. */
uint64_t cgroup_above_throttled_ns(void);

/* The least of their memory limits; UINT64_MAX without any. */
uint64_t cgroup_above_memory_bytes(void);

/* The same, of a folder and those above it, for tests. */
uint64_t cgroup_above_throttled_in(const char *folder);
uint64_t cgroup_above_memory_in(const char *folder);

#endif
