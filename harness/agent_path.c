// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/agent_path.h"

#include "common/file.h"

#include <string.h>

static const char agent_name[] = "boxmark-agent";

/* NAME in the folder of this program's executable. */
static char *beside_program(void) {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length <= 0)
        return NULL;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return text_format("%s/%s", program, agent_name);
}

int agent_path_find(char **ret_path, struct error **err) {
    const char *given = getenv("BOXMARK_AGENT");
    char *candidates[] = {given ? strdup(given) : NULL, given ? NULL : beside_program(),
                          given ? NULL : text_format("%s/%s", BOXMARK_LIBEXECDIR, agent_name)};
    char *found = NULL;
    for (unsigned i = 0; i < sizeof(candidates) / sizeof(*candidates); i++) {
        if (!found && candidates[i] && access(candidates[i], X_OK) == 0)
            found = realpath(candidates[i], NULL);
        free(candidates[i]);
    }
    if (!found) {
        error_set(err, ERROR_INTERNAL, 0, "the agent is not there: %s",
                  given ? given : BOXMARK_LIBEXECDIR "/boxmark-agent");
        return error_advise(err, "build it (`make`), install it (`make install`), or set "
                                 "BOXMARK_AGENT to its path");
    }
    *ret_path = found;
    return 0;
}
