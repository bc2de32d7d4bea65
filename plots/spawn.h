// SPDX-License-Identifier: GPL-3.0-or-later
/* One helper program (gnuplot), run to its end in bounded time. No shell is ever involved. */
#ifndef BOXMARK_PLOTS_SPAWN_H
#define BOXMARK_PLOTS_SPAWN_H

#include "common/error.h"

#include <stdint.h>

/*
 * Runs arguments[0] (a path) in `folder` with an empty standard input and waits until it ends or
 * the deadline (CLOCK_MONOTONIC) passes; then it is killed and the error is ERROR_TIMEOUT. A
 * status other than 0 is an error that ends with the last of what the program wrote.
 */
int spawn_and_wait(const char *const *arguments, const char *folder, uint64_t deadline_ns,
                   struct error **err);

#endif
