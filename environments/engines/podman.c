// SPDX-License-Identifier: GPL-3.0-or-later
/* Podman: no daemon, but a process of its own beside each container; our root as it is. */
#include "environments/engines/engine.h"

static const struct spec_key keys[] = {
    {"runtime", NULL, "the OCI runtime that it uses: runc, crun, ... (its own choice)"},
    {NULL, NULL, NULL},
};

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {"--runtime={runtime}",
                                    "run",
                                    "--rm",
                                    "--interactive",
                                    "--name={name}",
                                    "--label=" ENGINE_LABEL "={name}",
                                    "--hostname=boxmark",
                                    "--network=none",
                                    "--read-only",
                                    "--read-only-tmpfs=false",
                                    "--cpuset-cpus={cpus}",
                                    "--cpuset-mems={nodes}",
                                    "--memory={memory}",
                                    "--memory-swap={memory}",
                                    "--pids-limit={pids}",
                                    "--ulimit=nofile={files}:{files}",
                                    "--ulimit=nproc={processes}:{processes}",
                                    "--cap-drop=ALL",
                                    "--security-opt=no-new-privileges",
                                    "--log-driver=none",
                                    "--volume={data}:" ENGINE_DATA,
                                    "--rootfs",
                                    "{root}",
                                    ENGINE_AGENT,
                                    "--data",
                                    ENGINE_DATA,
                                    NULL};
static const char *const remove_one[] = {"rm", "--force", "--time=0", "{name}", NULL};
static const char *const pid[] = {"inspect", "--format", "{{.State.Pid}}", "{name}", NULL};
static const char *const list[] = {"ps",       "--all",      "--filter", "label=" ENGINE_LABEL,
                                   "--format", "{{.Names}}", NULL};
static const char *const variables[] = {"PATH",
                                        "HOME",
                                        "USER",
                                        "XDG_RUNTIME_DIR",
                                        "XDG_DATA_HOME",
                                        "XDG_CONFIG_HOME",
                                        "CONTAINERS_CONF",
                                        "CONTAINERS_STORAGE_CONF",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        NULL};
static const char *const remaining_groups[] = {"libpod_parent", NULL};

const struct engine engine_podman = {
    .ops = ENGINE_OPERATIONS("podman", "podman run on the same root", keys),
    .program = "podman",
    .packages = {"podman", "podman", "podman"},
    .advice = "another runtime may do: podman:runtime=runc",
    .version = version,
    .start = start,
    .remove = remove_one,
    .pid = pid,
    .list = list,
    .helper = "conmon",
    .remaining_groups = remaining_groups,
    .environment = variables,
};
