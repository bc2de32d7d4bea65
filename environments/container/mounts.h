// SPDX-License-Identifier: GPL-3.0-or-later
/* Mounts inside of the new container; plain system calls, negative with errno on failure. */
#ifndef BOXMARK_ENVIRONMENTS_CONTAINER_MOUNTS_H
#define BOXMARK_ENVIRONMENTS_CONTAINER_MOUNTS_H

#include "environments/container/container.h"

/* An empty folder that covers masked folders; the folder of the devices has it. */
extern const char container_empty_folder[];

/* The one file of /sys that is shown. */
extern const char container_system_cpus[];

int container_make_file(int folder_fd, const char *path);

/* Adds flags (MS_RDONLY, MS_NOSUID, ...) to a mount. */
int container_restrict_mount(const char *path, unsigned long flags);

int container_bind(const char *from, const char *to, unsigned long flags);

/* Binds the folder that a descriptor holds, which another mount may cover by now. */
int container_bind_descriptor(int fd, const char *to, unsigned long flags);

/* `user_attributes`: as who may not use the trusted ones (in a user namespace). */
int container_mount_overlay(int lower_fd, int upper_fd, int work_fd, const char *to,
                            unsigned long flags, bool user_attributes);

int container_make_devices(void);
int container_bind_system(const char **step);
int container_mount_proc(const char **step);

#endif
