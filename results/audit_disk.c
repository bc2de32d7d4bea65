// SPDX-License-Identifier: GPL-3.0-or-later
/* Did the bytes reach the disk? */
#include "results/audit_checks.h"

#include <math.h>
#include <string.h>

/* Parameters of the disk requests; NULL when there were none. */
static const json_t *disk_parameters(const struct audit_facts *facts) {
    size_t index;
    const json_t *work;
    json_array_foreach(fact(facts->run, "workloads"), index, work) {
        const char *name = fact_text(work, "name");
        if (name && strcmp(name, "disk") == 0)
            return fact(work, "parameters");
    }
    return NULL;
}

/* The first disk request of an environment; NULL when there was none. */
static const json_t *disk_request(const struct audit_facts *facts, const char *environment,
                                  size_t *position) {
    for (const json_t *entry; (entry = audit_next(facts, "request", environment, position));) {
        const char *workload = fact_text(entry, "workload");
        if (workload && strcmp(workload, "disk") == 0)
            return entry;
    }
    return NULL;
}

static void compare_bytes(struct audit_facts *facts, const struct audit_check *check,
                          const struct audit_environment *environment, const char *touches,
                          const char *what, double device, double claimed) {
    audit_say(facts, check, environment, touches, audit_judge("page_cache", 1 - device / claimed),
              "%.1f MiB %s on the host's block device, %.1f MiB claimed", device / 0x1p20, what,
              claimed / 0x1p20);
}

/* Each iteration writes the file twice (in order, at random) and reads it twice. */
static void examine_page_cache(struct audit_facts *facts, const struct audit_check *check) {
    const json_t *parameters = disk_parameters(facts);
    double each = 2 * fact_number(parameters, "bytes") * fact_number(parameters, "iterations");
    for (unsigned i = 0; parameters && i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double claimed = 0, written = 0, read = 0;
        bool told = true; /* how it wrote: whoever does not say so has perhaps no disk at all */
        size_t position = 0;
        for (const json_t *entry; (entry = disk_request(facts, environment->label, &position));
             claimed += each) {
            written += fact_number(entry, "witness.disk_written_bytes");
            read += fact_number(entry, "witness.disk_read_bytes");
            told &= fact_text(entry, "notes.direct") != NULL;
        }
        if (claimed == 0)
            continue;
        if (!told || isnan(written + read + claimed)) {
            audit_say(facts, check, environment, "disk/*", AUDIT_NOTED,
                      told ? "the data folder's file system has no block device that counts"
                           : "the agent did not say how it wrote");
            continue;
        }
        compare_bytes(facts, check, environment, "disk/*write*", "written", written, claimed);
        compare_bytes(facts, check, environment, "disk/*read*", "read", read, claimed);
    }
}

static void examine_flush(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; disk_parameters(facts) && i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const char *cache = fact_text(environment->instance, "facts.disk.cache");
        const json_t *flush = fact(environment->instance, "facts.disk.flush");
        bool ignored = cache && strcmp(cache, "unsafe") == 0;
        /* Without a volatile cache there is nothing to flush. */
        bool through =
            cache && (strcmp(cache, "directsync") == 0 || strcmp(cache, "writethrough") == 0);
        if (!fact(environment->instance, "facts.disk")) {
            if (!environment->same_kernel && environment->instance)
                audit_say(facts, check, environment, "disk/*", AUDIT_NOTED, "not recorded");
            continue; /* no virtual disk: the host's own kernel writes */
        }
        audit_say(facts, check, environment, "disk/*",
                  ignored || (json_is_false(flush) && !through) ? AUDIT_FAILING
                  : json_is_true(flush) || cache                ? AUDIT_OK
                                                                : AUDIT_NOTED,
                  "virtual disk: cache %.20s, flush %s", cache ? cache : "unknown",
                  ignored                ? "ignored"
                  : through              ? "not needed"
                  : json_is_false(flush) ? "not offered"
                  : json_is_true(flush)  ? "offered"
                                         : "not recorded");
    }
}

static void examine_direct_io(struct audit_facts *facts, const struct audit_check *check) {
    unsigned direct_count = 0, known_count = 0;
    const char *path = NULL;
    for (unsigned i = 0; i < facts->environment_count; i++) {
        size_t position = 0;
        const json_t *request = disk_request(facts, facts->environments[i].label, &position);
        const char *direct = fact_text(request, "notes.direct");
        known_count += direct != NULL;
        direct_count += direct && strcmp(direct, "yes") == 0;
        path = path ? path : fact_text(request, "notes.io");
    }
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        size_t position = 0;
        const json_t *request = disk_request(facts, environment->label, &position);
        if (!request)
            continue;
        const char *direct = fact_text(request, "notes.direct");
        const char *io = fact_text(request, "notes.io");
        const char *why = fact_text(request, "notes.io_fallback");
        bool is_direct = direct && strcmp(direct, "yes") == 0;
        enum audit_state state = AUDIT_OK;
        if (!is_direct || !io || !path || strcmp(io, path) != 0 || why)
            state = AUDIT_NOTED;
        if (direct && !is_direct && direct_count > 0)
            state = AUDIT_FAILING;
        audit_say(facts, check, environment, "disk/*", state,
                  "direct I/O: %.60s (%u of %u environments have it); by %.40s%s%.80s",
                  direct ? direct : "not recorded", direct_count, known_count,
                  io ? io : "an unknown path", why ? ", fallen back: " : "", why ? why : "");
    }
}

const struct audit_check audit_disk_checks[] = {
    {"page_cache", examine_page_cache,
     "writes that stay in the host's memory made a guest's disk 2.2 times faster than the metal "
     "(Agache et al. 2020)"},
    {"flush", examine_flush,
     "a disk that ignores flushes promises durability that it does not give, and looks fast"},
    {"direct_io", examine_direct_io,
     "one environment that reads from the page cache beside another that reads from the disk "
     "compares memory with disks"},
    {0},
};
