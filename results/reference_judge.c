// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/reference_judge.h"

#include "common/file.h"

#include <ctype.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

/* A run whose interval is wider than this to either side of its ratio can reproduce anything. */
#define WIDEST_RELATIVE 0.1

/* Sizes that differ by less are the same: 4 GB and 4 GiB are. */
#define SIZE_SLACK 0.1

const char *claim_outcome_name(enum claim_outcome outcome) {
    static const char *const names[] = {[CLAIM_REPRODUCED] = "reproduced",
                                        [CLAIM_NOT_REPRODUCED] = "not reproduced",
                                        [CLAIM_NOT_COMPARABLE] = "not comparable"};
    return names[outcome];
}

static bool same_figure(const struct reference_row *a, const struct reference_row *b) {
    return strcmp(a->source, b->source) == 0 && strcmp(a->workload, b->workload) == 0 &&
           strcmp(a->metric, b->metric) == 0 && strcmp(a->unit, b->unit) == 0;
}

/* "ratio to Docker": a figure that is a ratio already names its baseline. */
static bool is_ratio_unit(const char *unit) {
    return strncasecmp(unit, "ratio", 5) == 0;
}

/*
 * The host's figure under the same conditions: of the same variant, else of the longest variant
 * that this one begins with ("two sockets" for "two sockets untuned").
 */
static const struct reference_row *find_baseline(const struct reference_data *data,
                                                 const struct reference_row *row) {
    const struct reference_row *best = NULL;
    const char *environment = is_ratio_unit(row->unit) ? "container" : "host";
    for (size_t i = 0; i < data->count; i++) {
        const struct reference_row *other = &data->rows[i];
        if (other == row || !same_figure(row, other) ||
            strcmp(other->environment, environment) != 0 ||
            strncmp(row->variant, other->variant, strlen(other->variant)) != 0)
            continue;
        if (!best || strlen(other->variant) > strlen(best->variant))
            best = other;
    }
    return best;
}

static bool has_spread(const struct reference_row *row) {
    return isfinite(row->sd) && row->count >= 2;
}

/* The published ratio; its interval by the delta method and Student's t. */
static void publish(struct claim *claim) {
    const struct reference_row *row = claim->row, *base = claim->baseline;
    claim->ratio = row->value / base->value;
    claim->ratio_low = claim->ratio_high = NAN;
    if (!has_spread(row) || !has_spread(base))
        return;
    double own = row->sd / row->value, other = base->sd / base->value;
    double error = sqrt(own * own / (double)row->count + other * other / (double)base->count);
    uint64_t trials = row->count < base->count ? row->count : base->count;
    double half = gsl_cdf_tdist_Pinv(0.975, (double)(trials - 1)) * error;
    claim->ratio_low = claim->ratio * (1 - half);
    claim->ratio_high = claim->ratio * (1 + half);
}

static const char *member(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* "container" of the environment labelled so in run.json; else what stands before the colon. */
static bool is_kind(const json_t *run, const struct summary_environment *environment,
                    const char *kind) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(run, "environments"), index, entry) {
        if (strcmp(member(entry, "label"), environment->label) == 0 && *member(entry, "kind"))
            return strcmp(member(entry, "kind"), kind) == 0;
    }
    size_t length = strcspn(environment->label, ":#");
    return strlen(kind) == length && strncmp(environment->label, kind, length) == 0;
}

static bool is_rate_of_bytes(const char *unit) {
    size_t length = strlen(unit);
    return length >= 3 && strcmp(unit + length - 3, "B/s") == 0;
}

static bool is_time(const char *unit) {
    static const char *const units[] = {"s", "ms", "us", "ns", NULL};
    for (const char *const *at = units; *at; at++)
        if (strcmp(unit, *at) == 0)
            return true;
    return false;
}

static bool same_dimension(const char *a, const char *b) {
    return strcmp(a, b) == 0 || (is_rate_of_bytes(a) && is_rate_of_bytes(b)) ||
           (is_time(a) && is_time(b)) || is_ratio_unit(a);
}

