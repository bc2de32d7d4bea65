// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/process_tree.h"

#include "common/file.h"

#include <stdbool.h>
#include <string.h>

pid_t process_parent(pid_t pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    cleanup_free char *line = file_read_line(path);
    const char *at = line ? strrchr(line, ')') : NULL;
    int parent;
    return at && sscanf(at + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

static bool holds(const pid_t *pids, unsigned count, pid_t pid) {
    for (unsigned i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

unsigned process_tree(pid_t root, pid_t *pids, unsigned capacity) {
    unsigned count = 0;
    if (root <= 0 || capacity == 0)
        return 0;
    pids[count++] = root;
    /* Children are mostly listed after their parents, but numbers wrap around. */
    for (bool grew = true; grew;) {
        grew = false;
        cleanup_dir DIR *proc = opendir("/proc");
        for (struct dirent *entry; proc && (entry = readdir(proc)) && count < capacity;) {
            pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
            if (pid <= 0 || holds(pids, count, pid) || !holds(pids, count, process_parent(pid)))
                continue;
            pids[count++] = pid;
            grew = true;
        }
    }
    return count;
}
