// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The built-in container: the agent as the first process of its own namespaces, on a read-only
 * root that holds nothing else, without privileges.
 */
#include "environments/container/container.h"

#include "common/file.h"
#include "common/units.h"
#include "environments/start.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CPU_PERIOD_US UINT64_C(100000)

static const char *const on_off[] = {"on", "off", NULL};
static const char *const auto_on_off[] = {"auto", "on", "off", NULL};
static const char *const mitigations[] = {"default", "ssbd", NULL};
static const char *const networks[] = {"none", "veth", "host", NULL};
static const char *const roots[] = {"bind", "tmpfs", "overlay", NULL};
static const char *const data_kinds[] = {"bind", "overlay", NULL};

const struct spec_key container_keys[] = {
    {"seccomp", on_off, "filter system calls"},
    {"userns", auto_on_off, "user namespace; auto: on unless root starts it"},
    {"net", networks,
     "its own network namespace: empty, or with a pair of devices to nowhere; or the host's"},
    {"root", roots, "the agent bound into an empty root, copied into it, or an image's overlay"},
    {"data", data_kinds, "the data folder itself, or an overlay that writes into it"},
    {"mitigation", mitigations, "ssbd: also disable speculative store bypass, as old kernels did"},
    {"cpu_quota", NULL, "CPU time as a percentage of one CPU, such as 150%"},
    {NULL, NULL, NULL},
};

static int parse_quota(const struct spec *spec, struct cgroup_limits *limits, struct error **err) {
    const char *text = spec_value(spec, container_keys, "cpu_quota");
    if (!text)
        return 0;
    cleanup_free char *digits = strdup(text);
    if (!digits)
        return error_no_memory(err);
    size_t length = strlen(digits);
    if (length > 0 && digits[length - 1] == '%')
        digits[length - 1] = '\0';
    uint64_t percent;
    /* Below one percent the kernel does not take it with this period. */
    if (parse_count(digits, "cpu_quota", 1, 100 * ENVELOPE_MAX_CPUS, &percent, err) < 0) {
        error_wrap(err, "environment \"%s\"", spec->text);
        return error_advise(err, "write the percentage of one CPU, such as cpu_quota=150%%");
    }
    limits->cpu_period_us = CPU_PERIOD_US;
    limits->cpu_quota_us = CPU_PERIOD_US * percent / 100;
    return 0;
}

static void choose_user_namespace(const struct spec *spec, bool root, struct container_plan *plan) {
    const char *value = spec_value(spec, container_keys, "userns");
    plan->uid = root ? 0 : geteuid();
    plan->gid = root ? 0 : getegid();
    if (!root) {
        plan->user_namespace =
            strcmp(value, "off") == 0 ? USER_NAMESPACE_NONE : USER_NAMESPACE_FIRST;
    } else if (strcmp(value, "on") == 0) {
        plan->user_namespace = USER_NAMESPACE_LAST;
        plan->uid = plan->gid = CONTAINER_NOBODY;
    } else {
        plan->user_namespace = USER_NAMESPACE_NONE;
    }
}

static void choose_storage(const struct spec *spec, struct container_plan *plan) {
    const char *root = spec_value(spec, container_keys, "root");
    plan->root = strcmp(root, "tmpfs") == 0     ? ROOT_TMPFS
                 : strcmp(root, "overlay") == 0 ? ROOT_OVERLAY
                                                : ROOT_BIND;
    plan->data_overlay = strcmp(spec_value(spec, container_keys, "data"), "overlay") == 0;
}

int container_read_options(const struct spec *spec, bool root, struct container_plan *plan,
                           struct cgroup_limits *limits, struct error **err) {
    const char *network = spec_value(spec, container_keys, "net");
    choose_user_namespace(spec, root, plan);
    choose_storage(spec, plan);
    plan->network = strcmp(network, "host") == 0   ? NETWORK_HOST
                    : strcmp(network, "veth") == 0 ? NETWORK_VETH
                                                   : NETWORK_NONE;
    plan->ssbd = strcmp(spec_value(spec, container_keys, "mitigation"), "ssbd") == 0;
    return parse_quota(spec, limits, err);
}

/* The agent is bound or copied from within another folder: its path must be absolute. */
static int find_agent(const struct environment *environment, struct container *self,
                      struct error **err) {
    /* Folders and mount points take pages too. */
    enum { ROOT_BYTES = 256 << 10 };
    struct stat status;
    self->agent_path = realpath(environment->setup->agent_path, NULL);
    if (!self->agent_path || stat(self->agent_path, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot find the agent %s",
                         environment->setup->agent_path);
    self->plan.agent_path = self->agent_path;
    self->plan.root_bytes = ROOT_BYTES;
    if (self->plan.root == ROOT_TMPFS)
        self->plan.root_bytes += (uint64_t)status.st_size;
    return 0;
}

int container_open(struct environment *environment, struct error **err) {
    if (environment->state)
        return 0;
    struct container *self = calloc(1, sizeof(*self));
    if (!self)
        return error_no_memory(err);
    environment->state = self;
    struct container_plan *plan = &self->plan;
    cgroup_limits_of(&environment->setup->envelope, &self->limits);
    if (container_read_options(environment->spec, geteuid() == 0, plan, &self->limits, err) < 0 ||
        find_agent(environment, self, err) < 0 || cgroup_world_find(&self->world, err) < 0)
        return -1;
    cgroup_remove_leftovers(self->world);
    return environment_is_on(environment, "seccomp")
               ? container_filter_compile(plan->network != NETWORK_NONE, &self->filter, err)
               : 0;
}

int container_provision(struct environment *environment, struct error **err) {
    return container_open(environment, err) < 0 ? -1 : container_make_image(environment, err);
}

static void container_release(struct environment *environment) {
    struct container *self = environment->state;
    if (!self)
        return;
    container_filter_free(&self->filter);
    cgroup_world_free(self->world);
    if (self->image_path)
        file_remove_tree(self->image_path, NULL);
    free(self->image_path);
    free(self->image_agent_path);
    free(self->agent_path);
    free(self);
    environment->state = NULL;
}

struct instance *container_instance_new(struct environment *environment, struct error **err) {
    struct instance *instance = instance_new(environment);
    struct container_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        error_no_memory(err);
        return NULL;
    }
    self->process = PROCESS_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
    self->errors_fd = -1;
    self->plan = ((const struct container *)environment->state)->plan;
    instance->state = self;
    return instance;
}

