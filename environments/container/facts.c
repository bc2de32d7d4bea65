// SPDX-License-Identifier: GPL-3.0-or-later
/* What is in force around a running container, and how a dead one died. */
#include "environments/container/container.h"

#include "common/file.h"

#include <ctype.h>
#include <string.h>

static void namespace_facts(pid_t pid, json_t *facts) {
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts", NULL};
    json_t *namespaces = json_object();
    for (const char *const *kind = kinds; *kind; kind++) {
        char path[64], link[64];
        snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, *kind);
        ssize_t length = readlink(path, link, sizeof(link));
        if (length > 0 && length < (ssize_t)sizeof(link))
            json_object_set_new(namespaces, *kind, json_stringn(link, (size_t)length));
    }
    json_object_set_new(facts, "namespaces", namespaces);
}

/* Lines of /proc/PID/status: the kernel's own words about its privileges. */
static void privilege_facts(pid_t pid, json_t *facts) {
    static const char *const keys[][2] = {
        {"\nSeccomp:\t", "seccomp_mode"},
        {"\nNoNewPrivs:\t", "no_new_privs"},
        {"\nCapEff:\t", "capabilities_effective"},
        {"\nCapBnd:\t", "capabilities_bounding"},
        {"\nSpeculation_Store_Bypass:\t", "speculation_store_bypass"}};
    char path[64];
    cleanup_free char *status = NULL;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (file_read(path, &status, NULL, NULL) < 0)
        return;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const char *at = strstr(status, keys[i][0]);
        if (!at)
            continue;
        at += strlen(keys[i][0]);
        json_object_set_new(facts, keys[i][1], json_stringn(at, strcspn(at, "\n")));
    }
}

int container_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct container_instance *self = instance->state;
    (void)err;
    enclosure_facts(&self->enclosure, instance->pid, facts);
    namespace_facts(instance->pid, facts);
    privilege_facts(instance->pid, facts);
    json_object_set_new(facts, "root_on_host_uid", json_integer((json_int_t)self->plan.uid));
    json_object_set_new(facts, "seccomp_instructions", json_integer(self->plan.filter.len));
    return 0;
}

char *container_last_words(const struct container_instance *self) {
    char words[512];
    ssize_t length = self->errors_fd >= 0 ? read(self->errors_fd, words, sizeof(words) - 1) : 0;
    if (length <= 0)
        return NULL;
    /* What an agent says is not to be trusted on a terminal. */
    for (ssize_t i = 0; i < length; i++)
        if (!isprint((unsigned char)words[i]))
            words[i] = words[i] == '\n' && i + 1 == length ? '\0' : ' ';
    words[length] = '\0';
    return strdup(words);
}

char *container_diagnose(struct instance *instance) {
    struct container_instance *self = instance->state;
    bool ended =
        process_wait(&self->process, deadline_after(monotonic_ns(), PROCESS_END_IS_NEAR_NS));
    uint64_t oom_kills = enclosure_oom_kills(&self->enclosure);
    cleanup_free char *words = container_last_words(self);
    const char *before_words = words ? "; it said: " : "";
    if (!ended)
        return words || oom_kills ? text_format("the agent is still running%s%s%s",
                                                oom_kills ? "; the memory limit killed one of its "
                                                            "processes"
                                                          : "",
                                                before_words, words ? words : "")
                                  : NULL;
    cleanup_free char *end = process_describe_end(&self->process);
    bool by_limit = enclosure_killed_by_limit(&self->enclosure, &self->process);
    return text_format("the agent %s%s%s%s", end ? end : "ended",
                       by_limit ? ": it reached the memory limit of its cgroup" : "", before_words,
                       words ? words : "");
}
