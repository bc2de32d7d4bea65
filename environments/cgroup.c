// SPDX-License-Identifier: GPL-3.0-or-later
/* What both versions share: names, folders, members, removal. */
#include "environments/cgroup.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "environments/cgroup_backend.h"
#include "environments/owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Members that were killed need a moment to leave. */
#define REMOVE_TIMEOUT_NS (5 * NS_PER_S)
#define POLL_NS (1 * NS_PER_MS)

static void pause_briefly(void) {
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

int cgroup_write(const struct cgroup *cgroup, enum cgroup_controller controller, const char *file,
                 const char *text, struct error **err) {
    cleanup_free char *path = text_format("%s/%s", cgroup->folders[controller], file);
    return path ? file_write_text(path, text, err) : error_no_memory(err);
}

char *cgroup_read_text(const struct cgroup *cgroup, enum cgroup_controller controller,
                       const char *file) {
    if (!cgroup->folders[controller])
        return NULL;
    cleanup_free char *path = text_format("%s/%s", cgroup->folders[controller], file);
    char *text = NULL;
    if (!path || file_read(path, &text, NULL, NULL) < 0)
        return NULL;
    return text;
}

uint64_t cgroup_read_number(const struct cgroup *cgroup, enum cgroup_controller controller,
                            const char *file) {
    cleanup_free char *text = cgroup_read_text(cgroup, controller, file);
    uint64_t number;
    return text && sscanf(text, "%" SCNu64, &number) == 1 ? number : CGROUP_UNKNOWN;
}

uint64_t cgroup_read_keyed(const struct cgroup *cgroup, enum cgroup_controller controller,
                           const char *file, const char *key) {
    cleanup_free char *text = cgroup_read_text(cgroup, controller, file);
    size_t length = strlen(key);
    for (const char *line = text; line; line = text_after(line, '\n')) {
        uint64_t number;
        if (strncmp(line, key, length) == 0 && line[length] == ' ' &&
            sscanf(line + length, "%" SCNu64, &number) == 1)
            return number;
    }
    return CGROUP_UNKNOWN;
}

void cgroup_limits_of(const struct envelope *envelope, struct cgroup_limits *ret_limits) {
    /* Against a runaway fork; far above what any workload starts. */
    enum { PIDS_BASE = 512, PIDS_PER_CPU = 16 };
    *ret_limits = (struct cgroup_limits){
        .memory_bytes = envelope->memory_bytes,
        .pids = PIDS_BASE + PIDS_PER_CPU * (uint64_t)envelope->cpu_count,
    };
    snprintf(ret_limits->cpu_list, sizeof(ret_limits->cpu_list), "%s", envelope->cpu_list);
    snprintf(ret_limits->node_list, sizeof(ret_limits->node_list), "%s", envelope->node_list);
}

static void cgroup_free(struct cgroup *cgroup) {
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        free(cgroup->folders[i]);
    for (const int *fd = cgroup->join_fds; *fd >= 0; fd++)
        close(*fd);
    free(cgroup);
}

static bool is_distinct(const struct cgroup *cgroup, const char *folder) {
    for (unsigned i = 0; i < cgroup->distinct_count; i++)
        if (strcmp(cgroup->distinct[i], folder) == 0)
            return false;
    return true;
}

static int make_folders(struct cgroup *cgroup, const struct cgroup_world *world, const char *name,
                        struct error **err) {
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!world->parents[i])
            continue;
        cleanup_free char *folder = text_format("%s/%s", world->parents[i], name);
        if (!folder)
            return error_no_memory(err);
        bool distinct = is_distinct(cgroup, folder);
        if (distinct && mkdir(folder, 0755) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot make the cgroup %s", folder);
        cgroup->folders[i] = TAKE_PTR(folder);
        if (!distinct)
            continue;
        cgroup->distinct[cgroup->distinct_count++] = cgroup->folders[i];
    }
    return 0;
}

