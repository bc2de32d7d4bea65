// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is going on, on standard error: one line that is rewritten, with an estimate of the time
 * left, on a terminal; plain lines elsewhere; nothing when quiet (warnings excepted).
 */
#ifndef BOXMARK_HARNESS_PROGRESS_H
#define BOXMARK_HARNESS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool quiet;
    bool terminal;
    bool color;
    unsigned columns;
    bool line_open;     /* a rewritten line stands on the terminal */
    double done, total; /* in units of estimated seconds */
    uint64_t start_ns, drawn_ns;
    double unit_seconds; /* of done when the run (or its continuation) began */
    char step[160];
};

void progress_start(struct progress *progress, bool quiet);

/* The total work, and how much of it is done already. */
void progress_total(struct progress *progress, double done, double total);

/* More work than was expected. */
void progress_more(struct progress *progress, double units);

/* A new step ("block 1/3: vm (TCG): zip"); printed as a line where there is no terminal. */
void progress_step(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Within the step: `done` units so far. */
void progress_update(struct progress *progress, double done);

/* A line that stays; warnings are shown even when quiet. */
void progress_say(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void progress_warn(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the rewritten line away. */
void progress_end(struct progress *progress);

/* Width of the terminal on a descriptor, 80 when it is none; between 40 and 200. */
unsigned terminal_columns(int fd);
/* A terminal that wants colour: NO_COLOR and TERM=dumb honoured. */
bool terminal_color(int fd);

#endif
