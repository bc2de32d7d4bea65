// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an instance costs while nothing is asked of it: host CPU time of everything that belongs to
 * it over a short window (a guest's timer, emulated devices, an engine's helpers).
 */
#ifndef BOXMARK_HARNESS_IDLE_H
#define BOXMARK_HARNESS_IDLE_H

#include "environments/environment.h"

/*
 * Adds "idle_ns" (the window) and "idle_cpu_ns" to a JSON object; nothing where CPU time is not
 * known, on a fake clock, or when the user interrupts.
 */
void idle_measure(struct instance *instance, json_t *footprint);

#endif
