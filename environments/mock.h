// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The mock environment, for tests: no process, a scripted agent, a fake clock. Hidden from lists.
 *
 *   mock:delay=1.5            every time is 1.5 times as long, every rate 1.5 times as low
 *   mock:skew=0.98            the agent's own clock runs at 0.98 of the host's
 *   mock:noise=0.02           times vary by up to 2 %, seeded
 *   mock:fail=KIND,at=N       the N-th instance (from 0; default: every one) fails so; KINDs below
 */
#ifndef BOXMARK_ENVIRONMENTS_MOCK_H
#define BOXMARK_ENVIRONMENTS_MOCK_H

#include "environments/environment.h"

/* Advances only when the mock's agent "works" or a wait times out. */
extern struct clock mock_clock;

/* Back to its beginning, for tests that need the same times twice. */
void mock_clock_reset(void);

extern const struct environment_ops environment_mock;

#endif
