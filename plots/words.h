// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a report says in words, the same in every format: sentences, marks, warnings, what the
 * numbers mean. Texts hold labels as they are; each writer escapes them for its format.
 */
#ifndef BOXMARK_PLOTS_WORDS_H
#define BOXMARK_PLOTS_WORDS_H

#include "plots/report.h"

/* Texts, owned. */
struct text_list {
    char **items;
    size_t count;
};

/* Takes `text` (NULL: out of memory, an error). */
int text_list_add(struct text_list *list, char *text, struct error **err);
void text_list_cleanup(struct text_list *list);
#define cleanup_text_list CLEANUP(text_list)

/* Index of the environment that ratios refer to; -1 when it was not measured. */
int report_reference(const struct report *report);

/* The verdict to show: none where nothing was measured or there is nothing to compare with. */
enum verdict report_verdict(const struct report *report, const struct summary_cell *cell);

/* Does this metric stand in the table: a headline, or any when all are asked for. */
bool report_shows(const struct report *report, const struct summary_metric *metric);

/* Most blocks that any cell has. */
unsigned report_blocks(const struct report *report);

/* A member of run.json by its path ("plan", "profile", NULL); NULL when it is not there. */
const json_t *report_member(const json_t *object, const char *const *path);
/* The same as text; numbers become text too. malloc'ed; NULL when it is not there. */
char *report_member_text(const json_t *object, const char *const *path);
#define REPORT_PATH(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* "lower is better", "higher is better", "" for neither. */
const char *better_words(const struct summary_metric *metric);

/* "+", "-", "~", "?", "!" or "". */
const char *verdict_mark(enum verdict verdict);

/* "Compression in vm (TCG) takes 7.600 times as long as on host, 95 % interval ...". malloc'ed. */
char *report_sentence(const struct report *report, const struct summary_metric *metric,
                      unsigned environment);

/*
 * One headline in short, for all environments (the extremes where there are many): "Compression,
 * times as long as on host: 1.001 in container (same) and 7.600 in vm (TCG) (worse).". malloc'ed.
 */
char *report_answer(const struct report *report, const struct summary_metric *metric);

/* What readers must know before they believe the table, the gravest first. */
int report_warnings(const struct report *report, struct text_list *list, struct error **err);

/* What the columns and the marks mean. */
int report_legend(const struct report *report, struct text_list *list, struct error **err);

/* "95 %". */
char *report_confidence(const struct report *report, char text[40]);

#endif
