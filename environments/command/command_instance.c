// SPDX-License-Identifier: GPL-3.0-or-later
/* One instance: start, exec, the agent's first line behind whatever comes before it, stop. */
#include "environments/command/command.h"

#include "common/file.h"
#include "environments/start.h"

#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* How many of the last lines of its standard error a message shows. */
#define ERROR_LINES 4

/* What shells and ssh mean by it. */
enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127, STATUS_SSH_FAILED = 255 };

static int open_errors(struct instance *instance, int *fd, struct error **err) {
    struct command_instance *self = instance->state;
    cleanup_free char *folder = NULL;
    if (start_log_folder(instance->environment, &folder, err) < 0)
        return -1;
    cleanup_free char *path = folder ? text_format("%s/errors.log", folder) : NULL;
    return console_open(TAKE_FD(*fd), path, "\n", instance->environment->setup->clock,
                        &self->errors, err);
}

/* The program itself could not be executed: no shell stands between, so errno tells. */
static void advise_exec(const char *program, struct error **err) {
    if (!err || !*err)
        return;
    struct utsname machine;
    uname(&machine);
    if ((*err)->errnum == ENOEXEC)
        error_advise(err,
                     "%s is not a program for this machine (%s), nor a script that names its "
                     "interpreter",
                     program, machine.machine);
    if ((*err)->errnum == EACCES)
        error_advise(err, "is %s executable (chmod +x), and its file system not mounted noexec?",
                     program);
}

/* In the keeper, when the harness was killed: the machine that `start` has brought up. */
static void take_down(const void *cookie) {
    command_perform(cookie, COMMAND_STOP, -1, NULL);
}

static int launch(struct instance *instance, int agent_fd, int errors_fd, struct error **err) {
    struct environment *environment = instance->environment;
    const struct command *command = environment->state;
    struct command_instance *self = instance->state;
    cleanup_free char *path = file_find_program(self->words[0]);
    if (!path && !strchr(self->words[0], '/'))
        return error_set(err, ERROR_UNAVAILABLE, 0, "the program %s does not exist",
                         self->words[0]);
    if (path) {
        free(self->words[0]);
        self->words[0] = TAKE_PTR(path);
    }
    /* It is the user's own: it gets the user's variables (SSH_AUTH_SOCK, KUBECONFIG, ...). */
    const struct launch_program program = {
        .arguments = (const char *const *)self->words,
        .environment = (const char *const *)environ,
        .stdin_fd = agent_fd,
        .stdout_fd = agent_fd,
        .stderr_fd = errors_fd,
    };
    const struct launch_plan plan = {
        .name = "the command",
        .child = launch_program_child,
        .cookie = &program,
    };
    if (enclosure_prepare(&self->enclosure, environment->setup, command->world, &command->limits,
                          &plan, err) < 0)
        return -1;
    if (command->words[COMMAND_STOP] &&
        keeper_start(&self->keeper, take_down, environment, err) < 0)
        return error_wrap(err, "cannot watch over %s", environment->label);
    self->launched = true;
    if (command->words[COMMAND_START]) {
        instance_stamp(instance, STAMP_LAUNCH);
        if (command_perform(environment, COMMAND_START, environment->setup->cancel_fd, err) < 0)
            return -1;
    }
    uint64_t launch_ns = instance->stamps[STAMP_LAUNCH];
    if (enclosure_launch(&self->enclosure, instance, &self->process, err) < 0) {
        advise_exec(self->words[0], err);
        return -1;
    }
    /* What was executed is the command. Of the agent nothing is known before its first line. */
    instance->stamps[STAMP_HELPER_ALIVE] = instance->stamps[STAMP_USER_INSTRUCTION];
    instance->stamps[STAMP_USER_INSTRUCTION] = 0;
    if (launch_ns)
        instance->stamps[STAMP_LAUNCH] = launch_ns;
    enclosure_settled(&self->enclosure);
    return 0;
}

/* The agent that we know, where it runs in the command's session on this machine: then the envelope
 * holds it, too. */
static pid_t find_agent(const struct instance *instance) {
    struct stat known, found;
    if (stat(instance->environment->setup->agent_path, &known) < 0)
        return 0;
    cleanup_dir DIR *dir = opendir("/proc");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[64];
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
        if (pid > 0 && getsid(pid) == instance->pid && stat(path, &found) == 0 &&
            found.st_dev == known.st_dev && found.st_ino == known.st_ino)
            return pid;
    }
    return 0;
}

