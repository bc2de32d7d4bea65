// SPDX-License-Identifier: GPL-3.0-or-later
/* One instance of an engine, from its start to its end. */
#include "environments/engines/engine.h"

#include "common/file.h"
#include "environments/owner.h"
#include "environments/start.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* What the new process needs: everything is made before, it only makes system calls. */
struct engine_plan {
    struct launch_program program;
    const char *root; /* with private mounts; else NULL */
    const char *data_path;
    char *data_mount, *proc_mount, *sys_mount;
};

/* Seen by this process and its children alone, gone with them. */
static int mount_root(const struct engine_plan *plan, const char **step) {
    *step = "leaving the host's mounts";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    *step = "mounting its root";
    if (mount(plan->root, plan->root, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, plan->root, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL) < 0)
        return -1;
    *step = "mounting its data folder";
    if (mount(plan->data_path, plan->data_mount, NULL, MS_BIND, NULL) < 0)
        return -1;
    *step = "mounting /sys";
    if (mount("/sys", plan->sys_mount, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, plan->sys_mount, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL) < 0)
        return -1;
    *step = "mounting /proc";
    return mount("proc", plan->proc_mount, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static void engine_child(const void *cookie, const char **step) {
    const struct engine_plan *plan = cookie;
    if (plan->root && mount_root(plan, step) < 0)
        return;
    launch_program_child(&plan->program, step);
}

static int make_names(struct instance *instance, struct error **err) {
    const struct engine_world *world = instance->environment->state;
    struct engine_instance *self = instance->state;
    self->name = owner_make_name();
    self->data_path = realpath(instance->data_path, NULL);
    if (!self->name || !self->data_path)
        return error_no_memory(err);
    if (world->engine->prepare) {
        self->folder = text_format("%s/%s", world->folder, self->name);
        if (!self->folder)
            return error_no_memory(err);
        if (mkdir(self->folder, 0711) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot make %s", self->folder);
        if (world->engine->prepare(instance, err) < 0)
            return -1;
    }
    const char *const *start = engine_start_template(instance->environment);
    return engine_expand(instance->environment, instance, start, &self->arguments, err) < 0 ||
                   engine_variables(world->engine, &self->variables, err) < 0
               ? -1
               : 0;
}

static int make_channel(struct instance *instance, int *ret_agent_fd, int *ret_errors_fd,
                        struct error **err) {
    struct engine_instance *self = instance->state;
    int sockets[2], errors[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    *ret_agent_fd = sockets[1];
    if (channel_open_fds(sockets[0], sockets[0], instance->environment->setup->cancel_fd,
                         &instance->channel, err) < 0)
        return -1;
    /* A pipe is bounded, whatever is written; a full one does not stop the writer. */
    if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    self->errors_fd = errors[0];
    *ret_errors_fd = errors[1];
    return 0;
}

static int launch(struct instance *instance, struct error **err) {
    const struct environment_setup *setup = instance->environment->setup;
    const struct engine_world *world = instance->environment->state;
    struct engine_instance *self = instance->state;
    cleanup_fd int agent_fd = -1;
    cleanup_fd int errors_fd = -1;
    if (make_names(instance, err) < 0 || make_channel(instance, &agent_fd, &errors_fd, err) < 0)
        return -1;
    cleanup_free char *data_mount = text_format("%s" ENGINE_DATA, world->root);
    cleanup_free char *proc_mount = text_format("%s/proc", world->root);
    cleanup_free char *sys_mount = text_format("%s/sys", world->root);
    if (!data_mount || !proc_mount || !sys_mount)
        return error_no_memory(err);
    const struct engine_plan engine_plan = {
        .program = {.arguments = (const char *const *)self->arguments,
                    .environment = (const char *const *)self->variables,
                    .stdin_fd = agent_fd,
                    .stdout_fd = agent_fd,
                    .stderr_fd = errors_fd},
        .root = world->engine->private_mounts ? world->root : NULL,
        .data_path = self->data_path,
        .data_mount = data_mount,
        .proc_mount = proc_mount,
        .sys_mount = sys_mount,
    };
    const struct launch_plan plan = {
        .name = world->engine->ops.name,
        .namespaces = world->engine->private_mounts ? CLONE_NEWNS : 0,
        .child = engine_child,
        .cookie = &engine_plan,
    };
    if (enclosure_prepare(&self->enclosure, setup, world->cgroups, &world->limits, &plan, err) <
            0 ||
        enclosure_launch(&self->enclosure, instance, &self->process, err) < 0)
        return -1;
    /* The engine was executed then; when the agent was, is not seen. */
    instance->stamps[STAMP_USER_INSTRUCTION] = 0;
    close_fd(&agent_fd);
    close_fd(&errors_fd);
    if (start_wait_hello(instance, &self->process, &self->noise, err) < 0)
        return -1;
    enclosure_settled(&self->enclosure);
    engine_find_agent(instance);
    return 0;
}

/* Error and last words: which engine, what happened, what it said. */
static int start_failed(struct instance *instance, struct error *failure, struct error **err) {
    struct engine_instance *self = instance->state;
    cleanup_free char *words = engine_last_words(self);
    if (failure && failure->kind != ERROR_INTERRUPTED && (words || self->noise)) {
        char *message =
            text_format("%s; " SAID "%s%s%s", failure->message, words ? words : "",
                        words && self->noise ? " | " : "", self->noise ? self->noise : "");
        if (message) {
            free(failure->message);
            failure->message = message;
        }
    }
    engine_stop(instance, NULL);
    instance_free(instance);
    return error_move(err, failure);
}

int engine_start(struct environment *environment, struct instance **ret_instance,
                 struct error **err) {
    if (engine_provision(environment, err) < 0)
        return -1;
    struct instance *instance = instance_new(environment);
    struct engine_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        return error_no_memory(err);
    }
    self->process = PROCESS_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
    self->errors_fd = -1;
    instance->state = self;
    cleanup_error struct error *failure = NULL;
    if (start_make_data_folder(instance, &failure) < 0 || launch(instance, &failure) < 0)
        return start_failed(instance, TAKE_PTR(failure), err);
    *ret_instance = instance;
    return 0;
}

/* Ends what runs: in good time by itself, else by the engine's own command, else by force. */
static void end_engine(struct instance *instance, struct error **err) {
    const struct engine_world *world = instance->environment->state;
    struct engine_instance *self = instance->state;
    const char *const *remove = world->engine->remove;
    uint64_t grace_ns = instance->environment->setup->stop_timeout_ns;
    bool graceful = process_wait(&self->process, deadline_after(monotonic_ns(), grace_ns));
    bool clean = graceful && self->process.pid > 0 && WIFEXITED(self->process.status) &&
                 WEXITSTATUS(self->process.status) == 0;
    if (!graceful && !process_end(&self->process, 0))
        error_set(err, ERROR_INTERNAL, 0, "process %d does not end", (int)instance->pid);
    /* It may be gone, or never have been: that is no failure. */
    if (remove && self->name && self->process.pid > 0 && !clean)
        engine_run(instance->environment, instance, remove, NULL, NULL);
}

int engine_stop(struct instance *instance, struct error **err) {
    const struct engine_world *world = instance->environment->state;
    struct engine_instance *self = instance->state;
    cleanup_error struct error *first = NULL;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    end_engine(instance, &first);
    instance_stamp(instance, STAMP_REAPED);
    enclosure_end(&self->enclosure, first ? NULL : &first);
    if (self->name)
        engine_remove_remains(world->engine, self->name);
    if (self->folder)
        file_remove_tree(self->folder, first ? NULL : &first);
    if (instance->data_path)
        file_remove_tree(instance->data_path, first ? NULL : &first);
    instance_stamp(instance, STAMP_CLEANED);
    if (self->errors_fd >= 0)
        close(self->errors_fd);
    cgroup_close(self->cgroup);
    engine_free_words(self->arguments);
    engine_free_words(self->variables);
    free(self->noise);
    free(self->name);
    free(self->data_path);
    free(self->folder);
    free(self);
    instance->state = NULL;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}
