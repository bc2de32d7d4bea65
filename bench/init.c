// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/init.h"

#include "common/clock.h"
#include "common/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

/* Longest wait for a device that the kernel is still finding. The host has its own deadline. */
#define DEVICE_WAIT_NS (20 * NS_PER_S)

void init_announce(void) {
    (void)!write(STDERR_FILENO, INIT_STARTED, sizeof(INIT_STARTED) - 1);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    dprintf(STDERR_FILENO, INIT_CONSOLE_PREFIX "%s\n", text);
}

/* Process 1 must never return: the kernel would panic. */
__attribute__((noreturn)) static void end_guest(const struct init_options *options) {
    if (options->data_device)
        (void)umount2(options->data_folder, 0);
    tcdrain(STDERR_FILENO);
    (void)reboot(options->end == INIT_END_RESET ? RB_AUTOBOOT : RB_POWER_OFF);
    say("cannot end the guest: %s", strerror(errno));
    for (;;)
        pause();
}

static int mount_kernel_file_systems(struct error **err) {
    static const struct {
        const char *type, *folder;
        unsigned long flags;
    } mounts[] = {
        {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC},
        {"proc", "/proc", MS_NOSUID | MS_NOEXEC | MS_NODEV},
        {"sysfs", "/sys", MS_NOSUID | MS_NOEXEC | MS_NODEV},
    };
    for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
        (void)mkdir(mounts[i].folder, 0755);
        /* A kernel may have mounted /dev by itself. */
        if (mount(mounts[i].type, mounts[i].folder, mounts[i].type, mounts[i].flags, NULL) < 0 &&
            errno != EBUSY)
            return error_set(err, ERROR_UNAVAILABLE, errno, "cannot mount %s", mounts[i].folder);
    }
    return 0;
}

static void write_line(const char *folder, const char *file, const char *text) {
    cleanup_free char *path = text_format("%s/%s", folder, file);
    if (path)
        (void)file_write_text(path, text, NULL);
}

/*
 * With less than 512 MiB for its use (in a guest of 512 MiB, too), a kernel switches transparent
 * huge pages off with all that belongs to them, whatever its command line says. So what was asked
 * for is done here; the rest becomes what it is in a larger guest.
 */
static void set_huge_pages(void) {
    static const char folder[] = "/sys/kernel/mm/transparent_hugepage",
                      key[] = "transparent_hugepage=";
    char mode[16] = "", chosen[24];
    cleanup_free char *command_line = file_read_line("/proc/cmdline");
    const char *asked = command_line ? strstr(command_line, key) : NULL;
    if (!asked || sscanf(asked + strlen(key), "%15[a-z]", mode) != 1)
        return;
    cleanup_free char *path = text_format("%s/enabled", folder);
    cleanup_free char *modes = path ? file_read_line(path) : NULL;
    snprintf(chosen, sizeof(chosen), "[%s]", mode);
    /* A kernel without them has no such file. */
    if (!modes || strstr(modes, chosen))
        return;
    write_line(folder, "enabled", mode);
    write_line(folder, "defrag", "madvise");
    write_line(folder, "use_zero_page", "1");
    write_line(folder, "khugepaged/defrag", "1");
}

static int load_module(const char *name, struct error **err) {
    cleanup_free char *path = text_format("/modules/%s", name);
    cleanup_fd int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return error_set(err, ERROR_UNAVAILABLE, errno, "cannot open module %s", name);
    if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
        return error_set(err, ERROR_UNAVAILABLE, errno, "cannot load module %s", name);
    return 0;
}

/* The image's builder wrote the modules in the order of their dependencies, one name a line. */
static int load_modules(struct error **err) {
    cleanup_free char *order = NULL;
    if (!file_exists("/modules/order"))
        return 0;
    if (file_read("/modules/order", &order, NULL, err) < 0)
        return -1;
    char *rest = order;
    for (char *name; (name = strsep(&rest, "\n"));)
        if (*name && load_module(name, err) < 0)
            return -1;
    return 0;
}

