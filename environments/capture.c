// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/capture.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define END_GRACE_NS (2 * NS_PER_S)

struct output {
    char *text; /* CAPTURE_MAX_BYTES + 1 */
    size_t size;
    size_t line_start; /* of the line that is not complete yet */
};

static void report_lines(const struct capture_options *options, struct output *output) {
    char *newline;
    while (options->line && (newline = memchr(output->text + output->line_start, '\n',
                                              output->size - output->line_start))) {
        *newline = '\0';
        options->line(options->cookie, output->text + output->line_start);
        *newline = '\n';
        output->line_start = (size_t)(newline - output->text) + 1;
    }
}

/* The last three lines that are not empty, joined by " | "; malloc'ed; NULL when there are none. */
static char *last_lines(const struct output *output) {
    cleanup_free char *said = NULL;
    size_t end = output->size;
    for (unsigned count = 0; count < 3 && end > 0;) {
        const char *newline = memrchr(output->text, '\n', end);
        size_t start = newline ? (size_t)(newline - output->text) + 1 : 0;
        size_t length = strcspn(output->text + start, "\r\n");
        if (length > end - start)
            length = end - start;
        if (length > 0) {
            char *longer = text_format("%.*s%s%s", (int)length, output->text + start,
                                       said ? " | " : "", said ? said : "");
            free(said);
            said = longer;
            count++;
        }
        end = start > 0 ? start - 1 : 0;
    }
    return TAKE_PTR(said);
}

/* Reads until the end of the output: 0, or -1 with the error. */
static int drain(const struct capture_options *options, int fd, uint64_t deadline_ns,
                 struct output *output, struct error **err) {
    const char *program = options->arguments[0];
    for (;;) {
        struct pollfd waits[2] = {{.fd = fd, .events = POLLIN},
                                  {.fd = options->cancel_fd, .events = POLLIN}};
        int ready = poll(waits, 2, deadline_poll_ms(monotonic_ns(), deadline_ns));
        if (ready < 0 && errno != EINTR)
            return error_set(err, ERROR_INTERNAL, errno, "cannot wait for %s", program);
        if (ready > 0 && waits[1].revents)
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
        if (ready == 0)
            return error_set(err, ERROR_TIMEOUT, 0, "%s did not end within %.0f s", program,
                             (double)options->timeout_ns / 1e9);
        if (ready < 0 || !waits[0].revents)
            continue;
        char dropped[4096];
        bool full = output->size == CAPTURE_MAX_BYTES;
        ssize_t count = read(fd, full ? dropped : output->text + output->size,
                             full ? sizeof(dropped) : CAPTURE_MAX_BYTES - output->size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        if (!full) {
            output->size += (size_t)count;
            report_lines(options, output);
        }
    }
}

static int judge_end(const struct process *process, const char *program, struct output *output,
                     struct error **err) {
    if (WIFEXITED(process->status) && WEXITSTATUS(process->status) == 0)
        return 0;
    cleanup_free char *end = process_describe_end(process);
    cleanup_free char *said = last_lines(output);
    return error_set(err, ERROR_INTERNAL, 0, "%s %s%s%s", program, end ? end : "failed",
                     said ? ": " : " without a word", said ? said : "");
}

int capture_run(const struct capture_options *options, char **ret_output, struct error **err) {
    const char *program = options->arguments[0];
    cleanup_free char *path = file_find_program(program);
    if (!path)
        return error_set(err, ERROR_UNAVAILABLE, 0, "the program %s is not installed", program);
    size_t count = 0;
    while (options->arguments[count])
        count++;
    cleanup_free const char **arguments = calloc(count + 1, sizeof(*arguments));
    cleanup_free char *text = malloc(CAPTURE_MAX_BYTES + 1);
    int pipes[2];
    if (!arguments || !text)
        return error_no_memory(err);
    memcpy(arguments, options->arguments, count * sizeof(*arguments));
    arguments[0] = path;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot start %s", program);
    cleanup_fd int read_fd = pipes[0];
    cleanup_fd int write_fd = pipes[1];
    struct process process = PROCESS_NONE;
    if (process_start(&(struct process_options){.arguments = arguments,
                                                .stdin_fd = -1,
                                                .stdout_fd = write_fd,
                                                .stderr_fd = write_fd,
                                                .cgroup_procs_fd = -1},
                      &process, NULL, NULL, err) < 0)
        return -1;
    close_fd(&write_fd);
    struct output output = {.text = text};
    uint64_t deadline_ns = deadline_after(monotonic_ns(), options->timeout_ns);
    int result = drain(options, read_fd, deadline_ns, &output, err);
    if (result < 0) {
        /* Programs such as make end their own children when they are asked to end. */
        kill(process.pid, SIGTERM);
        deadline_ns = deadline_after(monotonic_ns(), END_GRACE_NS);
    }
    process_end(&process, deadline_ns);
    text[output.size] = '\0';
    if (result == 0)
        result = judge_end(&process, program, &output, err);
    if (result == 0 && ret_output)
        *ret_output = TAKE_PTR(text);
    return result;
}
