// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest_kernel.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/capture.h"

#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

#define QUESTION_TIMEOUT_NS (60 * NS_PER_S)
#define DOWNLOAD_TIMEOUT_NS (600 * NS_PER_S)

/* Debian's names of the packages that depend on the newest kernel for virtual machines. */
#if defined(__aarch64__)
#define CLOUD_PACKAGE "linux-image-cloud-arm64"
#else
#define CLOUD_PACKAGE "linux-image-cloud-amd64"
#endif

void guest_kernel_clear(struct guest_kernel *kernel) {
    free(kernel->path);
    free(kernel->modules_folder);
    free(kernel->config_path);
    free(kernel->origin);
    *kernel = (struct guest_kernel){0};
}

void guest_say(const struct guest_progress *progress, const char *format, ...) {
    if (!progress || !progress->say)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0) {
        progress->say(progress->cookie, text);
        free(text);
    }
    va_end(arguments);
}

int guest_cache_folder(char **ret_path, struct error **err) {
    cleanup_free char *cache = NULL;
    if (file_cache_folder(&cache, err) < 0)
        return -1;
    cleanup_free char *path = text_format("%s/guest", cache);
    if (!path)
        return error_no_memory(err);
    if (file_make_folders(path, 0700, err) < 0)
        return -1;
    *ret_path = TAKE_PTR(path);
    return 0;
}

/* The last (in the order of names) path that a pattern matches; NULL when none does. */
static char *glob_last(const char *format, const char *folder) {
    cleanup_free char *pattern = text_format(format, folder);
    glob_t found = {0};
    char *path = NULL;
    if (pattern && glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0)
        path = strdup(found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return path;
}

static char *existing(char *path) {
    if (path && !file_exists(path)) {
        free(path);
        return NULL;
    }
    return path;
}

static int take_origin(struct guest_kernel *kernel, char *origin, struct error **err) {
    kernel->origin = origin;
    return kernel->path && kernel->origin ? 0 : error_no_memory(err);
}

/* The kernel built by `boxmark guest build --lean`. 1 when it is there. */
static int find_lean(const char *cache, struct guest_kernel *kernel, struct error **err) {
    kernel->path = existing(text_format("%s/lean/vmlinux", cache));
    if (!kernel->path)
        return 0;
    kernel->config_path = existing(text_format("%s/lean/config", cache));
    return take_origin(kernel, strdup("lean (built from the kernel's source)"), err) < 0 ? -1 : 1;
}

/* A package that was unpacked into FOLDER/cloud earlier. 1 when it is there. */
static int find_cloud_in(const char *parent, struct guest_kernel *kernel, struct error **err) {
    cleanup_free char *link = text_format("%s/cloud", parent);
    cleanup_free char *folder = link ? realpath(link, NULL) : NULL;
    if (!folder)
        return 0;
    kernel->path = glob_last("%s/boot/vmlinuz-*", folder);
    if (!kernel->path)
        return 0;
    kernel->modules_folder = glob_last("%s/lib/modules/*", folder);
    if (!kernel->modules_folder)
        kernel->modules_folder = glob_last("%s/usr/lib/modules/*", folder);
    kernel->config_path = glob_last("%s/boot/config-*", folder);
    return take_origin(kernel, text_format("cloud (%s)", basename(folder)), err) < 0 ? -1 : 1;
}

/* In the user's cache, or where `make install` put one. */
static int find_cloud(const char *cache, struct guest_kernel *kernel, struct error **err) {
    int found = find_cloud_in(cache, kernel, err);
    return found != 0 ? found : find_cloud_in(BOXMARK_DATADIR "/guest", kernel, err);
}

static int find_host(struct guest_kernel *kernel, struct error **err) {
    static const char *const places[] = {"/boot/vmlinuz-%s", "/lib/modules/%s/vmlinuz",
                                         "/usr/lib/modules/%s/vmlinuz", "/boot/vmlinux-%s"};
    struct utsname name;
    uname(&name);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !kernel->path; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        kernel->path = existing(text_format(places[i], name.release));
#pragma GCC diagnostic pop
    }
    if (!kernel->path) {
        error_set(err, ERROR_UNAVAILABLE, 0, "the running kernel %s has no file in /boot",
                  name.release);
        return error_advise(err, "give its file (kernel=FILE), or leave kernel=host out: a kernel "
                                 "made for guests is taken then");
    }
    if (access(kernel->path, R_OK) < 0) {
        error_set(err, ERROR_UNAVAILABLE, errno, "cannot read the running kernel %s", kernel->path);
        return error_advise(err, "sudo chmod a+r %s", kernel->path);
    }
    kernel->modules_folder = existing(text_format("/lib/modules/%s", name.release));
    kernel->config_path = existing(text_format("/boot/config-%s", name.release));
    return take_origin(kernel, text_format("host (%s)", name.release), err);
}

