// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Ways out of the program and back in.
 *
 * What SYSCALL does differs by machine. By the manuals, on VMX and SVM alike, it goes to LSTAR at
 * CPL 0: there a stub halts, which is an exit, and returns by SYSRET. A back end that has no CPL 0
 * of its own may jump to LSTAR and stay at CPL 3, where that page is forbidden: a page fault whose
 * address is LSTAR. One that leaves EFER.SCE off gives #UD. The first system call shows which; from
 * then on only that one counts as a system call, everything else as a fault.
 */
#ifndef BOXMARK_MICROGUEST_ENTRY_H
#define BOXMARK_MICROGUEST_ENTRY_H

#include "environments/microguest/vmm.h"

enum entry_event { ENTRY_EVENT_CALL, ENTRY_EVENT_RETRY, ENTRY_EVENT_FAULT };

struct fault {
    unsigned vector;
    bool user; /* else at CPL 0, where nothing may go wrong */
    uint64_t error_code, rip, address;
};

/* After an exit by HLT: what happened. After a call, vcpu_regs are those of the program, with RIP
 * the address that it goes on at. */
enum entry_event entry_decode(struct vcpu *vcpu, struct fault *ret_fault);

/* Back from a call, with this result, where RCX and R11 (as SYSCALL left them) say. */
void entry_return(struct vcpu *vcpu, int64_t result);

/* Where the program goes on after the call that is being served, and with which flags. */
uint64_t entry_return_rip(struct vcpu *vcpu);

/* "general protection (#GP) in user mode at 0x401000"; text holds 160 bytes. */
void entry_describe_fault(const struct fault *fault, char text[160]);

const char *entry_kind_name(enum entry_kind kind);

#endif