static const char *const agent_arguments[] = {CONTAINER_AGENT, "--data", CONTAINER_DATA, NULL};

/* What differs by instance: its folder, its channel, the pipe for its last words. */
static int complete_plan(struct instance *instance, int *ret_agent_fd, int *ret_errors_fd,
                         struct error **err) {
    struct environment *environment = instance->environment;
    struct container *container = environment->state;
    struct container_instance *self = instance->state;
    int sockets[2], errors[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    *ret_agent_fd = sockets[1];
    if (channel_open_fds(sockets[0], sockets[0], environment->setup->cancel_fd, &instance->channel,
                         err) < 0)
        return -1;
    self->channel_fd = sockets[0];
    /* A pipe is bounded, whatever the agent writes; a full one does not stop it. */
    if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    self->errors_fd = errors[0];
    *ret_errors_fd = errors[1];
    self->plan.filter = container->filter;
    self->plan.arguments = agent_arguments;
    self->plan.stdin_fd = self->plan.stdout_fd = *ret_agent_fd;
    self->plan.stderr_fd = *ret_errors_fd;
    return 0;
}

static int launch(struct instance *instance, struct error **err) {
    struct environment *environment = instance->environment;
    struct container *container = environment->state;
    struct container_instance *self = instance->state;
    cleanup_fd int agent_fd = -1;
    cleanup_fd int errors_fd = -1;
    if (complete_plan(instance, &agent_fd, &errors_fd, err) < 0)
        return -1;
    struct launch_plan plan = {
        .name = "the container",
        .namespaces = container_namespaces(&self->plan),
        .child = container_child,
        .cookie = &self->plan,
    };
    if (enclosure_prepare(&self->enclosure, environment->setup, container->world,
                          &container->limits, &plan, err) < 0)
        return -1;
    if (enclosure_launch(&self->enclosure, instance, &self->process, err) < 0)
        return -1;
    return start_wait_ready(instance, self->channel_fd, &self->process, err);
}

static int container_stop(struct instance *instance, struct error **err);

static int container_start(struct environment *environment, struct instance **ret_instance,
                           struct error **err) {
    if (container_provision(environment, err) < 0)
        return -1;
    struct instance *instance = container_instance_new(environment, err);
    if (!instance)
        return -1;
    if (container_make_storage(instance, err) < 0 || launch(instance, err) < 0) {
        cleanup_free char *words = container_last_words(instance->state);
        if (words)
            error_wrap(err, "%s", words);
        container_stop(instance, NULL);
        instance_free(instance);
        return -1;
    }
    struct container_instance *self = instance->state;
    enclosure_settled(&self->enclosure);
    *ret_instance = instance;
    return 0;
}

static int container_footprint(struct instance *instance, struct footprint *ret_footprint,
                               struct error **err) {
    struct container_instance *self = instance->state;
    struct stat status;
    if (stat(instance->environment->setup->agent_path, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot stat the agent");
    ret_footprint->image_bytes = (uint64_t)status.st_size;
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    return 0;
}

static int container_stop(struct instance *instance, struct error **err) {
    struct container_instance *self = instance->state;
    cleanup_error struct error *first = NULL;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    /* With its first process the whole PID namespace ends. */
    if (!process_end(&self->process,
                     deadline_after(monotonic_ns(), instance->environment->setup->stop_timeout_ns)))
        error_set(&first, ERROR_INTERNAL, 0, "process %d does not end", (int)instance->pid);
    instance_stamp(instance, STAMP_REAPED);
    enclosure_end(&self->enclosure, first ? NULL : &first);
    container_remove_storage(instance, first ? NULL : &first);
    instance_stamp(instance, STAMP_CLEANED);
    if (self->errors_fd >= 0)
        close(self->errors_fd);
    free(self);
    instance->state = NULL;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}

/* The agent itself is dropped by whoever asks; an image holds a copy. */
static const char *const *container_cold_files(struct environment *environment) {
    struct container *self = environment->state;
    return self->cold_files;
}

const struct environment_ops environment_container = {
    .name = "container",
    .summary = "namespaces, cgroup, seccomp, no privileges, a root with only the agent",
    .keys = container_keys,
    .probe = container_probe,
    .provision = container_provision,
    .describe = container_describe,
    .start = container_start,
    .footprint = container_footprint,
    .facts = container_facts,
    .diagnose = container_diagnose,
    .stop = container_stop,
    .release = container_release,
    .shell = container_shell,
    .shell_note = "The programs are the host's, read-only: the agent's own root has no shell.",
    .cold_files = container_cold_files,
};
