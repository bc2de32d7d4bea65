// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/history.h"

#include "common/file.h"
#include "results/verdict.h"

#include <math.h>
#include <string.h>

void history_view_clear(struct history_view *view) {
    for (size_t i = 0; i < view->count; i++) {
        free(view->series[i].rows);
        free(view->series[i].values);
        free(view->series[i].points);
    }
    free(view->series);
    free(view->untrustworthy);
    *view = (struct history_view){0};
}

/* What rows of one series have in common. Labels hold no control characters. */
static char *key_of(const struct history_row *row, bool absolute) {
    return text_format("%s\t%s\t%s\t%s\t%s\t%s", row->workload, row->metric, row->environment,
                       row->accelerator, row->work, absolute ? row->machine : "");
}

static int add_value(struct history_series *series, const struct history_row *row, double value,
                     struct error **err) {
    if (series->count == series->capacity) {
        size_t capacity = series->capacity ? series->capacity * 2 : 64;
        const struct history_row **rows = reallocarray(series->rows, capacity, sizeof(*rows));
        if (rows)
            series->rows = rows;
        double *values = rows ? reallocarray(series->values, capacity, sizeof(*values)) : NULL;
        if (!values)
            return error_no_memory(err);
        series->values = values;
        series->capacity = capacity;
    }
    series->rows[series->count] = row;
    series->values[series->count++] = value;
    return 0;
}

bool history_row_untrustworthy(const struct history_row *row) {
    return strcmp(row->verdict, verdict_name(VERDICT_UNTRUSTWORTHY)) == 0;
}

bool history_series_has(const struct history_series *series, const struct history_row *row) {
    cleanup_free char *own = key_of(series->rows[0], series->absolute);
    cleanup_free char *other = key_of(row, series->absolute);
    return own && other && strcmp(own, other) == 0;
}

static int add_untrustworthy(struct history_view *view, const struct history_row *row,
                             struct error **err) {
    if (view->untrustworthy_count == view->untrustworthy_capacity) {
        size_t capacity = view->untrustworthy_capacity ? view->untrustworthy_capacity * 2 : 64;
        const struct history_row **larger =
            reallocarray(view->untrustworthy, capacity, sizeof(*larger));
        if (!larger)
            return error_no_memory(err);
        view->untrustworthy = larger;
        view->untrustworthy_capacity = capacity;
    }
    view->untrustworthy[view->untrustworthy_count++] = row;
    return 0;
}

/* The series of a row, new where there is none. */
static int find_series(struct history_view *view, json_t *places, const struct history_row *row,
                       bool absolute, struct history_series **ret_series, struct error **err) {
    cleanup_free char *key = key_of(row, absolute);
    if (!key)
        return error_no_memory(err);
    const json_t *place = json_object_get(places, key);
    if (!place) {
        struct history_series *larger =
            reallocarray(view->series, view->count + 1, sizeof(*larger));
        if (!larger ||
            json_object_set_new_nocheck(places, key, json_integer((json_int_t)view->count)) < 0) {
            view->series = larger ? larger : view->series;
            return error_no_memory(err);
        }
        view->series = larger;
        larger[view->count++] = (struct history_series){.absolute = absolute};
        *ret_series = &larger[view->count - 1];
        return 0;
    }
    *ret_series = &view->series[json_integer_value(place)];
    return 0;
}

int history_view_make(const struct history *history, const struct history_view_options *options,
                      struct history_view *ret_view, struct error **err) {
    cleanup_history_view struct history_view view = {0};
    json_auto_t *places = json_object();
    for (size_t i = 0; i < history->count; i++) {
        const struct history_row *row = &history->rows[i];
        double value = options->absolute ? row->value : row->ratio;
        struct history_series *series = NULL;
        if (!isfinite(value) || (!row->headline && !options->full))
            continue;
        bool untrustworthy = history_row_untrustworthy(row);
        if (untrustworthy && add_untrustworthy(&view, row, err) < 0)
            return -1;
        if (untrustworthy && !options->all)
            continue;
        if (find_series(&view, places, row, options->absolute, &series, err) < 0 ||
            add_value(series, row, value, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < view.count; i++) {
        struct history_series *series = &view.series[i];
        if (change_points_find(series->values, series->count, &options->change, &series->points,
                               &series->point_count, err) < 0)
            return -1;
    }
    *ret_view = view;
    view = (struct history_view){0};
    return 0;
}

/* 1: greater values are worse, -1: better, 0: neither. */
static int direction(const struct history_series *series) {
    const char *better = series->rows[0]->better;
    return strcmp(better, "lower") == 0 ? 1 : strcmp(better, "higher") == 0 ? -1 : 0;
}

bool history_is_worse(const struct history_series *series, const struct change_point *point) {
    return (point->after - point->before) * direction(series) > 0;
}

bool history_is_better(const struct history_series *series, const struct change_point *point) {
    return (point->after - point->before) * direction(series) < 0;
}
