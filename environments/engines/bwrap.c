// SPDX-License-Identifier: GPL-3.0-or-later
/* bubblewrap: what Flatpak starts programs with. */
#include "environments/engines/engine.h"

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {"--unshare-all", "--die-with-parent",
                                    "--new-session", "--hostname",
                                    "boxmark",       "--cap-drop",
                                    "ALL",           "--ro-bind",
                                    "{root}",        "/",
                                    "--proc",        "/proc",
                                    "--dev",         "/dev",
                                    "--ro-bind",     "/sys",
                                    "/sys",          "--bind",
                                    "{data}",        "/data",
                                    "--chdir",       "/",
                                    ENGINE_AGENT,    "--data",
                                    ENGINE_DATA,     NULL};

const struct engine engine_bwrap = {
    .ops = ENGINE_OPERATIONS("bwrap", "bubblewrap: namespaces, no privileges, the same root", NULL),
    .program = "bwrap",
    .packages = {"bubblewrap", "bubblewrap", "bubblewrap"},
    .version = version,
    .start = start,
};
