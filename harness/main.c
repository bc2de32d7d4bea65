// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "environments/environment.h"

int main(void) {
    return environment_table[0] == NULL;
}
