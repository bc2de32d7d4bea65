// SPDX-License-Identifier: GPL-3.0-or-later
/* What each environment could do on this machine, for `doctor` and `list environments`. */
#ifndef BOXMARK_HARNESS_READINESS_H
#define BOXMARK_HARNESS_READINESS_H

#include "common/error.h"
#include "environments/envelope.h"

#include <jansson.h>
#include <stdbool.h>

/* The envelope that readiness is asked for: at most four CPUs, 512 MiB. */
int readiness_envelope(struct envelope *ret_envelope, struct error **err);

/* An array of {name, readiness (ready, degraded or missing), accelerator, version, detail, advice},
 * built-in environments first, then those of the user's files. Starts what has to be tried: some
 * seconds; in a survey, an environment's alternatives, too. The caller owns *ret_list. */
int readiness_list(const struct envelope *envelope, bool survey, json_t **ret_list,
                   struct error **err);

#endif
