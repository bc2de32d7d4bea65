// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The bare host: the agent as an ordinary process, held to the envelope like all others (CPU
 * affinity; CPUs, memory and processes through a cgroup where the user may make one).
 */
#include "common/file.h"
#include "environments/enclosure.h"
#include "environments/start.h"

#include <sys/socket.h>
#include <sys/stat.h>

/* environment->state */
struct host {
    struct cgroup_world *world;
    struct cgroup_limits limits;
};

/* instance->state */
struct host_instance {
    struct enclosure enclosure;
    struct process process;
};

static int host_provision(struct environment *environment, struct error **err) {
    if (environment->state)
        return 0;
    struct host *self = calloc(1, sizeof(*self));
    if (!self)
        return error_no_memory(err);
    environment->state = self;
    cgroup_limits_of(&environment->setup->envelope, &self->limits);
    if (cgroup_world_find(&self->world, err) < 0)
        return -1;
    cgroup_remove_leftovers(self->world);
    return 0;
}

static void host_release(struct environment *environment) {
    struct host *self = environment->state;
    if (!self)
        return;
    cgroup_world_free(self->world);
    free(self);
    environment->state = NULL;
}

static int host_probe(struct environment *environment, struct probe_result *ret_result,
                      struct error **err) {
    if (host_provision(environment, err) < 0)
        return -1;
    const struct host *self = environment->state;
    char groups[160];
    bool complete = enclosure_describe_world(self->world, groups, sizeof(groups));
    *ret_result =
        (struct probe_result){.readiness = complete ? READINESS_READY : READINESS_DEGRADED};
    snprintf(ret_result->detail, sizeof(ret_result->detail), "the agent as an ordinary process, %s",
             groups);
    if (!complete)
        enclosure_advise(self->world, ret_result->advice, sizeof(ret_result->advice));
    return 0;
}

static int host_describe(struct environment *environment, FILE *to, struct error **err) {
    if (host_provision(environment, err) < 0)
        return -1;
    const struct host *self = environment->state;
    enclosure_describe(environment->setup, self->world, &self->limits, to);
    fprintf(to, "execve %s --data FOLDER\n", environment->setup->agent_path);
    return 0;
}

static int launch(struct instance *instance, struct error **err) {
    struct environment *environment = instance->environment;
    const struct host *host = environment->state;
    struct host_instance *self = instance->state;
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int agent_fd = sockets[1];
    if (channel_open_fds(sockets[0], sockets[0], environment->setup->cancel_fd, &instance->channel,
                         err) < 0)
        return -1;
    const char *const arguments[] = {environment->setup->agent_path, "--data", instance->data_path,
                                     NULL};
    const struct launch_program program = {
        .arguments = arguments,
        .stdin_fd = agent_fd,
        .stdout_fd = agent_fd,
        .stderr_fd = STDERR_FILENO,
    };
    const struct launch_plan plan = {
        .name = "the agent",
        .child = launch_program_child,
        .cookie = &program,
    };
    if (enclosure_prepare(&self->enclosure, environment->setup, host->world, &host->limits, &plan,
                          err) < 0 ||
        enclosure_launch(&self->enclosure, instance, &self->process, err) < 0 ||
        start_wait_ready(instance, sockets[0], &self->process, err) < 0)
        return -1;
    enclosure_settled(&self->enclosure);
    return 0;
}

static int host_stop(struct instance *instance, struct error **err);

static int host_start(struct environment *environment, struct instance **ret_instance,
                      struct error **err) {
    if (host_provision(environment, err) < 0)
        return -1;
    struct instance *instance = instance_new(environment);
    struct host_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        return error_no_memory(err);
    }
    self->process = PROCESS_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
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
    const struct host_instance *self = instance->state;
    ret_footprint->image_bytes = (uint64_t)status.st_size;
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    return 0;
}

static int host_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct host_instance *self = instance->state;
    (void)err;
    enclosure_facts(&self->enclosure, instance->pid, facts);
    return 0;
}

static char *host_diagnose(struct instance *instance) {
    struct host_instance *self = instance->state;
    if (!process_wait(&self->process, deadline_after(monotonic_ns(), PROCESS_END_IS_NEAR_NS)))
        return NULL;
    cleanup_free char *end = process_describe_end(&self->process);
    return text_format("the agent %s%s", end ? end : "ended",
                       enclosure_killed_by_limit(&self->enclosure, &self->process)
                           ? ": it reached the memory limit of its cgroup"
                           : "");
}

static int host_stop(struct instance *instance, struct error **err) {
    struct host_instance *self = instance->state;
    const struct environment_setup *setup = instance->environment->setup;
    cleanup_error struct error *first = NULL;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    /* One that must be killed is perhaps not the agent, and not alone. */
    if (!process_wait(&self->process, deadline_after(monotonic_ns(), setup->stop_timeout_ns)))
        process_kill_session(self->process.pid, NULL);
    if (!process_end(&self->process, 0))
        error_set(&first, ERROR_INTERNAL, 0, "process %d does not end", (int)instance->pid);
    instance_stamp(instance, STAMP_REAPED);
    enclosure_end(&self->enclosure, first ? NULL : &first);
    if (instance->data_path)
        file_remove_tree(instance->data_path, first ? NULL : &first);
    instance_stamp(instance, STAMP_CLEANED);
    free(self);
    instance->state = NULL;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}

const struct environment_ops environment_host = {
    .name = "host",
    .summary = "the bare host: the agent as an ordinary process",
    .probe = host_probe,
    .provision = host_provision,
    .describe = host_describe,
    .start = host_start,
    .footprint = host_footprint,
    .facts = host_facts,
    .diagnose = host_diagnose,
    .stop = host_stop,
    .release = host_release,
};
