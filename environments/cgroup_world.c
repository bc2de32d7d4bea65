// SPDX-License-Identifier: GPL-3.0-or-later
/* Which control groups this machine has, and where this process may make some (cgroups(7)). */
#include "common/file.h"
#include "common/text.h"
#include "environments/cgroup_backend.h"

#include <string.h>

const char *const cgroup_controller_names[CGROUP_CONTROLLERS] = {
    [CGROUP_CPUSET] = "cpuset",   [CGROUP_MEMORY] = "memory", [CGROUP_CPU] = "cpu",
    [CGROUP_CPUACCT] = "cpuacct", [CGROUP_PIDS] = "pids",
};

/* One line of mountinfo, cut into the fields needed; the line is modified. */
struct mount_line {
    char *root, *folder, *type, *super_options;
};

static bool split_mount_line(char *line, struct mount_line *ret_mount) {
    enum { FIELD_ROOT = 3, FIELD_FOLDER = 4 };
    char *rest = line, *field;
    *ret_mount = (struct mount_line){NULL, NULL, NULL, NULL};
    for (int i = 0; (field = strsep(&rest, " ")); i++) {
        if (i == FIELD_ROOT)
            ret_mount->root = field;
        else if (i == FIELD_FOLDER)
            ret_mount->folder = field;
        else if (i > FIELD_FOLDER && strcmp(field, "-") == 0)
            break;
    }
    ret_mount->type = strsep(&rest, " ");
    if (ret_mount->type)
        strsep(&rest, " "); /* the source */
    ret_mount->super_options = rest;
    return ret_mount->root && ret_mount->folder && ret_mount->type && ret_mount->super_options;
}

/* Undoes \040 and the like, in place. */
static void unescape_octal(char *text) {
    char *to = text;
    for (const char *from = text; *from; to++) {
        bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                     from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
        if (octal) {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* Is NAME one of the words between commas? */
static bool list_has(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; at; at = text_after(at, ','))
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/*
 * Our path in a hierarchy, from a copy of /proc/self/cgroup; NULL when it is not there or leads
 * out of what this cgroup namespace shows. `controller` NULL: version 2's line, "0::/path".
 */
static char *own_path(const char *self_cgroup, const char *controller) {
    cleanup_free char *text = strdup(self_cgroup);
    char *rest = text;
    for (char *line; text && (line = strsep(&rest, "\n"));) {
        char *path = line;
        const char *number = strsep(&path, ":");
        const char *controllers = path ? strsep(&path, ":") : NULL;
        if (!controllers || !path)
            continue;
        bool ours = controller ? list_has(controllers, controller)
                               : strcmp(number, "0") == 0 && controllers[0] == '\0';
        if (ours)
            return path[0] == '/' && strncmp(path, "/..", 3) != 0 ? strdup(path) : NULL;
    }
    return NULL;
}

/* The folder of a cgroup path under a mount that shows the tree from `root` on; or NULL. */
static char *folder_of(const struct mount_line *mount, const char *path) {
    size_t root_length = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
    if (strncmp(path, mount->root, root_length) != 0 ||
        (path[root_length] != '/' && path[root_length] != '\0'))
        return NULL;
    path += root_length;
    return text_format("%s%s", mount->folder, strcmp(path, "/") == 0 ? "" : path);
}

static void take_v1_mount(struct cgroup_world *world, const struct mount_line *mount,
                          const char *self_cgroup) {
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (world->parents[i] || !list_has(mount->super_options, cgroup_controller_names[i]))
            continue;
        world->kind = CGROUP_KIND_V1;
        cleanup_free char *path = own_path(self_cgroup, cgroup_controller_names[i]);
        if (path)
            world->parents[i] = folder_of(mount, path);
    }
}

static int take_v2_mount(struct cgroup_world *world, const char *mount, const char *folder,
                         struct error **err) {
    world->kind = CGROUP_KIND_V2;
    world->mount = strdup(mount);
    bool complete = world->mount != NULL;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        world->parents[i] = strdup(folder);
        complete = complete && world->parents[i];
    }
    return complete ? 0 : error_no_memory(err);
}

int cgroup_world_parse(const char *self_cgroup, const char *mountinfo,
                       struct cgroup_world **ret_world, struct error **err) {
    cleanup_cgroup_world struct cgroup_world *world = calloc(1, sizeof(*world));
    cleanup_free char *text = strdup(mountinfo);
    cleanup_free char *v2_path = own_path(self_cgroup, NULL);
    cleanup_free char *v2_mount = NULL, *v2_folder = NULL;
    if (!world || !text)
        return error_no_memory(err);
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        struct mount_line mount;
        if (!split_mount_line(line, &mount))
            continue;
        unescape_octal(mount.root);
        unescape_octal(mount.folder);
        if (strcmp(mount.type, "cgroup") == 0)
            take_v1_mount(world, &mount, self_cgroup);
        else if (strcmp(mount.type, "cgroup2") == 0 && !v2_folder && v2_path) {
            v2_folder = folder_of(&mount, v2_path);
            v2_mount = v2_folder ? strdup(mount.folder) : NULL;
        }
    }
    /* A controller belongs to one version only: where version 1 has some, the version 2 tree
     * beside it is the service manager's, without those that matter here. */
    if (world->kind == CGROUP_KIND_V1)
        world->hybrid = v2_folder != NULL;
    else if (v2_folder && v2_mount && take_v2_mount(world, v2_mount, v2_folder, err) < 0)
        return -1;
    world->mounted = world->kind;
    if (world->kind == CGROUP_KIND_NONE)
        strcpy(world->reason, "no cgroup file system is mounted here");
    *ret_world = TAKE_PTR(world);
    return 0;
}