/* Bytes of "4 GB file" in "IOzone 4 GB file 1 MB records" for `what` "file"; NAN when not said. */
static double size_in(const char *variant, const char *what) {
    static const struct {
        const char *suffix;
        double bytes;
    } suffixes[] = {{"KiB", 0x1p10}, {"kB", 1e3},     {"KB", 1e3}, {"MiB", 0x1p20},
                    {"MB", 1e6},     {"GiB", 0x1p30}, {"GB", 1e9}, {NULL, 0}};
    for (const char *at = variant; *at; at++) {
        if (!isdigit((unsigned char)*at) || (at > variant && !isspace((unsigned char)at[-1])))
            continue;
        char *end;
        double number = (double)strtoull(at, &end, 10);
        end += strspn(end, " ");
        for (unsigned i = 0; suffixes[i].suffix; i++) {
            size_t length = strlen(suffixes[i].suffix);
            if (strncmp(end, suffixes[i].suffix, length) != 0)
                continue;
            const char *word = end + length + strspn(end + length, " ");
            if (strncmp(word, what, strlen(what)) == 0)
                return number * suffixes[i].bytes;
        }
    }
    return NAN;
}

static double parameter(const json_t *run, const char *workload, const char *name) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(run, "workloads"), index, entry) {
        const json_t *value = json_object_get(json_object_get(entry, "parameters"), name);
        if (strcmp(member(entry, "name"), workload) == 0 && json_is_number(value))
            return json_number_value(value);
    }
    return NAN;
}

/* NULL: the sizes agree, as far as both sides tell. */
static char *size_difference(const struct claim *claim, const json_t *run) {
    static const struct {
        const char *workload, *what, *parameter;
    } sizes[] = {{"disk", "file", "bytes"},
                 {"disk", "record", "record_bytes"},
                 {"disk", "direct", "record_bytes"},
                 {"zip", "corpus", "bytes"}};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        if (strcmp(sizes[i].workload, claim->row->workload) != 0)
            continue;
        double there = size_in(claim->row->variant, sizes[i].what);
        double here = parameter(run, sizes[i].workload, sizes[i].parameter);
        if (isfinite(there) && isfinite(here) && fabs(here / there - 1) > SIZE_SLACK)
            return text_format("sizes differ: %s of %.0f bytes there, %.0f here",
                               strcmp(sizes[i].what, "file") == 0 ? "a file" : "records", there,
                               here);
    }
    return NULL;
}

/* Why not, before any figure is looked at; NULL: comparable; "" out of memory. */
static char *obstacle(const struct claim *claim, const struct summary *summary, const json_t *run) {
    const struct reference_row *row = claim->row;
    if (!claim->baseline)
        return strdup("the source gives no figure of a host beside it; times and rates of other "
                      "machines say nothing here");
    if (claim->metric < 0)
        return text_format("this run did not measure %s %s", row->workload, row->metric);
    const struct summary_metric *metric = &summary->metrics[claim->metric];
    if (!same_dimension(row->unit, metric->unit))
        return text_format("units differ: %s there, %s here", row->unit, metric->unit);
    if (claim->environment < 0)
        return text_format("no environment of this run is a %s", row->environment);
    const struct summary_environment *environment = &summary->environments[claim->environment];
    if (strcmp(row->environment, "vm") == 0 && strcmp(environment->accelerator, "KVM") != 0)
        return text_format("accelerators differ: hardware virtualisation there, %s here",
                           environment->accelerator);
    char *sizes = size_difference(claim, run);
    if (sizes)
        return sizes;
    const struct summary_cell *cell = &metric->cells[claim->environment];
    if (cell->verdict == VERDICT_UNTRUSTWORTHY)
        return text_format("this run's figure is untrustworthy%s%s", cell->reason ? ": " : "",
                           cell->reason ? cell->reason : "");
    return NULL;
}

