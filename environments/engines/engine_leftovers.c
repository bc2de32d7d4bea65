// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What killed runs leave with an engine: containers and images of a service that knows nothing of
 * us, folders that an engine would have removed. Names tell whose they were (environments/owner.h).
 */
#include "environments/engines/engine.h"

#include "common/file.h"
#include "environments/capture.h"
#include "environments/owner.h"

#include <string.h>

#define SERVICE_TIMEOUT_NS (10 * NS_PER_S)

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
    remove_remaining_groups(engine, NULL);
    if (!program)
        return;
    remove_listed(engine->program, "container", engine->list, engine->remove, &report);
    remove_listed(engine->program, "image", engine->list_images, engine->remove_image, &report);
}
