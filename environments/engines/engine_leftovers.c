// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What killed runs leave with an engine: containers and images of a service that knows nothing of
 * us, folders that an engine would have removed. Names tell whose they were (environments/owner.h).
 */
#include "environments/engines/engine.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/capture.h"
#include "environments/owner.h"
#include "environments/process_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define SERVICE_TIMEOUT_NS (10 * NS_PER_S)
#define HELPER_GRACE_NS (3 * NS_PER_S)
#define HELPER_END_NS (2 * NS_PER_S)

/* Those named after an instance, too, where there is one. */
static void remove_remaining_groups(const struct engine *engine, const char *name) {
    for (const char *const *group = engine->remaining_groups; group && *group; group++) {
        const char *place = strstr(*group, "{name}");
        if (place && !name)
            continue;
        cleanup_free char *filled =
            place ? text_format("%.*s%s", (int)(place - *group), *group, name) : strdup(*group);
        const char *const names[] = {filled, NULL};
        if (filled)
            cgroup_remove_empty(names);
    }
}

void engine_remove_remains(const struct engine *engine, const char *name) {
    if (engine->remains) {
        cleanup_free char *path = text_format("%s/%s", engine->remains, name);
        if (path)
            (void)rmdir(path);
    }
    remove_remaining_groups(engine, name);
}

void engine_remove_lock(const struct engine_world *world) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    cleanup_fd int fd =
        world->lock_path ? open(world->lock_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0)
        (void)unlink(world->lock_path);
}

/* PROGRAM TEMPLATE..., with NAME for {name} and {image}. */
static int run_for(const char *program, const char *const *template, const char *name,
                   char **ret_output) {
    enum { WORDS_MAX = 16 };
    const char *arguments[WORDS_MAX + 1] = {program};
    for (unsigned i = 0; template[i] && i + 1 < WORDS_MAX; i++) {
        bool named = strcmp(template[i], "{name}") == 0 || strcmp(template[i], "{image}") == 0;
        arguments[i + 1] = named ? name : template[i];
    }
    return capture_run(&(struct capture_options){.arguments = arguments,
                                                 .timeout_ns = SERVICE_TIMEOUT_NS,
                                                 .cancel_fd = -1},
                       ret_output, NULL);
}

struct report {
    void (*say)(void *cookie, const char *what);
    void *cookie;
};

/* The name after "-n" when this is that helper, of an owner that is gone; else NULL. The arguments
 * are as /proc shows them, each ended by a NUL. */
static const char *helps_the_dead(const char *helper, const char *arguments, size_t size) {
    const char *slash = strrchr(arguments, '/');
    if (size == 0 || strcmp(slash ? slash + 1 : arguments, helper) != 0)
        return NULL;
    const char *end = arguments + size, *before = arguments;
    for (const char *at = before + strlen(before) + 1; at < end; before = at, at += strlen(at) + 1)
        if (strcmp(before, "-n") == 0 && owner_is_gone(at))
            return at;
    return NULL;
}

/* One that is dead but for threads is still in its control group. */
static bool is_running(pid_t pid) {
    cleanup_free char *path = text_format("/proc/%d/stat", (int)pid);
    cleanup_free char *line = path ? file_read_line(path) : NULL;
    const char *at = line ? strrchr(line, ')') : NULL;
    char state;
    long threads;
    /* The state is field 3, num_threads field 20 (proc(5)). */
    return at &&
           sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld",
                  &state, &threads) == 2 &&
           ((state != 'Z' && state != 'X') || threads > 1);
}

