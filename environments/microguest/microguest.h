// SPDX-License-Identifier: GPL-3.0-or-later
/* The environment `microguest`: what its files share. The monitor itself is another program. */
#ifndef BOXMARK_MICROGUEST_MICROGUEST_H
#define BOXMARK_MICROGUEST_MICROGUEST_H

#include "environments/enclosure.h"
#include "environments/microguest/status.h"

/* The user that root's monitor becomes. */
#define MICROGUEST_NOBODY 65534

/* environment->state */
struct microguest {
    char *monitor; /* path of boxmark-microguest */
    struct cgroup_world *world;
    struct cgroup_limits limits;
    int cpuid_fd;  /* what every guest here may have (cpuid.h); negative: none */
    unsigned user; /* what the monitor becomes; 0: it stays who we are */
};

/* instance->state */
struct microguest_instance {
    struct enclosure enclosure;
    struct process process;
    const struct status *status; /* shared with the monitor; NULL before it is made */
    int status_fd;
};

int microguest_provision(struct environment *environment, struct error **err);
int microguest_probe(struct environment *environment, struct probe_result *ret_result,
                     struct error **err);
int microguest_facts(struct instance *instance, json_t *facts, struct error **err);
int microguest_counters(struct instance *instance, json_t *counters, struct error **err);
char *microguest_diagnose(struct instance *instance);

/* What the monitor says of its end, or NULL; malloc'ed. */
char *microguest_words(const struct microguest_instance *self);

/* Exits so far, by reason and by system call: {"exits": {...}, "calls": {...}}. */
json_t *microguest_exits(const struct status *status);

/* Appends those, at the end of an instance, to exits.jsonl among the environment's logs. */
int microguest_log_exits(const struct instance *instance, struct error **err);

#endif