static int mount_data(const struct init_options *options, uint64_t deadline_ns,
                      struct error **err) {
    if (!options->data_device)
        return 0;
    (void)mkdir(options->data_folder, 0755);
    while (mount(options->data_device, options->data_folder, "ext4", MS_NOSUID | MS_NODEV, NULL) <
           0) {
        if ((errno != ENOENT && errno != ENXIO) || monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_UNAVAILABLE, errno, "cannot mount %s on %s",
                             options->data_device, options->data_folder);
        usleep(500);
    }
    /* Workloads are promised an empty folder. */
    cleanup_free char *made_by_mke2fs = text_format("%s/lost+found", options->data_folder);
    if (made_by_mke2fs)
        (void)rmdir(made_by_mke2fs);
    return 0;
}

/* Waits for the agent and for whatever else ends up as our child; says how the agent ended. */
static void wait_for_agent(pid_t agent) {
    for (;;) {
        int status;
        pid_t ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno == EINTR)
            continue;
        if (ended < 0)
            return;
        if (ended != agent)
            continue;
        if (WIFSIGNALED(status))
            say("the agent was killed by signal %d (%s)", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
            say("the agent exited with status %d", WEXITSTATUS(status));
        return;
    }
}

static int set_up(const struct init_options *options, struct port *ret_port, struct error **err) {
    uint64_t deadline_ns = deadline_after(monotonic_ns(), DEVICE_WAIT_NS);
    if (mount_kernel_file_systems(err) < 0 || load_modules(err) < 0)
        return -1;
    set_huge_pages();
    *ret_port = (struct port){-1, -1};
    if (!options->shell && port_open(options->channel, deadline_ns, ret_port, err) < 0)
        return -1;
    return mount_data(options, deadline_ns, err);
}

static const char busybox[] = "/bin/busybox";

/* The names of busybox's programs, as links. */
static int install_programs(void) {
    pid_t pid = fork();
    if (pid == 0) {
        execl(busybox, "busybox", "--install", "-s", "/bin", NULL);
        _exit(127);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

/* The terminal as the controlling one of this session, for job control and Ctrl-C. */
static int take_terminal(const char *device) {
    cleanup_fd int fd = open(device, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
        return -1;
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (dup2(fd, i) < 0)
            return -1;
    return setenv("PATH", "/bin", 1) + setenv("HOME", "/", 1) + setenv("TERM", "linux", 1);
}

__attribute__((noreturn)) static void execute(const char *program, char *const arguments[]) {
    execv(program, arguments);
    say("cannot execute %s: %s", program, strerror(errno));
    _exit(127);
}

/* A container around the agent or the shell: made by a program of its own, which the image's
 * builder put there. */
__attribute__((noreturn)) static void execute_box(const struct init_options *options,
                                                  const struct port *port) {
    if (!options->shell &&
        (dup2(port->input_fd, STDIN_FILENO) < 0 || dup2(port->output_fd, STDOUT_FILENO) < 0))
        say("cannot pass the channel on: %s", strerror(errno));
    execute("/boxmark-box", (char *[]){(char *)"boxmark-box", (char *)options->box, (char *)"/init",
                                       (char *)options->data_folder,
                                       (char *)(options->shell ? "shell" : NULL), NULL});
}

__attribute__((noreturn)) static void execute_shell(const struct init_options *options) {
    if (install_programs() < 0 || take_terminal(options->shell) < 0) {
        say("cannot start a shell on %s: %s", options->shell, strerror(errno));
        _exit(127);
    }
    (void)!write(STDERR_FILENO, INIT_SHELL, sizeof(INIT_SHELL) - 1);
    if (options->box)
        execute_box(options, NULL);
    execute(busybox, (char *[]){(char *)"sh", (char *)"-i", NULL});
}

void init_start(const struct init_options *options, struct port *ret_port) {
    cleanup_error struct error *err = NULL;
    if (set_up(options, ret_port, &err) < 0) {
        say("%s", error_message(err));
        end_guest(options);
    }
    pid_t agent = fork();
    if (agent == 0) {
        /* Its own session: nothing typed at the console may signal it. */
        (void)setsid();
        if (options->shell)
            execute_shell(options);
        if (options->box)
            execute_box(options, ret_port);
        /* So that the kernel's messages do not say "init" when they mean the agent. */
        (void)prctl(PR_SET_NAME, "boxmark-agent");
        return;
    }
    if (agent < 0) {
        say("cannot start the agent: %s", strerror(errno));
    } else {
        if (ret_port->input_fd > STDERR_FILENO)
            close(ret_port->input_fd);
        wait_for_agent(agent);
    }
    end_guest(options);
}
