// SPDX-License-Identifier: GPL-3.0-or-later
/* One virtual machine, from its disk to its end. */
#include "common/file.h"
#include "environments/start.h"
#include "environments/terminal.h"
#include "environments/vm/guest_shell.h"
#include "environments/vm/vm.h"
#include "environments/vm/vm_disk.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define WORDS_MAX_BYTES (64 << 10)

/* First words of the agent as /init (INIT_STARTED of bench/init.h; docs/protocol.md). */
#define FIRST_WORDS "boxmark-init: started"

/* The ends of socket pairs: ours and QEMU's. */
struct sockets {
    int agent[2], console[2], qmp[2];
};

static void sockets_cleanup(struct sockets *sockets) {
    int *pairs[] = {sockets->agent, sockets->console, sockets->qmp};
    for (size_t i = 0; i < 3; i++)
        for (size_t end = 0; end < 2; end++)
            if (pairs[i][end] >= 0)
                close(pairs[i][end]);
}

static int make_sockets(struct sockets *sockets, struct error **err) {
    int *pairs[] = {sockets->agent, sockets->console, sockets->qmp};
    for (size_t i = 0; i < 3; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel to QEMU");
    return 0;
}

static int open_console(struct instance *instance, int *fd, struct error **err) {
    struct vm_instance *self = instance->state;
    cleanup_free char *folder = NULL;
    if (start_log_folder(instance->environment, &folder, err) < 0)
        return -1;
    cleanup_free char *path = folder ? text_format("%s/console.log", folder) : NULL;
    return console_open(TAKE_FD(*fd), path, FIRST_WORDS, instance->environment->setup->clock,
                        &self->console, err);
}

/* "0-1,4", as cpusets write it. */
static void list_cpus(const cpu_set_t *cpus, char *text, size_t capacity) {
    size_t length = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && length + 1 < capacity; cpu++) {
        if (!CPU_ISSET(cpu, cpus))
            continue;
        int last = cpu;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
            last++;
        int count = snprintf(text + length, capacity - length, last > cpu ? "%s%d-%d" : "%s%d",
                             length ? "," : "", cpu, last);
        if (count > 0)
            length += (size_t)count;
        cpu = last;
    }
}

/* Puts the threads of the virtual CPUs onto the envelope's CPUs, one to one, and reads back. */
static int pin_vcpus(struct instance *instance, uint64_t deadline_ns, struct error **err) {
    struct vm_instance *self = instance->state;
    const struct vm_state *state = instance->environment->state;
    const struct envelope *envelope = &instance->environment->setup->envelope;
    json_auto_t *list = NULL;
    if (qmp_execute(self->qmp, "query-cpus-fast", NULL, deadline_ns, &list, err) < 0)
        return -1;
    size_t count = json_array_size(list);
    if (count != envelope->cpu_count)
        return error_set(err, ERROR_INTERNAL, 0, "QEMU made %zu virtual CPUs instead of %u", count,
                         envelope->cpu_count);
    self->vcpus = calloc(count, sizeof(*self->vcpus));
    if (!self->vcpus)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        pid_t thread =
            (pid_t)json_integer_value(json_object_get(json_array_get(list, i), "thread-id"));
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET(envelope->cpus[i], &cpus);
        if (state->options.pin && sched_setaffinity(thread, sizeof(cpus), &cpus) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot pin virtual CPU %zu to CPU %u", i,
                             envelope->cpus[i]);
        self->vcpus[i].thread = thread;
        self->vcpu_count++;
        if (sched_getaffinity(thread, sizeof(cpus), &cpus) < 0)
            continue;
        list_cpus(&cpus, self->vcpus[i].cpu_list, sizeof(self->vcpus[i].cpu_list));
    }
    return 0;
}

/*
 * Files as QEMU opens them. Where it becomes another user, the folders above them may be closed to
 * that user: it gets them as descriptors, which it opens again by its own right, so that it can
 * write to the disk alone.
 */
struct passed_files {
    struct unprivileged unprivileged;
    int fds[3]; /* kernel, initramfs, disk; -1: by their paths */
    char paths[3][32];
};

static void passed_files_cleanup(struct passed_files *passed) {
    for (unsigned i = 0; i < 3; i++)
        if (passed->fds[i] >= 0)
            close(passed->fds[i]);
}

