// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/lock.h"

#include "common/file.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Is what was locked still what the name stands for? */
static bool is_current(int fd, const char *path) {
    struct stat locked, named;
    return fstat(fd, &locked) == 0 && lstat(path, &named) == 0 && locked.st_ino == named.st_ino &&
           locked.st_dev == named.st_dev;
}

static enum lock_state take(int fd, const char *path, int *ret_fd) {
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? LOCK_HELD : LOCK_UNABLE;
    if (!is_current(fd, path)) {
        errno = ESTALE;
        return LOCK_UNABLE;
    }
    *ret_fd = fd;
    return LOCK_TAKEN;
}

enum lock_state lock_folder(const char *path, int *ret_fd) {
    cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return LOCK_UNABLE;
    enum lock_state state = take(fd, path, ret_fd);
    if (state == LOCK_TAKEN)
        fd = -1;
    return state;
}

/* Somebody else's file may be opened, but in a folder for all not with O_CREAT
 * (fs.protected_regular). */
static int open_lock(const char *path) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0)
        /* Whatever the umask: other users must see it. */
        (void)fchmod(fd, 0644);
    return fd;
}

enum lock_state lock_file(const char *path, int *ret_fd) {
    /* Its last holder may just be removing it, and another one making it again. */
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        cleanup_fd int fd = open_lock(path);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return LOCK_UNABLE;
        enum lock_state state = take(fd, path, ret_fd);
        if (state == LOCK_TAKEN)
            fd = -1;
        if (state != LOCK_UNABLE || errno != ESTALE)
            return state;
    }
    return LOCK_UNABLE;
}

void lock_file_remove(const char *path, int *fd) {
    if (*fd < 0)
        return;
    (void)unlink(path);
    close_fd(fd);
}

/* From /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; 0 when it does not say. */
static pid_t holder_of(const struct stat *status) {
    cleanup_file FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    while (locks && fgets(line, sizeof(line), locks)) {
        unsigned major, minor;
        unsigned long long inode;
        int pid;
        if (sscanf(line, "%*s FLOCK %*s %*s %d %x:%x:%llu", &pid, &major, &minor, &inode) == 4 &&
            inode == status->st_ino && makedev(major, minor) == status->st_dev && pid > 0)
            return pid;
    }
    return 0;
}

char *lock_holder(const char *path) {
    struct stat status;
    pid_t pid = lstat(path, &status) == 0 ? holder_of(&status) : 0;
    if (pid == 0)
        return strdup("another process");
    char file[64];
    snprintf(file, sizeof(file), "/proc/%d/cmdline", (int)pid);
    cleanup_free char *command = NULL;
    size_t size = 0;
    if (file_read(file, &command, &size, NULL) < 0 || size < 2)
        return text_format("process %d", (int)pid);
    for (size_t i = 0; i + 1 < size; i++)
        if (!isprint((unsigned char)command[i]))
            command[i] = command[i] ? '?' : ' ';
    return text_format("process %d (%.200s)", (int)pid, command);
}
