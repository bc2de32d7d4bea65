// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest_lean.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/units.h"
#include "environments/capture.h"
#include "environments/vm/kernel_file.h"

#include <sched.h>
#include <sodium.h>
#include <string.h>
#include <sys/statvfs.h>

#define QUESTION_TIMEOUT_NS (60 * NS_PER_S)
#define STEP_TIMEOUT_NS (3600 * NS_PER_S)

/* Source, objects and the package side by side. */
#define ROOM_BYTES (UINT64_C(3) << 30)

/* One line of progress for so many files compiled, of some 1,600. */
#define FILES_PER_LINE 200

struct build {
    const struct guest_progress *progress;
    char *cache, *scratch; /* the cache folder, and one in it that is removed at the end */
    char *tree;            /* the unpacked source */
    unsigned files;        /* compiled so far */
};

static int run(struct build *build, const char *const *arguments,
               void (*line)(void *, const char *), struct error **err) {
    return capture_run(
        &(struct capture_options){.arguments = arguments,
                                  .timeout_ns = STEP_TIMEOUT_NS,
                                  .cancel_fd = build->progress ? build->progress->cancel_fd : -1,
                                  .line = line,
                                  .cookie = build},
        NULL, err);
}

static int check_tools(struct error **err) {
    static const char *const programs[] = {"make", "gcc",   "ld",  "flex", "bison",
                                           "bc",   "strip", "tar", "xz",   NULL};
    char missing[256] = "";
    for (const char *const *program = programs; *program; program++) {
        cleanup_free char *found = file_find_program(*program);
        size_t length = strlen(missing);
        if (!found)
            snprintf(missing + length, sizeof(missing) - length, " %s", *program);
    }
    /* The kernel's own objtool reads object files with it. */
    if (!file_exists("/usr/include/gelf.h")) {
        size_t length = strlen(missing);
        snprintf(missing + length, sizeof(missing) - length, " gelf.h");
    }
    if (!*missing)
        return 0;
    error_set(err, ERROR_UNAVAILABLE, 0, "building a kernel needs what is missing here:%s",
              missing);
    return error_advise(err, "install them (Debian, Ubuntu: apt-get install make gcc binutils flex "
                             "bison bc libelf-dev xz-utils; Fedora: dnf install make gcc binutils "
                             "flex bison bc elfutils-libelf-devel xz)");
}

static int check_room(const char *cache, struct error **err) {
    struct statvfs status;
    if (statvfs(cache, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot look at %s", cache);
    uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    char need[32], have[32];
    if (free_bytes < ROOM_BYTES)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "building a kernel needs %s in %s, which has %s",
                         format_size(ROOM_BYTES, need), cache, format_size(free_bytes, have));
    return 0;
}

/* What was built is known by what it was built from. */
static int write_key(const char *source, const char *version, char key[65], struct error **err) {
    crypto_hash_sha256_state state;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char source_hash[65] = "";
    if (source && file_sha256(source, source_hash, err) < 0)
        return -1;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)guest_lean_config,
                              strlen(guest_lean_config));
    crypto_hash_sha256_update(&state, (const unsigned char *)version, strlen(version));
    crypto_hash_sha256_update(&state, (const unsigned char *)source_hash, strlen(source_hash));
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(key, 65, hash, sizeof(hash));
    return 0;
}

static bool is_built(const struct build *build, const char *key) {
    cleanup_free char *path = text_format("%s/lean/key", build->cache);
    cleanup_free char *kernel = text_format("%s/lean/vmlinux", build->cache);
    cleanup_free char *found = path ? file_read_line(path) : NULL;
    return found && kernel && file_exists(kernel) && strcmp(found, key) == 0;
}

static int unpack_source(struct build *build, const char *archive, struct error **err) {
    build->tree = text_format("%s/source", build->scratch);
    if (!build->tree)
        return error_no_memory(err);
    if (file_make_folders(build->tree, 0700, err) < 0)
        return -1;
    guest_say(build->progress, "unpacking the kernel's source");
    const char *const arguments[] = {
        "tar", "--extract", "--file", archive, "--directory", build->tree, "--strip-components=1",
        NULL};
    return run(build, arguments, NULL, err);
}

static void count_files(void *cookie, const char *line) {
    struct build *build = cookie;
    if (strncmp(line, "  CC ", 5) == 0 && ++build->files % FILES_PER_LINE == 0)
        guest_say(build->progress, "building the lean guest kernel: %u files compiled",
                  build->files);
}

int guest_lean_check_config(const char *fragment, const char *config, struct error **err) {
    const char *mark = strstr(fragment, "\n# ---- where the kernel has them");
    for (const char *line = fragment; line && *line && (!mark || line < mark);) {
        size_t length = strcspn(line, "\n");
        if (*line == 'C') {
            cleanup_free char *wanted = text_format("\n%.*s\n", (int)length, line);
            if (!wanted)
                return error_no_memory(err);
            if (!strstr(config, wanted))
                return error_set(err, ERROR_UNAVAILABLE, 0,
                                 "this kernel's source does not allow %.*s", (int)length, line);
        }
        line += length + (line[length] == '\n');
    }
    return 0;
}

