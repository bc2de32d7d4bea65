// SPDX-License-Identifier: GPL-3.0-or-later
/* The least that a guest can do: end. For vm-start.c. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {
    return reboot(RB_AUTOBOOT);
}
