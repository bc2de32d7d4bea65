// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/installed.h"

#include "common/file.h"

#include <string.h>

/* The folder of this program's executable; NULL when it cannot be told. */
static char *own_folder(void) {
    cleanup_free char *path = realpath("/proc/self/exe", NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash)
        return NULL;
    *slash = '\0';
    return TAKE_PTR(path);
}

/* What stands before the configured folder of programs in the real one: DESTDIR, or nothing. */
static char *staging_root(const char *folder) {
    size_t length = strlen(folder), configured = strlen(BOXMARK_BINDIR);
    bool staged = length >= configured && strcmp(folder + length - configured, BOXMARK_BINDIR) == 0;
    return strndup(folder, staged ? length - configured : 0);
}

static char *find(const char *in_build, const char *configured, const char *name) {
    cleanup_free char *folder = own_folder();
    cleanup_free char *built = folder ? text_format("%s/%s%s", folder, in_build, name) : NULL;
    if (built && file_exists(built))
        return realpath(built, NULL);
    cleanup_free char *root = folder ? staging_root(folder) : strdup("");
    cleanup_free char *installed = root ? text_format("%s%s/%s", root, configured, name) : NULL;
    return installed ? realpath(installed, NULL) : NULL;
}

char *installed_program(const char *name) {
    return find("", BOXMARK_LIBEXECDIR, name);
}

char *installed_data(const char *name) {
    return find("share/", BOXMARK_DATADIR, name);
}
