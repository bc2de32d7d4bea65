// SPDX-License-Identifier: GPL-3.0-or-later
/* Are the files of a finished run as it wrote them, and does its summary follow from its samples?
 */
#ifndef BOXMARK_HARNESS_INTEGRITY_H
#define BOXMARK_HARNESS_INTEGRITY_H

#include "harness/run_view.h"

/*
 * *ret_problem says in words what is not as the manifest has it ("samples.csv was changed after the
 * run", "it has no SHA256SUMS: ..."); NULL: nothing. Of all files that figures come from, or of
 * `names` alone (NULL-terminated; quicker). Additional files change no figure and are passed over.
 */
int integrity_examine(const char *folder, const char *const names[], char **ret_problem,
                      struct error **err);

/*
 * The values of each block in summary.json against those that samples.csv gives: *ret_problem names
 * the first that differs. They mean the same in every version; intervals and verdicts need not.
 */
int integrity_examine_values(const struct run_view *view, char **ret_problem, struct error **err);

/*
 * Before a run is shown: both of it, put into the view and told on standard error. Nothing is said
 * of a run that is not finished, which has no manifest yet.
 */
int integrity_note(struct run_view *view, struct error **err);

#endif
