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

enum network {
    NETWORK_NONE, /* a namespace with a loopback that is down */
    NETWORK_VETH, /* and one end of a pair of devices, whose other end leads nowhere */
    NETWORK_HOST, /* the namespace of whoever starts it */
};

enum root_kind {
    ROOT_BIND,    /* a file system in memory, the agent bound into it */
    ROOT_TMPFS,   /* the same, the agent copied into it */
    ROOT_OVERLAY, /* an image folder on disk under a layer of the instance's own */
};

/* Folders of an instance's scratch: what an overlay file system needs. */
#define CONTAINER_ROOT_UPPER "root-upper"
#define CONTAINER_ROOT_WORK "root-work"
#define CONTAINER_DATA_LOWER "data-lower"
#define CONTAINER_DATA_WORK "data-work"

/* Everything that the new process needs to know to become the container's first process. */
struct container_plan {
    const char *agent_path; /* on the host */
    const char *data_path;  /* on the host: the instance's own folder */
    enum user_namespace user_namespace;
    uid_t uid; /* on the host, of the container's root */
    gid_t gid;
    enum network network;
    enum root_kind root;
    uint64_t root_bytes;          /* ROOT_BIND, ROOT_TMPFS: most that fits */
    bool data_overlay;            /* what is written goes through an overlay into the data folder */
    const char *image_path;       /* ROOT_OVERLAY: a folder with the agent and mount points */
    const char *scratch_path;     /* with overlays: the folders above */
    bool ssbd;                    /* speculative store bypass disabled */
    struct sock_fprog filter;     /* no instructions: no seccomp */
    const char *const *arguments; /* of the program; arguments[0] is its path inside */
    int stdin_fd, stdout_fd, stderr_fd;
    bool shell; /* an interactive shell on the host's files instead of the agent on nothing */
};

/* ---- setup.c: the first process ---- */

/* CLONE_NEW... for the plan. */
uint64_t container_namespaces(const struct container_plan *plan);

/* launch_plan.child; the cookie is a container_plan. */
void container_child(const void *cookie, const char **step);

/* ---- network.c ---- */

/* net=veth, in the network namespace just entered. Negative with errno. */
int container_make_network(int proc_fd, const char **step);

/* ---- root.c: what it sees ---- */

/* Builds the root and makes it ours; cwd is then "/". Plain system calls; negative with errno. */
int container_enter_root(const struct container_plan *plan, const char **step);

/* For images on disk: mount points, and the agent. Negative with errno. */
int container_make_skeleton(int folder_fd);
int container_copy_agent(const char *from, int folder_fd);

/* ---- mounts.c ---- */

/* For the description; NULL-terminated. */
extern const char *const container_devices[];
extern const char *const container_system_folders[];
extern const char *const container_masked_paths[];

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

extern const struct spec_key container_keys[];

/* What a spec asks for, into plan and limits. `root`: whoever starts it is root. */
int container_read_options(const struct spec *spec, bool root, struct container_plan *plan,
                           struct cgroup_limits *limits, struct error **err);

/* environment->state */
struct container {
    struct cgroup_world *world;
    struct cgroup_limits limits;
    struct sock_fprog filter;
    char *agent_path;           /* absolute */
    char *image_path;           /* absolute; ours, removed at the end; or NULL */
    char *image_agent_path;     /* the copy of the agent in it; or NULL */
    const char *cold_files[2];  /* what a start reads beside the agent itself */
    struct container_plan plan; /* without what differs by instance */
};

/* instance->state */
struct container_instance {
    struct container_plan plan;
    struct enclosure enclosure;
    struct process process;
    char *data_path;    /* absolute */
    char *scratch_path; /* absolute; or NULL */
    int channel_fd;     /* of the instance's channel */
    int errors_fd;      /* what the agent writes to its standard error */
};

/* Fills environment->state: options, cgroups, filter; nothing on disk. Fine to call again. */
int container_open(struct environment *environment, struct error **err);

/* That, and the image. */
int container_provision(struct environment *environment, struct error **err);

/* ---- storage.c ---- */

/* Makes container->image_path, where the root needs one. */
int container_make_image(struct environment *environment, struct error **err);

/* Puts data and scratch folders into the instance's plan, with the owners that they need. */
int container_make_storage(struct instance *instance, struct error **err);

/* Removes both, also when they were made in part. */
int container_remove_storage(struct instance *instance, struct error **err);

/* An instance that has nothing yet; NULL with an error. */
struct instance *container_instance_new(struct environment *environment, struct error **err);

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
