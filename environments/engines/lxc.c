// SPDX-License-Identifier: GPL-3.0-or-later
/* LXC: lxc-execute, with a configuration of our own and its cgroups inside of ours. */
#include "environments/engines/engine.h"

#include "common/file.h"

#include <string.h>

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {"--name",     "{name}",   "--lxcpath", "{state}",
                                    "--rcfile",   "{config}", "--quiet",   "--",
                                    ENGINE_AGENT, "--data",   ENGINE_DATA, NULL};

static const char *const remaining_groups[] = {"lxc.pivot", "lxc.payload.{name}",
                                               "lxc.monitor.{name}", NULL};

static int write_configuration(struct instance *instance, struct error **err) {
    const struct engine_world *world = instance->environment->state;
    const struct engine_instance *self = instance->state;
    /* A mount entry's words end at blanks. */
    if (strpbrk(self->data_path, " \t")) {
        error_set(err, ERROR_UNAVAILABLE, 0,
                  "lxc cannot use the data folder %s: a blank in its name", self->data_path);
        return error_advise(err, "choose another with --data");
    }
    cleanup_free char *path = text_format("%s/config", self->folder);
    cleanup_free char *text = text_format("lxc.rootfs.path = dir:%s\n"
                                          "lxc.rootfs.options = ro\n"
                                          "lxc.uts.name = boxmark\n"
                                          "lxc.net.0.type = empty\n"
                                          "lxc.mount.auto = proc:mixed sys:ro\n"
                                          "lxc.mount.entry = %s data none bind,rw 0 0\n"
                                          "lxc.autodev = 1\n"
                                          "lxc.tty.max = 0\n"
                                          "lxc.console.path = none\n"
                                          "lxc.apparmor.profile = unconfined\n"
                                          "lxc.cap.keep = none\n"
                                          "lxc.no_new_privs = 1\n"
                                          "lxc.cgroup.relative = 1\n",
                                          world->root, self->data_path);
    return path && text ? file_replace(path, text, strlen(text), err) : error_no_memory(err);
}

const struct engine engine_lxc = {
    .ops = ENGINE_OPERATIONS("lxc", "lxc-execute: namespaces, no privileges, the same root", NULL),
    .program = "lxc-execute",
    .packages = {"lxc", "lxc", "lxc"},
    .root_only = true,
    .version = version,
    .start = start,
    .remaining_groups = remaining_groups,
    .prepare = write_configuration,
};
