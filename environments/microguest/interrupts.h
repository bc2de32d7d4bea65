// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which CPU the host's devices interrupt, by /proc/interrupts (proc(5)): a header that names the
 * online CPUs, then a row for each source, `NUMBER: COUNT... NAME`. Rows whose name is not a
 * number (timers, calls between CPUs) are no device's.
 */
#ifndef BOXMARK_MICROGUEST_INTERRUPTS_H
#define BOXMARK_MICROGUEST_INTERRUPTS_H

#include <stdint.h>

#define INTERRUPTS_CPUS_MAX 64u

struct interrupts {
    unsigned columns; /* 0: unknown */
    unsigned cpus[INTERRUPTS_CPUS_MAX];
    uint64_t counts[INTERRUPTS_CPUS_MAX];
};

/* Unknown where the file cannot be read or is of a large machine. */
void interrupts_read(struct interrupts *ret_interrupts);

/* The same from a text. */
void interrupts_parse(const char *text, struct interrupts *ret_interrupts);

/* The CPU that had more than half of all between the two; -1: none, or it is unknown. */
int interrupts_busiest(const struct interrupts *before, const struct interrupts *after);

#endif
