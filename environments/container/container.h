// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The built-in container, inside: what the files of this folder share. docs/containers.md tells
 * the same step by step.
 */
#ifndef BOXMARK_ENVIRONMENTS_CONTAINER_H
#define BOXMARK_ENVIRONMENTS_CONTAINER_H

#include "common/error.h"
#include "environments/enclosure.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CONTAINER_HOSTNAME "boxmark"
#define CONTAINER_AGENT "/boxmark-agent"
#define CONTAINER_DATA "/data"

/* Nobody: whom the container's root is on the host when root starts it with userns=on. */
#define CONTAINER_NOBODY 65534

enum user_namespace {
    USER_NAMESPACE_NONE,  /* the container's root is the host's, without any capability */
    USER_NAMESPACE_FIRST, /* made with the others: the only way for an ordinary user */
    USER_NAMESPACE_LAST,  /* made by root after everything else, mapped to nobody */
};

enum root_kind { ROOT_TMPFS, ROOT_BIND, ROOT_OVERLAY };

/* Everything that the new process needs to know to become the container's first process. */
struct container_plan {
    const char *agent_path; /* on the host */
    const char *data_path;  /* on the host: the instance's own folder */
    enum user_namespace user_namespace;
    uid_t uid; /* on the host, of the container's root */
    gid_t gid;
    bool host_network;
    enum root_kind root;
    bool data_overlay;
    const char *image_path;   /* ROOT_BIND, ROOT_OVERLAY: folder with the agent and mount points */
    const char *scratch_path; /* upper and work folders of overlays */
    bool ssbd;                /* speculative store bypass disabled */
    struct sock_fprog filter; /* no instructions: no seccomp */
    const char *const *arguments; /* of the program; arguments[0] is its path inside */
    int stdin_fd, stdout_fd, stderr_fd;
    bool shell; /* an interactive shell on the host's files instead of the agent on nothing */
};

/* ---- setup.c: the first process ---- */

/* CLONE_NEW... for the plan. */
uint64_t container_namespaces(const struct container_plan *plan);

/* launch_plan.child; the cookie is a container_plan. */
void container_child(const void *cookie, const char **step);

/* ---- root.c: what it sees ---- */

/* Builds the root and makes it ours; cwd is then "/". Plain system calls; negative with errno. */
int container_enter_root(const struct container_plan *plan, const char **step);

/* The lists behind it, for the description; NULL-terminated. */
extern const char *const container_devices[];
extern const char *const container_system_folders[];
extern const char *const container_masked_paths[];

/* Makes the mount points (and, for images on disk, the agent's place) below a folder. */
int container_make_skeleton(int folder_fd, bool agent_file);

/* ---- privileges.c: what it may do ---- */

/* Maps uid and gid of the host to 0 in the user namespace just entered. `proc_fd`: a /proc. */
int container_map_user(int proc_fd, uid_t uid, gid_t gid);

/* Becomes uid, gid and root of a new user namespace over nothing. */
int container_enter_user_namespace(const struct container_plan *plan, int proc_fd);

/* Limits, no new privileges, no capabilities, then the filter. Irrevocable. */
int container_drop_privileges(const struct container_plan *plan, const char **step);

/* Can this machine disable speculative store bypass for one process? */
bool container_can_ssbd(void);

/* ---- seccomp.c ---- */

/* Compiles the filter once; freed by container_filter_free. */
int container_filter_compile(bool network, struct sock_fprog *ret_filter, struct error **err);
void container_filter_free(struct sock_fprog *filter);

/* ---- probe.c ---- */

/* environment_ops.probe: tries what is needed in a child. */
int container_probe(struct environment *environment, struct probe_result *ret_result,
                    struct error **err);

/* ---- container.c ---- */

/* environment->state */
struct container {
    struct cgroup_world *world;
    struct cgroup_limits limits;
    struct sock_fprog filter;
    char *agent_path;           /* absolute */
    struct container_plan plan; /* without what differs by instance */
};

/* instance->state */
struct container_instance {
    struct container_plan plan;
    struct enclosure enclosure;
    struct process process;
    char *data_path; /* absolute */
    int channel_fd;  /* of the instance's channel */
    int errors_fd;   /* what the agent writes to its standard error */
};

/* Fills environment->state; fine to call again. */
int container_provision(struct environment *environment, struct error **err);

/* An instance that has nothing yet; NULL with an error. */
struct instance *container_instance_new(struct environment *environment, struct error **err);

/* Puts the data folder into the plan and makes the container's user its owner. */
int container_give_data_folder(struct instance *instance, struct error **err);

/* ---- describe.c ---- */
int container_describe(struct environment *environment, FILE *to, struct error **err);

/* ---- facts.c ---- */
int container_facts(struct instance *instance, json_t *facts, struct error **err);
char *container_diagnose(struct instance *instance);

/* What stands in the pipe of its standard error, on one line; NULL when nothing does. */
char *container_last_words(const struct container_instance *self);

/* ---- shell.c ---- */
int container_shell(struct environment *environment, int *ret_status, struct error **err);

#endif
