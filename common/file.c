// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

char *text_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

bool file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

int file_read(const char *path, char **ret_text, size_t *ret_size, struct error **err) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    size_t size = 0, capacity = 4096;
    cleanup_free char *text = malloc(capacity);
    if (!text)
        return error_no_memory(err);
    for (;;) {
        ssize_t count = read(fd, text + size, capacity - size - 1);
        if (count < 0) {
            if (errno == EINTR)
                continue;
            return error_set(err, ERROR_INTERNAL, errno, "cannot read %s", path);
        }
        if (count == 0)
            break;
        size += (size_t)count;
        if (capacity - size > 1)
            continue;
        if (capacity >= FILE_READ_MAX_BYTES)
            return error_set(err, ERROR_USAGE, EFBIG, "cannot read %s", path);
        char *larger = realloc(text, capacity * 2);
        if (!larger)
            return error_no_memory(err);
        text = larger;
        capacity *= 2;
    }
    text[size] = '\0';
    if (ret_size)
        *ret_size = size;
    *ret_text = TAKE_PTR(text);
    return 0;
}

char *file_read_line(const char *path) {
    cleanup_error struct error *err = NULL;
    char *text = NULL;
    if (file_read(path, &text, NULL, &err) < 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

int file_write_all(int fd, const void *data, size_t size, const char *name, struct error **err) {
    const char *bytes = data;
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0) {
            if (errno == EINTR)
                continue;
            return error_set(err, ERROR_INTERNAL, errno, "cannot write %s", name);
        }
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}

static int sync_folder_of(const char *path, struct error **err) {
    cleanup_free char *copy = strdup(path);
    if (!copy)
        return error_no_memory(err);
    const char *folder = dirname(copy);
    cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return error_set(err, ERROR_INTERNAL, errno, "cannot make %s durable", folder);
    return 0;
}

/* Owner and mode of a file that is to be replaced, before anybody can see the new one. */
static int make_alike(int fd, const struct stat *like, const char *name, struct error **err) {
    struct stat own;
    if (fstat(fd, &own) < 0 ||
        ((own.st_uid != like->st_uid || own.st_gid != like->st_gid) &&
         fchown(fd, like->st_uid, like->st_gid) < 0) ||
        fchmod(fd, like->st_mode & 07777) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot give %s its owner and mode", name);
    return 0;
}

int file_replace(const char *path, const void *data, size_t size, struct error **err) {
    return file_replace_alike(path, data, size, NULL, err);
}

int file_replace_alike(const char *path, const void *data, size_t size, const struct stat *like,
                       struct error **err) {
    uint64_t unique = 0;
    if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
        unique = (uint64_t)getpid();
    cleanup_free char *temporary = text_format("%s.%016llx", path, (unsigned long long)unique);
    if (!temporary)
        return error_no_memory(err);
    cleanup_fd int fd =
        open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, like ? 0600 : 0644);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot create %s", temporary);
    int result = like ? make_alike(fd, like, temporary, err) : 0;
    if (result == 0)
        result = file_write_all(fd, data, size, temporary, err);
    if (result == 0 && fsync(fd) < 0)
        result = error_set(err, ERROR_INTERNAL, errno, "cannot write %s", temporary);
    if (result == 0 && rename(temporary, path) < 0)
        result = error_set(err, ERROR_INTERNAL, errno, "cannot rename %s to %s", temporary, path);
    if (result < 0) {
        unlink(temporary);
        return result;
    }
    return sync_folder_of(path, err);
}

void file_remove_half_replaced(const char *folder) {
    enum { SUFFIX = 1 + 16 };
    cleanup_dir DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        size_t length = strlen(name);
        if (length > SUFFIX && name[length - SUFFIX] == '.' &&
            strspn(name + length - SUFFIX + 1, "0123456789abcdef") == SUFFIX - 1)
            (void)unlinkat(dirfd(dir), name, 0);
    }
}

int file_write_text(const char *path, const char *text, struct error **err) {
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    size_t size = strlen(text);
    ssize_t count;
    do
        count = write(fd, text, size);
    while (count < 0 && errno == EINTR);
    if (count != (ssize_t)size)
        return error_set(err, ERROR_INTERNAL, count < 0 ? errno : EIO, "cannot write \"%s\" to %s",
                         text, path);
    return 0;
}

int file_make_folders(const char *path, mode_t mode, struct error **err) {
    cleanup_free char *copy = strdup(path);
    if (!copy)
        return error_no_memory(err);
    for (char *slash = copy; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return error_set(err, ERROR_INTERNAL, errno, "cannot create the folder %s", copy);
        if (slash)
            *slash = '/';
    }
    struct stat status;
    if (stat(path, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot create the folder %s", path);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_INTERNAL, ENOTDIR, "cannot create the folder %s", path);
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)walk;
    return (type == FTW_DP ? rmdir(path) : unlink(path)) < 0 && errno != ENOENT ? errno : 0;
}

int file_remove_tree(const char *path, struct error **err) {
    struct stat status;
    if (lstat(path, &status) < 0 && errno == ENOENT)
        return 0;
    int result = nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (result != 0)
        return error_set(err, ERROR_INTERNAL, result > 0 ? result : errno, "cannot remove %s",
                         path);
    return 0;
}

int file_sha256(const char *path, char hex[65], struct error **err) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    enum { CHUNK_BYTES = 1 << 16 };
    cleanup_free unsigned char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return error_no_memory(err);
    for (;;) {
        ssize_t count = read(fd, chunk, CHUNK_BYTES);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot read %s", path);
        if (count == 0)
            break;
        crypto_hash_sha256_update(&state, chunk, (unsigned long long)count);
    }
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex, 65, hash, sizeof(hash));
    return 0;
}

int file_cache_folder(char **ret_path, struct error **err) {
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    cleanup_free char *path = NULL;
    if (cache && cache[0] == '/')
        path = text_format("%s/boxmark", cache);
    else if (home && home[0] == '/')
        path = text_format("%s/.cache/boxmark", home);
    else
        path = text_format("/tmp/boxmark-%u", (unsigned)getuid());
    if (!path)
        return error_no_memory(err);
    if (file_make_folders(path, 0700, err) < 0)
        return error_advise(err, "set XDG_CACHE_HOME to a folder that you can write");
    struct stat status;
    /* In a folder for all, a link may lead to a folder of ours that is meant for something else. */
    bool shared = strncmp(path, "/tmp/", 5) == 0;
    if ((shared ? lstat : stat)(path, &status) < 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != getuid()) {
        error_set(err, ERROR_INTERNAL, 0, "the cache folder %s is not a folder of this user", path);
        return error_advise(err, "set XDG_CACHE_HOME to a folder of your own");
    }
    *ret_path = TAKE_PTR(path);
    return 0;
}

/* Folders may be "executed", too. */
static bool is_program(const char *path) {
    struct stat status;
    return access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

char *file_find_program(const char *name) {
    if (strchr(name, '/'))
        return is_program(name) ? strdup(name) : NULL;
    const char *search = getenv("PATH");
    /* sbin is where mke2fs and QEMU's helpers live, and it is not in every user's PATH. */
    cleanup_free char *folders =
        text_format("%s:/usr/local/sbin:/usr/sbin:/sbin", search ? search : "/usr/bin:/bin");
    char *rest = folders;
    for (char *folder; folders && (folder = strsep(&rest, ":"));) {
        cleanup_free char *path = text_format("%s/%s", *folder ? folder : ".", name);
        if (path && is_program(path))
            return TAKE_PTR(path);
    }
    return NULL;
}
