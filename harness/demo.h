// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `boxmark demo`: what is started, why a difference is expected, and the evidence for it, gathered
 * from the instance that runs while it is explained.
 */
#ifndef BOXMARK_HARNESS_DEMO_H
#define BOXMARK_HARNESS_DEMO_H

#include "harness/run.h"
#include "plots/report.h"

/* Where the words go. */
struct demo {
    FILE *to;
    unsigned columns;
    bool color, ascii;
    struct run *run;
};

/* Plain words about a kind of environment; never NULL. */
struct demo_words {
    const char *kind;   /* of environments, NULL for all others */
    const char *what;   /* what is started */
    const char *expect; /* why a difference is expected, or none */
};
const struct demo_words *demo_words_of(const char *kind);

/* Why a workload costs more in a box, or not; NULL for one that nothing is said about. */
const char *demo_workload_words(const char *workload);

void demo_heading(const struct demo *demo, const char *text);
/* A paragraph, made harmless and broken to the width. */
void demo_say(const struct demo *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same as evidence: indented, with a mark before it. */
void demo_show(const struct demo *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the kernel and the environment themselves say of a running instance (demo_evidence.c). */
void demo_evidence(const struct demo *demo, struct instance *instance);

/*
 * Starts the environment once, shows it, lets it do a piece of work, ends it. What goes wrong is
 * said; -1 only when the user interrupts or an instance cannot be cleaned up.
 */
int demo_environment(const struct demo *demo, unsigned environment, struct error **err);

/* The result in sentences, each after the reason why it was to be expected. */
int demo_result(const struct demo *demo, const struct report *report, struct error **err);

#endif