/* This run's ratio to the same kind of baseline. */
static void own_ratio(struct claim *claim, const struct summary *summary, const json_t *run) {
    claim->own = claim->own_low = claim->own_high = NAN;
    if (!claim->baseline || claim->metric < 0 || claim->environment < 0 ||
        !summary->has_reference ||
        !is_kind(run, &summary->environments[0], claim->baseline->environment))
        return;
    const struct summary_cell *cell = &summary->metrics[claim->metric].cells[claim->environment];
    if (cell->blocks == 0)
        return;
    claim->own = cell->ratio;
    claim->own_low = cell->ratio_low;
    claim->own_high = cell->ratio_high;
}

static char *decide(struct claim *claim, const struct summary *summary) {
    if (!isfinite(claim->own))
        return text_format("this run has no ratio to a %s", claim->baseline->environment);
    if (!isfinite(claim->own_low) || !isfinite(claim->own_high))
        return strdup("this run has too few blocks for an interval");
    if (claim->own_high > claim->own * (1 + WIDEST_RELATIVE) ||
        claim->own_low < claim->own * (1 - WIDEST_RELATIVE))
        return text_format("this run's interval, %.3g to %.3g, is too wide to tell", claim->own_low,
                           claim->own_high);
    double margin = summary->options.margin;
    double low = isfinite(claim->ratio_low) ? claim->ratio_low : claim->ratio;
    double high = isfinite(claim->ratio_high) ? claim->ratio_high : claim->ratio;
    if (claim->row->bound == REFERENCE_UPPER_BOUND)
        low = 0;
    if (claim->row->bound == REFERENCE_LOWER_BOUND)
        high = INFINITY;
    bool near = claim->own_high >= low * (1 - margin) && claim->own_low <= high * (1 + margin);
    claim->outcome = near ? CLAIM_REPRODUCED : CLAIM_NOT_REPRODUCED;
    return strdup("");
}

static int add_claim(struct claims *claims, struct claim claim, const struct summary *summary,
                     const json_t *run, struct error **err) {
    claim.outcome = CLAIM_NOT_COMPARABLE;
    claim.ratio = claim.ratio_low = claim.ratio_high = NAN;
    if (claim.baseline)
        publish(&claim);
    own_ratio(&claim, summary, run);
    claim.why = obstacle(&claim, summary, run);
    if (!claim.why)
        claim.why = decide(&claim, summary);
    struct claim *larger =
        claim.why ? realloc(claims->claims, (claims->count + 1) * sizeof(*larger)) : NULL;
    if (!larger) {
        free(claim.why);
        return error_no_memory(err);
    }
    claims->claims = larger;
    claims->claims[claims->count++] = claim;
    return 0;
}

static int find_metric(const struct summary *summary, const struct reference_row *row) {
    for (unsigned i = 0; i < summary->metric_count; i++)
        if (strcmp(summary->metrics[i].workload, row->workload) == 0 &&
            strcmp(summary->metrics[i].metric, row->metric) == 0)
            return (int)i;
    return -1;
}

int claims_judge(const struct reference_data *data, const struct summary *summary,
                 const json_t *run, struct claims *ret_claims, struct error **err) {
    cleanup_claims struct claims claims = {0};
    for (size_t i = 0; i < data->count; i++) {
        const struct reference_row *row = &data->rows[i];
        struct claim claim = {.row = row,
                              .baseline = find_baseline(data, row),
                              .metric = find_metric(summary, row),
                              .environment = -1};
        bool is_baseline = strcmp(row->environment, "host") == 0 ||
                           (is_ratio_unit(row->unit) && strcmp(row->environment, "container") == 0);
        if (is_baseline)
            continue;
        bool any = false;
        for (unsigned j = 0; j < summary->environment_count; j++) {
            if (!is_kind(run, &summary->environments[j], row->environment))
                continue;
            any = true;
            claim.environment = (int)j;
            if (add_claim(&claims, claim, summary, run, err) < 0)
                return -1;
        }
        if (!any && add_claim(&claims, claim, summary, run, err) < 0)
            return -1;
    }
    *ret_claims = claims;
    claims = (struct claims){0};
    return 0;
}

void claims_clear(struct claims *claims) {
    for (size_t i = 0; i < claims->count; i++)
        free(claims->claims[i].why);
    free(claims->claims);
    *claims = (struct claims){0};
}
