// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest_box.h"

#include "common/file.h"
#include "common/installed.h"
#include "environments/container/box.h"

#include <string.h>

/* Whoever makes the container in the guest is root there, whoever starts the guest. */
static int read_plan(const struct environment *environment, struct container_plan *plan,
                     struct cgroup_limits *limits, struct error **err) {
    cgroup_limits_of(&environment->setup->envelope, limits);
    return container_read_options(environment->inner, true, plan, limits, err);
}

int guest_box_read(const struct environment *environment, struct vm_config *config,
                   struct error **err) {
    struct container_plan plan = {.agent_path = NULL};
    struct cgroup_limits limits;
    if (!environment->inner)
        return 0;
    if (read_plan(environment, &plan, &limits, err) < 0)
        return -1;
    _Static_assert(sizeof(config->box) >= BOX_TEXT_BYTES, "");
    box_write(&plan, &limits, config->box);
    config->veth = plan.network == NETWORK_VETH;
    config->overlays = plan.root == ROOT_OVERLAY || plan.data_overlay;
    return 0;
}

static int check_kernel(const struct environment *environment, const struct guest_kernel *kernel,
                        const struct container_plan *plan, const struct cgroup_limits *limits,
                        struct error **err) {
    const struct {
        const char *option;
        bool needed;
    } options[] = {
        {"CONFIG_UTS_NS", true},
        {"CONFIG_IPC_NS", true},
        {"CONFIG_PID_NS", true},
        {"CONFIG_NET_NS", true},
        {"CONFIG_USER_NS", plan->user_namespace != USER_NAMESPACE_NONE},
        {"CONFIG_MEMCG", true},
        {"CONFIG_CGROUP_PIDS", true},
        {"CONFIG_CGROUP_SCHED", true},
        {"CONFIG_CFS_BANDWIDTH", limits->cpu_quota_us > 0},
        {"CONFIG_SECCOMP_FILTER", spec_is_on(environment->inner, container_keys, "seccomp")}};
    cleanup_free char *config = NULL;
    /* A kernel without a configuration is tried; what fails is said on its console. */
    if (!kernel->config_path || file_read(kernel->config_path, &config, NULL, NULL) < 0)
        return 0;
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        cleanup_free char *line = text_format("\n%s=y\n", options[i].option);
        if (!line)
            return error_no_memory(err);
        if (!options[i].needed || strstr(config, line))
            continue;
        error_set(err, ERROR_UNAVAILABLE, 0, "the guest's kernel (%s) has no %s for a container",
                  kernel->origin, options[i].option);
        return error_advise(err,
                            "choose another, such as vm:kernel=cloud; a lean kernel of an older "
                            "version is renewed by `boxmark guest build --lean`");
    }
    return 0;
}

int guest_box_prepare(const struct environment *environment, const struct guest_kernel *kernel,
                      struct guest_box *ret_box, struct error **err) {
    struct container_plan plan = {.agent_path = NULL};
    struct cgroup_limits limits;
    cleanup_guest_box struct guest_box box = {.program = NULL};
    if (!environment->inner)
        return 0;
    if (read_plan(environment, &plan, &limits, err) < 0 ||
        check_kernel(environment, kernel, &plan, &limits, err) < 0)
        return -1;
    box.program = installed_program(&BOX_PROGRAM[1]);
    if (!box.program)
        return error_set(err, ERROR_UNAVAILABLE, 0, "the program %s is not there", &BOX_PROGRAM[1]);
    if (spec_is_on(environment->inner, container_keys, "seccomp") &&
        container_filter_compile(plan.network != NETWORK_NONE, &box.filter, err) < 0)
        return -1;
    box.extras[0] =
        (struct guest_extra){.name = &BOX_PROGRAM[1], .mode = 0755, .path = box.program};
    if (box.filter.len > 0)
        box.extras[1] = (struct guest_extra){.name = &BOX_FILTER[1],
                                             .mode = 0444,
                                             .bytes = box.filter.filter,
                                             .size = box.filter.len * sizeof(*box.filter.filter)};
    *ret_box = box;
    box = (struct guest_box){.program = NULL};
    return 0;
}

void guest_box_clear(struct guest_box *box) {
    container_filter_free(&box->filter);
    free(box->program);
    *box = (struct guest_box){.program = NULL};
}
