// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/console.h"

#include "common/file.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>

/* A guest that fills the disk with console output is cut off here. */
#define LOG_MAX_BYTES (UINT64_C(16) << 20)
#define TAIL_BYTES 8192

struct console {
    int fd, stop_fd, log_fd;
    char *marker;
    struct clock *clock;
    pthread_t thread;
    uint64_t log_bytes;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    uint64_t first_byte_ns, marker_ns;
    bool ended;
    size_t tail_size;
    char tail[TAIL_BYTES + 1]; /* the last of the output */
};

static void keep_tail(struct console *console, const char *bytes, size_t size) {
    if (size >= TAIL_BYTES) {
        bytes += size - TAIL_BYTES;
        size = TAIL_BYTES;
        console->tail_size = 0;
    } else if (console->tail_size + size > TAIL_BYTES) {
        size_t dropped = console->tail_size + size - TAIL_BYTES;
        memmove(console->tail, console->tail + dropped, console->tail_size - dropped);
        console->tail_size -= dropped;
    }
    memcpy(console->tail + console->tail_size, bytes, size);
    console->tail_size += size;
}

static void take(struct console *console, const char *bytes, size_t size, uint64_t now_ns) {
    pthread_mutex_lock(&console->lock);
    if (!console->first_byte_ns)
        console->first_byte_ns = now_ns;
    keep_tail(console, bytes, size);
    /* Searched in the tail: the marker may come in pieces. */
    if (!console->marker_ns &&
        memmem(console->tail, console->tail_size, console->marker, strlen(console->marker)))
        console->marker_ns = now_ns;
    pthread_mutex_unlock(&console->lock);
    if (console->log_fd >= 0 && console->log_bytes < LOG_MAX_BYTES) {
        console->log_bytes += size;
        (void)file_write_all(console->log_fd, bytes, size, "console log", NULL);
    }
}

static void *read_console(void *cookie) {
    struct console *console = cookie;
    char bytes[4096];
    for (;;) {
        struct pollfd waits[2] = {{.fd = console->fd, .events = POLLIN},
                                  {.fd = console->stop_fd, .events = POLLIN}};
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            break;
        if (waits[1].revents)
            break;
        if (!waits[0].revents)
            continue;
        ssize_t count = read(console->fd, bytes, sizeof(bytes));
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count <= 0)
            break;
        take(console, bytes, (size_t)count, clock_now_ns(console->clock));
    }
    pthread_mutex_lock(&console->lock);
    console->ended = true;
    pthread_cond_broadcast(&console->changed);
    pthread_mutex_unlock(&console->lock);
    return NULL;
}

static void console_free(struct console *console) {
    if (console->fd >= 0)
        close(console->fd);
    if (console->stop_fd >= 0)
        close(console->stop_fd);
    if (console->log_fd >= 0)
        close(console->log_fd);
    pthread_mutex_destroy(&console->lock);
    pthread_cond_destroy(&console->changed);
    free(console->marker);
    free(console);
}

/* Signals are the main thread's business. */
static int start_thread(struct console *console) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&console->thread, NULL, read_console, console);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

int console_open(int fd, const char *log_path, const char *marker, struct clock *clock,
                 struct console **ret_console, struct error **err) {
    struct console *console = calloc(1, sizeof(*console));
    if (!console) {
        close(fd);
        return error_no_memory(err);
    }
    console->fd = fd;
    console->clock = clock;
    console->log_fd = -1;
    console->marker = strdup(marker);
    console->stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&console->lock, NULL);
    pthread_cond_init(&console->changed, NULL);
    int result = 0;
    if (!console->marker || console->stop_fd < 0)
        result = error_no_memory(err);
    if (result == 0 && log_path) {
        console->log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (console->log_fd < 0)
            result = error_set(err, ERROR_INTERNAL, errno, "cannot open %s", log_path);
    }
    if (result == 0) {
        int errnum = start_thread(console);
        if (errnum)
            result = error_set(err, ERROR_INTERNAL, errnum, "cannot read the guest's console");
    }
    if (result < 0) {
        console_free(console);
        return -1;
    }
    *ret_console = console;
    return 0;
}

void console_stamps(struct console *console, uint64_t *ret_first_byte_ns, uint64_t *ret_marker_ns) {
    pthread_mutex_lock(&console->lock);
    *ret_first_byte_ns = console->first_byte_ns;
    *ret_marker_ns = console->marker_ns;
    pthread_mutex_unlock(&console->lock);
}

void console_drain(struct console *console, uint64_t timeout_ns) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t end_ns = (uint64_t)until.tv_nsec + timeout_ns;
    until.tv_sec += (time_t)(end_ns / NS_PER_S);
    until.tv_nsec = (long)(end_ns % NS_PER_S);
    pthread_mutex_lock(&console->lock);
    while (!console->ended &&
           pthread_cond_timedwait(&console->changed, &console->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&console->lock);
}

/* Replaces line ends by " | " and drops what a terminal would obey. */
static char *join_lines(const char *text, size_t size) {
    cleanup_free char *joined = malloc(size * 3 + 1);
    if (!joined)
        return NULL;
    size_t length = 0;
    bool line_ended = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n') {
            line_ended = length > 0;
        } else if (byte >= 0x20 && byte < 0x7f) {
            if (line_ended) {
                memcpy(joined + length, " | ", 3);
                length += 3;
            }
            line_ended = false;
            joined[length++] = (char)byte;
        }
    }
    joined[length] = '\0';
    return length > 0 ? TAKE_PTR(joined) : NULL;
}

/* Where the last `lines` lines with any content begin. */
static size_t find_last_lines(const char *text, size_t size, unsigned lines) {
    size_t start = size;
    unsigned seen = 0;
    bool content = false;
    for (; start > 0; start--) {
        char byte = text[start - 1];
        if (byte == '\n') {
            seen += content;
            content = false;
            if (seen == lines)
                break;
        } else if (byte != '\r') {
            content = true;
        }
    }
    return start;
}

/* The end of so many lines from `start` on. */
static size_t skip_lines(const char *text, size_t start, size_t size, unsigned lines) {
    while (start < size && lines > 0)
        lines -= text[start++] == '\n';
    return start;
}

char *console_last_lines(struct console *console, unsigned lines) {
    static const char panic[] = "Kernel panic";
    pthread_mutex_lock(&console->lock);
    size_t end = console->tail_size;
    size_t start = find_last_lines(console->tail, end, lines);
    /* A panic ends with a long trace; what it is about stands first. */
    const char *reason = memmem(console->tail, end, panic, sizeof(panic) - 1);
    if (reason && reason < console->tail + start) {
        start = (size_t)(reason - console->tail);
        end = skip_lines(console->tail, start, end, lines);
    }
    char *text = join_lines(console->tail + start, end - start);
    pthread_mutex_unlock(&console->lock);
    return text;
}

struct console *console_close(struct console *console) {
    if (!console)
        return NULL;
    uint64_t one = 1;
    (void)!write(console->stop_fd, &one, sizeof(one));
    pthread_join(console->thread, NULL);
    console_free(console);
    return NULL;
}
