// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/stack.h"

#include "common/file.h"
#include "environments/environment.h"

#include <string.h>

static const struct environment_ops *kind_at(const char *text) {
    cleanup_free char *name = strndup(text, strcspn(text, ":@"));
    const struct environment_ops *ops = name ? environment_kind(name) : NULL;
    return ops && !ops->hidden ? ops : NULL;
}

static int refuse(const char *text, const char *what, struct error **err) {
    error_set(err, ERROR_USAGE, 0, "environment \"%s\": %s", text, what);
    return error_advise(err,
                        "container@vm is; any other machine can be reached by command:exec=...");
}

int stack_split(const char *text, char **ret_inner, char **ret_outer, struct error **err) {
    const struct environment_ops *inner = kind_at(text), *outer = NULL;
    const char *at_sign = NULL;
    bool quoted = false;
    /* The text of a command may hold anything. */
    if (!inner || inner == &environment_command)
        return 0;
    for (const char *at = text; *at; at++) {
        if (*at == '"')
            quoted = !quoted;
        if (*at != '@' || quoted || !kind_at(at + 1))
            continue;
        if (at_sign)
            return refuse(text, "three levels are not built in", err);
        at_sign = at;
        outer = kind_at(at + 1);
    }
    if (!at_sign)
        return 0;
    if (inner != &environment_container || outer != &environment_vm) {
        cleanup_free char *what =
            text_format("%s inside of %s is not built in", inner->name, outer->name);
        return refuse(text, what ? what : "this is not built in", err);
    }
    cleanup_free char *first = strndup(text, (size_t)(at_sign - text));
    cleanup_free char *second = strdup(at_sign + 1);
    if (!first || !second)
        return error_no_memory(err);
    *ret_inner = TAKE_PTR(first);
    *ret_outer = TAKE_PTR(second);
    return 1;
}
