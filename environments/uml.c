// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * User-mode Linux: a guest kernel that is an ordinary program of the host. It needs neither KVM
 * nor privileges; its processes are processes of the host whose system calls it catches. One CPU
 * only. The same agent as /init, the same initramfs builder, a serial line as channel, and the
 * host's page cache under its disk (it has no way past it).
 */
#include "common/file.h"
#include "environments/enclosure.h"
#include "environments/environment.h"
#include "environments/start.h"
#include "environments/terminal.h"
#include "environments/vm/console.h"
#include "environments/vm/guest_image.h"
#include "environments/vm/guest_shell.h"
#include "environments/vm/vm_disk.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define FIRST_WORDS "boxmark-init: started"
#define CONSOLE_LINES 6

/* The guest's memory is a file without a name, which nothing else in it is. */
#define GUEST_MEMORY " (deleted)"

/* environment->state */
struct uml {
    char *program; /* NULL: not installed */
    struct guest_image image;
    bool provisioned;
    bool shell; /* a shell on the console instead of the agent */
    struct cgroup_world *world;
    struct cgroup_limits limits;
    const char *cold_files[3];
};

enum { ARGUMENTS_MAX = 32 };

/* instance->state */
struct uml_instance {
    struct enclosure enclosure;
    struct process process;
    struct console *console;
    char *arguments[ARGUMENTS_MAX + 1];
};

static void uml_release(struct environment *environment) {
    struct uml *self = environment->state;
    if (!self)
        return;
    guest_image_clear(&self->image);
    cgroup_world_free(self->world);
    free(self->program);
    free(self);
    environment->state = NULL;
}

static int make_state(struct environment *environment, struct error **err) {
    if (environment->state)
        return 0;
    struct uml *self = environment->state = calloc(1, sizeof(*self));
    if (!self)
        return error_no_memory(err);
    cgroup_limits_of(&environment->setup->envelope, &self->limits);
    /* The guest's memory is limited by its size. */
    self->limits.memory_bytes = 0;
    self->program = file_find_program("linux.uml");
    if (cgroup_world_find(&self->world, err) < 0)
        return -1;
    cgroup_remove_leftovers(self->world);
    return 0;
}

static int uml_probe(struct environment *environment, struct probe_result *ret_result,
                     struct error **err) {
    struct probe_result result = {.readiness = READINESS_READY};
    if (make_state(environment, err) < 0)
        return -1;
    const struct uml *self = environment->state;
    if (!self->program) {
        result.readiness = READINESS_MISSING;
        snprintf(result.detail, sizeof(result.detail), "user-mode Linux is not installed");
        snprintf(result.advice, sizeof(result.advice),
                 "install it (Debian: apt-get install user-mode-linux)");
    } else if (environment->setup->envelope.cpu_count > 1) {
        result.readiness = READINESS_DEGRADED;
        snprintf(result.detail, sizeof(result.detail),
                 "user-mode Linux, which has one CPU where the others have %u",
                 environment->setup->envelope.cpu_count);
        snprintf(result.advice, sizeof(result.advice), "compare it with --cpus 1");
    } else {
        snprintf(result.detail, sizeof(result.detail), "user-mode Linux");
    }
    *ret_result = result;
    return 0;
}

/* Its command line is split at blanks, and a disk's file name at commas and colons. */
static int check_data_folder(const char *folder, struct error **err) {
    for (const char *at = folder; *at; at++)
        if (isspace((unsigned char)*at) || *at == ',' || *at == ':') {
            error_set(err, ERROR_UNAVAILABLE, 0,
                      "user-mode Linux cannot use the data folder \"%s\" because of its name",
                      folder);
            return error_advise(err, "choose one without blanks, commas and colons");
        }
    return 0;
}

