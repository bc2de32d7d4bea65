// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A shell inside: the same namespaces, limits and privileges as the agent's, but on the host's
 * files, read-only, since the agent's root has no shell.
 */
#include "environments/container/container.h"

#include "environments/terminal.h"

static const char *const shell_arguments[] = {"/bin/sh", "-i", NULL};

static int run_shell(struct instance *instance, int *ret_status, struct error **err) {
    struct environment *environment = instance->environment;
    struct container *container = environment->state;
    struct container_instance *self = instance->state;
    self->plan.filter = container->filter;
    self->plan.arguments = shell_arguments;
    struct launch_plan plan = {
        .name = "the container",
        .namespaces = container_namespaces(&self->plan),
        .child = container_child,
        .cookie = &self->plan,
    };
    if (enclosure_prepare(&self->enclosure, environment->setup, container->world,
                          &container->limits, &plan, err) < 0 ||
        enclosure_launch(&self->enclosure, instance, &self->process, err) < 0)
        return -1;
    enclosure_settled(&self->enclosure);
    *ret_status = terminal_wait(&self->process);
    return 0;
}

int container_shell(struct environment *environment, int *ret_status, struct error **err) {
    if (container_open(environment, err) < 0)
        return -1;
    struct instance *instance = container_instance_new(environment, err);
    if (!instance)
        return -1;
    ((struct container_instance *)instance->state)->plan.shell = true;
    cleanup_error struct error *first = NULL;
    if (container_make_storage(instance, &first) == 0)
        run_shell(instance, ret_status, &first);
    environment->ops->stop(instance, first ? NULL : &first);
    instance_free(instance);
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}