static int open_joins(struct cgroup *cgroup, struct error **err) {
    for (unsigned i = 0; i < cgroup->distinct_count; i++) {
        cleanup_free char *path = text_format("%s/cgroup.procs", cgroup->distinct[i]);
        if (!path)
            return error_no_memory(err);
        cgroup->join_fds[i] = open(path, O_WRONLY | O_CLOEXEC);
        if (cgroup->join_fds[i] < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    }
    return 0;
}

int cgroup_create(const struct cgroup_world *world, const struct cgroup_limits *limits,
                  struct cgroup **ret_cgroup, struct error **err) {
    struct cgroup *cgroup = calloc(1, sizeof(*cgroup));
    if (!cgroup)
        return error_no_memory(err);
    memset(cgroup->join_fds, -1, sizeof(cgroup->join_fds));
    cgroup->kind_name = cgroup_world_name(world);
    if (world->kind == CGROUP_KIND_NONE) {
        *ret_cgroup = cgroup;
        return 0;
    }
    cgroup->backend = world->kind == CGROUP_KIND_V1 ? &cgroup_v1 : &cgroup_v2;
    cleanup_free char *name = owner_make_name();
    if (!name)
        error_set(err, ERROR_INTERNAL, errno, "cannot name a cgroup");
    if (!name || (cgroup->backend->ready_world && cgroup->backend->ready_world(world, err) < 0) ||
        make_folders(cgroup, world, name, err) < 0 ||
        cgroup->backend->apply_limits(cgroup, limits, err) < 0 || open_joins(cgroup, err) < 0) {
        cgroup_remove(cgroup, NULL);
        return -1;
    }
    *ret_cgroup = cgroup;
    return 0;
}

int cgroup_open_of(pid_t pid, struct cgroup **ret_cgroup, struct error **err) {
    cleanup_free char *path = text_format("/proc/%d/cgroup", (int)pid);
    cleanup_free char *groups = NULL, *mountinfo = NULL;
    cleanup_cgroup_world struct cgroup_world *world = NULL;
    if (!path)
        return error_no_memory(err);
    if (file_read(path, &groups, NULL, err) < 0 ||
        file_read("/proc/self/mountinfo", &mountinfo, NULL, err) < 0 ||
        cgroup_world_parse(groups, mountinfo, &world, err) < 0)
        return -1;
    struct cgroup *cgroup = calloc(1, sizeof(*cgroup));
    if (!cgroup)
        return error_no_memory(err);
    memset(cgroup->join_fds, -1, sizeof(cgroup->join_fds));
    cgroup->kind_name = cgroup_world_name(world);
    if (world->kind != CGROUP_KIND_NONE)
        cgroup->backend = world->kind == CGROUP_KIND_V1 ? &cgroup_v1 : &cgroup_v2;
    /* `distinct`, what is killed and removed, stays empty. */
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        cgroup->folders[i] = TAKE_PTR(world->parents[i]);
    *ret_cgroup = cgroup;
    return 0;
}

struct cgroup *cgroup_close(struct cgroup *cgroup) {
    if (cgroup)
        cgroup_free(cgroup);
    return NULL;
}

bool cgroup_has(const struct cgroup *cgroup, enum cgroup_controller controller) {
    return cgroup->folders[controller] != NULL;
}

void cgroup_read_limits(const struct cgroup *cgroup, struct cgroup_limits *ret_limits) {
    *ret_limits = (struct cgroup_limits){.memory_bytes = 0};
    if (cgroup->backend)
        cgroup->backend->read_limits(cgroup, ret_limits);
}

void cgroup_read_usage(const struct cgroup *cgroup, struct cgroup_usage *ret_usage) {
    *ret_usage = (struct cgroup_usage){CGROUP_UNKNOWN, CGROUP_UNKNOWN, CGROUP_UNKNOWN,
                                       CGROUP_UNKNOWN, CGROUP_UNKNOWN};
    if (cgroup->backend)
        cgroup->backend->read_usage(cgroup, ret_usage);
}

static void set_number(json_t *object, const char *key, uint64_t number) {
    if (number != CGROUP_UNKNOWN)
        json_object_set_new(object, key, json_integer((json_int_t)number));
}

void cgroup_facts(const struct cgroup *cgroup, json_t *facts) {
    struct cgroup_limits limits;
    struct cgroup_usage usage;
    cgroup_read_limits(cgroup, &limits);
    cgroup_read_usage(cgroup, &usage);
    json_object_set_new(facts, "cgroup", json_string(cgroup->kind_name));
    json_t *read_back = json_object();
    if (limits.cpu_list[0])
        json_object_set_new(read_back, "cpus", json_string(limits.cpu_list));
    if (limits.node_list[0])
        json_object_set_new(read_back, "memory_nodes", json_string(limits.node_list));
    if (limits.memory_bytes)
        set_number(read_back, "memory_bytes", limits.memory_bytes);
    if (limits.pids)
        set_number(read_back, "pids", limits.pids);
    if (limits.cpu_quota_us) {
        set_number(read_back, "cpu_quota_us", limits.cpu_quota_us);
        set_number(read_back, "cpu_period_us", limits.cpu_period_us);
    }
    json_object_set_new(facts, "cgroup_limits", read_back);
    set_number(facts, "cgroup_memory_peak_bytes", usage.memory_peak_bytes);
}

/* Calls a function for each group inside of a group (an engine may have made some); their sum. */
static unsigned for_each_inside(const char *folder, unsigned (*each)(const char *, uint64_t),
                                uint64_t deadline_ns) {
    cleanup_dir DIR *dir = opendir(folder);
    unsigned sum = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        cleanup_free char *inside = text_format("%s/%s", folder, entry->d_name);
        if (inside)
            sum += each(inside, deadline_ns);
    }
    return sum;
}

