// SPDX-License-Identifier: GPL-3.0-or-later
/* Steps of starting an instance that several kinds share. */
#ifndef BOXMARK_ENVIRONMENTS_START_H
#define BOXMARK_ENVIRONMENTS_START_H

#include "environments/environment.h"
#include "environments/process.h"

/* Makes a fresh, private, empty sub-folder of setup->data_folder: instance->data_path. */
int start_make_data_folder(struct instance *instance, struct error **err);

/*
 * Waits until the channel's descriptor is readable (stamps AGENT_READY), the process ends
 * (an error that says how), the start times out or the user interrupts.
 */
int start_wait_ready(struct instance *instance, int channel_fd, struct process *process,
                     struct error **err);

#endif
