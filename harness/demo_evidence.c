// SPDX-License-Identifier: GPL-3.0-or-later
/* Read from /proc and from the environment while the instance runs; what is not there is not said.
 */
#include "harness/demo.h"

#include "common/file.h"
#include "common/units.h"

#include <math.h>
#include <string.h>

/* "4026531836" of /proc/PID/ns/KIND; 0 where it may not be read. */
static bool namespace_of(const char *pid, const char *kind, char number[32]) {
    char path[64], link[64];
    snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, kind);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    if (length <= 0)
        return false;
    link[length] = '\0';
    const char *open = strchr(link, '[');
    if (!open)
        return false;
    snprintf(number, 32, "%.*s", (int)strcspn(open + 1, "]"), open + 1);
    return true;
}

static void show_namespaces(const struct demo *demo, pid_t pid) {
    static const char *const kinds[] = {"pid", "mnt", "net", "ipc", "uts", "user", "cgroup", NULL};
    char process[24], here[32], there[32];
    unsigned own = 0, shared = 0;
    cleanup_free char *same = NULL;
    snprintf(process, sizeof(process), "%d", (int)pid);
    for (const char *const *kind = kinds; *kind; kind++) {
        if (!namespace_of("self", *kind, here) || !namespace_of(process, *kind, there))
            continue;
        if (strcmp(here, there) != 0) {
            if (own++ == 0)
                demo_show(demo, "namespaces of its own (/proc/%s/ns):", process);
            demo_show(demo, "%-6s %s inside, %s here", *kind, there, here);
        } else {
            char *longer = text_format("%s%s%s", same ? same : "", same ? ", " : "", *kind);
            free(same);
            same = longer;
            shared++;
        }
    }
    if (shared > 0 && same)
        demo_show(demo, "%s%s: the same namespace%s as this terminal's",
                  own ? "" : "no namespaces of its own; ", same, shared == 1 ? "" : "s");
}

/* A line of /proc/PID/status by its name; NULL when it is not there. */
static char *status_of(pid_t pid, const char *name) {
    char path[48];
    cleanup_free char *status = NULL;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    cleanup_free char *key = text_format("\n%s:\t", name);
    if (!key || file_read(path, &status, NULL, NULL) < 0)
        return NULL;
    const char *at = strstr(status, key);
    return at ? strndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
}

static void show_privileges(const struct demo *demo, pid_t pid) {
    cleanup_free char *seccomp = status_of(pid, "Seccomp");
    cleanup_free char *capabilities = status_of(pid, "CapEff");
    if (seccomp && strcmp(seccomp, "2") == 0)
        demo_show(demo, "a filter looks at every system call (Seccomp: 2 in /proc/%d/status)",
                  (int)pid);
    if (capabilities && strspn(capabilities, "0") == strlen(capabilities))
        demo_show(demo, "none of root's privileges is left (CapEff: %s)", capabilities);
}

static void show_limits(const struct demo *demo, const json_t *facts) {
    const json_t *limits = json_object_get(facts, "cgroup_limits");
    const char *cpus = json_string_value(json_object_get(limits, "cpus"));
    const json_t *memory = json_object_get(limits, "memory_bytes");
    char size[32];
    if (cpus)
        demo_show(demo, "control group, read back: CPUs %s", cpus);
    if (json_is_integer(memory))
        demo_show(demo, "control group, read back: at most %s of memory",
                  format_size((uint64_t)json_integer_value(memory), size));
}

/* The command line as the kernel has it, not as somebody meant it. */
static void show_command(const struct demo *demo, pid_t pid) {
    char path[48];
    cleanup_free char *command = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    if (file_read(path, &command, &size, NULL) < 0 || size == 0)
        return;
    for (size_t i = 0; i + 1 < size; i++)
        if (command[i] == '\0')
            command[i] = ' ';
    demo_show(demo, "the command that runs (/proc/%d/cmdline): %s", (int)pid, command);
}

/* Who executes the guest's instructions; TCG is never called KVM. */
static void show_accelerator(const struct demo *demo, const struct environment *environment,
                             const json_t *facts) {
    const char *reason = json_string_value(json_object_get(facts, "kvm_reason"));
    const char *kernel = json_string_value(json_object_get(facts, "guest_kernel"));
    if (strcmp(environment->accelerator, "TCG") == 0) {
        demo_show(demo, "the guest's instructions are translated in software (TCG), not run by the "
                        "CPU");
        if (reason)
            demo_show(demo, "why not KVM: %s", reason);
    } else if (strcmp(environment->accelerator, "KVM") == 0) {
        demo_show(demo,
                  "the CPU itself runs the guest's instructions (KVM, measured to be native)");
    }
    if (kernel)
        demo_show(demo, "its own kernel: Linux %s", kernel);
}

/* The times that a micro-guest left guest mode, by reason. */
static void show_exits(const struct demo *demo, const json_t *facts) {
    const char *reason;
    json_t *exit;
    json_object_foreach(json_object_get(facts, "exits"), reason, exit) {
        json_int_t count = json_integer_value(json_object_get(exit, "count"));
        double time_ns = (double)json_integer_value(json_object_get(exit, "ns"));
        if (count > 0)
            demo_show(demo, "left the guest %lld times (%s), %.1f us each time", (long long)count,
                      reason, time_ns / (double)count / 1e3);
    }
}

static void show_footprint(const struct demo *demo, struct instance *instance) {
    struct footprint footprint = {0};
    char size[32];
    if (instance->environment->ops->footprint(instance, &footprint, NULL) == 0 &&
        footprint.resident_bytes != FOOTPRINT_UNKNOWN)
        demo_show(demo, "memory of all its processes: %s",
                  format_size(footprint.resident_bytes, size));
}

void demo_evidence(const struct demo *demo, struct instance *instance) {
    const struct environment *environment = instance->environment;
    json_auto_t *facts = json_object();
    if (environment->ops->facts)
        (void)environment->ops->facts(instance, facts, NULL);
    if (instance->pid > 0) {
        demo_show(demo, "process %d of this machine", (int)instance->pid);
        show_namespaces(demo, instance->pid);
        show_privileges(demo, instance->pid);
    }
    show_limits(demo, facts);
    if (json_object_get(facts, "command") && instance->pid > 0)
        show_command(demo, instance->pid);
    show_accelerator(demo, environment, facts);
    show_exits(demo, facts);
    show_footprint(demo, instance);
}
