// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/data_disk.h"

#include "common/file.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* True when `path` is the folder `parent` or below it. */
static bool is_below(const char *path, const char *parent) {
    size_t length = strlen(parent);
    return strncmp(path, parent, length) == 0 && (path[length] == '\0' || path[length] == '/' ||
                                                  (length > 0 && parent[length - 1] == '/'));
}

/*
 * The type of the file system that is mounted next above a path (proc_pid_mountinfo(5)); of several
 * at the same place the last one covers the others. The number of the device would not do: btrfs
 * gives files other numbers than its mount.
 */
static void add_file_system(json_t *facts, const char *path) {
    cleanup_free char *mounts = NULL;
    char best[64] = "";
    size_t best_length = 0;
    if (file_read("/proc/self/mountinfo", &mounts, NULL, NULL) < 0)
        return;
    char *rest = mounts;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char place[4096], type[64];
        const char *after = strstr(line, " - ");
        if (!after || sscanf(line, "%*s %*s %*s %*s %4095s", place) != 1 ||
            sscanf(after, " - %63s", type) != 1)
            continue;
        if (is_below(path, place) && strlen(place) >= best_length) {
            best_length = strlen(place);
            memcpy(best, type, sizeof(best));
        }
    }
    if (*best)
        json_object_set_new(facts, "file_system", json_string(best));
}

/* A line of a file below a folder of /sys. */
static void add_line(json_t *facts, const char *key, const char *device, const char *name) {
    cleanup_free char *path = text_format("%s/%s", device, name);
    cleanup_free char *line = path ? file_read_line(path) : NULL;
    if (!line)
        return;
    /* Models are padded with spaces. */
    for (size_t length = strlen(line); length > 0 && line[length - 1] == ' ';)
        line[--length] = '\0';
    if (*line)
        json_object_set_new(facts, key, json_string(line));
}

static void add_device(json_t *facts, dev_t device) {
    cleanup_free char *link = text_format("/sys/dev/block/%u:%u", major(device), minor(device));
    cleanup_free char *path = link ? realpath(link, NULL) : NULL;
    if (!path)
        return;
    const char *name = strrchr(path, '/');
    json_object_set_new(facts, "device", json_string(name ? name + 1 : path));
    cleanup_free char *size_path = text_format("%s/size", path);
    cleanup_free char *sectors = size_path ? file_read_line(size_path) : NULL;
    if (sectors)
        json_object_set_new(facts, "bytes", json_integer(atoll(sectors) * 512));
    /* All else is told of the whole disk. */
    cleanup_free char *partition = text_format("%s/partition", path);
    if (partition && file_exists(partition) && name)
        path[name - path] = '\0';
    add_line(facts, "model", path, "device/model");
    add_line(facts, "rotational", path, "queue/rotational");
    add_line(facts, "scheduler", path, "queue/scheduler");
    add_line(facts, "write_cache", path, "queue/write_cache");
}

int data_disk_facts(const char *folder, json_t **ret_facts, struct error **err) {
    json_t *facts = json_object();
    if (!facts)
        return error_no_memory(err);
    cleanup_free char *path = realpath(folder, NULL);
    struct stat status;
    if (path && stat(path, &status) == 0) {
        add_file_system(facts, path);
        add_device(facts, status.st_dev);
    }
    *ret_facts = facts;
    return 0;
}
