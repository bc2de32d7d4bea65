// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The micro-guest: the agent, byte for byte the same, in user mode of a KVM guest that has no
 * kernel. boxmark-microguest is its virtual machine monitor; here it is started, held to the
 * envelope like every environment, watched and ended.
 */
#include "environments/microguest/microguest.h"

#include "common/file.h"
#include "common/units.h"
#include "environments/microguest/cpuid.h"
#include "environments/start.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define MONITOR_NAME "boxmark-microguest"

static const char *const polling_values[] = {"auto", "on", "off", NULL};
static const struct spec_key microguest_keys[] = {
    {"polling", polling_values,
     "records of the disk leave through a ring that a second thread watches, without exits; auto: "
     "one in flight, where exits are dear and a CPU is to spare"},
    {NULL, NULL, NULL},
};

static const char *polling(const struct environment *environment) {
    return spec_value(environment->spec, microguest_keys, "polling");
}

/* Beside the agent (a build tree, or where both are installed); NULL where it is nowhere. */
static char *find_monitor(const char *agent_path) {
    const char *slash = strrchr(agent_path, '/');
    cleanup_free char *beside =
        slash ? text_format("%.*s/" MONITOR_NAME, (int)(slash - agent_path), agent_path) : NULL;
    if (beside && access(beside, X_OK) == 0)
        return TAKE_PTR(beside);
    return access(BOXMARK_LIBEXECDIR "/" MONITOR_NAME, X_OK) == 0
               ? strdup(BOXMARK_LIBEXECDIR "/" MONITOR_NAME)
               : NULL;
}

