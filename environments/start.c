// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/start.h"

#include "common/file.h"

#include <poll.h>
#include <sys/ioctl.h>

int start_make_data_folder(struct instance *instance, struct error **err) {
    cleanup_free char *path =
        text_format("%s/instance.XXXXXX", instance->environment->setup->data_folder);
    if (!path)
        return error_no_memory(err);
    if (!mkdtemp(path))
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a folder in %s",
                         instance->environment->setup->data_folder);
    instance->data_path = TAKE_PTR(path);
    return 0;
}

/* The end of a stream makes it readable too. */
static bool has_bytes(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count > 0;
}

int start_wait_ready(struct instance *instance, int channel_fd, struct process *process,
                     struct error **err) {
    const struct environment_setup *setup = instance->environment->setup;
    /* What was done since the launch (talking to a helper) is part of the start. */
    uint64_t launch_ns = instance->stamps[STAMP_LAUNCH];
    uint64_t deadline_ns =
        deadline_after(launch_ns ? launch_ns : monotonic_ns(), setup->start_timeout_ns);
    for (;;) {
        struct pollfd waits[3] = {{.fd = channel_fd, .events = POLLIN},
                                  {.fd = setup->cancel_fd, .events = POLLIN},
                                  {.fd = process->pidfd, .events = POLLIN}};
        int ready = poll(waits, 3, deadline_poll_ms(monotonic_ns(), deadline_ns));
        uint64_t now_ns = clock_now_ns(setup->clock);
        if (ready < 0 && errno != EINTR)
            return error_set(err, ERROR_INTERNAL, errno, "cannot wait for the agent");
        if (ready < 0)
            continue;
        if (waits[1].revents)
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
        if (waits[0].revents & POLLIN && has_bytes(channel_fd)) {
            instance->stamps[STAMP_AGENT_READY] = now_ns;
            return 0;
        }
        if (waits[0].revents || waits[2].revents) {
            process_wait(process, deadline_after(monotonic_ns(), NS_PER_S));
            cleanup_free char *end = process_describe_end(process);
            return error_set(err, ERROR_CLOSED, 0, "it %s before its agent was ready",
                             end ? end : "ended");
        }
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "its agent was not ready within %.1f s",
                             (double)setup->start_timeout_ns / 1e9);
    }
}
