// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "config.h"
#include "environments/cgroup.h"
#include "environments/environment.h"
#include "environments/vm/guest_kernel.h"
#include "environments/vm/kvm_probe.h"
#include "harness/cpu_lock.h"
#include "harness/data_folder.h"
#include "harness/machine.h"
#include "harness/progress.h"
#include "harness/readiness.h"

#include <string.h>

enum { KEY_JSON = 256, KEY_CLEAN };

struct doctor_options {
    bool json, clean;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct doctor_options *options = input->options;
    if (key == KEY_JSON || key == KEY_CLEAN) {
        *(key == KEY_JSON ? &options->json : &options->clean) = true;
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        error_set(input->err, ERROR_USAGE, 0, "doctor takes no argument: \"%s\"", argument);
        return EINVAL;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp doctor_argp = {
    .options =
        (const struct argp_option[]){
            {"json", KEY_JSON, NULL, 0, "everything as one JSON object", 0},
            {"clean", KEY_CLEAN, NULL, 0,
             "only remove what killed runs have left: control groups, containers, images, data", 0},
            {NULL, 0, NULL, 0, NULL, 0},
        },
    .parser = parse,
    .doc = "Says what this machine can run, how well, and what to do about the rest.",
};

/* A kernel of our own makes a virtual machine smaller and its start shorter. */
static void advise_lean_kernel(json_t *list) {
    cleanup_guest_kernel struct guest_kernel kernel = {0};
    const struct guest_progress silent = {.cancel_fd = -1};
    if (guest_kernel_find("lean", false, &silent, &kernel, NULL) < 0)
        json_array_append_new(
            list,
            json_pack("{s:s, s:s}", "what",
                      "a kernel made for it would start a virtual machine sooner; building it "
                      "takes minutes",
                      "command", "boxmark guest build --lean"));
}

/* What could be better about the machine, each with the command that would do it. */
static json_t *advice_json(const json_t *machine) {
    json_t *list = json_array();
    machine_advise(machine, list);
    advise_lean_kernel(list);
    return list;
}

/* What stands behind /dev/kvm, whatever it is good for: it explains what vm and microguest say. */
static json_t *kvm_json(void) {
    struct kvm_probe_result kvm;
    kvm_probe(NULL, &kvm);
    return json_pack("{s:s, s:s, s:b, s:s, s:s}", "state", kvm_state_name(kvm.state), "back_end",
                     kvm.back_end, "nested", kvm.nested, "reason", kvm.reason, "advice",
                     kvm.advice);
}

static void print_kvm(const json_t *kvm) {
    const char *back_end = json_string_value(json_object_get(kvm, "back_end"));
    printf("KVM %s; back end: %s; nested virtualization: %s\n",
           json_string_value(json_object_get(kvm, "state")), back_end[0] ? back_end : "none",
           json_is_true(json_object_get(kvm, "nested")) ? "yes" : "no");
}

static void print_text(const json_t *report, bool color) {
    static const char *const colors[] = {"\033[32m", "\033[33m", "\033[31m"};
    size_t index;
    json_t *entry;
    const json_t *machine = json_object_get(report, "machine");
    const char *cpu = json_string_value(json_object_get(machine, "cpu_model"));
    printf("%s, %lld CPUs, Linux %s%s\n", cpu ? cpu : "unknown CPU",
           (long long)json_integer_value(json_object_get(machine, "cpus_online")),
           json_string_value(json_object_get(machine, "kernel")),
           json_is_true(json_object_get(machine, "virtual_machine")) ? ", itself a virtual machine"
                                                                     : "");
    print_kvm(json_object_get(report, "kvm"));
    putchar('\n');
    json_array_foreach(json_object_get(report, "environments"), index, entry) {
        const char *readiness = json_string_value(json_object_get(entry, "readiness"));
        const char *advice = json_string_value(json_object_get(entry, "advice"));
        const char *accelerator = json_string_value(json_object_get(entry, "accelerator"));
        unsigned level = strcmp(readiness, "ready") == 0      ? READINESS_READY
                         : strcmp(readiness, "degraded") == 0 ? READINESS_DEGRADED
                                                              : READINESS_MISSING;
        const char *version = json_string_value(json_object_get(entry, "version"));
        printf("%-12s %s%-8s%s  %s%s%s%s%s\n", json_string_value(json_object_get(entry, "name")),
               color ? colors[level] : "", readiness, color ? "\033[0m" : "", version,
               version[0] ? "; " : "", strcmp(accelerator, "none") == 0 ? "" : accelerator,
               strcmp(accelerator, "none") == 0 ? "" : ": ",
               json_string_value(json_object_get(entry, "detail")));
        if (advice[0])
            printf("%-12s           %s\n", "", advice);
    }
    json_array_foreach(json_object_get(report, "improve"), index, entry)
        printf("\n%s\n    %s\n", json_string_value(json_object_get(entry, "what")),
               json_string_value(json_object_get(entry, "command")));
}

static int make_report(json_t **ret_report, struct error **err) {
    struct envelope envelope;
    cleanup_json json_t *machine = NULL;
    cleanup_json json_t *list = NULL;
    if (readiness_envelope(&envelope, err) < 0 || machine_facts(&envelope, &machine, err) < 0 ||
        readiness_list(&envelope, true, &list, err) < 0)
        return -1;
    *ret_report = json_pack("{s:O, s:o, s:O, s:o}", "machine", machine, "kvm", kvm_json(),
                            "environments", list, "improve", advice_json(machine));
    return *ret_report ? 0 : error_no_memory(err);
}

static void say_removed(void *cookie, const char *what) {
    unsigned *removed = cookie;
    (*removed)++;
    printf("removed: %s\n", what);
}

/* Where runs are by default; those with --data remove such a folder when they start. */
static unsigned clean_runs(void) {
    static const char parent[] = "boxmark-runs";
    unsigned removed = 0;
    cleanup_dir DIR *dir = opendir(parent);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        cleanup_free char *folder = text_format("%s/%s", parent, entry->d_name);
        if (folder && entry->d_name[0] != '.')
            removed += data_folder_remove_leftovers(folder);
    }
    return removed;
}

/* Names tell whose a thing was; what a living run uses is left alone. */
static int clean(struct error **err) {
    unsigned removed = 0;
    cleanup_cgroup_world struct cgroup_world *world = NULL;
    if (cgroup_world_find(&world, err) < 0)
        return -1;
    /* First: it ends processes that would hold the rest. */
    unsigned groups = cgroup_remove_leftovers(world);
    if (groups > 0)
        printf("removed: %u control group%s\n", groups, groups == 1 ? "" : "s");
    for (const struct environment_ops *const *at = environment_table; *at; at++)
        if ((*at)->remove_leftovers)
            (*at)->remove_leftovers(*at, say_removed, &removed);
    unsigned folders = clean_runs();
    if (folders > 0)
        printf("removed: %u data folder%s\n", folders, folders == 1 ? "" : "s");
    unsigned locks = cpu_locks_remove_leftovers();
    if (locks > 0)
        printf("removed: %u lock%s\n", locks, locks == 1 ? "" : "s");
    if (groups + removed + folders + locks == 0)
        puts("nothing was left");
    return EXIT_CODE_OK;
}

int command_doctor(int argc, char **argv, struct error **err) {
    struct doctor_options options = {false, false};
    cleanup_json json_t *report = NULL;
    if (command_parse(&doctor_argp, argc, argv, &options, err) < 0)
        return -1;
    if (options.clean)
        return clean(err);
    if (make_report(&report, err) < 0)
        return -1;
    if (options.json) {
        json_dumpf(report, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_text(report, terminal_color(STDOUT_FILENO));
    }
    return EXIT_CODE_OK;
}
