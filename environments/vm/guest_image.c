// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest_image.h"

#include "common/file.h"
#include "environments/vm/kernel_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define UNUSED_S ((time_t)30 * 24 * 3600)

#define MODULE_MAX_BYTES (UINT64_C(64) << 20)

void guest_image_clear(struct guest_image *image) {
    free(image->kernel_path);
    free(image->initramfs_path);
    free(image->origin);
    free(image->modules);
    *image = (struct guest_image){0};
}

static void hash_bytes(const void *data, size_t size, char hex[65]) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, size);
    sodium_bin2hex(hex, 65, hash, sizeof(hash));
}

/* Stores bytes under their own hash, unless they are there already. */
static int store(const char *folder, const char *kind, const void *data, size_t size,
                 char ret_sha256[65], char **ret_path, struct error **err) {
    hash_bytes(data, size, ret_sha256);
    cleanup_free char *path = text_format("%s/%s-%.32s", folder, kind, ret_sha256);
    if (!path)
        return error_no_memory(err);
    /* A file of that name is trusted only when it still holds those bytes. */
    char found[65];
    struct stat status;
    bool same = stat(path, &status) == 0 && (size_t)status.st_size == size &&
                file_sha256(path, found, NULL) == 0 && strcmp(found, ret_sha256) == 0;
    if (!same && file_replace(path, data, size, err) < 0)
        return -1;
    /* Used now. */
    (void)utimensat(AT_FDCWD, path, NULL, 0);
    *ret_path = TAKE_PTR(path);
    return 0;
}

/* Removes what no build or run has used for a month: images of older agents, torn downloads. */
static void prune(const char *cache) {
    static const char *const patterns[] = {"initramfs-*", "vmlinux-*", "download.??????",
                                           "lean.??????"};
    cleanup_dir DIR *dir = opendir(cache);
    time_t oldest = time(NULL) - UNUSED_S;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
            struct stat status;
            if (fnmatch(patterns[i], entry->d_name, 0) != 0 ||
                fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
                status.st_mtime >= oldest)
                continue;
            cleanup_free char *path = text_format("%s/%s", cache, entry->d_name);
            if (path)
                (void)file_remove_tree(path, NULL);
        }
}

/* An archive that is written to memory. */
struct cpio {
    struct archive *archive;
    FILE *stream;
    char *bytes;
    size_t size;
};

static la_ssize_t write_to_stream(struct archive *archive, void *cookie, const void *data,
                                  size_t size) {
    (void)archive;
    struct cpio *cpio = cookie;
    return fwrite(data, 1, size, cpio->stream) == size ? (la_ssize_t)size : -1;
}

static void cpio_cleanup(struct cpio *cpio) {
    if (cpio->archive)
        archive_write_free(cpio->archive);
    if (cpio->stream)
        fclose(cpio->stream);
    free(cpio->bytes);
}

static int cpio_failed(struct cpio *cpio, struct error **err) {
    const char *reason = cpio->archive ? archive_error_string(cpio->archive) : NULL;
    return error_set(err, ERROR_INTERNAL, 0, "cannot write the initramfs: %s",
                     reason ? reason : "out of memory");
}

static int cpio_open(struct cpio *cpio, struct error **err) {
    cpio->stream = open_memstream(&cpio->bytes, &cpio->size);
    cpio->archive = archive_write_new();
    if (!cpio->stream || !cpio->archive ||
        archive_write_set_format_cpio_newc(cpio->archive) != ARCHIVE_OK ||
        archive_write_open(cpio->archive, cpio, NULL, write_to_stream, NULL) != ARCHIVE_OK)
        return cpio_failed(cpio, err);
    return 0;
}

/* Adds one entry; owner, times and all else that could differ from build to build are zero. */
static int cpio_add(struct cpio *cpio, const char *name, mode_t mode, dev_t device,
                    const void *data, size_t size, struct error **err) {
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return cpio_failed(cpio, err);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_mode(entry, mode);
    archive_entry_set_rdev(entry, device);
    archive_entry_set_nlink(entry, 1);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_size(entry, (la_int64_t)size);
    bool fine = archive_write_header(cpio->archive, entry) == ARCHIVE_OK &&
                (size == 0 || archive_write_data(cpio->archive, data, size) == (la_ssize_t)size);
    archive_entry_free(entry);
    return fine ? 0 : cpio_failed(cpio, err);
}

static int cpio_close(struct cpio *cpio, struct error **err) {
    if (archive_write_close(cpio->archive) != ARCHIVE_OK || fflush(cpio->stream) != 0)
        return cpio_failed(cpio, err);
    return 0;
}