static int uml_provision(struct environment *environment, struct error **err) {
    const struct environment_setup *setup = environment->setup;
    static const struct guest_modules no_modules;
    if (make_state(environment, err) < 0)
        return -1;
    struct uml *self = environment->state;
    if (!self->program) {
        error_set(err, ERROR_UNAVAILABLE, 0, "user-mode Linux is not installed");
        return error_advise(err, "install it (Debian: apt-get install user-mode-linux)");
    }
    if (check_data_folder(setup->data_folder, err) < 0 ||
        vm_disk_check(setup->data_folder, vm_disk_bytes(setup->data_bytes), false, false, err) < 0)
        return -1;
    guest_image_clear(&self->image);
    if (guest_initramfs_build(setup->agent_path, &no_modules, NULL, &self->image, err) < 0)
        return -1;
    char kernel_sha256[65];
    if (file_sha256(self->program, kernel_sha256, err) < 0)
        return -1;
    self->provisioned = true;
    snprintf(environment->image, sizeof(environment->image), "kernel %s initramfs %s",
             kernel_sha256, self->image.initramfs_sha256);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void add(char **arguments, const char *format, ...) {
    unsigned count = 0;
    while (arguments[count])
        count++;
    va_list values;
    va_start(values, format);
    if (count < ARGUMENTS_MAX && vasprintf(&arguments[count], format, values) < 0)
        arguments[count] = NULL;
    va_end(values);
}

/*
 * The console goes to standard output, where the kernel's own first words go too ("quiet" would
 * suppress them): the first byte is the stamp "kernel entered". console= and root= keep it from
 * adding its own behind the agent's arguments.
 */
static void make_arguments(const struct environment *environment, const char *folder,
                           int channel_fd, char **arguments) {
    const struct uml *self = environment->state;
    add(arguments, "%s", self->program ? self->program : "linux.uml");
    add(arguments, "mem=%" PRIu64 "M", environment->setup->envelope.memory_bytes >> 20);
    add(arguments, "umid=guest");
    add(arguments, "uml_dir=%s", folder);
    add(arguments, "initrd=%s",
        self->image.initramfs_path ? self->image.initramfs_path : "INITRAMFS");
    add(arguments, "ubd0=%s/disk.raw", folder);
    add(arguments, self->shell ? "con0=fd:0,fd:1" : "con0=null,fd:1");
    add(arguments, "con=null");
    add(arguments, "ssl0=fd:%d,fd:%d", channel_fd, channel_fd);
    add(arguments, "ssl=null");
    add(arguments, "console=tty0");
    add(arguments, "root=/dev/ram0");
    add(arguments, "loglevel=4");
    add(arguments, "panic=-1");
    add(arguments, "--");
    add(arguments, "--init");
    add(arguments, "--end");
    add(arguments, "poweroff");
    add(arguments, "--channel");
    add(arguments, "tty:/dev/ttyS0");
    add(arguments, "--data-device");
    add(arguments, "/dev/ubda");
    add(arguments, "--data");
    add(arguments, "/data");
    if (self->shell) {
        add(arguments, "--shell");
        add(arguments, "/dev/tty0");
    }
}

static void free_arguments(char **arguments) {
    for (unsigned i = 0; arguments[i]; i++)
        free(arguments[i]);
}

static int uml_describe(struct environment *environment, FILE *to, struct error **err) {
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    if (make_state(environment, err) < 0)
        return -1;
    const struct uml *self = environment->state;
    const struct environment_setup *setup = environment->setup;
    cleanup_free char *folder =
        text_format("%s/instance.XXXXXX", setup->data_folder ? setup->data_folder : "DATA");
    if (!folder)
        return error_no_memory(err);
    enclosure_describe(setup, self->world, &self->limits, to);
    fprintf(to, "The guest's disk is made: %s/disk.raw\n", folder);
    make_arguments(environment, folder, 3, arguments);
    for (unsigned i = 0; arguments[i]; i++)
        fprintf(to, "%s%s", i > 0 ? " \\\n    " : "", arguments[i]);
    fputc('\n', to);
    free_arguments(arguments);
    return 0;
}

static int open_console(struct instance *instance, int *fd, struct error **err) {
    struct uml_instance *self = instance->state;
    const struct environment_setup *setup = instance->environment->setup;
    cleanup_free char *folder = NULL;
    if (start_log_folder(instance->environment, &folder, err) < 0)
        return -1;
    cleanup_free char *path = folder ? text_format("%s/console.log", folder) : NULL;
    return console_open(TAKE_FD(*fd), path, FIRST_WORDS, setup->clock, &self->console, err);
}

static int launch(struct instance *instance, int channel_fd, int console_fd, struct error **err) {
    struct environment *environment = instance->environment;
    const struct uml *uml = environment->state;
    struct uml_instance *self = instance->state;
    make_arguments(environment, instance->data_path, channel_fd, self->arguments);
    const int keep[] = {channel_fd, -1};
    /* It looks for a place for its memory in $TMPDIR; its own helpers are in $PATH. */
    static const char *const variables[] = {"LANG=C", "PATH=/usr/bin:/bin", NULL};
    const struct launch_program program = {
        .arguments = (const char *const *)self->arguments,
        .environment = variables,
        .stdin_fd = uml->shell ? console_fd : -1,
        .stdout_fd = console_fd,
        .stderr_fd = console_fd,
        .keep_fds = keep,
    };
    const struct launch_plan plan = {
        .name = "user-mode Linux",
        .child = launch_program_child,
        .cookie = &program,
    };
    if (enclosure_prepare(&self->enclosure, environment->setup, uml->world, &uml->limits, &plan,
                          err) < 0 ||
        enclosure_launch(&self->enclosure, instance, &self->process, err) < 0)
        return -1;
    instance->stamps[STAMP_HELPER_ALIVE] = instance->stamps[STAMP_USER_INSTRUCTION];
    instance->stamps[STAMP_USER_INSTRUCTION] = 0;
    enclosure_settled(&self->enclosure);
    return 0;
}

static int start_guest(struct instance *instance, struct error **err) {
    const struct uml *uml = instance->environment->state;
    const struct environment_setup *setup = instance->environment->setup;
    struct uml_instance *self = instance->state;
    cleanup_free char *disk = text_format("%s/disk.raw", instance->data_path);
    int channel[2], console[2];
    if (!disk)
        return error_no_memory(err);
    if (vm_disk_make(disk, vm_disk_bytes(setup->data_bytes), false, setup->cancel_fd, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int guest_channel_fd = channel[1];
    if (channel_open_fds(channel[0], channel[0], setup->cancel_fd, &instance->channel, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int our_console_fd = console[0];
    cleanup_fd int guest_console_fd = console[1];
    if ((!uml->shell && open_console(instance, &our_console_fd, err) < 0) ||
        launch(instance, guest_channel_fd, guest_console_fd, err) < 0)
        return -1;
    close_fd(&guest_channel_fd);
    close_fd(&guest_console_fd);
    if (uml->shell)
        return terminal_relay(our_console_fd, GUEST_SHELL_MARKER, &self->process, err);
    if (start_wait_ready(instance, channel[0], &self->process, err) < 0)
        return -1;
    console_stamps(self->console, &instance->stamps[STAMP_KERNEL_ENTERED],
                   &instance->stamps[STAMP_USER_INSTRUCTION]);
    return 0;
}

static char *uml_diagnose(struct instance *instance) {
    struct uml_instance *self = instance->state;
    if (self->process.pid <= 0)
        return NULL;
    bool ended = process_wait(&self->process, deadline_after(monotonic_ns(), 300 * NS_PER_MS));
    if (ended && self->console)
        console_drain(self->console, NS_PER_S);
    cleanup_free char *end = process_describe_end(&self->process);
    cleanup_free char *lines =
        self->console ? console_last_lines(self->console, CONSOLE_LINES) : NULL;
    return text_format("user-mode Linux %s%s%s", end ? end : "ended",
                       lines ? "; the console's last lines: " : "", lines ? lines : "");
}

static int uml_stop(struct instance *instance, struct error **err) {
    const struct uml *uml = instance->environment->state;
    struct uml_instance *self = instance->state;
    const struct environment_setup *setup = instance->environment->setup;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    process_wait(&self->process, deadline_after(monotonic_ns(), setup->stop_timeout_ns));
    /* Its guest's processes are in its session and survive when it is killed. A cgroup would end
     * them too, where there is one. The session's number may be another one's by now: hence the
     * program. */
    if (self->process.pid > 0)
        process_kill_session(self->process.pid, uml->program);
    bool ended = process_end(&self->process, 0);
    instance_stamp(instance, STAMP_REAPED);
    if (ended && self->console)
        console_drain(self->console, NS_PER_S);
    self->console = console_close(self->console);
    cleanup_error struct error *left = NULL;
    int removed = enclosure_end(&self->enclosure, &left);
    int result = instance->data_path ? file_remove_tree(instance->data_path, err) : 0;
    instance_stamp(instance, STAMP_CLEANED);
    if (removed < 0 && result == 0)
        result = error_move(err, TAKE_PTR(left));
    if (!ended && result == 0)
        result = error_set(err, ERROR_INTERNAL, 0, "user-mode Linux (process %d) does not end",
                           (int)instance->pid);
    free_arguments(self->arguments);
    free(self);
    instance->state = NULL;
    return result;
}

static struct instance *new_instance(struct environment *environment, struct error **err) {
    struct instance *instance = instance_new(environment);
    struct uml_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        error_no_memory(err);
        return NULL;
    }
    self->process = PROCESS_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
    instance->state = self;
    return instance;
}

/* The same guest; its console is the user's terminal, nothing is measured. */
static int uml_shell(struct environment *environment, int *ret_status, struct error **err) {
    static const struct guest_modules no_modules;
    struct uml *uml = environment->state;
    cleanup_free char *path = NULL;
    struct guest_extra extras[2] = {{.name = NULL}, {.name = NULL}};
    guest_image_clear(&uml->image);
    if (guest_shell_find(&path, &extras[0], err) < 0 ||
        guest_initramfs_build(environment->setup->agent_path, &no_modules, extras, &uml->image,
                              err) < 0)
        return -1;
    uml->shell = true;
    struct instance *instance = new_instance(environment, err);
    if (!instance)
        return -1;
    cleanup_error struct error *first = NULL;
    if (start_make_data_folder(instance, &first) == 0)
        start_guest(instance, &first);
    uml_stop(instance, first ? NULL : &first);
    instance_free(instance);
    *ret_status = 0;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}

static int uml_start(struct environment *environment, struct instance **ret_instance,
                     struct error **err) {
    const struct uml *uml = environment->state;
    if (!uml || !uml->provisioned)
        return error_set(err, ERROR_INTERNAL, 0, "the guest has not been provisioned");
    struct instance *instance = new_instance(environment, err);
    if (!instance)
        return -1;
    struct uml_instance *self = instance->state;
    cleanup_error struct error *failure = NULL;
    if (start_make_data_folder(instance, &failure) == 0 && start_guest(instance, &failure) == 0) {
        *ret_instance = instance;
        return 0;
    }
    cleanup_free char *diagnosis = uml_diagnose(instance);
    if (diagnosis && failure->kind != ERROR_INTERRUPTED) {
        char *message = text_format("%s: %s", failure->message, diagnosis);
        if (message) {
            free(failure->message);
            failure->message = message;
        }
    }
    /* It has had its time: no further grace. */
    if (self->process.pid > 0)
        process_kill_session(self->process.pid, uml->program);
    uml_stop(instance, NULL);
    instance_free(instance);
    return error_move(err, TAKE_PTR(failure));
}

static uint64_t file_bytes(const char *path, bool allocated) {
    struct stat status;
    if (!path || stat(path, &status) < 0)
        return 0;
    return allocated ? (uint64_t)status.st_blocks * 512 : (uint64_t)status.st_size;
}

static void add_bytes(uint64_t *sum, uint64_t bytes) {
    if (bytes != FOOTPRINT_UNKNOWN && *sum != FOOTPRINT_UNKNOWN)
        *sum += bytes;
}

/* Everything in its session: the kernel and the processes that run the guest's programs. */
static void measure_session(pid_t session, struct footprint *footprint, bool cpu) {
    cleanup_dir DIR *dir = opendir("/proc");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == session || getsid(pid) != session)
            continue;
        add_bytes(&footprint->resident_bytes, process_pss_bytes(pid));
        add_bytes(&footprint->guest_bytes, process_mappings_bytes(pid, 0, GUEST_MEMORY));
        if (cpu)
            footprint->cpu_ns += process_cpu_ns(pid);
    }
}

static int uml_footprint(struct instance *instance, struct footprint *ret_footprint,
                         struct error **err) {
    const struct uml *uml = instance->environment->state;
    const struct uml_instance *self = instance->state;
    cleanup_free char *disk = text_format("%s/disk.raw", instance->data_path);
    (void)err;
    *ret_footprint =
        (struct footprint){.image_bytes = file_bytes(uml->program, false) +
                                          uml->image.initramfs_bytes + file_bytes(disk, true)};
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    struct cgroup_usage usage;
    cgroup_read_usage(self->enclosure.cgroup, &usage);
    ret_footprint->guest_bytes = process_mappings_bytes(instance->pid, 0, GUEST_MEMORY);
    measure_session(instance->pid, ret_footprint, usage.cpu_ns == CGROUP_UNKNOWN);
    return 0;
}

static int uml_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct uml *uml = instance->environment->state;
    const struct uml_instance *self = instance->state;
    (void)err;
    enclosure_facts(&self->enclosure, instance->pid, facts);
    json_t *command = json_array();
    for (unsigned i = 0; self->arguments[i]; i++)
        json_array_append_new(command, json_string(self->arguments[i]));
    json_object_set_new(facts, "command", command);
    json_object_set_new(facts, "initramfs_sha256", json_string(uml->image.initramfs_sha256));
    /* Its block device turns a flush into fdatasync on the host, over the host's page cache. */
    json_object_set_new(
        facts, "disk",
        json_pack("{s:s, s:b, s:s}", "cache", "writeback", "flush", 1, "format", "raw"));
    return 0;
}

static const char *const *uml_cold_files(struct environment *environment) {
    static const char *const none[] = {NULL};
    struct uml *self = environment->state;
    if (!self || !self->provisioned)
        return none;
    self->cold_files[0] = self->program;
    self->cold_files[1] = self->image.initramfs_path;
    self->cold_files[2] = NULL;
    return self->cold_files;
}

const struct environment_ops environment_uml = {
    .name = "uml",
    .summary = "user-mode Linux: a guest kernel that is an ordinary program, one CPU",
    .probe = uml_probe,
    .provision = uml_provision,
    .describe = uml_describe,
    .start = uml_start,
    .footprint = uml_footprint,
    .facts = uml_facts,
    .diagnose = uml_diagnose,
    .stop = uml_stop,
    .release = uml_release,
    .shell = uml_shell,
    .shell_note = GUEST_SHELL_NOTE,
    .cold_files = uml_cold_files,
};
