// SPDX-License-Identifier: GPL-3.0-or-later
/* A baseline and a run made up by hand, the same on every machine. */
#ifndef BOXMARK_TESTS_GATE_FIXTURE_H
#define BOXMARK_TESTS_GATE_FIXTURE_H

#include "results/gate.h"

enum gate_fixture_other {
    OTHER_NOTHING,
    OTHER_PARAMETER,
    OTHER_VERSION,
    OTHER_DIGEST,
    OTHER_ACCELERATOR,
};

struct gate_fixture_options {
    double factor;       /* by which prime is slower in the run's guest; 0: 1.1 */
    double machine;      /* by which all of the run's machine is slower; 0: 1, the same one */
    double host;         /* by which the host alone is slower, prime only; 0: 1 */
    bool same;           /* the run's machine is the baseline's, whatever `machine` says */
    bool hostile;        /* a label full of what formats treat as special */
    const char *without; /* workload that the run has not */
    enum gate_fixture_other other;
};

/*
 * Of the guest: prime by `factor`, zip as it was, stream better, disk too noisy to tell, start-up
 * not to be trusted.
 */
struct gate_fixture {
    struct baseline before, now;
    struct gate_settings settings;
};

/* Text that every format treats as special somewhere; valid UTF-8, as all that came through JSON.
 */
extern const char gate_hostile_text[];

void gate_fixture_make(struct gate_fixture *fixture, const struct gate_fixture_options *options);
void gate_fixture_clear(struct gate_fixture *fixture);
#define cleanup_gate_fixture __attribute__((cleanup(gate_fixture_clear)))

#endif
