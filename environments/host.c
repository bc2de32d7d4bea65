// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The bare host: the agent as an ordinary process, held to the envelope like all others (CPU
 * affinity; memory through a cgroup where the user may make one).
 */
#include "common/file.h"
#include "environments/environment.h"
#include "environments/process.h"
#include "environments/start.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct host_instance {
    struct process process;
};

static int host_probe(struct environment *environment, struct probe_result *ret_result,
                      struct error **err) {
    (void)environment;
    (void)err;
    *ret_result = (struct probe_result){.readiness = READINESS_READY,
                                        .detail = "the agent as an ordinary process"};
    return 0;
}

static int host_provision(struct environment *environment, struct error **err) {
    (void)environment;
    (void)err;
    return 0;
}

static int host_describe(struct environment *environment, FILE *to, struct error **err) {
    const struct environment_setup *setup = environment->setup;
    (void)err;
    fprintf(to, "%s --data FOLDER\n  on CPUs %s\n", setup->agent_path, setup->envelope.cpu_list);
    return 0;
}

static int launch(struct instance *instance, struct error **err) {
    struct environment *environment = instance->environment;
    struct host_instance *self = instance->state;
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int agent_fd = sockets[1];
    if (channel_open_fds(sockets[0], sockets[0], environment->setup->cancel_fd, &instance->channel,
                         err) < 0)
        return -1;
    cpu_set_t cpus;
    envelope_cpu_set(&environment->setup->envelope, &cpus);
    const char *const arguments[] = {environment->setup->agent_path, "--data", instance->data_path,
                                     NULL};
    struct process_options options = {
        .arguments = arguments,
        .stdin_fd = agent_fd,
        .stdout_fd = agent_fd,
        .stderr_fd = STDERR_FILENO,
        .cpus = &cpus,
        .cgroup_procs_fd = -1,
    };
    instance_stamp(instance, STAMP_LAUNCH);
    if (process_start(&options, &self->process, &instance->stamps[STAMP_HELPER_ALIVE],
                      &instance->stamps[STAMP_USER_INSTRUCTION], err) < 0)
        return -1;
    instance->pid = self->process.pid;
    return start_wait_ready(instance, sockets[0], &self->process, err);
}

static int host_stop(struct instance *instance, struct error **err);

static int host_start(struct environment *environment, struct instance **ret_instance,
                      struct error **err) {
    struct instance *instance = instance_new(environment);
    struct host_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        return error_no_memory(err);
    }
    self->process = PROCESS_NONE;
    instance->state = self;
    if (start_make_data_folder(instance, err) < 0 || launch(instance, err) < 0) {
        host_stop(instance, NULL);
        instance_free(instance);
        return -1;
    }
    *ret_instance = instance;
    return 0;
}

static int host_footprint(struct instance *instance, struct footprint *ret_footprint,
                          struct error **err) {
    struct stat status;
    if (stat(instance->environment->setup->agent_path, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot stat the agent");
    *ret_footprint = (struct footprint){
        .image_bytes = (uint64_t)status.st_size,
        .resident_bytes = process_pss_bytes(instance->pid),
        .cpu_ns = process_cpu_ns(instance->pid),
        .throttled_ns = FOOTPRINT_UNKNOWN,
    };
    return 0;
}

static char *host_diagnose(struct instance *instance) {
    struct host_instance *self = instance->state;
    if (!process_ended(&self->process))
        return NULL;
    cleanup_free char *end = process_describe_end(&self->process);
    return text_format("the agent %s", end ? end : "ended");
}

static int host_stop(struct instance *instance, struct error **err) {
    struct host_instance *self = instance->state;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    bool ended =
        process_end(&self->process,
                    deadline_after(monotonic_ns(), instance->environment->setup->stop_timeout_ns));
    instance_stamp(instance, STAMP_REAPED);
    int result = instance->data_path ? file_remove_tree(instance->data_path, err) : 0;
    instance_stamp(instance, STAMP_CLEANED);
    if (!ended && result == 0)
        result = error_set(err, ERROR_INTERNAL, 0, "process %d does not end", (int)instance->pid);
    free(self);
    instance->state = NULL;
    return result;
}

const struct environment_ops environment_host = {
    .name = "host",
    .summary = "the bare host: the agent as an ordinary process",
    .probe = host_probe,
    .provision = host_provision,
    .describe = host_describe,
    .start = host_start,
    .footprint = host_footprint,
    .diagnose = host_diagnose,
    .stop = host_stop,
};
