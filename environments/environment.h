// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A way to run the agent: the contract between the harness and every kind of environment.
 *
 * Life: probe -> provision -> (start -> footprint/facts ... -> stop)* -> release. One file (or
 * folder) a kind; its operations stand in environments/table.c. To add one:
 * docs/adding-an-environment.md.
 */
#ifndef BOXMARK_ENVIRONMENTS_ENVIRONMENT_H
#define BOXMARK_ENVIRONMENTS_ENVIRONMENT_H

#include "common/clock.h"
#include "common/error.h"
#include "environments/channel.h"
#include "environments/envelope.h"
#include "environments/spec.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Moments in the life of an instance, all on the host's CLOCK_MONOTONIC; 0: not observed. */
enum stamp {
    STAMP_LAUNCH,           /* just before the first system call that makes the instance */
    STAMP_HELPER_ALIVE,     /* the helper process (QEMU, the container's init) executes */
    STAMP_KERNEL_ENTERED,   /* VM only: the guest's kernel runs */
    STAMP_USER_INSTRUCTION, /* the agent's executable was entered */
    STAMP_AGENT_READY,      /* its first bytes arrived on the channel */
    STAMP_STOP_REQUESTED,
    STAMP_REAPED,  /* every process of the instance has ended */
    STAMP_CLEANED, /* mounts, cgroups, scratch files are gone */
    STAMPS,
};

/* What all environments of a run share; borrowed, outlives them. */
struct environment_setup {
    const char *version;    /* of the program and of its agent */
    const char *agent_path; /* the static agent on the host */
    struct envelope envelope;
    const char *data_folder;   /* on the file system under test; each instance uses an own
                                  sub-folder of it and removes it */
    uint64_t data_bytes;       /* the most that one instance's workloads write there */
    const char *log_folder;    /* RUN/environments; NULL in a dry run */
    const char *guest_kernel;  /* --kernel FILE, or NULL: the default */
    bool require_kvm;          /* never fall back to TCG */
    bool survey;               /* a probe looks at its alternatives, too, and tells in its detail */
    uint64_t start_timeout_ns; /* launch to agent ready */
    uint64_t stop_timeout_ns;  /* graceful stop before force */
    pid_t *session;            /* where the number of the session of an instance's processes is told
                                  to whoever cleans up after a killed harness; or NULL */
    int cancel_fd;             /* readable when the user interrupts; or -1 */
    struct clock *clock;
    void (*say)(void *cookie, const char *text); /* progress of long steps (building an image) */
    void *say_cookie;
};

/* How well an environment can run here. */
enum readiness { READINESS_READY, READINESS_DEGRADED, READINESS_MISSING };

struct probe_result {
    enum readiness readiness;
    char version[64]; /* of the engine behind it, or "" */
    char detail[256]; /* what was found; the reason where it is not ready */
    char advice[256]; /* what the user can do about it, or "" */
};

/* Bytes and time; UINT64_MAX where unknown. */
#define FOOTPRINT_UNKNOWN UINT64_MAX
struct footprint {
    uint64_t image_bytes;    /* on disk: executable, kernel, initramfs, root */
    uint64_t resident_bytes; /* proportional set size of all its processes on the host */
    uint64_t guest_bytes;    /* of these, memory that a guest has touched; 0 without a guest */
    uint64_t cpu_ns;         /* host CPU time of everything that belongs to it, since its start */
    uint64_t throttled_ns;   /* time it was held back by a cgroup quota */
};

struct environment_ops;

/* What runs a guest's instructions. KVM is said only where they were measured to run natively. */
#define ACCELERATOR_NONE "none"
#define ACCELERATOR_KVM "KVM"
#define ACCELERATOR_KVM_EMULATED "KVM emulated"
#define ACCELERATOR_TCG "TCG"

struct environment {
    const struct environment_ops *ops;
    struct spec *spec;
    struct spec *inner;   /* of a stack: what runs inside, as `spec` is what it runs in; or NULL */
    char *label;          /* unique in a run; the spec's text, or what ops->label_key says */
    char accelerator[16]; /* one of ACCELERATOR_...; valid after probe */
    /* The probe could not know: a measurement inside an instance decides (harness/trial.c). */
    bool accelerator_in_doubt;
    char image[160]; /* what instances are made of, as hashes; "" where it is the agent alone; valid
                        after provision */
    const struct environment_setup *setup;
    void *state; /* of the kind; made by provision (or probe) */
};

struct instance {
    struct environment *environment;
    struct channel *channel;
    uint64_t stamps[STAMPS];
    pid_t pid;       /* its main process on the host, or 0 */
    char *data_path; /* where its data lie on the host (folder or image file), or NULL */
    void *state;     /* of the kind */
};

