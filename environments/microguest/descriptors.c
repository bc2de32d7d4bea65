// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/descriptors.h"

#include "common/cleanup.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

/* What a program may read of the host; each of these has a reason. */
static const char *const facts[] = {
    /* The processor is the host's own. */
    "/proc/cpuinfo",
    /* Privileges, filter, CPUs: those of this process, which does what the program asks for. */
    "/proc/self/status",
    /* Huge pages behind the program's memory. */
    "/proc/self/smaps_rollup",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
    /* The C library counts CPUs by these. */
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
    NULL,
};
static const char mitigations[] = "/sys/devices/system/cpu/vulnerabilities";
static const char executable[] = "/proc/self/exe";

/* Flags that mean something here. O_CLOEXEC does not: nothing is ever executed. */
#define KNOWN_FLAGS                                                                                \
    (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC |           \
     O_DIRECT | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_LARGEFILE | 0100000)

static void set(struct descriptors *self, int number, enum descriptor_kind kind, int host_fd) {
    self->table[number] = (struct descriptor){.kind = kind, .host_fd = host_fd};
}

void descriptors_init(struct descriptors *self, int data_fd, int program_fd) {
    *self = (struct descriptors){.data_fd = data_fd, .program_fd = program_fd};
    pthread_mutex_init(&self->lock, NULL);
    for (int fd = 0; fd < 3; fd++)
        set(self, fd, DESCRIPTOR_STREAM, fd);
}

const char *descriptors_data_path(const char *path) {
    if (path[0] != '/')
        return *path ? path : NULL;
    size_t length = strlen(GUEST_DATA_FOLDER);
    if (strncmp(path, GUEST_DATA_FOLDER, length) != 0)
        return NULL;
    path += length;
    if (*path != '/' && *path != '\0')
        return NULL;
    path += strspn(path, "/");
    return *path ? path : ".";
}

static int open_beneath(int folder_fd, const char *path, int flags, mode_t mode, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
                           .mode = flags & O_CREAT ? mode & 0777 : 0,
                           .resolve = resolve};
    int fd = (int)syscall(SYS_openat2, folder_fd, path, &how, sizeof(how));
    return fd < 0 ? -errno : fd;
}

/* The folder of mitigations and the plain files in it. */
static bool is_mitigation(const char *path) {
    size_t length = strlen(mitigations);
    if (strncmp(path, mitigations, length) != 0)
        return false;
    if (path[length] == '\0')
        return true;
    const char *name = path + length + 1;
    if (path[length] != '/' || *name == '\0')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static bool is_fact(const char *path) {
    for (const char *const *fact = facts; *fact; fact++)
        if (strcmp(*fact, path) == 0)
            return true;
    return is_mitigation(path);
}

/* Only for reading, and only the place itself. */
static int open_fact(const struct descriptors *self, const char *path, int flags) {
    bool reads_only = (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY;
    if (strcmp(path, executable) == 0) {
        if (!reads_only)
            return -EACCES;
        int fd = fcntl(self->program_fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd;
    }
    if (!is_fact(path))
        return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0 ? -ENOENT
                                                                                 : -EACCES;
    return reads_only
               ? open_beneath(AT_FDCWD, path, O_RDONLY | O_NOCTTY | (flags & O_DIRECTORY), 0, 0)
               : -EACCES;
}

static int put(struct descriptors *self, enum descriptor_kind kind, int host_fd) {
    int number = -EMFILE;
    pthread_mutex_lock(&self->lock);
    for (unsigned i = 0; i < DESCRIPTORS_MAX && number < 0; i++)
        if (self->table[i].kind == DESCRIPTOR_FREE)
            number = (int)i;
    if (number >= 0)
        set(self, number, kind, host_fd);
    pthread_mutex_unlock(&self->lock);
    if (number < 0)
        close(host_fd);
    return number;
}

int descriptors_open(struct descriptors *self, const char *path, int flags, mode_t mode) {
    if (flags & ~KNOWN_FLAGS)
        return -EINVAL;
    const char *inside = descriptors_data_path(path);
    int fd;
    if (inside && self->data_fd < 0)
        fd = -ENOENT;
    else if (inside)
        /* A link is not followed even inside: nobody who works here makes any. */
        fd = open_beneath(self->data_fd, inside, flags, mode,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                              RESOLVE_NO_XDEV);
    else
        fd = open_fact(self, path, flags);
    return fd < 0 ? fd : put(self, inside ? DESCRIPTOR_DATA : DESCRIPTOR_FACT, fd);
}

int descriptors_add_ring(struct descriptors *self, int ring_fd) {
    int fd = fcntl(ring_fd, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? -errno : put(self, DESCRIPTOR_RING, fd);
}

/* With the lock held; the host's number is free for others only when nobody uses it any more. */
static void release(struct descriptor *descriptor) {
    if (!descriptor->closing || descriptor->users > 0)
        return;
    if (descriptor->host_fd > 2)
        close(descriptor->host_fd);
    *descriptor = (struct descriptor){.kind = DESCRIPTOR_FREE};
}

struct descriptor *descriptors_hold(struct descriptors *self, int number) {
    if (number < 0 || (unsigned)number >= DESCRIPTORS_MAX)
        return NULL;
    struct descriptor *descriptor = &self->table[number];
    pthread_mutex_lock(&self->lock);
    if (descriptor->kind == DESCRIPTOR_FREE || descriptor->closing)
        descriptor = NULL;
    else
        descriptor->users++;
    pthread_mutex_unlock(&self->lock);
    return descriptor;
}

void descriptors_let_go(struct descriptors *self, struct descriptor *descriptor) {
    pthread_mutex_lock(&self->lock);
    descriptor->users--;
    release(descriptor);
    pthread_mutex_unlock(&self->lock);
}

int descriptors_close(struct descriptors *self, int number) {
    int result = -EBADF;
    if (number < 0 || (unsigned)number >= DESCRIPTORS_MAX)
        return result;
    struct descriptor *descriptor = &self->table[number];
    pthread_mutex_lock(&self->lock);
    if (descriptor->kind != DESCRIPTOR_FREE && !descriptor->closing) {
        result = (int)descriptor->kind;
        descriptor->closing = true;
        release(descriptor);
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}
