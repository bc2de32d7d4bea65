// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An OCI runtime by itself, on a bundle of our own (runtime-spec 1.0.2): runc, crun, gVisor's
 * runsc, or the path of any other.
 */
#include "environments/engines/engine.h"

#include "common/file.h"
#include "common/units.h"

#include <string.h>

static const struct spec_key keys[] = {
    {"runtime", NULL, "runc (default), crun, runsc, or the path of another"},
    {"platform", NULL, "runsc only: systrap, ptrace or kvm (its own choice)"},
    {NULL, NULL, NULL},
};

static const char *const version[] = {"--version", NULL};
static const char *const start[] = {"--root",   "{state}", "run", "--bundle",
                                    "{folder}", "{name}",  NULL};
/* It makes processes on the host that are to stay in our cgroup. */
static const char *const start_runsc[] = {
    "--root",           "{state}", "--network=none", "--platform={platform}",
    "--ignore-cgroups", "run",     "--bundle",       "{folder}",
    "{name}",           NULL};
static const char *const remove_one[] = {"--root", "{state}", "delete", "--force", "{name}", NULL};
static const char *const variables[] = {"PATH", "XDG_RUNTIME_DIR", NULL};

static json_t *strings(const char *const *words) {
    json_t *list = json_array();
    for (; *words; words++)
        json_array_append_new(list, json_string(*words));
    return list;
}

static json_t *process_json(void) {
    static const char *const arguments[] = {ENGINE_AGENT, "--data", ENGINE_DATA, NULL};
    return json_pack("{s:b, s:{s:i, s:i}, s:o, s:[s], s:s, s:{s:[], s:[], s:[], s:[], s:[]}, s:b,"
                     " s:[{s:s, s:i, s:i}]}",
                     "terminal", 0, "user", "uid", 0, "gid", 0, "args", strings(arguments), "env",
                     "LANG=C", "cwd", "/", "capabilities", "bounding", "effective", "inheritable",
                     "permitted", "ambient", "noNewPrivileges", 1, "rlimits", "type",
                     "RLIMIT_NOFILE", "hard", 4096, "soft", 4096);
}

static json_t *mounts_json(const char *data_path) {
    return json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s, s:[s,s,s,s]}, {s:s, s:s, s:s, s:[s,s,s,s]},"
                     " {s:s, s:s, s:s, s:[s,s]}]",
                     "destination", "/proc", "type", "proc", "source", "proc", "destination",
                     "/dev", "type", "tmpfs", "source", "tmpfs", "options", "nosuid", "strictatime",
                     "mode=755", "size=65536k", "destination", "/sys", "type", "sysfs", "source",
                     "sysfs", "options", "nosuid", "noexec", "nodev", "ro", "destination",
                     ENGINE_DATA, "type", "bind", "source", data_path, "options", "bind", "rw");
}

/* As `runc spec` hides and protects them. */
static json_t *linux_json(void) {
    static const char *const masked[] = {"/proc/acpi",
                                         "/proc/asound",
                                         "/proc/kcore",
                                         "/proc/keys",
                                         "/proc/latency_stats",
                                         "/proc/timer_list",
                                         "/proc/timer_stats",
                                         "/proc/sched_debug",
                                         "/proc/scsi",
                                         "/sys/firmware",
                                         NULL};
    static const char *const read_only[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};
    return json_pack("{s:[{s:s}, {s:s}, {s:s}, {s:s}, {s:s}], s:o, s:o}", "namespaces", "type",
                     "pid", "type", "network", "type", "ipc", "type", "uts", "type", "mount",
                     "maskedPaths", strings(masked), "readonlyPaths", strings(read_only));
}

/* No resources: the envelope's cgroup, around it, holds the limits. */
static int write_bundle(struct instance *instance, struct error **err) {
    const struct engine_world *world = instance->environment->state;
    const struct engine_instance *self = instance->state;
    cleanup_free char *path = text_format("%s/config.json", self->folder);
    json_t *bundle =
        json_pack("{s:s, s:o, s:{s:s, s:b}, s:s, s:o, s:o}", "ociVersion", "1.0.2", "process",
                  process_json(), "root", "path", world->root, "readonly", 1, "hostname", "boxmark",
                  "mounts", mounts_json(self->data_path), "linux", linux_json());
    cleanup_free char *text = bundle ? json_dumps(bundle, JSON_INDENT(1)) : NULL;
    json_decref(bundle);
    return path && text ? file_replace(path, text, strlen(text), err) : error_no_memory(err);
}

static const struct engine_runtime runtimes[] = {
    {"runc", {"runc", "runc", "runc"}, start},
    {"crun", {"crun", "crun", "crun"}, start},
    {"runsc", {"runsc", NULL, NULL}, start_runsc},
    {NULL, {NULL}, NULL},
};

static int check(const struct spec *spec, struct error **err) {
    static const char *const platforms[] = {"systrap", "ptrace", "kvm", NULL};
    const char *platform = spec_given(spec, "platform");
    const char *runtime = spec_given(spec, "runtime");
    if (!platform)
        return 0;
    if (!runtime)
        runtime = runtimes[0].name;
    const struct engine_runtime *known = engine_find_runtime(&engine_oci, runtime);
    if (!known || known->start != start_runsc) {
        error_set(err, ERROR_USAGE, 0, "\"platform\" is for runsc only, not for %s", runtime);
        return error_advise(err, "leave it out, or write oci:runtime=runsc,platform=%s", platform);
    }
    for (const char *const *at = platforms; *at; at++)
        if (strcmp(*at, platform) == 0)
            return 0;
    error_unknown_name("value", platform, platforms, err);
    return error_wrap(err, "\"platform\"");
}

const struct engine engine_oci = {
    .ops = ENGINE_OPERATIONS("oci", "an OCI runtime (runc, crun, runsc) on a bundle of ours", keys),
    .program = "runc",
    .packages = {"runc", "runc", "runc"},
    .root_only = true,
    .version = version,
    .start = start,
    .runtimes = runtimes,
    .check = check,
    .remove = remove_one,
    .environment = variables,
    .prepare = write_bundle,
};
