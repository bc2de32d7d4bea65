// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest_modules.h"

#include "common/file.h"

#include <libkmod.h>
#include <string.h>

/* Deeper than any chain of modules; ends a cycle in a broken kernel package. */
#define DEPTH_MAX 16

struct search {
    const char *folder;
    char *order, *builtin; /* modules.order and modules.builtin; NULL where there is none */
    struct kmod_ctx *kmod;
    struct guest_modules found;
};

void guest_modules_clear(struct guest_modules *modules) {
    for (unsigned i = 0; i < modules->count; i++)
        free(modules->paths[i]);
    free(modules->paths);
    *modules = (struct guest_modules){0};
}

char *guest_module_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *suffix = strstr(name, ".ko");
    return strndup(name, suffix ? (size_t)(suffix - name) + 3 : strlen(name));
}

/* Module names are compared with - and _ alike, as the kernel does. */
static bool same_name(const char *name, const char *file, size_t file_length) {
    if (strlen(name) != file_length)
        return false;
    for (size_t i = 0; i < file_length; i++) {
        char a = name[i] == '-' ? '_' : name[i], b = file[i] == '-' ? '_' : file[i];
        if (a != b)
            return false;
    }
    return true;
}

/* The line of a modules.order or modules.builtin that is this module, copied; or NULL. */
static char *find_line(const char *list, const char *name) {
    for (const char *line = list; line && *line;) {
        size_t length = strcspn(line, "\n");
        const char *slash = memrchr(line, '/', length);
        const char *file = slash ? slash + 1 : line;
        size_t file_length = length - (size_t)(file - line);
        const char *suffix = memmem(file, file_length, ".ko", 3);
        if (suffix && same_name(name, file, (size_t)(suffix - file)))
            return strndup(line, length);
        line += length + (line[length] == '\n');
    }
    return NULL;
}

/* The module's file, with whatever compression the distribution uses; NULL when there is none. */
static char *find_file(const struct search *search, const char *name) {
    static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};
    cleanup_free char *line = find_line(search->order, name);
    if (!line)
        return NULL;
    char *end = strstr(line, ".ko");
    end[3] = '\0';
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        cleanup_free char *path = text_format("%s/%s%s", search->folder, line, suffixes[i]);
        if (path && file_exists(path))
            return TAKE_PTR(path);
    }
    return NULL;
}

static bool is_found(const struct search *search, const char *path) {
    for (unsigned i = 0; i < search->found.count; i++)
        if (strcmp(search->found.paths[i], path) == 0)
            return true;
    return false;
}

static int add_module(struct search *search, const char *name, unsigned depth, bool *ret_known,
                      struct error **err);

/* "a,b" of a module's information: each must be there. */
static int add_dependencies(struct search *search, const char *list, unsigned depth,
                            const char *path, struct error **err) {
    cleanup_free char *copy = strdup(list);
    char *rest = copy;
    for (char *name; copy && (name = strsep(&rest, ","));) {
        bool known = true;
        if (*name && add_module(search, name, depth + 1, &known, err) < 0)
            return -1;
        if (!known)
            return error_set(err, ERROR_UNAVAILABLE, 0, "%s needs the module %s, which is missing",
                             path, name);
    }
    return copy ? 0 : error_no_memory(err);
}

static int add_file(struct search *search, const char *path, unsigned depth, struct error **err) {
    struct kmod_module *module = NULL;
    struct kmod_list *info = NULL;
    int result = kmod_module_new_from_path(search->kmod, path, &module);
    if (result >= 0)
        result = kmod_module_get_info(module, &info);
    if (result < 0)
        result = error_set(err, ERROR_UNAVAILABLE, -result, "cannot read the module %s", path);
    for (struct kmod_list *at = info; result >= 0 && at; at = kmod_list_next(info, at))
        if (strcmp(kmod_module_info_get_key(at), "depends") == 0)
            result = add_dependencies(search, kmod_module_info_get_value(at), depth, path, err);
    kmod_module_info_free_list(info);
    kmod_module_unref(module);
    return result < 0 ? -1 : 0;
}

static int add_module(struct search *search, const char *name, unsigned depth, bool *ret_known,
                      struct error **err) {
    cleanup_free char *path = find_file(search, name);
    if (!path) {
        cleanup_free char *builtin = find_line(search->builtin, name);
        *ret_known = builtin != NULL;
        return 0;
    }
    *ret_known = true;
    if (is_found(search, path))
        return 0;
    if (depth > DEPTH_MAX)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "modules of %s depend on each other in a circle", search->folder);
    if (add_file(search, path, depth, err) < 0)
        return -1;
    char **paths = reallocarray(search->found.paths, search->found.count + 1, sizeof(*paths));
    if (!paths)
        return error_no_memory(err);
    search->found.paths = paths;
    paths[search->found.count++] = TAKE_PTR(path);
    return 0;
}

static void search_cleanup(struct search *search) {
    guest_modules_clear(&search->found);
    free(search->order);
    free(search->builtin);
    if (search->kmod)
        kmod_unref(search->kmod);
}

static char *read_list(const char *folder, const char *name) {
    cleanup_free char *path = text_format("%s/%s", folder, name);
    char *text = NULL;
    if (path && file_read(path, &text, NULL, NULL) < 0)
        return NULL;
    return text;
}

static int missing_driver(const struct guest_driver *driver, struct error **err) {
    error_set(err, ERROR_UNAVAILABLE, 0, "the guest kernel has no driver %s (%s)", driver->module,
              driver->config);
    return error_advise(err, "choose another variant, or a kernel that has it (vm:kernel=FILE)");
}

static int check_config(const char *config_path, const struct guest_driver *drivers,
                        struct error **err) {
    cleanup_free char *config = NULL;
    if (!config_path)
        return 0;
    if (file_read(config_path, &config, NULL, err) < 0)
        return -1;
    for (const struct guest_driver *driver = drivers; driver->module; driver++) {
        cleanup_free char *line = text_format("\n%s=y\n", driver->config);
        if (!line)
            return error_no_memory(err);
        if (!driver->optional && !strstr(config, line))
            return missing_driver(driver, err);
    }
    return 0;
}

int guest_modules_find(const char *modules_folder, const char *config_path,
                       const struct guest_driver *drivers, struct guest_modules *ret_modules,
                       struct error **err) {
    if (!modules_folder) {
        if (check_config(config_path, drivers, err) < 0)
            return -1;
        *ret_modules = (struct guest_modules){0};
        return 0;
    }
    static const char *const no_configuration[] = {NULL};
    __attribute__((cleanup(search_cleanup))) struct search search = {
        .folder = modules_folder,
        .order = read_list(modules_folder, "modules.order"),
        .builtin = read_list(modules_folder, "modules.builtin"),
        .kmod = kmod_new(modules_folder, (const char *const *)no_configuration),
    };
    if (!search.kmod)
        return error_set(err, ERROR_INTERNAL, 0, "cannot start libkmod");
    if (!search.order && !search.builtin)
        return error_set(err, ERROR_UNAVAILABLE, 0, "%s is not a folder of kernel modules",
                         modules_folder);
    for (const struct guest_driver *driver = drivers; driver->module; driver++) {
        bool known;
        if (add_module(&search, driver->module, 0, &known, err) < 0)
            return -1;
        if (!known && !driver->optional)
            return missing_driver(driver, err);
    }
    *ret_modules = search.found;
    search.found = (struct guest_modules){0};
    return 0;
}
