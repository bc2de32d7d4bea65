// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/owner.h"

#include "common/clock.h"
#include "common/file.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Start time of a process in clock ticks since boot, which tells it from a later one of the same
 * number; 0 when there is none, or only its zombie; START_UNKNOWN when we are out of descriptors.
 */
#define START_UNKNOWN UINT64_MAX
static uint64_t process_start_ticks(pid_t pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    cleanup_free char *line = file_read_line(path);
    const char *at = line ? strrchr(line, ')') : NULL;
    uint64_t ticks = 0;
    char state;
    if (!line && file_exists(path))
        return START_UNKNOWN;
    /* starttime is field 22, the name with its parentheses is field 2 (proc(5)). */
    if (!at ||
        sscanf(at + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %" SCNu64,
               &state, &ticks) != 2 ||
        state == 'Z' || state == 'X')
        return 0;
    return ticks;
}

static uint64_t pid_namespace(void) {
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

char *owner_make_name(void) {
    uint64_t random, start = process_start_ticks(getpid());
    /* Without it, the name would be that of a dead process. */
    if (start == 0 || start == START_UNKNOWN)
        return NULL;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = monotonic_ns();
    return text_format("boxmark-%" PRIu64 "-%d-%" PRIu64 "-%016" PRIx64, pid_namespace(),
                       (int)getpid(), start, random);
}

/*
 * Has no process that PID namespace any more? Only root in the first one, whose number the kernel
 * fixes (PROC_PID_INIT_INO), sees all of them; anyone else lets such groups be.
 */
static bool is_dead_namespace(uint64_t namespace) {
    static const uint64_t first_namespace = UINT64_C(0xEFFFFFFC);
    if (geteuid() != 0 || pid_namespace() != first_namespace)
        return false;
    cleanup_dir DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        /* Process 1 is in the first one, and may be closed even to root. */
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || strcmp(entry->d_name, "1") == 0)
            continue;
        char path[300];
        struct stat status;
        snprintf(path, sizeof(path), "/proc/%s/ns/pid", entry->d_name);
        /* One that has just ended, or ends (its links are gone before it is), is in none. */
        if (stat(path, &status) == 0 ? (uint64_t)status.st_ino == namespace
                                     : errno != ENOENT && errno != ESRCH)
            return false;
    }
    return proc != NULL;
}

bool owner_is_gone(const char *name) {
    uint64_t namespace, ticks;
    int pid, end = 0;
    if (sscanf(name, "boxmark-%" SCNu64 "-%d-%" SCNu64 "-%*16[0-9a-f]%n", &namespace, &pid, &ticks,
               &end) != 3 ||
        end == 0 || name[end] != '\0' || pid <= 0)
        return false;
    if (namespace != pid_namespace())
        return is_dead_namespace(namespace);
    uint64_t start = process_start_ticks(pid);
    return start != ticks && start != START_UNKNOWN;
}