/* Modules and configuration of a kernel file are looked for where installations put them. */
static int find_file(const char *path, struct guest_kernel *kernel, struct error **err) {
    kernel->path = realpath(path, NULL);
    if (!kernel->path) {
        error_set(err, ERROR_USAGE, errno, "the guest kernel %s", path);
        return error_advise(err, "give a file, or one of lean, cloud, host");
    }
    cleanup_free char *copy = strdup(kernel->path);
    if (!copy)
        return error_no_memory(err);
    const char *name = basename(copy);
    const char *dash = strchr(name, '-');
    cleanup_free char *release = strdup(dash ? dash + 1 : name);
    const char *folder = dirname(copy);
    if (release && dash) {
        kernel->modules_folder = existing(text_format("%s/../lib/modules/%s", folder, release));
        if (!kernel->modules_folder)
            kernel->modules_folder = existing(text_format("/lib/modules/%s", release));
        kernel->config_path = existing(text_format("%s/config-%s", folder, release));
    } else {
        /* /lib/modules/RELEASE/vmlinuz */
        cleanup_free char *order = text_format("%s/modules.order", folder);
        if (order && file_exists(order))
            kernel->modules_folder = strdup(folder);
    }
    return take_origin(kernel, strdup(path), err);
}

static int ask(const char *const *arguments, uint64_t timeout_ns,
               const struct guest_progress *progress, char **ret_output, struct error **err) {
    return capture_run(&(struct capture_options){.arguments = arguments,
                                                 .timeout_ns = timeout_ns,
                                                 .cancel_fd = progress ? progress->cancel_fd : -1},
                       ret_output, err);
}

