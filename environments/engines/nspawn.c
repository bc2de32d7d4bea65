// SPDX-License-Identifier: GPL-3.0-or-later
/* systemd-nspawn, without registering with systemd-machined, so that it stays in our cgroup. */
#include "environments/engines/engine.h"

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {"--quiet",
                                    "--directory={root}",
                                    "--read-only",
                                    "--register=no",
                                    "--keep-unit",
                                    "--private-network",
                                    "--pipe",
                                    "--machine={name}",
                                    "--hostname=boxmark",
                                    "--bind={data}:" ENGINE_DATA,
                                    "--drop-capability=all",
                                    "--no-new-privileges=yes",
                                    "--timezone=off",
                                    "--resolv-conf=off",
                                    "--link-journal=no",
                                    ENGINE_AGENT,
                                    "--data",
                                    ENGINE_DATA,
                                    NULL};

const struct engine engine_nspawn = {
    .ops = ENGINE_OPERATIONS("nspawn", "systemd-nspawn: namespaces, seccomp, the same root", NULL),
    .program = "systemd-nspawn",
    .packages = {"systemd-container", "systemd-container", "systemd"},
    .root_only = true,
    .version = version,
    .start = start,
    .remains = "/run/systemd/nspawn/propagate",
    .locks = "/run/systemd/nspawn/locks",
};
