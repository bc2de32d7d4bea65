// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Folders on the file system under test: the instance's data, and with overlays the image and the
 * layers. All of them are made before the start is timed, in every environment alike.
 */
#include "environments/container/container.h"

#include "common/file.h"
#include "environments/start.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int make_absolute(const char *path, char **ret_path, struct error **err) {
    *ret_path = realpath(path, NULL);
    return *ret_path ? 0 : error_set(err, ERROR_INTERNAL, errno, "cannot find %s", path);
}

/* A fresh folder beside the instances' data. */
static int make_beside(const struct environment *environment, const char *name, char **ret_path,
                       struct error **err) {
    const char *parent = environment->setup->data_folder;
    cleanup_free char *path = text_format("%s/%s.XXXXXX", parent, name);
    if (!path)
        return error_no_memory(err);
    if (!mkdtemp(path))
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a folder in %s", parent);
    return make_absolute(path, ret_path, err);
}

int container_make_image(struct environment *environment, struct error **err) {
    struct container *container = environment->state;
    if (container->plan.root != ROOT_OVERLAY || container->image_path)
        return 0;
    if (make_beside(environment, "image", &container->image_path, err) < 0)
        return -1;
    container->plan.image_path = container->image_path;
    container->image_agent_path = text_format("%s%s", container->image_path, CONTAINER_AGENT);
    container->cold_files[0] = container->image_agent_path;
    cleanup_fd int folder_fd = open(container->image_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0 || fchmod(folder_fd, 0755) < 0 || container_make_skeleton(folder_fd) < 0 ||
        container_copy_agent(container->agent_path, folder_fd) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make the image in %s",
                         container->image_path);
    return 0;
}

static int make_layers(struct instance *instance, struct error **err) {
    struct container_instance *self = instance->state;
    static const char *const folders[] = {CONTAINER_ROOT_UPPER, CONTAINER_ROOT_WORK,
                                          CONTAINER_DATA_LOWER, CONTAINER_DATA_WORK, NULL};
    if (make_beside(instance->environment, "layers", &self->scratch_path, err) < 0)
        return -1;
    self->plan.scratch_path = self->scratch_path;
    for (const char *const *folder = folders; *folder; folder++) {
        cleanup_free char *path = text_format("%s/%s", self->scratch_path, *folder);
        if (!path)
            return error_no_memory(err);
        if (mkdir(path, 0755) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot make %s", path);
    }
    return 0;
}

int container_make_storage(struct instance *instance, struct error **err) {
    struct container_instance *self = instance->state;
    if (start_make_data_folder(instance, err) < 0 ||
        make_absolute(instance->data_path, &self->data_path, err) < 0)
        return -1;
    self->plan.data_path = self->data_path;
    if (self->plan.user_namespace == USER_NAMESPACE_LAST &&
        chown(self->data_path, self->plan.uid, self->plan.gid) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot give %s to the container's user",
                         self->data_path);
    bool overlays = self->plan.root == ROOT_OVERLAY || self->plan.data_overlay;
    return overlays && !self->plan.shell ? make_layers(instance, err) : 0;
}

/* The kernel leaves a folder in it that its owner may not enter. */
static void open_work_folder(const char *scratch, const char *name) {
    cleanup_free char *path = text_format("%s/%s/work", scratch, name);
    if (path)
        (void)chmod(path, 0700);
}

int container_remove_storage(struct instance *instance, struct error **err) {
    struct container_instance *self = instance->state;
    int result = 0;
    if (instance->data_path)
        result = file_remove_tree(instance->data_path, err);
    if (self->scratch_path) {
        open_work_folder(self->scratch_path, CONTAINER_ROOT_WORK);
        open_work_folder(self->scratch_path, CONTAINER_DATA_WORK);
        if (file_remove_tree(self->scratch_path, result < 0 ? NULL : err) < 0)
            result = -1;
    }
    free(self->scratch_path);
    free(self->data_path);
    self->scratch_path = self->data_path = NULL;
    return result;
}
