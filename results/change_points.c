// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/change_points.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const struct change_point_options change_point_defaults = {
    .window = 50, .max_p = 0.001, .min_change = 0.01};

/* Points are looked for with more patience than they are kept with (Fleming et al., section 4.2).
 */
#define FIRST_PASS_FACTOR 10
#define FIRST_PASS_MAX_P 0.5

double change_points_t_p(const double *left, size_t left_count, const double *right,
                         size_t right_count) {
    if (left_count == 0 || right_count == 0 || left_count + right_count < 3)
        return 1;
    double freedom = (double)(left_count + right_count - 2);
    double difference = gsl_stats_mean(left, 1, left_count) - gsl_stats_mean(right, 1, right_count);
    double squares = gsl_stats_tss(left, 1, left_count) + gsl_stats_tss(right, 1, right_count);
    double error = sqrt(squares / freedom * (1 / (double)left_count + 1 / (double)right_count));
    if (difference == 0)
        return 1;
    if (!(error > 0))
        return 0;
    return 2 * gsl_cdf_tdist_Q(fabs(difference) / error, freedom);
}

/* Boundaries of segments in increasing order, from 0 to the number of values. */
struct cuts {
    size_t count;
    size_t *at;
};

static void cuts_cleanup(struct cuts *cuts) {
    free(cuts->at);
}

static void cuts_insert(struct cuts *cuts, size_t index) {
    size_t place = 0;
    while (place < cuts->count && cuts->at[place] < index)
        place++;
    if (place < cuts->count && cuts->at[place] == index)
        return;
    memmove(cuts->at + place + 1, cuts->at + place, (cuts->count - place) * sizeof(*cuts->at));
    cuts->at[place] = index;
    cuts->count++;
}

static void cuts_remove(struct cuts *cuts, size_t place) {
    cuts->count--;
    memmove(cuts->at + place, cuts->at + place + 1, (cuts->count - place) * sizeof(*cuts->at));
}

/* A place where a segment might be parted, and how different its two parts are. */
struct candidate {
    size_t from, at, to; /* of the segment: its parts are [from, at) and [at, to) */
    double divergence;
};

/*
 * Sums of the distances between all pairs of a window's values: pairs(i, j) over the values from i
 * up to, not including, j.
 */
struct distances {
    size_t size;
    double *sums; /* (size + 1) x (size + 1) */
};

static double pairs(const struct distances *distances, size_t from, size_t to) {
    return distances->sums[from * (distances->size + 1) + to];
}

static void measure(struct distances *distances, const double *values, size_t size) {
    distances->size = size;
    memset(distances->sums, 0, (size + 1) * (size + 1) * sizeof(*distances->sums));
    for (size_t length = 2; length <= size; length++)
        for (size_t from = 0; from + length <= size; from++) {
            size_t to = from + length;
            distances->sums[from * (size + 1) + to] =
                pairs(distances, from, to - 1) + pairs(distances, from + 1, to) -
                pairs(distances, from + 1, to - 1) + fabs(values[from] - values[to - 1]);
        }
}

/*
 * The divergence of two neighbouring parts: the mean distance between them less those within them,
 * scaled by their sizes (Matteson and James, equation 7, with exponent 1).
 */
static double divergence(const struct distances *distances, size_t from, size_t at, size_t to) {
    double n = (double)(at - from), m = (double)(to - at);
    double within_first = pairs(distances, from, at), within_second = pairs(distances, at, to);
    double between = pairs(distances, from, to) - within_first - within_second;
    double result = 2 / (m + n) * between;
    if (n > 1)
        result -= 2 * m / (m + n) / (n - 1) * within_first;
    if (m > 1)
        result -= 2 * n / (m + n) / (m - 1) * within_second;
    return result;
}

/* The place of greatest divergence in any of the segments; the second part may end early. */
static struct candidate find_candidate(const struct distances *distances, const struct cuts *cuts) {
    struct candidate best = {.divergence = -INFINITY};
    for (size_t i = 0; i + 1 < cuts->count; i++) {
        size_t from = cuts->at[i], end = cuts->at[i + 1];
        for (size_t at = from + 1; at < end; at++)
            for (size_t to = at + 1; to <= end; to++) {
                double value = divergence(distances, from, at, to);
                if (value > best.divergence)
                    best = (struct candidate){from, at, end, value};
            }
    }
    return best;
}

