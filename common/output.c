// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/output.h"

#include "common/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

const char *output_path(const char *argument) {
    return argument && strcmp(argument, "-") != 0 ? argument : NULL;
}

static int write_standard(const void *data, size_t size, struct error **err) {
    if (fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0)
        return 0;
    return error_set(err, ERROR_INTERNAL, errno, "cannot write to standard output");
}

/* Through to whatever is there; what is no regular file is not cut, and not made either. */
static int write_through(const char *path, int flags, const void *data, size_t size,
                         struct error **err) {
    cleanup_fd int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | flags, 0666);
    if (fd < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot write %s", path);
    return file_write_all(fd, data, size, path, err);
}

/* Does the path lead to a file that a descriptor of ours writes? Then it must stay that file. */
static bool is_open_as(int fd, const struct stat *status) {
    struct stat own;
    return fstat(fd, &own) == 0 && own.st_dev == status->st_dev && own.st_ino == status->st_ino;
}

/* The folder is not ours to change, or the file is another's or mounted by itself. */
static bool cannot_rename(int errnum) {
    return errnum == EACCES || errnum == EPERM || errnum == EROFS || errnum == EBUSY ||
           errnum == EXDEV;
}

static int replace(const char *path, const struct stat *status, const void *data, size_t size,
                   struct error **err) {
    cleanup_free char *target = realpath(path, NULL);
    struct error *failure = NULL;
    if (!target)
        return error_set(err, ERROR_USAGE, errno, "cannot write %s", path);
    if (access(target, W_OK) < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot write %s", path);
    if (status->st_nlink > 1) /* it has other names, which stay names of the same file */
        return write_through(target, O_TRUNC, data, size, err);
    if (file_replace_alike(target, data, size, status, &failure) < 0) {
        if (!cannot_rename(failure->errnum))
            return error_move(err, failure);
        error_free(failure);
        return write_through(target, O_TRUNC, data, size, err);
    }
    return 0;
}

int output_write(const char *path, const void *data, size_t size, struct error **err) {
    struct stat status;
    if (!path)
        return write_standard(data, size, err);
    if (stat(path, &status) < 0) {
        if (errno != ENOENT)
            return error_set(err, ERROR_USAGE, errno, "cannot write %s", path);
        if (lstat(path, &status) == 0) /* a link to what is not there yet */
            return write_through(path, O_CREAT, data, size, err);
        return file_replace(path, data, size, err) < 0 ? error_blame_usage(err) : 0;
    }
    if (is_open_as(STDOUT_FILENO, &status))
        return write_standard(data, size, err);
    if (is_open_as(STDERR_FILENO, &status))
        return file_write_all(STDERR_FILENO, data, size, path, err);
    if (S_ISREG(status.st_mode))
        return replace(path, &status, data, size, err);
    return write_through(path, 0, data, size, err);
}

int output_open(const char *path, struct output *ret_output, struct error **err) {
    *ret_output = (struct output){.path = path, .file = stdout};
    if (path)
        ret_output->file = open_memstream(&ret_output->text, &ret_output->size);
    return ret_output->file ? 0 : error_no_memory(err);
}

int output_commit(struct output *output, struct error **err) {
    if (!output->path)
        return fflush(stdout) == 0
                   ? 0
                   : error_set(err, ERROR_INTERNAL, errno, "cannot write to standard output");
    int closed = fclose(output->file);
    output->file = NULL;
    if (closed != 0)
        return error_no_memory(err);
    return output_write(output->path, output->text, output->size, err);
}

void output_cleanup(struct output *output) {
    if (output->path && output->file)
        fclose(output->file);
    free(output->text);
    *output = (struct output){0};
}