/* The package that the meta-package stands for: "linux-image-6.1.0-56-cloud-amd64". */
static int resolve_package(const struct guest_progress *progress, char **ret_package,
                           struct error **err) {
    cleanup_free char *text = NULL;
    const char *const arguments[] = {"apt-cache", "show", "--no-all-versions", CLOUD_PACKAGE, NULL};
    if (ask(arguments, QUESTION_TIMEOUT_NS, progress, &text, err) < 0)
        return -1;
    const char *at = strstr(text, "\nDepends:");
    at = at ? strstr(at, "linux-image-") : NULL;
    if (!at)
        return error_set(err, ERROR_UNAVAILABLE, 0, "package %s names no kernel", CLOUD_PACKAGE);
    *ret_package = strndup(at, strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789.+-"));
    return *ret_package ? 0 : error_no_memory(err);
}

/* Downloads one package into a folder and unpacks it there, without installing it. */
static int unpack_package(const char *package, const char *folder,
                          const struct guest_progress *progress, struct error **err) {
    cleanup_free char *directory = text_format("--chdir=%s", folder);
    if (!directory)
        return error_no_memory(err);
    const char *const download[] = {"env", directory, "apt-get", "download", package, NULL};
    if (ask(download, DOWNLOAD_TIMEOUT_NS, progress, NULL, err) < 0)
        return -1;
    cleanup_free char *deb = glob_last("%s/*.deb", folder);
    if (!deb)
        return error_set(err, ERROR_UNAVAILABLE, 0, "apt-get downloaded no package");
    const char *const unpack[] = {"dpkg-deb", "-x", deb, folder, NULL};
    if (ask(unpack, DOWNLOAD_TIMEOUT_NS, progress, NULL, err) < 0)
        return -1;
    unlink(deb);
    return 0;
}

/* "linux-source-6.12", but not "linux-source-6.12-rt" nor "linux-source". */
static bool is_source_package(const char *name) {
    static const char prefix[] = "linux-source-";
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *version = name + sizeof(prefix) - 1;
    return *version && strspn(version, "0123456789.") == strlen(version);
}

/* The text after "Key: " on a line of a package's description, copied; or NULL. */
static char *package_field(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at ? strndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
}

int guest_kernel_find_source(const struct guest_progress *progress, char **ret_package,
                             char **ret_version, struct error **err) {
    cleanup_free char *names = NULL, *text = NULL;
    const char *const list[] = {"apt-cache", "pkgnames", "linux-source-", NULL};
    if (ask(list, QUESTION_TIMEOUT_NS, progress, &names, err) < 0) {
        error_wrap(err, "cannot find the distribution's kernel source");
        return error_advise(err, "give the kernel's source as an archive (--source FILE)");
    }
    const char *newest = NULL;
    char *rest = names;
    for (char *name; (name = strsep(&rest, "\n"));)
        if (is_source_package(name) && (!newest || strverscmp(name, newest) > 0))
            newest = name;
    if (!newest) {
        error_set(err, ERROR_UNAVAILABLE, 0, "apt knows no package of the kernel's source");
        return error_advise(err, "run \"apt-get update\", or give an archive (--source FILE)");
    }
    const char *const show[] = {"apt-cache", "show", "--no-all-versions", newest, NULL};
    if (ask(show, QUESTION_TIMEOUT_NS, progress, &text, err) < 0)
        return -1;
    cleanup_free char *version = package_field(text, "\nVersion: ");
    cleanup_free char *package = strdup(newest);
    if (!version || !package)
        return error_set(err, ERROR_UNAVAILABLE, 0, "package %s has no version", newest);
    *ret_version = TAKE_PTR(version);
    *ret_package = TAKE_PTR(package);
    return 0;
}

int guest_kernel_fetch_source(const char *package, const char *folder,
                              const struct guest_progress *progress, char **ret_archive,
                              struct error **err) {
    guest_say(progress,
              "downloading the kernel's source (%s, some 150 MB); it will not be installed",
              package);
    if (unpack_package(package, folder, progress, err) < 0)
        return -1;
    /* Debian has it in /usr/src, Ubuntu in a folder of its own there. */
    char *archive = glob_last("%s/usr/src/linux-source-*.tar.*", folder);
    if (!archive)
        archive = glob_last("%s/usr/src/*/linux-source-*.tar.*", folder);
    if (!archive)
        return error_set(err, ERROR_UNAVAILABLE, 0, "package %s holds no source", package);
    *ret_archive = archive;
    return 0;
}

/* Puts a finished folder in its place and makes `cloud` point there. */
static int keep_package(const char *cache, const char *scratch, const char *package,
                        struct error **err) {
    cleanup_free char *place = text_format("%s/%s", cache, package);
    cleanup_free char *link = text_format("%s/cloud", cache);
    cleanup_free char *new_link = text_format("%s.%d", link, (int)getpid());
    if (!place || !link || !new_link)
        return error_no_memory(err);
    /* Another process may have been faster: its folder holds the same. */
    if (rename(scratch, place) < 0 && errno != EEXIST && errno != ENOTEMPTY)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make %s", place);
    if (symlink(package, new_link) < 0 || rename(new_link, link) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make %s", link);
    return 0;
}

static int fetch_cloud(const char *cache, const struct guest_progress *progress,
                       struct error **err) {
    cleanup_free char *package = NULL;
    if (resolve_package(progress, &package, err) < 0)
        return -1;
    guest_say(progress, "downloading the guest's kernel (%s); it will not be installed", package);
    cleanup_free char *scratch = text_format("%s/download.XXXXXX", cache);
    if (!scratch)
        return error_no_memory(err);
    if (!mkdtemp(scratch))
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a folder in %s", cache);
    int result = unpack_package(package, scratch, progress, err);
    if (result == 0)
        result = keep_package(cache, scratch, package, err);
    /* Gone where it was renamed. */
    (void)file_remove_tree(scratch, NULL);
    return result;
}

static int find_or_fetch_cloud(const char *cache, bool fetch, const struct guest_progress *progress,
                               struct guest_kernel *kernel, struct error **err) {
    int found = find_cloud(cache, kernel, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    if (!fetch) {
        error_set(err, ERROR_UNAVAILABLE, 0, "there is no guest kernel yet");
        return error_advise(err, "run \"boxmark guest build\", or give --kernel FILE");
    }
    if (fetch_cloud(cache, progress, err) < 0) {
        error_wrap(err, "cannot get the distribution's kernel for virtual machines");
        return error_advise(err, "give --kernel FILE (or \"host\" for the running kernel), or run "
                                 "\"apt-get update\" where apt has no package lists");
    }
    found = find_cloud(cache, kernel, err);
    if (found == 0)
        error_set(err, ERROR_UNAVAILABLE, 0, "package " CLOUD_PACKAGE " holds no kernel");
    return found == 1 ? 0 : -1;
}

static int find_default(const char *cache, bool fetch, const struct guest_progress *progress,
                        struct guest_kernel *kernel, struct error **err) {
    int found = find_lean(cache, kernel, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    cleanup_error struct error *cloud_err = NULL;
    if (find_or_fetch_cloud(cache, fetch, progress, kernel, &cloud_err) == 0)
        return 0;
    if (cloud_err->kind != ERROR_INTERRUPTED && find_host(kernel, NULL) == 0) {
        guest_say(progress, "%s; the running kernel is used as guest kernel",
                  error_message(cloud_err));
        return 0;
    }
    return error_move(err, TAKE_PTR(cloud_err));
}

int guest_kernel_find(const char *wanted, bool fetch, const struct guest_progress *progress,
                      struct guest_kernel *ret_kernel, struct error **err) {
    cleanup_guest_kernel struct guest_kernel kernel = {0};
    cleanup_free char *cache = NULL;
    if (guest_cache_folder(&cache, err) < 0)
        return -1;
    int result;
    if (!wanted) {
        result = find_default(cache, fetch, progress, &kernel, err);
    } else if (strcmp(wanted, "lean") == 0) {
        result = find_lean(cache, &kernel, err);
        if (result == 0) {
            error_set(err, ERROR_UNAVAILABLE, 0, "the lean guest kernel has not been built");
            result = error_advise(err, "run \"boxmark guest build --lean\"");
        }
    } else if (strcmp(wanted, "cloud") == 0) {
        result = find_or_fetch_cloud(cache, fetch, progress, &kernel, err);
    } else if (strcmp(wanted, "host") == 0) {
        result = find_host(&kernel, err);
    } else {
        result = find_file(wanted, &kernel, err);
    }
    if (result < 0)
        return -1;
    *ret_kernel = kernel;
    kernel = (struct guest_kernel){0};
    return 0;
}
