// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Published ratios beside the run's own: for each claim that can be compared, the source's ratio
 * with its interval, below it this run's. Ratios stand as published, not turned over.
 */
#include "common/file.h"
#include "plots/claim_words.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

/* What lies beyond these is shown as an arrow at the edge. */
#define RATIO_LOW 0.1
#define RATIO_HIGH 12.0

/* One of the two rows of a claim. */
struct ratio_row {
    double ratio, low, high;
    unsigned color;
};

struct reference_page {
    struct figure_rows rows;
    struct ratio_row *shown;
    double low, high;
};

static void reference_page_cleanup(struct reference_page *page) {
    figure_rows_cleanup(&page->rows);
    free(page->shown);
}

static int add_row(struct reference_page *page, const char *title, struct ratio_row row,
                   const char *value, char *note, struct error **err) {
    struct ratio_row *larger = realloc(page->shown, (page->rows.count + 1) * sizeof(*page->shown));
    if (!larger) {
        free(note);
        return error_no_memory(err);
    }
    page->shown = larger;
    larger[page->rows.count] = row;
    page->low = fmin(page->low, fmin(row.ratio, row.low));
    page->high = fmax(page->high, fmax(row.ratio, row.high));
    return figure_rows_add(&page->rows, title, strdup(value ? value : ""), note, err);
}

static int add_claim(struct reference_page *page, const struct report *report,
                     const struct claim *claim, struct error **err) {
    cleanup_free char *published = claim_published(claim);
    cleanup_free char *own = claim_own(claim);
    cleanup_free char *here =
        text_format("%s, here", report->summary->environments[claim->environment].title);
    if (!published || !own || !here)
        return error_no_memory(err);
    if (figure_rows_group(&page->rows, claim_subject(report, claim), err) < 0 ||
        add_row(page, "published",
                (struct ratio_row){claim->ratio, claim->ratio_low, claim->ratio_high, 7}, published,
                strdup(""), err) < 0)
        return -1;
    return add_row(page, here,
                   (struct ratio_row){claim->own, claim->own_low, claim->own_high,
                                      (unsigned)claim->environment},
                   own, claim_outcome_text(claim), err);
}

static void add_points(struct figure *figure, const struct reference_page *page) {
    for (unsigned i = 0; i < page->rows.count; i++) {
        struct ratio_row row = page->shown[i];
        if (row.ratio < page->low || row.ratio > page->high)
            continue;
        figure_row(figure,
                   (double[]){page->rows.positions[i], row.ratio,
                              fmax(isfinite(row.low) ? row.low : row.ratio, page->low),
                              fmin(isfinite(row.high) ? row.high : row.ratio, page->high),
                              figure_color(figure, row.color)},
                   5);
    }
    /* Something for gnuplot to plot when all are beyond the edges: a point out of sight. */
    figure_row(figure, (double[]){-10, 1, 1, 1, 0}, 5);
    figure_end_block(figure);
    for (unsigned i = 0; i < page->rows.count; i++) {
        struct ratio_row row = page->shown[i];
        bool right = row.ratio > page->high;
        if (!right && row.ratio >= page->low)
            continue;
        double edge = right ? page->high : page->low;
        double inside = pow(page->high / page->low, right ? -0.05 : 0.05) * edge;
        figure_row(figure,
                   (double[]){page->rows.positions[i], inside, edge / inside - 1,
                              figure_color(figure, row.color)},
                   4);
    }
    figure_row(figure, (double[]){-10, 1, 0, 0}, 4);
    figure_end_block(figure);
}

static int draw_references(const struct report *report, struct drawing *drawing,
                           struct error **err) {
    __attribute__((cleanup(reference_page_cleanup))) struct reference_page page = {.low = 0.9,
                                                                                   .high = 1.1};
    cleanup_figure struct figure figure = {0};
    bool any = false;
    for (size_t i = 0; report->claims && i < report->claims->count; i++)
        any = any || report->claims->claims[i].outcome != CLAIM_NOT_COMPARABLE;
    if (!any)
        return 0;
    if (figure_begin(&figure, drawing, "references", figure_references.script, err) < 0)
        return -1;
    for (size_t i = 0; i < report->claims->count; i++)
        if (report->claims->claims[i].outcome != CLAIM_NOT_COMPARABLE &&
            add_claim(&page, report, &report->claims->claims[i], err) < 0)
            return -1;
    page.low = fmax(page.low * 0.98, RATIO_LOW);
    page.high = fmin(page.high * 1.02, RATIO_HIGH);
    cleanup_free char *total = claims_total(report->claims);
    char *text = total ? text_format("Ratios with their intervals, as they were published and as "
                                     "this run has them. %s.",
                                     total)
                       : NULL;
    cleanup_free char *below = figure_caption(report, &figure, text, strdup(""));
    if (!below)
        return error_no_memory(err);
    if (figure_rows_finish(&page.rows, &figure, "Beside the literature",
                           "ratio (logarithmic scale)", below, err) < 0)
        return -1;
    figure_number(&figure, "from", page.low);
    figure_number(&figure, "to", page.high);
    figure_number(&figure, "margin", report->summary->options.margin);
    add_points(&figure, &page);
    return drawing_add(drawing, &figure, err);
}

const struct figure_kind figure_references = {
    .name = "references",
    .summary = "published ratios beside the run's own",
    .script = "overview.gp",
    .draw = draw_references,
};
