// SPDX-License-Identifier: GPL-3.0-or-later
/* chroot: another root folder and nothing else; the host's processes, network and privileges. */
#include "environments/engines/engine.h"

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {"{root}", ENGINE_AGENT, "--data", ENGINE_DATA, NULL};

const struct engine engine_chroot = {
    .ops = ENGINE_OPERATIONS("chroot", "chroot: the same root, no other isolation", NULL),
    .program = "chroot",
    .packages = {"coreutils", "coreutils", "coreutils"},
    .root_only = true,
    .private_mounts = true,
    .version = version,
    .start = start,
};