/* The first controller (or "name=...") that a version 1 mount shows, among those of our own groups.
 */
static char *path_of_mount(const struct mount_line *mount, const char *self_cgroup) {
    cleanup_free char *options = strdup(mount->super_options);
    char *rest = options, *path = NULL;
    for (char *option; options && !path && (option = strsep(&rest, ","));)
        path = own_path(self_cgroup, option);
    return path;
}

void cgroup_for_each_hierarchy(void (*each)(const char *folder, void *cookie), void *cookie) {
    cleanup_free char *self_cgroup = NULL, *mountinfo = NULL;
    if (file_read("/proc/self/cgroup", &self_cgroup, NULL, NULL) < 0 ||
        file_read("/proc/self/mountinfo", &mountinfo, NULL, NULL) < 0)
        return;
    char *rest = mountinfo;
    for (char *line; (line = strsep(&rest, "\n"));) {
        struct mount_line mount;
        if (!split_mount_line(line, &mount))
            continue;
        unescape_octal(mount.root);
        unescape_octal(mount.folder);
        bool version_2 = strcmp(mount.type, "cgroup2") == 0;
        if (!version_2 && strcmp(mount.type, "cgroup") != 0)
            continue;
        cleanup_free char *path =
            version_2 ? own_path(self_cgroup, NULL) : path_of_mount(&mount, self_cgroup);
        cleanup_free char *folder = path ? folder_of(&mount, path) : NULL;
        each(mount.folder, cookie);
        if (folder && strcmp(folder, mount.folder) != 0)
            each(folder, cookie);
    }
}

/* Version 1: keeps the folders in which we may make others. */
static void keep_writable(struct cgroup_world *world) {
    unsigned kept = 0;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (world->parents[i] && access(world->parents[i], W_OK) < 0) {
            snprintf(world->reason, sizeof(world->reason), "%.100s: %s", world->parents[i],
                     strerror(errno));
            free(world->parents[i]);
            world->parents[i] = NULL;
        }
        kept += world->parents[i] != NULL;
    }
    if (kept == 0 && !world->reason[0])
        strcpy(world->reason, "this process's own cgroup is not visible here");
    if (kept == 0)
        world->kind = CGROUP_KIND_NONE;
}

int cgroup_world_find(struct cgroup_world **ret_world, struct error **err) {
    cleanup_free char *self_cgroup = NULL, *mountinfo = NULL;
    /* A kernel without cgroups has no such file. */
    if (file_read("/proc/self/cgroup", &self_cgroup, NULL, NULL) < 0 && !(self_cgroup = strdup("")))
        return error_no_memory(err);
    if (file_read("/proc/self/mountinfo", &mountinfo, NULL, err) < 0 ||
        cgroup_world_parse(self_cgroup, mountinfo, ret_world, err) < 0)
        return -1;
    if ((*ret_world)->kind == CGROUP_KIND_V1)
        keep_writable(*ret_world);
    else if ((*ret_world)->kind == CGROUP_KIND_V2)
        cgroup_v2_choose_parent(*ret_world);
    return 0;
}

struct cgroup_world *cgroup_world_free(struct cgroup_world *world) {
    if (!world)
        return NULL;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        free(world->parents[i]);
    free(world->mount);
    free(world);
    return NULL;
}

bool cgroup_world_has(const struct cgroup_world *world, enum cgroup_controller controller) {
    return world->kind != CGROUP_KIND_NONE && world->parents[controller];
}

const char *cgroup_world_name(const struct cgroup_world *world) {
    switch (world->kind) {
    case CGROUP_KIND_V1:
        return world->hybrid ? "v1 (hybrid)" : "v1";
    case CGROUP_KIND_V2:
        return "v2";
    default:
        return "none";
    }
}