static int bring_up(struct instance *instance, struct error **err) {
    struct environment *environment = instance->environment;
    const struct command *command = environment->state;
    struct command_instance *self = instance->state;
    int sockets[2], errors[2];
    if (words_hold(command->words[COMMAND_EXEC], "data") &&
        start_make_data_folder(instance, err) < 0)
        return -1;
    if (command_fill(environment, COMMAND_EXEC, instance->data_path, &self->words, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int agent_fd = sockets[1];
    if (channel_open_fds(sockets[0], sockets[0], environment->setup->cancel_fd, &instance->channel,
                         err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, errors) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a channel");
    cleanup_fd int our_errors_fd = errors[0];
    cleanup_fd int errors_fd = errors[1];
    if (open_errors(instance, &our_errors_fd, err) < 0)
        return -1;
    if (launch(instance, agent_fd, errors_fd, err) < 0)
        return -1;
    close_fd(&agent_fd);
    close_fd(&errors_fd);
    if (start_wait_hello(instance, &self->process, &self->noise, err) < 0)
        return -1;
    self->agent_pid = find_agent(instance);
    return 0;
}

/* What the way that the command ended usually means; NULL where it means nothing. */
static const char *explain(const struct process *process, const char *words) {
    int status = process->reaped && WIFEXITED(process->status) ? WEXITSTATUS(process->status) : 0;
    if (words && (strstr(words, "xec format error") || strstr(words, "annot execute binary file")))
        return "the agent is a program for another processor architecture than the other side's";
    if (status == STATUS_NOT_EXECUTABLE && words && strstr(words, "ermission denied"))
        return "on the other side the agent may not be executed: no x permission, or a file system "
               "mounted noexec";
    if (status == STATUS_NOT_EXECUTABLE)
        return "the program was found there, but cannot be executed";
    if (status == STATUS_NOT_FOUND)
        return "there is no such program on the other side";
    if (status == STATUS_SSH_FAILED)
        return "the connection failed";
    return NULL;
}

char *command_diagnose(struct instance *instance) {
    struct command_instance *self = instance->state;
    if (self->process.pid <= 0)
        return NULL;
    bool ended = process_wait(&self->process, deadline_after(monotonic_ns(), 300 * NS_PER_MS));
    if (ended)
        console_drain(self->errors, 300 * NS_PER_MS);
    cleanup_free char *end = process_describe_end(&self->process);
    cleanup_free char *words = console_last_lines(self->errors, ERROR_LINES);
    const char *meaning = explain(&self->process, words ? words : self->noise);
    return text_format(
        "the command %s%s%s%s%s%s%s", end ? end : "ended", meaning ? ": " : "",
        meaning ? meaning : "", words ? "; its last words: " : "", words ? words : "",
        self->noise ? "; before an agent spoke it printed: " : "", self->noise ? self->noise : "");
}

int command_start(struct environment *environment, struct instance **ret_instance,
                  struct error **err) {
    if (command_open(environment, err) < 0)
        return -1;
    struct instance *instance = instance_new(environment);
    struct command_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        return error_no_memory(err);
    }
    self->process = PROCESS_NONE;
    self->keeper = KEEPER_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
    instance->state = self;
    cleanup_error struct error *failure = NULL;
    if (bring_up(instance, &failure) == 0) {
        *ret_instance = instance;
        return 0;
    }
    cleanup_free char *diagnosis =
        failure->kind == ERROR_INTERRUPTED ? NULL : command_diagnose(instance);
    char *message = diagnosis ? text_format("%s: %s", failure->message, diagnosis) : NULL;
    if (message) {
        free(failure->message);
        failure->message = message;
    }
    /* It has had its time: no further grace. */
    if (self->process.pid > 0)
        process_kill_session(self->process.pid, NULL);
    command_stop(instance, NULL);
    instance_free(instance);
    return error_move(err, TAKE_PTR(failure));
}

int command_footprint(struct instance *instance, struct footprint *ret_footprint,
                      struct error **err) {
    const struct command_instance *self = instance->state;
    struct stat status;
    (void)err;
    *ret_footprint = (struct footprint){.image_bytes = FOOTPRINT_UNKNOWN,
                                        .resident_bytes = FOOTPRINT_UNKNOWN,
                                        .cpu_ns = FOOTPRINT_UNKNOWN,
                                        .throttled_ns = FOOTPRINT_UNKNOWN};
    if (stat(instance->environment->setup->agent_path, &status) == 0)
        ret_footprint->image_bytes = (uint64_t)status.st_size;
    if (self->agent_pid)
        enclosure_footprint(&self->enclosure, self->agent_pid, ret_footprint);
    else
        ret_footprint->guest_bytes = FOOTPRINT_UNKNOWN;
    return 0;
}

int command_facts(struct instance *instance, json_t *facts, struct error **err) {
    const struct command_instance *self = instance->state;
    const struct command *command = instance->environment->state;
    (void)err;
    json_t *words = json_array();
    for (char **word = self->words; word && *word; word++)
        json_array_append_new(words, json_string(*word));
    json_object_set_new(facts, "command", words);
    for (unsigned i = 0; i < COMMANDS; i++) {
        cleanup_free char *line =
            i != COMMAND_EXEC && command->words[i] ? words_join(command->words[i]) : NULL;
        if (line)
            json_object_set_new(facts, command_names[i], json_string(line));
    }
    if (self->noise)
        json_object_set_new(facts, "noise", json_string(self->noise));
    json_object_set_new(facts, "out_of_reach", json_boolean(self->agent_pid == 0));
    if (self->agent_pid)
        enclosure_facts(&self->enclosure, self->agent_pid, facts);
    return 0;
}

int command_stop(struct instance *instance, struct error **err) {
    struct environment *environment = instance->environment;
    struct command_instance *self = instance->state;
    cleanup_error struct error *first = NULL;
    instance_stamp(instance, STAMP_STOP_REQUESTED);
    instance->channel = channel_close(instance->channel);
    bool graceful = process_wait(
        &self->process, deadline_after(monotonic_ns(), environment->setup->stop_timeout_ns));
    if (self->process.pid > 0)
        process_kill_session(self->process.pid, NULL);
    bool ended = process_end(&self->process, 0);
    if (!graceful)
        error_set(&first, ERROR_INTERNAL, 0, "the command did not end by itself%s",
                  ended ? ", and was killed" : "; process cannot be ended");
    /* The user's Ctrl-C must not leave a machine up; the time is bounded. */
    if (self->launched)
        command_perform(environment, COMMAND_STOP, -1, first ? NULL : &first);
    instance_stamp(instance, STAMP_REAPED);
    enclosure_end(&self->enclosure, first ? NULL : &first);
    self->errors = console_close(self->errors);
    if (instance->data_path)
        file_remove_tree(instance->data_path, first ? NULL : &first);
    instance_stamp(instance, STAMP_CLEANED);
    keeper_dismiss(&self->keeper);
    words_free(self->words);
    free(self->noise);
    free(self);
    instance->state = NULL;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}
