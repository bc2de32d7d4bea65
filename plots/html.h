// SPDX-License-Identifier: GPL-3.0-or-later
/* The parts of the HTML report; each writes its section. Only html.c knows the order. */
#ifndef BOXMARK_PLOTS_HTML_H
#define BOXMARK_PLOTS_HTML_H

#include "plots/report.h"
#include "plots/words.h"

/* Any text, escaped for elements and attributes alike. NULL is nothing. */
void html_text(FILE *to, const char *text);

/* "<tag class='...'>text</tag>"; `attributes` stands as it is and may be NULL. */
void html_element(FILE *to, const char *tag, const char *attributes, const char *text);

/* Number of the environment's colour in the style sheet. */
unsigned html_color(unsigned environment);

/* A verdict as a coloured word with its mark; nothing for none. */
void html_verdict(FILE *to, enum verdict verdict);

/* Everything before the page's title (which begins with "boxmark: "), and from there to <body>. */
void html_begin(FILE *to);
void html_begin_body(FILE *to);

/* Warnings that stand out, one paragraph each. */
void html_warnings(const struct text_list *warnings, FILE *to);

extern const char html_style[];

int html_overview(const struct report *report, FILE *to, struct error **err);
int html_workload(const struct report *report, const char *workload, FILE *to, struct error **err);
int html_timeline(const struct report *report, FILE *to, struct error **err);
int html_claims(const struct report *report, FILE *to, struct error **err);
int html_footprint(const struct report *report, FILE *to, struct error **err);
int html_audit(const struct report *report, FILE *to, struct error **err);
int html_methods(const struct report *report, FILE *to, struct error **err);
int html_machine(const struct report *report, FILE *to, struct error **err);
int html_data(const struct report *report, FILE *to, struct error **err);

#endif