static int pass_files(const struct vm_state *state, struct qemu_files *files,
                      struct passed_files *passed, struct error **err) {
    const char **paths[3] = {&files->kernel, &files->initramfs, &files->disk};
    *passed = (struct passed_files){.unprivileged = state->unprivileged, .fds = {-1, -1, -1}};
    /* A file system that gives no files away (NFS, say). */
    if (passed->unprivileged.change_user &&
        chown(files->disk, passed->unprivileged.uid, passed->unprivileged.gid) < 0)
        passed->unprivileged.change_user = false;
    for (unsigned i = 0; i < 3 && passed->unprivileged.change_user; i++) {
        passed->fds[i] = open(*paths[i], (i == 2 ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        if (passed->fds[i] < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", *paths[i]);
        snprintf(passed->paths[i], sizeof(passed->paths[i]), "/proc/self/fd/%d", passed->fds[i]);
        *paths[i] = passed->paths[i];
    }
    return 0;
}

static int launch(struct instance *instance, const struct qemu_files *files,
                  const struct passed_files *passed, struct sockets *sockets, struct error **err) {
    struct environment *environment = instance->environment;
    const struct vm_state *state = environment->state;
    struct vm_instance *self = instance->state;
    if (qemu_command_build(&state->options.config, files, &self->command, err) < 0)
        return -1;
    self->stderr_fd = memfd_create("qemu-stderr", MFD_CLOEXEC);
    if (self->stderr_fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot keep QEMU's messages");
    const int keep[] = {files->agent_fd,
                        files->console_fd,
                        files->qmp_fd,
                        passed->fds[0],
                        passed->fds[1],
                        passed->fds[2],
                        -1};
    const struct launch_program program = {
        .arguments = (const char *const *)self->command.arguments,
        .stdin_fd = -1,
        .stdout_fd = self->stderr_fd,
        .stderr_fd = self->stderr_fd,
        .keep_fds = keep,
        .unprivileged = &passed->unprivileged,
    };
    const struct launch_plan plan = {
        .name = "QEMU",
        .child = launch_program_child,
        .cookie = &program,
    };
    if (enclosure_prepare(&self->enclosure, environment->setup, state->world, &state->limits, &plan,
                          err) < 0 ||
        enclosure_launch(&self->enclosure, instance, &self->process, err) < 0)
        return -1;
    /* What was executed is the helper; the agent comes later. */
    instance->stamps[STAMP_HELPER_ALIVE] = instance->stamps[STAMP_USER_INSTRUCTION];
    instance->stamps[STAMP_USER_INSTRUCTION] = 0;
    /* The launcher holds QEMU's ends too, and so do we: its end shall be the end of each stream. */
    enclosure_settled(&self->enclosure);
    close_fd(&sockets->agent[1]);
    close_fd(&sockets->console[1]);
    close_fd(&sockets->qmp[1]);
    return 0;
}

static int connect_and_wait(struct instance *instance, struct sockets *sockets,
                            struct error **err) {
    struct vm_instance *self = instance->state;
    const struct environment_setup *setup = instance->environment->setup;
    uint64_t deadline_ns = deadline_after(monotonic_ns(), setup->start_timeout_ns);
    int agent_fd = sockets->agent[0];
    if (open_console(instance, &sockets->console[0], err) < 0)
        return -1;
    if (channel_open_fds(agent_fd, agent_fd, setup->cancel_fd, &instance->channel, err) < 0) {
        sockets->agent[0] = -1;
        return -1;
    }
    sockets->agent[0] = -1;
    /* While the guest boots. */
    if (qmp_open(TAKE_FD(sockets->qmp[0]), setup->cancel_fd, deadline_ns, &self->qmp, err) < 0 ||
        pin_vcpus(instance, deadline_ns, err) < 0)
        return -1;
    if (start_wait_ready(instance, agent_fd, &self->process, err) < 0)
        return -1;
    console_stamps(self->console, &instance->stamps[STAMP_KERNEL_ENTERED],
                   &instance->stamps[STAMP_USER_INSTRUCTION]);
    return 0;
}

/* From the disk to a QEMU that runs. */
static int make_and_launch(struct instance *instance, struct sockets *sockets, struct error **err) {
    struct environment *environment = instance->environment;
    const struct environment_setup *setup = environment->setup;
    const struct vm_state *state = environment->state;
    const struct vm_config *config = &state->options.config;
    if (start_make_data_folder(instance, err) < 0)
        return -1;
    cleanup_free char *disk =
        text_format("%s/disk.%s", instance->data_path, config->qcow2 ? "qcow2" : "raw");
    if (!disk)
        return error_no_memory(err);
    if (vm_disk_make(disk, vm_disk_bytes(setup->data_bytes), config->qcow2, setup->cancel_fd, err) <
            0 ||
        make_sockets(sockets, err) < 0)
        return -1;
    struct qemu_files files = {.qemu = state->qemu,
                               .kernel = state->image.kernel_path,
                               .initramfs = state->image.initramfs_path,
                               .disk = disk,
                               .agent_fd = sockets->agent[1],
                               .console_fd = sockets->console[1],
                               .qmp_fd = sockets->qmp[1]};
    __attribute__((cleanup(passed_files_cleanup))) struct passed_files passed;
    if (pass_files(state, &files, &passed, err) < 0)
        return -1;
    return launch(instance, &files, &passed, sockets, err);
}

int vm_instance_start(struct instance *instance, struct error **err) {
    __attribute__((cleanup(sockets_cleanup))) struct sockets sockets = {
        {-1, -1}, {-1, -1}, {-1, -1}};
    if (make_and_launch(instance, &sockets, err) < 0)
        return -1;
    return connect_and_wait(instance, &sockets, err);
}

int vm_instance_shell(struct instance *instance, struct error **err) {
    __attribute__((cleanup(sockets_cleanup))) struct sockets sockets = {
        {-1, -1}, {-1, -1}, {-1, -1}};
    struct vm_instance *self = instance->state;
    const struct environment_setup *setup = instance->environment->setup;
    if (make_and_launch(instance, &sockets, err) < 0)
        return -1;
    uint64_t deadline_ns = deadline_after(monotonic_ns(), setup->start_timeout_ns);
    if (qmp_open(TAKE_FD(sockets.qmp[0]), setup->cancel_fd, deadline_ns, &self->qmp, err) < 0 ||
        pin_vcpus(instance, deadline_ns, err) < 0)
        return -1;
    return terminal_relay(sockets.console[0], GUEST_SHELL_MARKER, &self->process, err);
}

/* All that QEMU said, into the run's folder; nothing where it said nothing. */
static void keep_words(struct instance *instance) {
    struct vm_instance *self = instance->state;
    cleanup_free char *folder = NULL, *bytes = malloc(WORDS_MAX_BYTES);
    ssize_t count =
        bytes && self->stderr_fd >= 0 ? pread(self->stderr_fd, bytes, WORDS_MAX_BYTES, 0) : 0;
    if (count <= 0 || start_log_folder(instance->environment, &folder, NULL) < 0 || !folder)
        return;
    cleanup_free char *path = text_format("%s/qemu.log", folder);
    cleanup_fd int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd >= 0)
        (void)file_write_all(fd, bytes, (size_t)count, path, NULL);
}

int vm_instance_stop(struct instance *instance, struct error **err) {
    struct vm_instance *self = instance->state;
    const struct environment_setup *setup = instance->environment->setup;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    /* The agent sees its channel's end, ends, and its init ends the guest. */
    instance->channel = channel_close(instance->channel);
    bool ended =
        process_end(&self->process, deadline_after(monotonic_ns(), setup->stop_timeout_ns));
    instance_stamp(instance, STAMP_REAPED);
    cleanup_error struct error *left = NULL;
    int removed = enclosure_end(&self->enclosure, &left);
    if (ended && self->console)
        console_drain(self->console, NS_PER_S);
    self->console = console_close(self->console);
    self->qmp = qmp_close(self->qmp);
    int result = instance->data_path ? file_remove_tree(instance->data_path, err) : 0;
    instance_stamp(instance, STAMP_CLEANED);
    if (removed < 0 && result == 0)
        result = error_move(err, TAKE_PTR(left));
    if (!ended && result == 0)
        result =
            error_set(err, ERROR_INTERNAL, 0, "QEMU (process %d) does not end", (int)instance->pid);
    keep_words(instance);
    if (self->stderr_fd >= 0)
        close(self->stderr_fd);
    qemu_command_clear(&self->command);
    free(self->vcpus);
    free(self);
    instance->state = NULL;
    return result;
}