struct environment_ops {
    const char *name;
    const char *summary;
    const struct spec_key *keys; /* ends with a NULL name; may be NULL */
    bool hidden;                 /* for tests: not in lists */
    const char *label_key;       /* the key whose value is the label, where it is given; or NULL */
    /* What a value that may be any text must be like; the message need not name the environment or
     * the key. May be NULL. */
    int (*check_value)(const char *key, const char *value, struct error **err);
    struct clock *clock; /* of its own (the mock's); NULL: the real one */

    /*
     * Can it run here, how well, why not? Bounded in time, leaves nothing behind, no messages.
     * Sets environment->accelerator. Returns -1 only when the question itself failed; "it cannot
     * run" is a result.
     */
    int (*probe)(struct environment *environment, struct probe_result *ret_result,
                 struct error **err);

    /* Builds or reuses what instances need (image, kernel, root folder). Once a run. */
    int (*provision)(struct environment *environment, struct error **err);

    /* What would be done, for --dry-run: command lines, namespaces, limits; plain text. */
    int (*describe)(struct environment *environment, FILE *to, struct error **err);

    /*
     * Starts a fresh instance; returns when the first bytes of the agent are on the channel
     * (stamps up to AGENT_READY are set) or fails within setup->start_timeout_ns with everything
     * cleaned up and the reason (console's last lines, exit status) in the error.
     */
    int (*start)(struct environment *environment, struct instance **ret_instance,
                 struct error **err);

    /* May be called at any time between start and stop, also for an instance that died. */
    int (*footprint)(struct instance *instance, struct footprint *ret_footprint,
                     struct error **err);

    /*
     * Facts for the fairness audit, added to a JSON object: limits in force, pinning read back,
     * command line. Must not disturb the instance. May be NULL.
     */
    int (*facts)(struct instance *instance, json_t *facts, struct error **err);

    /*
     * Whole numbers that only grow, of what happened since the start (KVM's exits by reason), added
     * to a JSON object: the difference around a request explains its cost. May be NULL.
     */
    int (*counters)(struct instance *instance, json_t *counters, struct error **err);

    /*
     * What is known about an instance that died or hangs ("QEMU was killed by signal 9; last
     * console lines: ..."), malloc'ed, or NULL. May be NULL.
     */
    char *(*diagnose)(struct instance *instance);

    /*
     * Ends the instance: waits setup->stop_timeout_ns for a graceful end (the harness has sent
     * "quit" if it could), then by force; reaps, removes mounts, cgroups and scratch files, sets
     * the last stamps. Bounded in time. Afterwards only stamps and instance_free are valid.
     * Fails when something could not be removed.
     */
    int (*stop)(struct instance *instance, struct error **err);

    /* Frees environment->state (NULL is fine). May be NULL. */
    void (*release)(struct environment *environment);

    /* Runs an interactive shell inside; returns its exit status. May be NULL. */
    int (*shell)(struct environment *environment, int *ret_status, struct error **err);
    const char *shell_note; /* what is special about it, for whoever types; or NULL */

    /*
     * Removes what killed runs have left on the machine outside of their own folders (groups,
     * containers, images), never what a living one uses; says each. Bounded in time. May be NULL.
     */
    void (*remove_leftovers)(const struct environment_ops *ops,
                             void (*say)(void *cookie, const char *what), void *cookie);

    /* Host files whose page cache makes a start warm, NULL-terminated, owned by the environment;
     * may be NULL. */
    const char *const *(*cold_files)(struct environment *environment);
};

/* NULL-terminated (table.c). */
extern const struct environment_ops *const environment_table[];

/* The kind of that name, hidden or not; NULL when there is none. */
const struct environment_ops *environment_kind(const char *name);

/* Is this entry one that the kind takes? The message does not name the environment. */
int environment_check_entry(const struct environment_ops *ops, const struct spec_entry *entry,
                            struct error **err);

/*
 * Parses a spec and finds its kind, in the table or in a file of the user's (definition.h), or both
 * kinds of a stack (stack.h); `setup` is kept. ERROR_USAGE with the nearest name.
 */
int environment_new(const char *spec_text, const struct environment_setup *setup,
                    struct environment **ret_environment, struct error **err);
struct environment *environment_free(struct environment *environment);

/* "vm (TCG)": the label with its accelerator; every table, plot and row shows this. */
void environment_title(const struct environment *environment, char *text, size_t capacity);

/* Is its guest's code executed in software, by whatever means? */
bool environment_is_emulated(const struct environment *environment);

/* The value of a key of the environment's spec, or its default. */
const char *environment_value(const struct environment *environment, const char *key);
bool environment_is_on(const struct environment *environment, const char *key);

/* Allocates an instance with no stamps; instance_free closes the channel and frees it. */
struct instance *instance_new(struct environment *environment);
struct instance *instance_free(struct instance *instance);
void instance_stamp(struct instance *instance, enum stamp stamp);

extern const struct environment_ops environment_host;
extern const struct environment_ops environment_command;
extern const struct environment_ops environment_container;
extern const struct environment_ops environment_microguest;
extern const struct environment_ops environment_stack;
extern const struct environment_ops environment_uml;
extern const struct environment_ops environment_vm;

#endif
