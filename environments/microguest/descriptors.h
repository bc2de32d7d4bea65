// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The program's own table of open files. It can reach the channel it was given, files in its data
 * folder, and a list of the host's read-only facts that the agent reports; nothing else has a name.
 */
#ifndef BOXMARK_MICROGUEST_DESCRIPTORS_H
#define BOXMARK_MICROGUEST_DESCRIPTORS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DESCRIPTORS_MAX 64u

/* What the program calls its data folder; also its working directory. */
#define GUEST_DATA_FOLDER "/data"
#define GUEST_PROGRAM "/agent"

enum descriptor_kind {
    DESCRIPTOR_FREE,
    DESCRIPTOR_STREAM, /* the channel, standard error */
    DESCRIPTOR_DATA,   /* in the data folder */
    DESCRIPTOR_FACT,   /* read-only */
    DESCRIPTOR_RING,   /* an io_uring (ring.h) */
};

struct descriptor {
    enum descriptor_kind kind;
    int host_fd;
    unsigned users; /* calls that are using it now */
    bool closing;   /* the last of them closes it */
};

struct descriptors {
    pthread_mutex_t lock;
    int data_fd;    /* the data folder, or -1 */
    int program_fd; /* the executable: /proc/self/exe */
    struct descriptor table[DESCRIPTORS_MAX];
};

void descriptors_init(struct descriptors *self, int data_fd, int program_fd);

/* -errno, or the program's number for it. */
int descriptors_open(struct descriptors *self, const char *path, int flags, mode_t mode);
/* The same for a ring; the host's stays the caller's. */
int descriptors_add_ring(struct descriptors *self, int ring_fd);
/* What kind it was, for one of those who close it at the same time; -EBADF for the others. */
int descriptors_close(struct descriptors *self, int number);

/* Holds a descriptor during a call: NULL where there is none. Let it go afterwards. */
struct descriptor *descriptors_hold(struct descriptors *self, int number);
void descriptors_let_go(struct descriptors *self, struct descriptor *descriptor);

/* The part of a path under the data folder ("." for itself); NULL where it is elsewhere. */
const char *descriptors_data_path(const char *path);

#endif
