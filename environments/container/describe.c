// SPDX-License-Identifier: GPL-3.0-or-later
/* What starting the container does, step by step, for --dry-run and for those who want to learn. */
#include "environments/container/container.h"

#include <sched.h>
#include <string.h>

static void describe_namespaces(const struct container_plan *plan, FILE *to) {
    fprintf(to, "clone3 with new namespaces: mount, pid, ipc, uts, cgroup%s%s\n",
            plan->network == NETWORK_HOST ? "" : ", net",
            plan->user_namespace == USER_NAMESPACE_FIRST ? ", user" : "");
    if (plan->network == NETWORK_HOST)
        fprintf(to, "  the network is the host's (net=host)\n");
    else if (plan->network == NETWORK_VETH)
        fprintf(to, "  a pair of network devices into a second namespace, where nobody is "
                    "(net=veth)\n");
    else
        fprintf(to, "  no network: only a loopback device, which is down\n");
    fprintf(to, "  it dies when boxmark dies (parent-death signal), and all in it die with it\n");
    if (plan->user_namespace == USER_NAMESPACE_FIRST)
        fprintf(to, "  user 0 inside is user %u outside, no other user exists\n",
                (unsigned)plan->uid);
    fprintf(to, "  a session and a session keyring of its own; host name %s\n", CONTAINER_HOSTNAME);
}

static void print_list(FILE *to, const char *lead, const char *const *words, const char *prefix) {
    fprintf(to, "%s", lead);
    for (; *words; words++)
        fprintf(to, " %s%s", prefix, *words);
    fputc('\n', to);
}

static void describe_root(const struct container_plan *plan, FILE *to) {
    fprintf(to, "mounts, private to it:\n");
    static const char *const roots[] = {
        [ROOT_BIND] = "a file system in memory, read-only once it is built",
        [ROOT_TMPFS] = "a file system in memory, read-only once it is built",
        [ROOT_OVERLAY] = "an overlay of a layer of its own over an image on disk, read-only",
    };
    static const char *const agents[] = {
        [ROOT_BIND] = "bound, read-only",
        [ROOT_TMPFS] = "copied into it",
        [ROOT_OVERLAY] = "copied into the image once",
    };
    fprintf(to, "  /                %s\n", roots[plan->root]);
    fprintf(to, "  %s   %s, %s\n", CONTAINER_AGENT, plan->agent_path, agents[plan->root]);
    fprintf(to,
            "  %s            %sthe instance's own folder of the data folder: the only place "
            "to write\n",
            CONTAINER_DATA, plan->data_overlay ? "an overlay whose upper layer is " : "");
    fprintf(to, "  /proc            its own, read-only\n");
    print_list(to, "    masked:", container_masked_paths, "/");
    print_list(to, "  read-only:", container_system_folders, "/");
    print_list(to, "  /dev/:", container_devices, "");
    fprintf(to, "pivot_root into it; the host's files are unmounted\n");
}

static void describe_privileges(const struct container_plan *plan, const struct container *self,
                                FILE *to) {
    if (plan->user_namespace == USER_NAMESPACE_LAST)
        fprintf(to, "user %u, then a user namespace in which that is user 0 and owns nothing\n",
                (unsigned)plan->uid);
    fprintf(to, "no core dumps, at most 4096 open files\n");
    fprintf(to, "all capabilities dropped, from the bounding set too; no_new_privs\n");
    if (plan->ssbd)
        fprintf(to, "speculative store bypass disabled (mitigation=ssbd)\n");
    if (self->filter.len > 0)
        fprintf(to, "seccomp: an allow-list of system calls, %u instructions\n",
                (unsigned)self->filter.len);
    else
        fprintf(to, "no seccomp filter (seccomp=off)\n");
    fprintf(to, "execve %s --data %s\n", CONTAINER_AGENT, CONTAINER_DATA);
}

int container_describe(struct environment *environment, FILE *to, struct error **err) {
    if (container_open(environment, err) < 0)
        return -1;
    const struct container *self = environment->state;
    enclosure_describe(environment->setup, self->world, &self->limits, to);
    describe_namespaces(&self->plan, to);
    describe_root(&self->plan, to);
    describe_privileges(&self->plan, self, to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the description") : 0;
}
