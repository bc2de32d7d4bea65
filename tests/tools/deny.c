// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs a command in a sandbox or on a kernel that lacks something, so that fall-backs are tested
 * for real: deny WHAT=ERRNO [WHAT=ERRNO]... -- COMMAND [ARGUMENT]...
 *
 * WHAT is the name of a system call, or o_direct: opening with O_DIRECT, or kvm_capability:N:
 * asking KVM for its capability N. ERRNO is a number. Status 77 where seccomp cannot be had.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_rule(scmp_filter_ctx filter, char *rule) {
    char *number = strchr(rule, '=');
    if (!number)
        return -1;
    *number++ = '\0';
    uint32_t action = SCMP_ACT_ERRNO((unsigned)atoi(number) & 0xffff);
    if (strcmp(rule, "o_direct") == 0)
        return seccomp_rule_add(filter, action, SCMP_SYS(openat), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, O_DIRECT, O_DIRECT));
    static const char capability[] = "kvm_capability:";
    if (strncmp(rule, capability, strlen(capability)) == 0)
        return seccomp_rule_add(
            filter, action, SCMP_SYS(ioctl), 2, SCMP_A1(SCMP_CMP_EQ, KVM_CHECK_EXTENSION, 0),
            SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)atoi(rule + strlen(capability)), 0));
    int call = seccomp_syscall_resolve_name(rule);
    return call == __NR_SCMP_ERROR ? -1 : seccomp_rule_add(filter, action, call, 0);
}

int main(int argc, char **argv) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int at = 1;
    if (!filter)
        return 77;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (add_rule(filter, argv[at]) < 0)
            return 2;
    if (at + 1 >= argc)
        return 2;
    if (seccomp_load(filter) < 0)
        return 77;
    seccomp_release(filter);
    execvp(argv[at + 1], argv + at + 1);
    return 127;
}
