// SPDX-License-Identifier: GPL-3.0-or-later
/* Steps of starting an instance that several kinds share. */
#ifndef BOXMARK_ENVIRONMENTS_START_H
#define BOXMARK_ENVIRONMENTS_START_H

#include "environments/environment.h"
#include "environments/process.h"

/* Makes a fresh, private, empty sub-folder of setup->data_folder: instance->data_path. */
int start_make_data_folder(struct instance *instance, struct error **err);

/* RUN/environments/LABEL, made; NULL in *ret_path where nothing is logged. */
int start_log_folder(const struct environment *environment, char **ret_path, struct error **err);

/*
 * Waits until the channel's descriptor is readable (stamps AGENT_READY), the process ends
 * (an error that says how), the start times out or the user interrupts.
 */
int start_wait_ready(struct instance *instance, int channel_fd, struct process *process,
                     struct error **err);

/*
 * The same on instance->channel, for what may print something before the agent does (a login's
 * greeting, an engine's warnings): stamps AGENT_READY with the arrival of the hello, which the
 * channel then gives first. What came before it is in *ret_noise (cut, on one line), also on
 * failure; malloc'ed, or NULL.
 */
int start_wait_hello(struct instance *instance, struct process *process, char **ret_noise,
                     struct error **err);

#endif
