// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/port.h"

#include "common/clock.h"
#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>

/* How long to sleep between two looks for a device: far less than what a boot takes. */
#define LOOK_AGAIN_US 500

/* The device of the port called `name` under /sys/class/virtio-ports; NULL while there is none. */
static char *find_virtio_port(const char *name) {
    static const char folder[] = "/sys/class/virtio-ports";
    cleanup_dir DIR *dir = opendir(folder);
    if (!dir)
        return NULL;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        cleanup_free char *path = text_format("%s/%s/name", folder, entry->d_name);
        cleanup_free char *found = path ? file_read_line(path) : NULL;
        if (found && strcmp(found, name) == 0)
            return text_format("/dev/%s", entry->d_name);
    }
    return NULL;
}

static int open_device(const char *path, uint64_t deadline_ns, int *ret_fd, struct error **err) {
    for (;;) {
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0) {
            *ret_fd = fd;
            return 0;
        }
        if ((errno != ENOENT && errno != ENXIO) || monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_UNAVAILABLE, errno, "cannot open %s", path);
        usleep(LOOK_AGAIN_US);
    }
}

static int open_virtio(const char *name, uint64_t deadline_ns, int *ret_fd, struct error **err) {
    for (;;) {
        cleanup_free char *path = find_virtio_port(name);
        if (path)
            return open_device(path, deadline_ns, ret_fd, err);
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_UNAVAILABLE, 0, "there is no virtio-serial port \"%s\"",
                             name);
        usleep(LOOK_AGAIN_US);
    }
}

static int make_raw(int fd, const char *path, struct error **err) {
    struct termios settings;
    if (tcgetattr(fd, &settings) < 0)
        return error_set(err, ERROR_UNAVAILABLE, errno, "%s is not a serial line", path);
    cfmakeraw(&settings);
    if (tcsetattr(fd, TCSANOW, &settings) < 0)
        return error_set(err, ERROR_UNAVAILABLE, errno, "cannot make %s raw", path);
    return 0;
}

int port_open(const char *text, uint64_t deadline_ns, struct port *ret_port, struct error **err) {
    cleanup_fd int fd = -1;
    if (strcmp(text, "stdio") == 0) {
        *ret_port = (struct port){STDIN_FILENO, STDOUT_FILENO};
        return 0;
    }
    if (strncmp(text, "virtio:", 7) == 0) {
        if (open_virtio(text + 7, deadline_ns, &fd, err) < 0)
            return -1;
    } else if (strncmp(text, "tty:", 4) == 0) {
        if (open_device(text + 4, deadline_ns, &fd, err) < 0 || make_raw(fd, text + 4, err) < 0)
            return -1;
    } else {
        return error_set(err, ERROR_USAGE, 0, "unknown channel \"%s\"", text);
    }
    ret_port->input_fd = ret_port->output_fd = TAKE_FD(fd);
    return 0;
}