/* Divides one window as long as its parts differ. Cuts are relative to the window. */
static void divide(const double *values, size_t size, double max_p, struct distances *distances,
                   struct cuts *cuts) {
    cuts->count = 2;
    cuts->at[0] = 0;
    cuts->at[1] = size;
    measure(distances, values, size);
    for (;;) {
        struct candidate best = find_candidate(distances, cuts);
        if (!isfinite(best.divergence) ||
            change_points_t_p(values + best.from, best.at - best.from, values + best.at,
                              best.to - best.at) > max_p)
            return;
        cuts_insert(cuts, best.at);
    }
}

/* Windows overlap by half; the next one begins at the last change found, if that is later. */
static int first_pass(const double *values, size_t count, size_t window, double max_p,
                      struct cuts *cuts, struct error **err) {
    __attribute__((cleanup(cuts_cleanup))) struct cuts local = {
        .at = calloc(window + 2, sizeof(*local.at))};
    cleanup_free double *sums = calloc((window + 1) * (window + 1), sizeof(*sums));
    struct distances distances = {.sums = sums};
    if (!local.at || !sums)
        return error_no_memory(err);
    for (size_t start = 0; start < count;) {
        size_t size = count - start < window ? count - start : window;
        divide(values + start, size, max_p, &distances, &local);
        size_t next = start + window / 2;
        for (size_t i = 1; i + 1 < local.count; i++)
            cuts_insert(cuts, start + local.at[i]);
        if (local.count > 2 && start + local.at[local.count - 2] > next)
            next = start + local.at[local.count - 2];
        start = next;
    }
    return 0;
}

/* The point at cuts->at[place], which is neither end. */
static struct change_point judge(const double *values, const struct cuts *cuts, size_t place) {
    size_t from = cuts->at[place - 1], at = cuts->at[place], to = cuts->at[place + 1];
    struct change_point point = {
        .index = at,
        .before = gsl_stats_mean(values + from, 1, at - from),
        .after = gsl_stats_mean(values + at, 1, to - at),
        .p_value = change_points_t_p(values + from, at - from, values + at, to - at),
    };
    point.change = point.before != 0 ? point.after / point.before - 1 : NAN;
    return point;
}

/* The same for a rise and the fall that takes it back. */
static double magnitude(const struct change_point *point) {
    double forward = point->before != 0 ? fabs(point->after / point->before - 1) : 0;
    double backward = point->after != 0 ? fabs(point->before / point->after - 1) : 0;
    return fmax(forward, backward);
}

/* The point that has to go next: the least certain one, else the smallest; 0: all may stay. */
static size_t weakest(const double *values, const struct cuts *cuts,
                      const struct change_point_options *options) {
    size_t uncertain = 0, small = 0;
    double greatest_p = -1, least = INFINITY;
    for (size_t i = 1; i + 1 < cuts->count; i++) {
        struct change_point point = judge(values, cuts, i);
        double size = magnitude(&point);
        if (point.p_value > greatest_p) {
            greatest_p = point.p_value;
            uncertain = i;
        }
        if (size < least) {
            least = size;
            small = i;
        }
    }
    return greatest_p >= options->max_p ? uncertain : least < options->min_change ? small : 0;
}

int change_points_find(const double *values, size_t count,
                       const struct change_point_options *options, struct change_point **ret_points,
                       size_t *ret_count, struct error **err) {
    if (options->window < 2 || !(options->max_p > 0) || !(options->max_p < 1) ||
        !(options->min_change >= 0))
        return error_set(err, ERROR_USAGE, 0, "options of the change points are out of range");
    __attribute__((cleanup(cuts_cleanup))) struct cuts cuts = {
        .at = calloc(count + 3, sizeof(*cuts.at))};
    if (!cuts.at)
        return error_no_memory(err);
    cuts_insert(&cuts, 0);
    cuts_insert(&cuts, count);
    size_t window = options->window < count ? options->window : count;
    double patient_p = fmin(options->max_p * FIRST_PASS_FACTOR, FIRST_PASS_MAX_P);
    if (count > 2 && first_pass(values, count, window > 2 ? window : 2,
                                fmax(patient_p, options->max_p), &cuts, err) < 0)
        return -1;
    for (size_t place; (place = weakest(values, &cuts, options)) > 0;)
        cuts_remove(&cuts, place);
    size_t found = cuts.count > 2 ? cuts.count - 2 : 0;
    struct change_point *points = found > 0 ? calloc(found, sizeof(*points)) : NULL;
    if (found > 0 && !points)
        return error_no_memory(err);
    for (size_t i = 0; i < found; i++)
        points[i] = judge(values, &cuts, i + 1);
    *ret_points = points;
    *ret_count = found;
    return 0;
}
