// SPDX-License-Identifier: GPL-3.0-or-later
/* Facts of a running virtual machine, as QEMU and the kernel tell them, not as they were asked for.
 */
#include "common/file.h"
#include "environments/vm/vm.h"

#include <dirent.h>
#include <string.h>

#define QUESTION_NS (5 * NS_PER_S)

static void add_command(const struct vm_instance *self, json_t *facts) {
    json_t *command = json_array();
    for (unsigned i = 0; i < self->command.count; i++)
        json_array_append_new(command, json_stringn_nocheck(self->command.arguments[i],
                                                            strlen(self->command.arguments[i])));
    json_object_set_new(facts, "command", command);
}

static bool is_vcpu(const struct vm_instance *self, pid_t thread) {
    for (unsigned i = 0; i < self->vcpu_count; i++)
        if (self->vcpus[i].thread == thread)
            return true;
    return false;
}

/* QEMU's others: its main loop, I/O threads and workers, by the names that they have. */
static void add_other_threads(const struct vm_instance *self, pid_t pid, json_t *threads) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    cleanup_dir DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0 || is_vcpu(self, thread))
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)thread);
        cleanup_free char *name = file_read_line(path);
        cleanup_free char *cpus = process_cpus_allowed(thread);
        if (name && cpus)
            json_array_append_new(threads, json_pack("{s:s, s:s}", "name", name, "cpus", cpus));
    }
}

/* Where each thread may run, as the kernel tells; of virtual CPUs, after they had been pinned. */
static void add_threads(const struct vm_instance *self, pid_t pid, json_t *facts) {
    json_t *threads = json_array();
    for (unsigned i = 0; i < self->vcpu_count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "vcpu%u", i);
        json_array_append_new(
            threads, json_pack("{s:s, s:s}", "name", name, "cpus", self->vcpus[i].cpu_list));
    }
    add_other_threads(self, pid, threads);
    json_object_set_new(facts, "threads", threads);
}

/* What QEMU may do, as the kernel has it. */
static void add_privileges(pid_t pid, json_t *facts) {
    static const struct {
        const char *line, *fact;
    } members[] = {{"\nUid:\t", "qemu_uid"},
                   {"\nCapEff:\t", "qemu_capabilities"},
                   {"\nNoNewPrivs:\t", "qemu_no_new_privileges"},
                   {"\nSeccomp:\t", "qemu_seccomp"}};
    char path[64];
    cleanup_free char *status = NULL;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (file_read(path, &status, NULL, NULL) < 0)
        return;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        const char *at = strstr(status, members[i].line);
        if (!at)
            continue;
        at += strlen(members[i].line);
        json_object_set_new(facts, members[i].fact, json_stringn(at, strcspn(at, "\t\n")));
    }
}

static void add_image(const struct vm_state *state, json_t *facts) {
    json_object_set_new(facts, "qemu_version", json_string(state->qemu_version));
    json_object_set_new(facts, "guest_kernel", json_string(state->image.release));
    json_object_set_new(facts, "guest_kernel_origin", json_string(state->image.origin));
    json_object_set_new(facts, "guest_kernel_sha256", json_string(state->image.kernel_sha256));
    json_object_set_new(facts, "initramfs_sha256", json_string(state->image.initramfs_sha256));
    json_object_set_new(facts, "guest_modules", json_string(state->image.modules));
}

static void add_kvm(const struct kvm_probe_result *kvm, json_t *facts) {
    json_object_set_new(facts, "kvm_state", json_string(kvm_state_name(kvm->state)));
    json_object_set_new(facts, "kvm_reason", json_string(kvm->reason));
    json_object_set_new(facts, "kvm_back_end", json_string(kvm->back_end));
    json_object_set_new(facts, "kvm_nested", json_boolean(kvm->nested));
    if (kvm->host_loops_per_second > 0)
        json_object_set_new(facts, "kvm_speed_of_host",
                            json_real(kvm->guest_loops_per_second / kvm->host_loops_per_second));
}

/* Whether QEMU really uses KVM. */
static int add_accelerator(struct vm_instance *self, json_t *facts, struct error **err) {
    json_auto_t *answer = NULL;
    if (qmp_execute(self->qmp, "query-kvm", NULL, deadline_after(monotonic_ns(), QUESTION_NS),
                    &answer, err) < 0)
        return -1;
    bool kvm = json_is_true(json_object_get(answer, "enabled"));
    json_object_set_new(facts, "qemu_accelerator", json_string(kvm ? "KVM" : "TCG"));
    return 0;
}

/* "cache" in the words of QEMU's manual for cache=. */
static const char *cache_name(bool direct, bool flush_offered, bool flush_ignored) {
    if (flush_ignored)
        return "unsafe";
    if (direct)
        return flush_offered ? "none" : "directsync";
    return flush_offered ? "writeback" : "writethrough";
}

/*
 * QEMU's `writeback` says that the disk has a volatile cache for the guest, so that it offers
 * FLUSH; `no-flush` that QEMU ignores it. The disk keeps its promises when it is flushed truly.
 */
static int add_disk(struct vm_instance *self, json_t *facts, struct error **err) {
    json_auto_t *answer = NULL;
    if (qmp_execute(self->qmp, "query-block", NULL, deadline_after(monotonic_ns(), QUESTION_NS),
                    &answer, err) < 0)
        return -1;
    size_t index;
    json_t *device;
    json_array_foreach(answer, index, device) {
        json_t *inserted = json_object_get(device, "inserted");
        json_t *cache = json_object_get(inserted, "cache");
        if (!cache)
            continue;
        bool direct = json_is_true(json_object_get(cache, "direct"));
        bool offered = json_is_true(json_object_get(cache, "writeback"));
        bool ignored = json_is_true(json_object_get(cache, "no-flush"));
        const char *format = json_string_value(json_object_get(inserted, "drv"));
        json_object_set_new(facts, "disk",
                            json_pack("{s:s, s:b, s:s}", "cache",
                                      cache_name(direct, offered, ignored), "flush",
                                      offered && !ignored, "format", format ? format : ""));
    }
    return 0;
}

int vm_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct vm_state *state = instance->environment->state;
    struct vm_instance *self = instance->state;
    enclosure_facts(&self->enclosure, instance->pid, facts);
    add_command(self, facts);
    add_privileges(instance->pid, facts);
    add_threads(self, instance->pid, facts);
    add_image(state, facts);
    if (*state->options.config.box)
        json_object_set_new(facts, "container_inside", json_string(state->options.config.box));
    add_kvm(&state->kvm, facts);
    return add_accelerator(self, facts, err) < 0 ? -1 : add_disk(self, facts, err);
}