/* With what descends from it. */
static void end_helper(pid_t pid, const char *name, const struct engine *engine,
                       const struct report *report) {
    enum { TREE_MAX = 64 };
    pid_t pids[TREE_MAX];
    unsigned count = process_tree(pid, pids, TREE_MAX);
    /* The helper first: it would start the engine once more when its container ends. */
    for (unsigned i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    uint64_t deadline_ns = deadline_after(monotonic_ns(), HELPER_END_NS);
    for (unsigned i = 0; i < count; i++)
        while (is_running(pids[i]) && monotonic_ns() < deadline_ns)
            usleep(1000);
    cleanup_free char *what = text_format("%s of %s", engine->helper, name);
    if (what)
        report->say(report->cookie, what);
}

/* How many there are; ends them where there is a report. */
static unsigned look_for_helpers(const struct engine *engine, const struct report *report) {
    cleanup_dir DIR *dir = opendir("/proc");
    unsigned count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        cleanup_free char *path = text_format("/proc/%d/cmdline", (int)pid);
        cleanup_free char *arguments = NULL;
        size_t size = 0;
        if (pid <= 0 || !path || file_read(path, &arguments, &size, NULL) < 0)
            continue;
        const char *name = helps_the_dead(engine->helper, arguments, size);
        count += name != NULL;
        if (name && report)
            end_helper(pid, name, engine, report);
    }
    return count;
}

/*
 * Those of containers that had not quite begun when the engine was killed: it does not list them.
 * Others end by themselves when their container is removed, and have a moment for it. Returns how
 * many had to be ended.
 */
static unsigned end_helpers(const struct engine *engine, const struct report *report) {
    if (!engine->helper)
        return 0;
    uint64_t deadline_ns = deadline_after(monotonic_ns(), HELPER_GRACE_NS);
    while (look_for_helpers(engine, NULL) > 0 && monotonic_ns() < deadline_ns)
        usleep(10000);
    return look_for_helpers(engine, report);
}

static void remove_listed(const char *program, const char *kind, const char *const *list,
                          const char *const *remove_one, const struct report *report) {
    cleanup_free char *names = NULL;
    if (!list || run_for(program, list, NULL, &names) < 0)
        return;
    char *rest = names;
    for (char *name; (name = strsep(&rest, "\r\n"));) {
        if (!owner_is_gone(name) || run_for(program, remove_one, name, NULL) < 0)
            continue;
        cleanup_free char *what = text_format("%s %s %s", program, kind, name);
        if (what)
            report->say(report->cookie, what);
    }
}

static void remove_remaining_folders(const struct engine *engine, const struct report *report) {
    cleanup_dir DIR *dir = engine->remains ? opendir(engine->remains) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!owner_is_gone(entry->d_name))
            continue;
        cleanup_free char *path = text_format("%s/%s", engine->remains, entry->d_name);
        if (path && rmdir(path) == 0)
            report->say(report->cookie, path);
    }
}

/* Where probes have tried a start. */
static void remove_trial_folders(const struct report *report) {
    cleanup_free char *cache = NULL;
    if (file_cache_folder(&cache, NULL) < 0)
        return;
    cleanup_dir DIR *dir = opendir(cache);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!owner_is_gone(entry->d_name))
            continue;
        cleanup_free char *path = text_format("%s/%s", cache, entry->d_name);
        if (path && file_remove_tree(path, NULL) == 0)
            report->say(report->cookie, path);
    }
}

void engine_remove_leftovers(const struct environment_ops *ops,
                             void (*say)(void *cookie, const char *what), void *cookie) {
    const struct engine *engine = (const struct engine *)ops;
    const struct report report = {say, cookie};
    cleanup_free char *program = file_find_program(engine->program);
    remove_remaining_folders(engine, &report);
    remove_trial_folders(&report);
    if (program) {
        remove_listed(engine->program, "container", engine->list, engine->remove, &report);
        remove_listed(engine->program, "image", engine->list_images, engine->remove_image, &report);
    }
    /* With them gone the engine may remove what it could not before. */
    if (end_helpers(engine, &report) > 0 && program)
        remove_listed(engine->program, "container", engine->list, engine->remove, &report);
    remove_remaining_groups(engine, NULL);
}
