// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Engines that people run boxes with (Docker, runc, bubblewrap, ...), each described by a table in
 * a file of its own; how such a table is run is here, once for all. docs/engines.md.
 *
 * All start the same agent on the same root, with its standard input and output as the channel,
 * from within the envelope: what descends from our process is held by our cgroup; what a service
 * starts gets the same limits by the engine's options, and what the kernel then says is read back.
 */
#ifndef BOXMARK_ENVIRONMENTS_ENGINE_H
#define BOXMARK_ENVIRONMENTS_ENGINE_H

#include "environments/enclosure.h"
#include "environments/environment.h"
#include "environments/keeper.h"

#define ENGINE_AGENT "/boxmark-agent"
#define ENGINE_DATA "/data"

/* Before its last words in a message. */
#define SAID "it said: "

/* What it puts on containers and images, with the name of the instance as its value. */
#define ENGINE_LABEL "boxmark"

struct engine_world;
struct engine_instance;

/* One of several programs that an engine can be. */
struct engine_runtime {
    const char *name;
    const char *packages[3]; /* as in struct engine */
    const char *const *start;
};

/*
 * Command lines are templates, NULL-terminated, without the program. {name}, {root}, ... stand for
 * what struct engine_value of engine_command.c lists; an argument whose value is empty is left out.
 */
struct engine {
    struct environment_ops ops; /* first: environment->ops is this */
    const char *program;        /* in $PATH; the key "runtime" may name another (oci) */
    /* Package that has it: Debian and Ubuntu, Fedora, Arch; NULL: none. */
    const char *packages[3];
    bool root_only;
    bool private_mounts; /* it mounts nothing itself: the root is put together before it starts */
    const char *service; /* what must run for `version` to succeed; or NULL */
    const char *daemon;  /* the program of that service */
    const char *advice;  /* where `version` fails though the program is there; or NULL */
    const char *const *version;
    const char *const *start;
    const char *const *remove; /* ends and removes one {name}; or NULL */
    const char *const *pid;    /* prints the process of {name}; NULL: it descends from `start` */
    const char *const *list;   /* prints the names that carry our label; or NULL */
    const char *const *list_images, *const *remove_image;
    const char *const *environment; /* variables of ours that it needs, NULL-terminated; or NULL */
    /* A program of the engine's beside each container, with "-n {name}" among its arguments; or
     * NULL. */
    const char *helper;
    const char *remains; /* parent of an empty folder {name} that it leaves behind; or NULL */
    const char *locks;   /* folder in which "inode-DEVICE:INODE" of the root may stay; or NULL */
    /* Empty control groups that it may leave, NULL-terminated, with {name} at an end; or NULL. */
    const char *const *remaining_groups;
    /* Once a run, after the root was made (an image); or NULL. */
    int (*provision)(struct environment *environment, struct error **err);
    /* Once an instance, before the clock runs (a configuration file); or NULL. */
    int (*prepare)(struct instance *instance, struct error **err);
    /* Where the key "runtime" names the program: those that are known, the default first, ended by
     * a NULL name; others are started like that one. Or NULL. */
    const struct engine_runtime *runtimes;
    /* ERROR_USAGE for keys that do not go together; or NULL. */
    int (*check)(const struct spec *spec, struct error **err);
};

/* environment->state */
struct engine_world {
    const struct engine *engine;
    char *program; /* its path, or NULL */
    char version[64];
    char *name; /* of what belongs to the run (the image) */
    struct cgroup_world *cgroups;
    struct cgroup_limits limits;
    char *agent_path; /* absolute */
    char *folder;     /* on the file system under test: root/, state/ */
    char *root;       /* NULL: not provisioned */
    char *lock_path;  /* in engine->locks; or NULL */
    uint64_t root_bytes;
    bool image_made;
    struct keeper keeper; /* of what a killed harness would leave of the run */
    const char *cold_files[3];
    char *root_agent;
};

