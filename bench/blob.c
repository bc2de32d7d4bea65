// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/blob.h"

#include "common/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct blob *blob_new(const char *name) {
    struct blob *blob = calloc(1, sizeof(*blob));
    if (blob) {
        blob->name = name;
        blob->fd = -1;
    }
    return blob;
}

int blob_new_in_memory(const char *name, uint64_t capacity_bytes, struct blob **ret_blob,
                       struct error **err) {
    cleanup_blob struct blob *blob = blob_new(name);
    if (!blob)
        return error_no_memory(err);
    uint64_t capacity = capacity_bytes > 0 ? capacity_bytes : 1;
    void *memory = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return error_set(err, ERROR_INTERNAL, errno, "cannot get %llu bytes of memory for the %s",
                         (unsigned long long)capacity, name);
    blob->memory = memory;
    blob->capacity = capacity;
    *ret_blob = TAKE_PTR(blob);
    return 0;
}

int blob_new_in_file(const char *folder, const char *name, bool keep, struct blob **ret_blob,
                     struct error **err) {
    cleanup_blob struct blob *blob = blob_new(name);
    cleanup_free char *path = text_format("%s/%s", folder, name);
    if (!blob || !path)
        return error_no_memory(err);
    blob->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (blob->fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot create %s", path);
    if (!keep && unlink(path) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot unlink %s", path);
    *ret_blob = TAKE_PTR(blob);
    return 0;
}

struct blob *blob_free(struct blob *blob) {
    if (!blob)
        return NULL;
    if (blob->memory)
        munmap(blob->memory, blob->capacity);
    if (blob->fd >= 0)
        close(blob->fd);
    free(blob);
    return NULL;
}

void blob_prefault(struct blob *blob) {
    if (blob->memory)
        memset(blob->memory, 0, blob->capacity);
}

int blob_clear(struct blob *blob, struct error **err) {
    blob->size = blob->position = 0;
    blob->errnum = 0;
    if (blob->fd >= 0 && ftruncate(blob->fd, 0) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot empty the %s", blob->name);
    return 0;
}

static size_t read_file(struct blob *blob, uint64_t offset, char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(blob->fd, data + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            blob->errnum = errno;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    return done;
}

size_t blob_read_at(struct blob *blob, uint64_t offset, void *data, size_t size) {
    if (blob->fd >= 0)
        return read_file(blob, offset, data, size);
    uint64_t left = offset < blob->size ? blob->size - offset : 0;
    if (size > left)
        size = (size_t)left;
    memcpy(data, blob->memory + offset, size);
    return size;
}

static size_t write_file(struct blob *blob, uint64_t offset, const char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = pwrite(blob->fd, data + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            blob->errnum = count < 0 ? errno : ENOSPC;
            break;
        }
        done += (size_t)count;
    }
    return done;
}

static bool grow(struct blob *blob, uint64_t needed) {
    uint64_t capacity = blob->capacity * 2 > needed ? blob->capacity * 2 : needed;
    void *memory = mremap(blob->memory, blob->capacity, capacity, MREMAP_MAYMOVE);
    if (memory == MAP_FAILED) {
        blob->errnum = errno;
        return false;
    }
    blob->memory = memory;
    blob->capacity = capacity;
    return true;
}

size_t blob_write_at(struct blob *blob, uint64_t offset, const void *data, size_t size) {
    size_t done = size;
    if (blob->fd >= 0)
        done = write_file(blob, offset, data, size);
    else if (offset + size > blob->capacity && !grow(blob, offset + size))
        done = 0;
    else
        memcpy(blob->memory + offset, data, size);
    if (done > 0 && offset + done > blob->size)
        blob->size = offset + done;
    return done;
}

const unsigned char *blob_view(struct blob *blob, uint64_t offset, size_t size, void *buffer) {
    if (blob->memory)
        return offset + size <= blob->size ? blob->memory + offset : NULL;
    return read_file(blob, offset, buffer, size) == size ? buffer : NULL;
}

int blob_sync(struct blob *blob, struct error **err) {
    if (blob->fd >= 0 && fdatasync(blob->fd) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot sync the %s", blob->name);
    return 0;
}

void blob_forget_cached(struct blob *blob) {
    if (blob->fd >= 0)
        (void)posix_fadvise(blob->fd, 0, 0, POSIX_FADV_DONTNEED);
}

int blob_error(const struct blob *blob, const char *what, struct error **err) {
    return error_set(err, ERROR_INTERNAL, blob->errnum ? blob->errnum : EIO, "cannot %s the %s",
                     what, blob->name);
}
