// SPDX-License-Identifier: GPL-3.0-or-later
/* Arrays of JSON that are whole or not there: what lacks an element for want of memory lies. */
#ifndef BOXMARK_RESULTS_JSON_LIST_H
#define BOXMARK_RESULTS_JSON_LIST_H

#include <jansson.h>

/* The list with the item, which it takes over; NULL, and both are freed, when that cannot be. */
static inline json_t *json_list_append(json_t *list, json_t *item) {
    if (json_array_append_new(list, item) == 0)
        return list;
    json_decref(list);
    return NULL;
}

#endif
