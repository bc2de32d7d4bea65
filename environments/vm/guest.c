// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest.h"

#include "common/file.h"
#include "environments/vm/guest_lean.h"
#include "environments/vm/kernel_file.h"
#include "environments/vm/qemu_command.h"

#include <ftw.h>
#include <string.h>

int guest_build(const struct guest_build_options *options, struct guest_image *ret_image,
                struct error **err) {
    static const struct vm_config usual = {.machine = VM_MACHINE_MICROVM};
    struct guest_driver drivers[VM_DRIVERS_MAX];
    cleanup_guest_kernel struct guest_kernel kernel = {0};
    const char *wanted = options->kernel;
    if (options->lean) {
        if (guest_lean_build(options->source, &options->progress, err) < 0)
            return -1;
        wanted = "lean";
    }
    vm_config_drivers(&usual, drivers);
    if (guest_kernel_find(wanted, true, &options->progress, &kernel, err) < 0)
        return -1;
    return guest_image_build(options->agent_path, &kernel, drivers, NULL, ret_image, err);
}

/* nftw has no cookie. */
static __thread uint64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)path;
    (void)type;
    (void)walk;
    tree_bytes += (uint64_t)status->st_blocks * 512;
    return 0;
}

static uint64_t measure_tree(const char *path) {
    tree_bytes = 0;
    (void)nftw(path, add_bytes, 16, FTW_PHYS | FTW_MOUNT);
    return tree_bytes;
}

static json_t *describe_kernel(const char *name, const char *default_path) {
    cleanup_guest_kernel struct guest_kernel kernel = {0};
    cleanup_kernel_file struct kernel_file file = {0};
    cleanup_error struct error *err = NULL;
    struct guest_progress silent = {.cancel_fd = -1};
    if (guest_kernel_find(name, false, &silent, &kernel, &err) < 0)
        return NULL;
    json_t *info =
        json_pack("{s:s, s:s, s:s, s:b}", "name", name, "path", kernel.path, "origin",
                  kernel.origin, "default", default_path && strcmp(default_path, kernel.path) == 0);
    if (kernel_file_read(kernel.path, &file, &err) < 0)
        json_object_set_new(info, "error", json_string(error_message(err)));
    else
        json_object_set_new(info, "release", json_string(file.release));
    return info;
}

int guest_info(json_t **ret_info, struct error **err) {
    static const char *const names[] = {"lean", "cloud", "host"};
    cleanup_free char *cache = NULL;
    if (guest_cache_folder(&cache, err) < 0)
        return -1;
    cleanup_guest_kernel struct guest_kernel usual = {0};
    struct guest_progress silent = {.cancel_fd = -1};
    (void)guest_kernel_find(NULL, false, &silent, &usual, NULL);
    json_t *kernels = json_array();
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        json_t *kernel = describe_kernel(names[i], usual.path);
        if (kernel)
            json_array_append_new(kernels, kernel);
    }
    json_t *info = json_pack("{s:s, s:I, s:o}", "folder", cache, "bytes",
                             (json_int_t)measure_tree(cache), "kernels", kernels);
    if (!info)
        return error_no_memory(err);
    *ret_info = info;
    return 0;
}

int guest_clean(uint64_t *ret_bytes, struct error **err) {
    cleanup_free char *cache = NULL;
    if (guest_cache_folder(&cache, err) < 0)
        return -1;
    uint64_t bytes = measure_tree(cache);
    if (file_remove_tree(cache, err) < 0)
        return -1;
    if (ret_bytes)
        *ret_bytes = bytes;
    return 0;
}
