// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/cpu_lock.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/lock.h"

#include <dirent.h>
#include <poll.h>
#include <string.h>

#define LOOK_AGAIN_MS 500

struct cpu_lock {
    char *path;
    int fd;
};

struct cpu_locks {
    unsigned count;
    struct cpu_lock locks[ENVELOPE_MAX_CPUS];
};

#define NAME "boxmark-cpu-"

static const char *lock_folder_path(void) {
    const char *given = getenv("BOXMARK_LOCKS");
    if (given && *given)
        return given;
    /* For all users; removed by a restart of the machine. */
    static const char common[] = "/run/lock";
    return access(common, W_OK) == 0 ? common : "/tmp";
}

struct cpu_locks *cpu_locks_release(struct cpu_locks *locks) {
    if (!locks)
        return NULL;
    for (unsigned i = 0; i < locks->count; i++) {
        lock_file_remove(locks->locks[i].path, &locks->locks[i].fd);
        free(locks->locks[i].path);
    }
    free(locks);
    return NULL;
}

unsigned cpu_locks_remove_leftovers(void) {
    cleanup_dir DIR *dir = opendir(lock_folder_path());
    unsigned removed = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, NAME, strlen(NAME)) != 0)
            continue;
        cleanup_free char *path = text_format("%s/%s", lock_folder_path(), entry->d_name);
        int fd = -1;
        /* Only what nobody holds can be taken. */
        if (!path || lock_file(path, &fd) != LOCK_TAKEN)
            continue;
        lock_file_remove(path, &fd);
        removed += !file_exists(path);
    }
    return removed;
}

/* 1: all taken; 0: another has one of them, whose lock's path is in *ret_held; -1: no memory. */
static int try_all(const struct envelope *envelope, struct cpu_locks *locks, char **ret_held) {
    for (unsigned i = 0; i < envelope->cpu_count; i++) {
        struct cpu_lock *lock = &locks->locks[locks->count];
        *lock = (struct cpu_lock){.fd = -1};
        lock->path = text_format("%s/" NAME "%u", lock_folder_path(), envelope->cpus[i]);
        if (!lock->path)
            return -1;
        enum lock_state state = lock_file(lock->path, &lock->fd);
        if (state == LOCK_TAKEN) {
            locks->count++;
            continue;
        }
        if (state == LOCK_HELD) {
            *ret_held = lock->path;
            return 0;
        }
        free(lock->path);
    }
    return 1;
}

/* Until it is time to look again; false when the user does not want to wait any more. */
static bool pause_for(int cancel_fd) {
    struct pollfd cancel = {.fd = cancel_fd, .events = POLLIN};
    return poll(&cancel, 1, LOOK_AGAIN_MS) <= 0 || !cancel.revents;
}

static int refuse(const struct envelope *envelope, const char *held, struct error **err) {
    cleanup_free char *holder = lock_holder(held);
    error_set(err, ERROR_UNAVAILABLE, 0, "CPU %s is being measured by %s", strrchr(held, '-') + 1,
              holder ? holder : "another process");
    return error_advise(err, "two runs would measure each other: wait for it with --wait 1h%s",
                        envelope->cpu_count > 1 ? ", or give each its own CPUs (taskset -c LIST "
                                                  "boxmark run ...)"
                                                : "");
}

int cpu_locks_take(const struct envelope *envelope, uint64_t wait_ns, int cancel_fd,
                   void (*say)(void *cookie, const char *text), void *cookie,
                   struct cpu_locks **ret_locks, struct error **err) {
    uint64_t deadline_ns = deadline_after(monotonic_ns(), wait_ns);
    for (bool said = false;; said = true) {
        struct cpu_locks *locks = calloc(1, sizeof(*locks));
        cleanup_free char *held = NULL;
        int taken = locks ? try_all(envelope, locks, &held) : -1;
        if (taken > 0) {
            *ret_locks = locks;
            return 0;
        }
        /* None is kept while waiting: two that wait for each other would wait for ever. */
        cpu_locks_release(locks);
        if (taken < 0)
            return error_no_memory(err);
        if (monotonic_ns() >= deadline_ns)
            return refuse(envelope, held, err);
        cleanup_free char *holder = said || !say ? NULL : lock_holder(held);
        cleanup_free char *text = holder ? text_format("waiting for %s", holder) : NULL;
        if (text)
            say(cookie, text);
        if (!pause_for(cancel_fd))
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
    }
}
