// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/error.h"

#include "common/text.h"

#include <stdarg.h>
#include <string.h>

/* Used when not even an error can be allocated; error_free knows it. */
static struct error out_of_memory = {
    .kind = ERROR_INTERNAL, .errnum = ENOMEM, .message = (char *)"out of memory", .advice = NULL};

/* printf into one harmless line; NULL when out of memory. */
static char *format_line(const char *format, va_list arguments) {
    cleanup_free char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
        return NULL;
    }
    return text_clean(text);
}

int error_set(struct error **err, enum error_kind kind, int errnum, const char *format, ...) {
    if (!err)
        return -1;
    struct error *error = calloc(1, sizeof(*error));
    if (!error) {
        *err = &out_of_memory;
        return -1;
    }
    error->kind = kind;
    error->errnum = errnum;

    va_list arguments;
    va_start(arguments, format);
    cleanup_free char *text = format_line(format, arguments);
    va_end(arguments);

    if (text && errnum) {
        if (asprintf(&error->message, "%s: %s", text, strerror(errnum)) < 0)
            error->message = NULL;
    } else {
        error->message = TAKE_PTR(text);
    }
    *err = error;
    return -1;
}

int error_wrap(struct error **err, const char *format, ...) {
    if (!err || !*err || *err == &out_of_memory)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    cleanup_free char *context = format_line(format, arguments);
    va_end(arguments);

    char *message = NULL;
    if (context && asprintf(&message, "%s: %s", context, error_message(*err)) >= 0) {
        free((*err)->message);
        (*err)->message = message;
    }
    return -1;
}

int error_blame_usage(struct error **err) {
    if (err && *err && *err != &out_of_memory)
        (*err)->kind = ERROR_USAGE;
    return -1;
}

int error_advise(struct error **err, const char *format, ...) {
    if (!err || !*err || *err == &out_of_memory || (*err)->advice)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    (*err)->advice = format_line(format, arguments);
    va_end(arguments);
    return -1;
}

int error_no_memory(struct error **err) {
    if (err)
        *err = &out_of_memory;
    return -1;
}

const char *error_message(const struct error *error) {
    return error && error->message ? error->message : "unknown error";
}

enum exit_code error_exit_code(const struct error *error) {
    if (!error)
        return EXIT_CODE_OK;
    switch (error->kind) {
    case ERROR_USAGE:
        return EXIT_CODE_USAGE;
    case ERROR_UNAVAILABLE:
        return EXIT_CODE_UNAVAILABLE;
    case ERROR_INCONCLUSIVE:
        return EXIT_CODE_INCONCLUSIVE;
    case ERROR_UNTRUSTWORTHY:
        return EXIT_CODE_UNTRUSTWORTHY;
    case ERROR_INTERRUPTED:
        return EXIT_CODE_INTERRUPTED;
    case ERROR_INTERNAL:
    case ERROR_TIMEOUT:
    case ERROR_CLOSED:
        break;
    }
    return EXIT_CODE_INTERNAL;
}

struct error *error_free(struct error *error) {
    if (error && error != &out_of_memory) {
        free(error->message);
        free(error->advice);
        free(error);
    }
    return NULL;
}

int error_move(struct error **to, struct error *from) {
    if (to && !*to)
        *to = from;
    else
        error_free(from);
    return -1;
}