static int add_folders(struct cpio *cpio, struct error **err) {
    static const char *const folders[] = {"data", "dev", "modules", "proc", "sys", "tmp"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        if (cpio_add(cpio, folders[i], S_IFDIR | 0755, 0, NULL, 0, err) < 0)
            return -1;
    /* The kernel opens it for /init before anything is mounted. */
    return cpio_add(cpio, "dev/console", S_IFCHR | 0600, makedev(5, 1), NULL, 0, err);
}

static int add_agent(struct cpio *cpio, const char *agent_path, struct error **err) {
    cleanup_free char *bytes = NULL;
    size_t size;
    if (file_read(agent_path, &bytes, &size, err) < 0)
        return error_wrap(err, "cannot put the agent into the guest");
    return cpio_add(cpio, "init", S_IFREG | 0755, 0, bytes, size, err);
}

static int add_module(struct cpio *cpio, const char *path, const char *name, struct error **err) {
    cleanup_free char *stored = NULL;
    cleanup_free void *bytes = NULL;
    size_t size;
    if (file_read(path, &stored, &size, err) < 0)
        return -1;
    /* Uncompressed, so that no guest kernel needs to know the compression. */
    if (unpack_bytes(stored, size, MODULE_MAX_BYTES, &bytes, &size, err) < 0)
        return error_wrap(err, "module %s", path);
    cleanup_free char *entry = text_format("modules/%s", name);
    return entry ? cpio_add(cpio, entry, S_IFREG | 0644, 0, bytes, size, err)
                 : error_no_memory(err);
}

/* The modules and, in modules/order, the order of their loading. */
static int add_modules(struct cpio *cpio, const struct guest_modules *modules, char **ret_names,
                       struct error **err) {
    cleanup_free char *names = strdup("");
    for (unsigned i = 0; names && i < modules->count; i++) {
        cleanup_free char *name = guest_module_file_name(modules->paths[i]);
        if (!name || add_module(cpio, modules->paths[i], name, err) < 0)
            return name ? -1 : error_no_memory(err);
        char *longer = text_format("%s%s\n", names, name);
        free(names);
        names = longer;
    }
    if (!names)
        return error_no_memory(err);
    if (modules->count > 0 &&
        cpio_add(cpio, "modules/order", S_IFREG | 0644, 0, names, strlen(names), err) < 0)
        return -1;
    for (char *at = names; *at; at++)
        if (*at == '\n')
            *at = at[1] ? ' ' : '\0';
    *ret_names = TAKE_PTR(names);
    return 0;
}

static int add_extra(struct cpio *cpio, const struct guest_extra *extra, struct error **err) {
    cleanup_free char *read = NULL;
    size_t size = extra->size;
    if (extra->path && file_read(extra->path, &read, &size, err) < 0)
        return error_wrap(err, "cannot put it into the guest");
    return cpio_add(cpio, extra->name, S_IFREG | extra->mode, 0, read ? read : extra->bytes, size,
                    err);
}

static int add_extras(struct cpio *cpio, const struct guest_extra *extras, struct error **err) {
    const char *made = "";
    for (const struct guest_extra *extra = extras; extra && extra->name; extra++) {
        const char *slash = strrchr(extra->name, '/');
        cleanup_free char *folder = strndup(extra->name, slash ? (size_t)(slash - extra->name) : 0);
        if (!folder)
            return error_no_memory(err);
        if (*folder && strncmp(made, extra->name, strlen(folder) + 1) != 0 &&
            cpio_add(cpio, folder, S_IFDIR | 0755, 0, NULL, 0, err) < 0)
            return -1;
        made = extra->name;
        if (add_extra(cpio, extra, err) < 0)
            return -1;
    }
    return 0;
}

static int build_initramfs(const char *cache, const char *agent_path,
                           const struct guest_modules *modules, const struct guest_extra *extras,
                           struct guest_image *image, struct error **err) {
    __attribute__((cleanup(cpio_cleanup))) struct cpio cpio = {0};
    if (cpio_open(&cpio, err) < 0 || add_folders(&cpio, err) < 0 ||
        add_agent(&cpio, agent_path, err) < 0 || add_extras(&cpio, extras, err) < 0 ||
        add_modules(&cpio, modules, &image->modules, err) < 0 || cpio_close(&cpio, err) < 0)
        return -1;
    image->initramfs_bytes = cpio.size;
    return store(cache, "initramfs", cpio.bytes, cpio.size, image->initramfs_sha256,
                 &image->initramfs_path, err);
}

int guest_initramfs_build(const char *agent_path, const struct guest_modules *modules,
                          const struct guest_extra *extras, struct guest_image *ret_image,
                          struct error **err) {
    cleanup_guest_image struct guest_image image = {0};
    cleanup_free char *cache = NULL;
    if (guest_cache_folder(&cache, err) < 0 ||
        build_initramfs(cache, agent_path, modules, extras, &image, err) < 0)
        return -1;
    prune(cache);
    *ret_image = image;
    image = (struct guest_image){0};
    return 0;
}

static int take_kernel(const char *cache, const struct guest_kernel *kernel,
                       struct guest_image *image, struct error **err) {
    cleanup_kernel_file struct kernel_file file = {0};
    if (kernel_file_read(kernel->path, &file, err) < 0)
        return -1;
    image->kernel_bytes = file.size;
    strcpy(image->release, file.release);
    return store(cache, "vmlinux", file.elf, file.size, image->kernel_sha256, &image->kernel_path,
                 err);
}

/* CONFIG_HZ; 0 where there is no configuration. */
static unsigned read_hz(const char *config_path) {
    cleanup_free char *config = NULL;
    unsigned hz = 0;
    if (config_path && file_read(config_path, &config, NULL, NULL) == 0) {
        const char *line = strstr(config, "\nCONFIG_HZ=");
        if (line)
            sscanf(line, " CONFIG_HZ=%u", &hz);
    }
    return hz;
}

int guest_image_build(const char *agent_path, const struct guest_kernel *kernel,
                      const struct guest_driver *drivers, const struct guest_extra *extras,
                      struct guest_image *ret_image, struct error **err) {
    cleanup_guest_image struct guest_image image = {0};
    cleanup_guest_modules struct guest_modules modules = {0};
    cleanup_free char *cache = NULL;
    if (guest_cache_folder(&cache, err) < 0 || take_kernel(cache, kernel, &image, err) < 0 ||
        guest_modules_find(kernel->modules_folder, kernel->config_path, drivers, &modules, err) <
            0 ||
        build_initramfs(cache, agent_path, &modules, extras, &image, err) < 0)
        return -1;
    image.hz = read_hz(kernel->config_path);
    image.origin = strdup(kernel->origin);
    if (!image.origin)
        return error_no_memory(err);
    prune(cache);
    *ret_image = image;
    image = (struct guest_image){0};
    return 0;
}
