// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/install.h"

#include "common/file.h"

void install_advice(const char *const packages[3], char *text, size_t capacity) {
    static const char *const managers[3][2] = {
        {"apt-get", "apt-get install -y"}, {"dnf", "dnf install -y"}, {"pacman", "pacman -S"}};
    *text = '\0';
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *manager = file_find_program(managers[i][0]);
        if (!manager)
            continue;
        if (packages[i])
            snprintf(text, capacity, "%s%s %s", geteuid() == 0 ? "" : "sudo ", managers[i][1],
                     packages[i]);
        return;
    }
}
