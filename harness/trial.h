// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an accelerator is that a probe from outside cannot know (environment.h,
 * accelerator_in_doubt): one instance is started before the run, and its calibration loop and its
 * system calls are timed beside the reference's. The label follows that measurement.
 */
#ifndef BOXMARK_HARNESS_TRIAL_H
#define BOXMARK_HARNESS_TRIAL_H

#include "harness/run.h"

/*
 * Tries every environment in doubt; sets its accelerator, and *ret_trials to an object by label
 * (docs/schema.md). An instance that does not start or work leaves the label as the probe set it:
 * never better than was measured. Fails when the user interrupts, and where KVM is required but was
 * not measured.
 */
int run_trials(struct run *run, json_t **ret_trials, struct error **err);

#endif
