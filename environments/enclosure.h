// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The envelope put in place for one instance: its cgroup (where the user may make one), its CPUs,
 * and a launcher that stands in both. All kinds of environment use it alike, so that none of them
 * is held back or let loose where another is not.
 */
#ifndef BOXMARK_ENVIRONMENTS_ENCLOSURE_H
#define BOXMARK_ENVIRONMENTS_ENCLOSURE_H

#include "environments/cgroup.h"
#include "environments/environment.h"
#include "environments/launcher.h"

struct enclosure {
    struct cgroup *cgroup;
    struct launch_plan plan;
    struct launcher launcher;
    cpu_set_t cpus;
    struct cgroup_usage before; /* when the instance was launched */
    uint64_t prepared_ns;       /* how long all this took, before LAUNCH */
};

/* `plan` as in launcher.h without CPUs, cgroup, time-out and cancel_fd, which are filled in. */
int enclosure_prepare(struct enclosure *enclosure, const struct environment_setup *setup,
                      const struct cgroup_world *world, const struct cgroup_limits *limits,
                      const struct launch_plan *plan, struct error **err);

/* Stamps LAUNCH and starts the instance's process; stamps HELPER_ALIVE and USER_INSTRUCTION. */
int enclosure_launch(struct enclosure *enclosure, struct instance *instance,
                     struct process *ret_process, struct error **err);

/* The instance is ready: the launcher may go. */
void enclosure_settled(struct enclosure *enclosure);

/* CPU time, throttled time and resident size of everything inside; image_bytes is untouched. */
void enclosure_footprint(const struct enclosure *enclosure, pid_t pid, struct footprint *footprint);

/* What is in force, read back. */
void enclosure_facts(const struct enclosure *enclosure, pid_t pid, json_t *facts);

/* How often the memory limit killed something inside; 0 where unknown. */
uint64_t enclosure_oom_kills(const struct enclosure *enclosure);

/* Was this ended process one of those? */
bool enclosure_killed_by_limit(const struct enclosure *enclosure, const struct process *process);

/* Ends everything that is still inside and removes the cgroup; fine when nothing was prepared. */
int enclosure_end(struct enclosure *enclosure, struct error **err);

/*
 * For probes: "cgroup v2", "cgroup v1 without memory: ...", and whether all limits of an envelope
 * can be held.
 */
bool enclosure_describe_world(const struct cgroup_world *world, char *text, size_t capacity);

/* What a user can do who cannot hold all limits. */
void enclosure_advise(const struct cgroup_world *world, char *text, size_t capacity);

/* The steps before LAUNCH, for --dry-run. */
void enclosure_describe(const struct environment_setup *setup, const struct cgroup_world *world,
                        const struct cgroup_limits *limits, FILE *to);

#endif