static int configure(struct build *build, struct error **err) {
    cleanup_free char *fragment = text_format("%s/lean.config", build->scratch);
    cleanup_free char *preset = text_format("KCONFIG_ALLCONFIG=%s", fragment);
    cleanup_free char *result = text_format("%s/.config", build->tree);
    cleanup_free char *config = NULL;
    if (!fragment || !preset || !result)
        return error_no_memory(err);
    if (file_replace(fragment, guest_lean_config, strlen(guest_lean_config), err) < 0)
        return -1;
    const char *const arguments[] = {"make", "-s", "-C", build->tree, preset, "allnoconfig", NULL};
    if (run(build, arguments, NULL, err) < 0 || file_read(result, &config, NULL, err) < 0)
        return -1;
    return guest_lean_check_config(guest_lean_config, config, err);
}

/* Names and times are fixed: the same source and compiler give the same bytes. */
static int compile(struct build *build, struct error **err) {
    cpu_set_t cpus;
    unsigned count =
        sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
    cleanup_free char *jobs = text_format("-j%u", count);
    if (!jobs)
        return error_no_memory(err);
    guest_say(build->progress,
              "building the lean guest kernel with %u jobs; it takes five minutes on two CPUs",
              count);
    const char *const arguments[] = {"nice",
                                     "make",
                                     "-C",
                                     build->tree,
                                     jobs,
                                     "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
                                     "KBUILD_BUILD_USER=boxmark",
                                     "KBUILD_BUILD_HOST=boxmark",
                                     "KBUILD_BUILD_VERSION=1",
                                     "vmlinux",
                                     NULL};
    return run(build, arguments, count_files, err);
}

/* Puts kernel, configuration and key where guest_kernel_find looks, all in one step. */
static int keep(struct build *build, const char *key, struct error **err) {
    cleanup_free char *built = text_format("%s/vmlinux", build->tree);
    cleanup_free char *built_config = text_format("%s/.config", build->tree);
    cleanup_free char *folder = text_format("%s/lean", build->scratch);
    cleanup_free char *kernel = text_format("%s/vmlinux", folder);
    cleanup_free char *config = text_format("%s/config", folder);
    cleanup_free char *key_path = text_format("%s/key", folder);
    cleanup_free char *place = text_format("%s/lean", build->cache);
    cleanup_free char *old = text_format("%s/old", build->scratch);
    if (!built || !built_config || !folder || !kernel || !config || !key_path || !place || !old)
        return error_no_memory(err);
    const char *const strip[] = {"strip", "-s", "-o", kernel, built, NULL};
    cleanup_kernel_file struct kernel_file file = {0};
    if (file_make_folders(folder, 0700, err) < 0 || run(build, strip, NULL, err) < 0 ||
        kernel_file_read(kernel, &file, err) < 0 ||
        file_replace(key_path, key, strlen(key), err) < 0)
        return -1;
    if (rename(built_config, config) < 0 || (rename(place, old) < 0 && errno != ENOENT) ||
        rename(folder, place) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot put the kernel into %s", place);
    guest_say(build->progress, "the lean guest kernel is ready: Linux %s", file.release);
    return 0;
}

static int build_in_scratch(struct build *build, const char *source, const char *package,
                            const char *key, struct error **err) {
    cleanup_free char *archive = NULL;
    if (source) {
        archive = realpath(source, NULL);
        if (!archive)
            return error_set(err, ERROR_USAGE, errno, "the kernel's source %s", source);
    } else if (guest_kernel_fetch_source(package, build->scratch, build->progress, &archive, err) <
               0) {
        return -1;
    }
    if (unpack_source(build, archive, err) < 0 || configure(build, err) < 0 ||
        compile(build, err) < 0)
        return -1;
    return keep(build, key, err);
}

static void build_cleanup(struct build *build) {
    if (build->scratch)
        (void)file_remove_tree(build->scratch, NULL);
    free(build->scratch);
    free(build->cache);
    free(build->tree);
}

int guest_lean_build(const char *source, const struct guest_progress *progress,
                     struct error **err) {
    __attribute__((cleanup(build_cleanup))) struct build build = {.progress = progress};
    cleanup_free char *package = NULL, *version = NULL;
    char key[65];
    if (check_tools(err) < 0 || guest_cache_folder(&build.cache, err) < 0)
        return -1;
    if (source)
        version = strdup("");
    else if (guest_kernel_find_source(progress, &package, &version, err) < 0)
        return -1;
    if (!version)
        return error_no_memory(err);
    if (write_key(source, version, key, err) < 0)
        return -1;
    if (is_built(&build, key)) {
        guest_say(progress, "the lean guest kernel has been built already");
        return 0;
    }
    if (check_room(build.cache, err) < 0)
        return -1;
    build.scratch = text_format("%s/lean.XXXXXX", build.cache);
    if (!build.scratch)
        return error_no_memory(err);
    if (!mkdtemp(build.scratch)) {
        free(TAKE_PTR(build.scratch));
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a folder in %s", build.cache);
    }
    if (build_in_scratch(&build, source, package, key, err) < 0)
        return error_wrap(err, "cannot build the lean guest kernel");
    return 0;
}