/* instance->state */
struct engine_instance {
    struct enclosure enclosure;
    struct process process; /* the engine's own, in the foreground */
    char *name;
    char *data_path;  /* absolute */
    char *folder;     /* bundle or configuration of this instance; or NULL */
    char **arguments; /* the command line */
    char **variables;
    char *noise;           /* what it said before its agent; or NULL */
    int errors_fd;         /* its standard error; -1 */
    struct cgroup *cgroup; /* with engine->pid: that of its container */
};

static inline const struct engine *engine_of(const struct environment *environment) {
    return (const struct engine *)environment->ops;
}

/* ---- engine.c ---- */
int engine_probe(struct environment *environment, struct probe_result *ret_result,
                 struct error **err);
int engine_provision(struct environment *environment, struct error **err);
int engine_describe(struct environment *environment, FILE *to, struct error **err);
void engine_release(struct environment *environment);
const char *const *engine_cold_files(struct environment *environment);

/* environment_ops.check_value */
int engine_check_value(const char *key, const char *value, struct error **err);

/* What is known of the runtime of that name or path; NULL where nothing is. */
const struct engine_runtime *engine_find_runtime(const struct engine *engine, const char *name);

/* The template of the spec's start. */
const char *const *engine_start_template(const struct environment *environment);

/* The parts of the state that a probe needs. */
int engine_open(struct environment *environment, struct error **err);

/* ---- engine_instance.c ---- */
int engine_start(struct environment *environment, struct instance **ret_instance,
                 struct error **err);
int engine_stop(struct instance *instance, struct error **err);

/* ---- engine_facts.c ---- */
int engine_footprint(struct instance *instance, struct footprint *ret_footprint,
                     struct error **err);
int engine_facts(struct instance *instance, json_t *facts, struct error **err);
char *engine_diagnose(struct instance *instance);

/* Finds the agent's process on the host (instance->pid) and, where a service made it, its cgroup.
 */
void engine_find_agent(struct instance *instance);

/* The last lines of what it wrote to standard error, on one line; NULL without any. */
char *engine_last_words(struct engine_instance *self);

/* ---- engine_root.c ---- */
/* A root folder with the agent and mount points, and nothing else; *ret_bytes is its size. */
int engine_make_root(const char *agent_path, const char *root, uint64_t *ret_bytes,
                     struct error **err);
/* The same as a tar archive. */
int engine_make_archive(const char *root, const char *archive_path, struct error **err);

/* ---- engine_command.c ---- */
/* Fills a template; `instance` may be NULL. A malloc'ed list with malloc'ed words. */
int engine_expand(const struct environment *environment, const struct instance *instance,
                  const char *const *template, char ***ret_arguments, struct error **err);
void engine_free_words(char **words);

/* Runs one to its end within a bounded time; *ret_output (may be NULL) is what it printed. */
int engine_run(const struct environment *environment, const struct instance *instance,
               const char *const *template, char **ret_output, struct error **err);

/* The environment of the engine's process. */
int engine_variables(const struct engine *engine, char ***ret_variables, struct error **err);

/* ---- engine_leftovers.c ---- */
/* What killed runs have left: environment_ops.remove_leftovers. */
void engine_remove_leftovers(const struct environment_ops *ops,
                             void (*say)(void *cookie, const char *what), void *cookie);

/* The lock of the run's root, where nobody holds it. */
void engine_remove_lock(const struct engine_world *world);

/* Empty folders that engines leave behind, of this name. */
void engine_remove_remains(const struct engine *engine, const char *name);

extern const struct engine engine_bwrap, engine_chroot, engine_docker, engine_lxc, engine_nspawn,
    engine_oci, engine_podman, engine_unshare;

/* The operations of every engine, and its own table of keys (or NULL). */
#define ENGINE_OPERATIONS(kind, text, spec_keys)                                                   \
    {                                                                                              \
        .name = (kind), .summary = (text), .keys = (spec_keys), .check_value = engine_check_value, \
        .probe = engine_probe, .provision = engine_provision, .describe = engine_describe,         \
        .start = engine_start, .footprint = engine_footprint, .facts = engine_facts,               \
        .diagnose = engine_diagnose, .stop = engine_stop, .release = engine_release,               \
        .cold_files = engine_cold_files, .remove_leftovers = engine_remove_leftovers,              \
    }

#endif
