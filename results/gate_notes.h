// SPDX-License-Identifier: GPL-3.0-or-later
/* What a reader of a check must know beside its rows. */
#ifndef BOXMARK_RESULTS_GATE_NOTES_H
#define BOXMARK_RESULTS_GATE_NOTES_H

#include "results/gate.h"

/* Takes `text`; NULL: out of memory. */
int gate_note_add(struct gate_result *result, char *text, struct error **err);

/* Renamed environments, metrics that are not watched, settings that apply to nothing. */
int gate_note_all(const struct baseline *before, const struct baseline *now,
                  const struct gate_settings *settings, struct gate_result *result,
                  struct error **err);

#endif
