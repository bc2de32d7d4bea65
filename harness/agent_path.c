// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/agent_path.h"

#include "common/installed.h"

int agent_path_find(char **ret_path, struct error **err) {
    const char *given = getenv("BOXMARK_AGENT");
    cleanup_free char *found = given ? realpath(given, NULL) : installed_program("boxmark-agent");
    if (!found || access(found, X_OK) < 0) {
        error_set(err, ERROR_INTERNAL, 0, "the agent is not there: %s",
                  given ? given : BOXMARK_LIBEXECDIR "/boxmark-agent");
        return error_advise(err, "build it (`make`), install it (`make install`), or set "
                                 "BOXMARK_AGENT to its path");
    }
    *ret_path = TAKE_PTR(found);
    return 0;
}
