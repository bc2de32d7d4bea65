// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's answers on its control channel: the greeting, then lines of any kind. This file has its
 * own line_read (in place of common/line.c) and its own send, so that no socket is needed.
 */
#include "tests/fuzz/fuzz.h"

#include "common/line.h"
#include "environments/vm/qmp.h"

#include <sys/socket.h>

static char *at, *end;

void line_reader_init(struct line_reader *reader, int fd) {
    reader->fd = fd;
    reader->start = reader->end = 0;
}

int line_read(struct line_reader *reader, int cancel_fd, uint64_t deadline_ns, char **ret_line,
              size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    (void)reader;
    (void)cancel_fd;
    (void)deadline_ns;
    (void)ret_arrival_ns;
    (void)err;
    char *newline = memchr(at, '\n', (size_t)(end - at));
    if (!newline)
        return 0;
    *newline = '\0';
    *ret_line = at;
    *ret_length = (size_t)(newline - at);
    at = newline + 1;
    return 1;
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    (void)fd;
    (void)flags;
    fuzz_check(size > 1 && ((const char *)data)[size - 1] == '\n');
    return (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    at = text;
    end = text + size;
    cleanup_error struct error *err = NULL;
    struct qmp *qmp = NULL;
    int result = qmp_open(-1, -1, 0, &qmp, &err);
    fuzz_check_result(result, err);
    while (result == 0) {
        json_auto_t *answer = NULL;
        result = qmp_execute(qmp, "query-kvm", NULL, 0, &answer, &err);
        fuzz_check_result(result, err);
        fuzz_check((result == 0) == (answer != NULL));
    }
    qmp_close(qmp);
    return 0;
}