/* An envelope without a limit: what the machine has. */
static uint64_t memory_bytes(const struct environment_setup *setup) {
    return setup->envelope.memory_bytes
               ? setup->envelope.memory_bytes
               : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

int microguest_provision(struct environment *environment, struct error **err) {
    if (environment->state)
        return 0;
    struct microguest *self = calloc(1, sizeof(*self));
    if (!self)
        return error_no_memory(err);
    environment->state = self;
    self->monitor = find_monitor(environment->setup->agent_path);
    self->user = geteuid() == 0 ? MICROGUEST_NOBODY : 0;
    self->cpuid_fd = cpuid_make_file();
    cgroup_limits_of(&environment->setup->envelope, &self->limits);
    if (cgroup_world_find(&self->world, err) < 0)
        return -1;
    cgroup_remove_leftovers(self->world);
    return 0;
}

static void microguest_release(struct environment *environment) {
    struct microguest *self = environment->state;
    if (!self)
        return;
    cgroup_world_free(self->world);
    free(self->monitor);
    if (self->cpuid_fd >= 0)
        close(self->cpuid_fd);
    free(self);
    environment->state = NULL;
}

static int microguest_describe(struct environment *environment, FILE *to, struct error **err) {
    if (microguest_provision(environment, err) < 0)
        return -1;
    const struct microguest *self = environment->state;
    const struct environment_setup *setup = environment->setup;
    char size[32];
    enclosure_describe(setup, self->world, &self->limits, to);
    fprintf(to, "execve %s --data FOLDER --memory %llu",
            self->monitor ? self->monitor : MONITOR_NAME, (unsigned long long)memory_bytes(setup));
    if (self->user)
        fprintf(to, " --user %u", self->user);
    fprintf(to, " --polling %s --status-fd N --cpuid-fd N %s --data /data\n", polling(environment),
            setup->agent_path);
    fprintf(to,
            "  a KVM guest without a kernel: %s of memory, a virtual CPU for every thread,\n"
            "  4 KiB and 2 MiB pages (never writable and executable), system calls leave as exits\n"
            "  the monitor: %sno capabilities, no_new_privs, seccomp; files only in FOLDER\n",
            format_size(memory_bytes(setup), size), self->user ? "user nobody, " : "");
    return 0;
}

/* The page that the monitor writes and we read. */
static int share_status(struct microguest_instance *self, struct error **err) {
    self->status_fd = memfd_create("boxmark-microguest-status", MFD_CLOEXEC);
    if (self->status_fd < 0 || ftruncate(self->status_fd, sizeof(struct status)) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a status page");
    void *status = mmap(NULL, sizeof(struct status), PROT_READ, MAP_SHARED, self->status_fd, 0);
    if (status == MAP_FAILED)
        return error_set(err, ERROR_INTERNAL, errno, "cannot map a status page");
    self->status = status;
    return 0;
}

static int start_monitor(struct instance *instance, int agent_fd, struct error **err) {
    struct environment *environment = instance->environment;
    const struct environment_setup *setup = environment->setup;
    const struct microguest *microguest = environment->state;
    struct microguest_instance *self = instance->state;
    char memory[32], user[16], status_fd[16], cpuid_fd[16];
    snprintf(memory, sizeof(memory), "%llu", (unsigned long long)memory_bytes(setup));
    snprintf(user, sizeof(user), "%u", microguest->user);
    snprintf(status_fd, sizeof(status_fd), "%d", self->status_fd);
    snprintf(cpuid_fd, sizeof(cpuid_fd), "%d", microguest->cpuid_fd);
    const char *arguments[20] = {microguest->monitor,
                                 "--data",
                                 instance->data_path,
                                 "--memory",
                                 memory,
                                 "--user",
                                 user,
                                 "--polling",
                                 polling(environment),
                                 "--status-fd",
                                 status_fd};
    unsigned count = 11;
    if (microguest->cpuid_fd >= 0) {
        arguments[count++] = "--cpuid-fd";
        arguments[count++] = cpuid_fd;
    }
    arguments[count++] = setup->agent_path;
    arguments[count++] = "--data";
    arguments[count] = "/data";
    const int keep_fds[] = {self->status_fd, microguest->cpuid_fd, -1};
    const struct launch_program program = {.arguments = arguments,
                                           .stdin_fd = agent_fd,
                                           .stdout_fd = agent_fd,
                                           .stderr_fd = STDERR_FILENO,
                                           .keep_fds = keep_fds};
    const struct launch_plan plan = {
        .name = "the micro-guest's monitor", .child = launch_program_child, .cookie = &program};
    if (enclosure_prepare(&self->enclosure, setup, microguest->world, &microguest->limits, &plan,
                          err) < 0)
        return -1;
    return enclosure_launch(&self->enclosure, instance, &self->process, err);
}

static int launch(struct instance *instance, struct error **err) {
    const struct microguest *microguest = instance->environment->state;
    struct microguest_instance *self = instance->state;
    if (!microguest->monitor)
        return error_set(err, ERROR_UNAVAILABLE, 0, MONITOR_NAME " is not installed");
    if (microguest->user && chown(instance->data_path, microguest->user, microguest->user) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot give %s to the monitor's user",
                         instance->data_path);
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int agent_fd = sockets[1];
    if (channel_open_fds(sockets[0], sockets[0], instance->environment->setup->cancel_fd,
                         &instance->channel, err) < 0 ||
        share_status(self, err) < 0 || start_monitor(instance, agent_fd, err) < 0)
        return -1;
    /* Ours would keep the channel open when the monitor is gone. */
    close_fd(&agent_fd);
    if (start_wait_ready(instance, sockets[0], &self->process, err) < 0)
        return -1;
    /* Executing the monitor is not yet executing the agent. */
    uint64_t entered_ns = atomic_load(&self->status->entered_ns);
    if (entered_ns >= instance->stamps[STAMP_LAUNCH] &&
        entered_ns <= instance->stamps[STAMP_AGENT_READY])
        instance->stamps[STAMP_USER_INSTRUCTION] = entered_ns;
    enclosure_settled(&self->enclosure);
    return 0;
}

static int microguest_stop(struct instance *instance, struct error **err);

static int microguest_start(struct environment *environment, struct instance **ret_instance,
                            struct error **err) {
    if (microguest_provision(environment, err) < 0)
        return -1;
    struct instance *instance = instance_new(environment);
    struct microguest_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        return error_no_memory(err);
    }
    self->process = PROCESS_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
    self->status_fd = -1;
    instance->state = self;
    if (start_make_data_folder(instance, err) < 0 || launch(instance, err) < 0) {
        cleanup_free char *words = microguest_words(self);
        if (words)
            error_wrap(err, "%s", words);
        microguest_stop(instance, NULL);
        instance_free(instance);
        return -1;
    }
    *ret_instance = instance;
    return 0;
}

static int microguest_footprint(struct instance *instance, struct footprint *ret_footprint,
                                struct error **err) {
    const struct microguest_instance *self = instance->state;
    const struct microguest *microguest = instance->environment->state;
    struct stat agent, monitor;
    if (stat(instance->environment->setup->agent_path, &agent) < 0 ||
        stat(microguest->monitor, &monitor) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot stat the agent and its monitor");
    ret_footprint->image_bytes = (uint64_t)agent.st_size + (uint64_t)monitor.st_size;
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    /* Mixed with the monitor's own: it is all one process's anonymous memory. */
    ret_footprint->guest_bytes = FOOTPRINT_UNKNOWN;
    return 0;
}

static int microguest_stop(struct instance *instance, struct error **err) {
    struct microguest_instance *self = instance->state;
    cleanup_error struct error *first = NULL;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    if (!process_end(&self->process,
                     deadline_after(monotonic_ns(), instance->environment->setup->stop_timeout_ns)))
        error_set(&first, ERROR_INTERNAL, 0, "process %d does not end", (int)instance->pid);
    instance_stamp(instance, STAMP_REAPED);
    enclosure_end(&self->enclosure, first ? NULL : &first);
    if (instance->data_path)
        file_remove_tree(instance->data_path, first ? NULL : &first);
    instance_stamp(instance, STAMP_CLEANED);
    microguest_log_exits(instance, first ? NULL : &first);
    if (self->status)
        munmap((void *)(uintptr_t)self->status, sizeof(*self->status));
    if (self->status_fd >= 0)
        close(self->status_fd);
    free(self);
    instance->state = NULL;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}

const struct environment_ops environment_microguest = {
    .name = "microguest",
    .summary = "a KVM guest without a kernel: user mode only, system calls served outside",
    .keys = microguest_keys,
    .probe = microguest_probe,
    .provision = microguest_provision,
    .describe = microguest_describe,
    .start = microguest_start,
    .footprint = microguest_footprint,
    .facts = microguest_facts,
    .counters = microguest_counters,
    .diagnose = microguest_diagnose,
    .stop = microguest_stop,
    .release = microguest_release,
};
