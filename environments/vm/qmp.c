// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/qmp.h"

#include "common/line.h"

#include <string.h>
#include <sys/socket.h>

struct qmp {
    int fd, cancel_fd;
    uint64_t last_id;
    struct line_reader reader;
};

/* One object from QEMU; its lines are bounded as all lines are. */
static int receive(struct qmp *qmp, uint64_t deadline_ns, json_t **ret_object, struct error **err) {
    char *line;
    size_t length;
    int got = line_read(&qmp->reader, qmp->cancel_fd, deadline_ns, &line, &length, NULL, err);
    if (got < 0)
        return error_wrap(err, "QEMU's control channel");
    if (got == 0)
        return error_set(err, ERROR_CLOSED, 0, "QEMU closed its control channel");
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, ERROR_INTERNAL, 0, "QEMU's control channel: not a JSON object");
    }
    *ret_object = object;
    return 0;
}

static int send_command(struct qmp *qmp, const char *command, json_t *arguments,
                        struct error **err) {
    json_auto_t *request =
        json_pack("{s:s, s:I}", "execute", command, "id", (json_int_t)++qmp->last_id);
    if (!request || (arguments && json_object_set(request, "arguments", arguments) < 0))
        return error_no_memory(err);
    cleanup_free char *text = json_dumps(request, JSON_COMPACT);
    if (!text)
        return error_no_memory(err);
    /* One write: a command is far smaller than the socket's buffer. */
    size_t length = strlen(text);
    text[length] = '\n';
    ssize_t count = send(qmp->fd, text, length + 1, MSG_NOSIGNAL);
    if (count != (ssize_t)length + 1)
        return error_set(err, ERROR_CLOSED, count < 0 ? errno : 0,
                         "QEMU does not take the command %s", command);
    return 0;
}

static int take_answer(json_t *answer, const char *command, json_t **ret_result,
                       struct error **err) {
    json_t *result = json_object_get(answer, "return");
    if (!result) {
        json_t *failure = json_object_get(answer, "error");
        const char *reason = json_string_value(json_object_get(failure, "desc"));
        return error_set(err, ERROR_INTERNAL, 0, "QEMU refuses %s: %s", command,
                         reason ? reason : "no reason given");
    }
    if (ret_result)
        *ret_result = json_incref(result);
    return 0;
}

int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, uint64_t deadline_ns,
                json_t **ret_result, struct error **err) {
    if (send_command(qmp, command, arguments, err) < 0)
        return -1;
    for (;;) {
        json_auto_t *answer = NULL;
        if (receive(qmp, deadline_ns, &answer, err) < 0)
            return -1;
        /* Everything else is an event, or the answer to a command that we gave up on. */
        json_t *id = json_object_get(answer, "id");
        if (json_is_integer(id) && (uint64_t)json_integer_value(id) == qmp->last_id)
            return take_answer(answer, command, ret_result, err);
    }
}

struct qmp *qmp_close(struct qmp *qmp) {
    if (qmp) {
        close(qmp->fd);
        free(qmp);
    }
    return NULL;
}

int qmp_open(int fd, int cancel_fd, uint64_t deadline_ns, struct qmp **ret_qmp,
             struct error **err) {
    struct qmp *qmp = calloc(1, sizeof(*qmp));
    if (!qmp) {
        close(fd);
        return error_no_memory(err);
    }
    qmp->fd = fd;
    qmp->cancel_fd = cancel_fd;
    line_reader_init(&qmp->reader, fd);
    json_auto_t *greeting = NULL;
    int result = receive(qmp, deadline_ns, &greeting, err);
    if (result == 0 && !json_object_get(greeting, "QMP"))
        result = error_set(err, ERROR_INTERNAL, 0, "QEMU's control channel: no greeting");
    if (result == 0)
        result = qmp_execute(qmp, "qmp_capabilities", NULL, deadline_ns, NULL, err);
    if (result < 0) {
        qmp_close(qmp);
        return -1;
    }
    *ret_qmp = qmp;
    return 0;
}