/* Sends SIGKILL to every member of a group and of those inside; returns how many there were. */
static unsigned kill_members(const char *folder, uint64_t deadline_ns) {
    cleanup_free char *path = text_format("%s/cgroup.procs", folder);
    cleanup_file FILE *members = path ? fopen(path, "re") : NULL;
    unsigned count = for_each_inside(folder, kill_members, deadline_ns);
    int pid;
    while (members && fscanf(members, "%d", &pid) == 1) {
        count++;
        /* 0: a member outside of our PID namespace; ourselves: never. */
        if (pid > 0 && pid != getpid())
            kill(pid, SIGKILL);
    }
    return count;
}

static unsigned kill_all(const struct cgroup *cgroup) {
    unsigned members = 0;
    for (unsigned i = 0; i < cgroup->distinct_count; i++)
        members += kill_members(cgroup->distinct[i], 0);
    return members;
}

int cgroup_kill(const struct cgroup *cgroup, uint64_t deadline_ns, struct error **err) {
    if (!cgroup->backend || kill_all(cgroup) == 0)
        return 0;
    if (!cgroup->backend->kill_at_once(cgroup) && cgroup_has(cgroup, CGROUP_PIDS))
        /* Nothing may be born while we go through the list. */
        cgroup_write(cgroup, CGROUP_PIDS, "pids.max", "0", NULL);
    while (kill_all(cgroup) > 0) {
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "processes in %s do not end",
                             cgroup->distinct[0]);
        pause_briefly();
    }
    return 0;
}

static int remove_folder(const char *folder, uint64_t deadline_ns, struct error **err);

static unsigned remove_inside(const char *folder, uint64_t deadline_ns) {
    return remove_folder(folder, deadline_ns, NULL) == 0;
}

/* rmdir, waiting for members that are on their way out. */
static int remove_folder(const char *folder, uint64_t deadline_ns, struct error **err) {
    for_each_inside(folder, remove_inside, deadline_ns);
    while (rmdir(folder) < 0 && errno != ENOENT) {
        if (errno != EBUSY || monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_INTERNAL, errno, "cannot remove the cgroup %s", folder);
        pause_briefly();
    }
    return 0;
}

int cgroup_remove(struct cgroup *cgroup, struct error **err) {
    if (!cgroup)
        return 0;
    uint64_t deadline_ns = deadline_after(monotonic_ns(), REMOVE_TIMEOUT_NS);
    cleanup_error struct error *first = NULL;
    int result = cgroup_kill(cgroup, deadline_ns, &first);
    for (unsigned i = 0; i < cgroup->distinct_count; i++)
        if (remove_folder(cgroup->distinct[i], deadline_ns, first ? NULL : &first) < 0)
            result = -1;
    cgroup_free(cgroup);
    if (result < 0)
        error_move(err, TAKE_PTR(first));
    return result;
}

/* Ours, or one that an engine has made for an instance of ours and named after it. */
static bool is_stale(const char *group) {
    static const char *const prefixes[] = {"", "lxc.payload.", "lxc.monitor."};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(group, prefixes[i], length) == 0 && owner_is_gone(group + length))
            return true;
    }
    return false;
}

static unsigned remove_stale_below(const char *parent) {
    cleanup_dir DIR *dir = opendir(parent);
    unsigned removed = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!is_stale(entry->d_name))
            continue;
        cleanup_free char *folder = text_format("%s/%s", parent, entry->d_name);
        uint64_t deadline_ns = deadline_after(monotonic_ns(), NS_PER_S);
        while (folder && kill_members(folder, 0) > 0 && monotonic_ns() < deadline_ns)
            pause_briefly();
        removed += folder && remove_folder(folder, deadline_ns, NULL) == 0;
    }
    return removed;
}

static void remove_stale_in(const char *folder, void *cookie) {
    unsigned *removed = cookie;
    *removed += remove_stale_below(folder);
}

unsigned cgroup_remove_leftovers(const struct cgroup_world *world) {
    unsigned removed = 0;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        if (world->parents[i])
            removed += remove_stale_below(world->parents[i]);
    /* Engines make groups of our names for controllers that we do not use. */
    cgroup_for_each_hierarchy(remove_stale_in, &removed);
    return removed;
}

/* The kernel refuses to remove one that is in use. */
static unsigned remove_if_empty(const char *folder, uint64_t deadline_ns) {
    for_each_inside(folder, remove_if_empty, deadline_ns);
    return rmdir(folder) == 0;
}

static void remove_empty_in(const char *folder, void *cookie) {
    for (const char *const *name = cookie; *name; name++) {
        cleanup_free char *path = text_format("%s/%s", folder, *name);
        if (path)
            remove_if_empty(path, 0);
    }
}

void cgroup_remove_empty(const char *const *names) {
    cgroup_for_each_hierarchy(remove_empty_in, (void *)(uintptr_t)names);
}
