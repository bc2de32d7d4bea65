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

/* The agent's timed passes over the file; each moves all of it once. */
static const struct pass {
    const char *section, *touches;
    bool writes;
} passes[] = {
    {"seq_write_time", "disk/seq_write*", true},
    {"seq_read_time", "disk/seq_read*", false},
    {"rand_read_time", "disk/rand_read*", false},
    {"rand_write_time", "disk/rand_write*", true},
};
enum { PASSES = sizeof(passes) / sizeof(*passes), SEQ_WRITE = 0 };

/* What was moved in an environment, in bytes. */
struct moved {
    unsigned requests;
    bool told;            /* how it wrote: whoever does not say so has perhaps no disk at all */
    bool direct;          /* past the page cache of its own kernel, as it says itself */
    double written, read; /* on the device, from the beginning of each request to its end */
    bool by_section;      /* every section of every request is known */
    struct {
        double device, elapsed_s;
        unsigned count, unpaced;
    } sections[PASSES];
};

/* More than claimed is what others did: it makes up for nothing that is missing elsewhere. */
static void add_sections(const json_t *request, double file_bytes, double iterations,
                         struct moved *moved) {
    unsigned counts[PASSES] = {0};
    size_t index;
    const json_t *section;
    json_array_foreach(fact(request, "sections"), index, section) {
        const char *name = fact_text(section, "section");
        for (unsigned i = 0; name && i < PASSES; i++) {
            if (strcmp(name, passes[i].section) != 0)
                continue;
            double bytes =
                fact_number(section, passes[i].writes ? "disk_written_bytes" : "disk_read_bytes");
            if (isnan(bytes))
                continue;
            moved->sections[i].device += fmin(bytes, file_bytes);
            moved->sections[i].elapsed_s += fact_number(section, "elapsed_ns") / 1e9;
            moved->sections[i].count++;
            moved->sections[i].unpaced += isnan(fact_number(request, "round_trip_ns"));
            counts[i]++;
        }
    }
    for (unsigned i = 0; i < PASSES; i++)
        moved->by_section &= counts[i] == iterations;
}

static struct moved sum_moved(const struct audit_facts *facts, const char *environment,
                              double file_bytes, double iterations) {
    struct moved moved = {.told = true, .direct = true, .by_section = true};
    size_t position = 0;
    for (const json_t *entry; (entry = disk_request(facts, environment, &position));) {
        const char *direct = fact_text(entry, "notes.direct");
        moved.requests++;
        moved.written += fact_number(entry, "witness.disk_written_bytes");
        moved.read += fact_number(entry, "witness.disk_read_bytes");
        moved.told &= direct != NULL;
        moved.direct &= direct && strcmp(direct, "yes") == 0;
        add_sections(entry, file_bytes, iterations, &moved);
    }
    return moved;
}

/* Runs of before sections were recorded: whole requests, in which what a section left in memory may
 * have been made durable afterwards, and untimed reading may hide that timed reading did not. */
static void compare_requests(struct audit_facts *facts, const struct audit_check *check,
                             const struct audit_environment *environment, const char *touches,
                             const char *what, double device, double claimed) {
    audit_say(facts, check, environment, touches, audit_judge("page_cache", 1 - device / claimed),
              "%.1f MiB %s on the host's block device in whole requests, %.1f MiB claimed",
              device / 0x1p20, what, claimed / 0x1p20);
}

/*
 * The agent waits until the counters have been read. In runs of before it did, the work had gone on
 * since its line was sent: so much of a section may be missing at its start.
 */
static double share_of_delay(const struct moved *moved, unsigned pass) {
    double delay_s = audit_threshold_find("page_cache_delay")->noted;
    unsigned unpaced = moved->sections[pass].unpaced;
    return unpaced ? delay_s * unpaced / moved->sections[pass].elapsed_s : 0;
}

static void compare_section(struct audit_facts *facts, const struct audit_check *check,
                            const struct audit_environment *environment, const struct moved *moved,
                            unsigned pass, double file_bytes) {
    bool writes = passes[pass].writes;
    double device = moved->sections[pass].device;
    double claimed = file_bytes * moved->sections[pass].count;
    double missing = 1 - device / claimed;
    enum audit_state state = audit_judge("page_cache", missing);
    const char *why = "";
    if (state == AUDIT_FAILING) {
        state = audit_judge("page_cache", missing - share_of_delay(moved, pass));
        if (state != AUDIT_FAILING)
            why = "; too short to tell more";
        /* Reading begins after the agent has dropped its own cache. */
        else if (writes && !moved->direct)
            why = "; the agent says that it wrote through the page cache";
        if (*why)
            state = AUDIT_NOTED;
    }
    audit_say(facts, check, environment, passes[pass].touches, state,
              "%.1f MiB %s on the host's block device while %.1f MiB were timed (%.*s)%s",
              device / 0x1p20, writes ? "written" : "read", claimed / 0x1p20,
              (int)(strlen(passes[pass].section) - strlen("_time")), passes[pass].section, why);
    if (state == AUDIT_FAILING && pass == SEQ_WRITE)
        audit_say(
            facts, check, environment, "disk/fsync*", state,
            "%.1f MiB of what seq_write wrote were still in the host's memory when fsync began",
            (claimed - device) / 0x1p20);
}

/* Each iteration writes the file twice (in order, at random), and reads it twice timed and twice to
 * verify it. */
static void examine_page_cache(struct audit_facts *facts, const struct audit_check *check) {
    const json_t *parameters = disk_parameters(facts);
    double bytes = fact_number(parameters, "bytes");
    double iterations = fact_number(parameters, "iterations");
    for (unsigned i = 0; parameters && i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        struct moved moved = sum_moved(facts, environment->label, bytes, iterations);
        if (moved.requests == 0)
            continue;
        double claimed = bytes * iterations * moved.requests;
        if (!moved.told || isnan(moved.written + moved.read + claimed)) {
            audit_say(facts, check, environment, "disk/*", AUDIT_NOTED,
                      moved.told ? "the data folder's file system has no block device that counts"
                                 : "the agent did not say how it wrote");
            continue;
        }
        if (!moved.by_section) {
            compare_requests(facts, check, environment, "disk/*write*", "written", moved.written,
                             2 * claimed);
            compare_requests(facts, check, environment, "disk/*read*", "read", moved.read,
                             4 * claimed);
            continue;
        }
        for (unsigned pass = 0; pass < PASSES; pass++)
            compare_section(facts, check, environment, &moved, pass, bytes);
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
        const char *polled = fact_text(request, "notes.io_polled");
        bool is_direct = direct && strcmp(direct, "yes") == 0;
        enum audit_state state = AUDIT_OK;
        if (!is_direct || !io || !path || strcmp(io, path) != 0 || why || polled)
            state = AUDIT_NOTED;
        if (direct && !is_direct && direct_count > 0)
            state = AUDIT_FAILING;
        audit_say(facts, check, environment, "disk/*", state,
                  "direct I/O: %.60s (%u of %u environments have it); by %.40s%s%.80s%s%.80s",
                  direct ? direct : "not recorded", direct_count, known_count,
                  io ? io : "an unknown path", why ? ", fallen back: " : "", why ? why : "",
                  polled ? ", polled: " : "", polled ? polled : "");
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
