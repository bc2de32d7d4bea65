// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/reference_option.h"

int reference_option_add(struct reference_option *option, const char *name, struct error **err) {
    if (option->count == REFERENCES_MAX)
        return error_set(err, ERROR_USAGE, 0, "more than %d references", REFERENCES_MAX);
    option->names[option->count++] = name;
    return 0;
}

int reference_option_apply(struct reference_option *option, struct report *report,
                           struct error **err) {
    if (option->count == 0)
        return 0;
    for (unsigned i = 0; i < option->count; i++)
        if (reference_load_named(&option->data, option->names[i], err) < 0)
            return -1;
    if (claims_judge(&option->data, report->summary, report->run, &option->claims, err) < 0)
        return -1;
    report->references = &option->data;
    report->claims = &option->claims;
    return 0;
}

void reference_option_clear(struct reference_option *option) {
    claims_clear(&option->claims);
    reference_clear(&option->data);
}
