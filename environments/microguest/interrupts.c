// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/interrupts.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A row is some 12 bytes a CPU, and there are some 100 rows. */
#define TEXT_BYTES_MAX (128u * 1024)

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

/* The header's columns; where it ends. */
static const char *parse_header(const char *at, struct interrupts *to) {
    for (at = skip_blanks(at); strncmp(at, "CPU", 3) == 0; at = skip_blanks(at)) {
        char *end;
        unsigned long cpu = strtoul(at + 3, &end, 10);
        if (to->columns == INTERRUPTS_CPUS_MAX || end == at + 3) {
            to->columns = 0;
            return end;
        }
        to->cpus[to->columns++] = (unsigned)cpu;
        at = end;
    }
    return at;
}

void interrupts_parse(const char *text, struct interrupts *to) {
    memset(to, 0, sizeof(*to));
    const char *line = strchr(parse_header(text, to), '\n');
    for (; line && to->columns; line = strchr(line, '\n')) {
        const char *at = skip_blanks(++line);
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || at[digits] != ':')
            continue;
        at += digits + 1;
        for (unsigned i = 0; i < to->columns; i++) {
            char *end;
            to->counts[i] += strtoull(at, &end, 10);
            at = end;
        }
    }
}

void interrupts_read(struct interrupts *to) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    char *text = malloc(TEXT_BYTES_MAX);
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/proc/interrupts", &how, sizeof(how));
    size_t length = 0;
    ssize_t bytes = -1;
    while (text && fd >= 0 && length < TEXT_BYTES_MAX - 1 &&
           (bytes = read(fd, text + length, TEXT_BYTES_MAX - 1 - length)) > 0)
        length += (size_t)bytes;
    to->columns = 0;
    if (bytes == 0) {
        text[length] = '\0';
        interrupts_parse(text, to);
    }
    if (fd >= 0)
        close(fd);
    free(text);
}

int interrupts_busiest(const struct interrupts *before, const struct interrupts *after) {
    uint64_t total = 0, most = 0;
    unsigned busiest = 0;
    if (before->columns != after->columns)
        return -1;
    for (unsigned i = 0; i < after->columns; i++) {
        uint64_t count = after->counts[i] - before->counts[i];
        if (before->cpus[i] != after->cpus[i])
            return -1;
        total += count;
        if (count > most) {
            most = count;
            busiest = i;
        }
    }
    return 2 * most > total ? (int)after->cpus[busiest] : -1;
}
