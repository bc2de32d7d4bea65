// SPDX-License-Identifier: GPL-3.0-or-later
/* unshare of util-linux: namespaces by hand, privileges kept. */
#include "environments/engines/engine.h"

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {
    "--mount", "--pid",  "--fork",       "--kill-child", "--net",  "--ipc",     "--uts", "--cgroup",
    "--root",  "{root}", "--mount-proc", ENGINE_AGENT,   "--data", ENGINE_DATA, NULL};

const struct engine engine_unshare = {
    .ops = ENGINE_OPERATIONS("unshare", "unshare: namespaces alone, the same root", NULL),
    .program = "unshare",
    .packages = {"util-linux", "util-linux", "util-linux"},
    .root_only = true,
    .private_mounts = true,
    .version = version,
    .start = start,
};
