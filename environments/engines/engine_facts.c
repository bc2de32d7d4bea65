// SPDX-License-Identifier: GPL-3.0-or-later
/* What is in force around an engine's instance, what it takes, and how it died. */
#include "environments/engines/engine.h"

#include "common/file.h"
#include "environments/process_tree.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

enum { TREE_MAX = 256 };

static bool is_agent(pid_t pid) {
    char path[64], link[4096];
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    size_t name_length = strlen(ENGINE_AGENT);
    if (length < (ssize_t)name_length)
        return false;
    link[length] = '\0';
    return strcmp(link + length - name_length, ENGINE_AGENT) == 0;
}

static pid_t ask_engine(const struct instance *instance) {
    const struct engine_world *world = instance->environment->state;
    cleanup_free char *printed = NULL;
    if (engine_run(instance->environment, instance, world->engine->pid, &printed, NULL) < 0)
        return 0;
    long pid = strtol(printed, NULL, 10);
    return pid > 1 ? (pid_t)pid : 0;
}

void engine_find_agent(struct instance *instance) {
    const struct engine_world *world = instance->environment->state;
    struct engine_instance *self = instance->state;
    if (world->engine->pid) {
        pid_t pid = ask_engine(instance);
        if (pid > 0 && cgroup_open_of(pid, &self->cgroup, NULL) == 0)
            instance->pid = pid;
        return;
    }
    pid_t tree[TREE_MAX];
    unsigned count = process_tree(self->process.pid, tree, TREE_MAX);
    /* gVisor's agent is no process of the host: its engine's stands for it. */
    for (unsigned i = 0; i < count; i++)
        if (is_agent(tree[i]))
            instance->pid = tree[i];
}

/* The process beside a container that a service started (containerd-shim, conmon): its parent. */
static pid_t root_of(const struct instance *instance) {
    pid_t parent = process_parent(instance->pid);
    return parent > 1 ? parent : instance->pid;
}

static void add_tree(pid_t root, struct footprint *footprint, bool cpu) {
    pid_t tree[TREE_MAX];
    unsigned count = process_tree(root, tree, TREE_MAX);
    for (unsigned i = 0; i < count; i++) {
        uint64_t bytes = process_pss_bytes(tree[i]);
        if (bytes != FOOTPRINT_UNKNOWN)
            footprint->resident_bytes += bytes;
        if (cpu)
            footprint->cpu_ns += process_cpu_ns(tree[i]);
    }
}

int engine_footprint(struct instance *instance, struct footprint *ret_footprint,
                     struct error **err) {
    const struct engine_world *world = instance->environment->state;
    const struct engine_instance *self = instance->state;
    struct cgroup_usage usage;
    (void)err;
    *ret_footprint = (struct footprint){.image_bytes = world->root_bytes};
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    cgroup_read_usage(self->enclosure.cgroup, &usage);
    bool by_process = usage.cpu_ns == CGROUP_UNKNOWN;
    ret_footprint->resident_bytes = 0;
    if (by_process)
        ret_footprint->cpu_ns = 0;
    add_tree(self->process.pid, ret_footprint, by_process);
    if (!self->cgroup)
        return 0;
    /* What the service made is neither in our cgroup nor in our tree. */
    cgroup_read_usage(self->cgroup, &usage);
    pid_t root = root_of(instance);
    if (root != self->process.pid && process_parent(root) != self->process.pid)
        add_tree(root, ret_footprint, false);
    if (usage.cpu_ns == CGROUP_UNKNOWN || ret_footprint->cpu_ns == FOOTPRINT_UNKNOWN)
        ret_footprint->cpu_ns = FOOTPRINT_UNKNOWN;
    else
        ret_footprint->cpu_ns += usage.cpu_ns;
    ret_footprint->throttled_ns =
        usage.throttled_ns == CGROUP_UNKNOWN ? FOOTPRINT_UNKNOWN : usage.throttled_ns;
    return 0;
}

int engine_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct engine_world *world = instance->environment->state;
    const struct engine_instance *self = instance->state;
    (void)err;
    enclosure_facts(&self->enclosure, instance->pid, facts);
    /* Where a service holds the limits, ours are those of its client only. */
    if (world->engine->pid) {
        json_object_del(facts, "cgroup");
        json_object_set_new(facts, "cgroup_limits", json_object());
        json_object_del(facts, "cgroup_memory_peak_bytes");
        if (self->cgroup)
            cgroup_facts(self->cgroup, facts);
    }
    json_t *command = json_array();
    for (char **word = self->arguments; *word; word++)
        json_array_append_new(command, json_string(*word));
    json_object_set_new(facts, "command", command);
    json_object_set_new(facts, "engine_version", json_string(world->version));
    if (self->noise)
        json_object_set_new(facts, "said_before_the_agent", json_string(self->noise));
    return 0;
}

char *engine_last_words(struct engine_instance *self) {
    /* Of a full pipe the end is what matters. */
    enum { KEPT = 400 };
    cleanup_free char *words = calloc(1, (64 << 10) + 1);
    size_t length = 0;
    for (ssize_t count; words && self->errors_fd >= 0 && length < (64 << 10);
         length += (size_t)count)
        if ((count = read(self->errors_fd, words + length, (64 << 10) - length)) <= 0)
            break;
    while (length > 0 && isspace((unsigned char)words[length - 1]))
        length--;
    if (length == 0)
        return NULL;
    size_t start = length > KEPT ? length - KEPT : 0;
    for (size_t i = start; i < length; i++)
        if (!isprint((unsigned char)words[i]))
            words[i] = ' ';
    return strndup(words + start, length - start);
}

char *engine_diagnose(struct instance *instance) {
    struct engine_instance *self = instance->state;
    const char *name = instance->environment->ops->name;
    cleanup_free char *words = engine_last_words(self);
    uint64_t oom_kills = enclosure_oom_kills(&self->enclosure);
    const char *limit = oom_kills > 0 ? "; the memory limit killed one of its processes" : "";
    if (!process_ended(&self->process))
        return words || oom_kills ? text_format("%s is still running%s%s%s", name, limit,
                                                words ? "; it said: " : "", words ? words : "")
                                  : NULL;
    cleanup_free char *end = process_describe_end(&self->process);
    return text_format("%s %s%s%s%s", name, end ? end : "ended", limit, words ? "; it said: " : "",
                       words ? words : "");
}
