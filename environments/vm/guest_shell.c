// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/guest_shell.h"

#include "common/file.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

/* Does it run without a dynamic loader? Both in the byte order of this machine. */
static bool is_static(const char *path) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf64_Ehdr header;
    if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        off_t offset = (off_t)(header.e_phoff + i * sizeof(segment));
        if (pread(fd, &segment, sizeof(segment), offset) != sizeof(segment) ||
            segment.p_type == PT_INTERP)
            return false;
    }
    return true;
}

int guest_shell_find(char **ret_path, struct guest_extra *ret_extra, struct error **err) {
    cleanup_free char *found = file_find_program("busybox");
    cleanup_free char *path = found ? realpath(found, NULL) : NULL;
    if (!path || !is_static(path)) {
        error_set(err, ERROR_UNAVAILABLE, 0, "a prompt in a guest needs busybox, %s",
                  path ? "statically linked; this one is not" : "which is not installed");
        return error_advise(err,
                            "install it (Debian, Ubuntu: busybox-static; Fedora, Arch: busybox)");
    }
    *ret_path = TAKE_PTR(path);
    *ret_extra = (struct guest_extra){.name = "bin/busybox", .mode = 0755, .path = *ret_path};
    return 0;
}
