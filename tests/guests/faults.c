// SPDX-License-Identifier: GPL-3.0-or-later
/* What a guest may not do: privileged instructions, and memory that is not its own. */
#include "tests/guests/guest.h"

#include <stdint.h>

/* Those that come back may have changed what a call may change, and no more. */
#define INSTRUCTION(name, text)                                                                    \
    static int name(void) {                                                                        \
        __asm__ volatile(text);                                                                    \
        return SURVIVED;                                                                           \
    }

INSTRUCTION(do_out, "outb %al, $0x80")
INSTRUCTION(do_in, "inb $0x80, %al")
INSTRUCTION(do_hlt, "hlt")
INSTRUCTION(do_cli, "cli")
INSTRUCTION(do_read_cr0, "mov %cr0, %rax")
INSTRUCTION(do_write_cr3, "xor %eax, %eax\n\tmov %rax, %cr3")
INSTRUCTION(do_write_cr4, "xor %eax, %eax\n\tmov %rax, %cr4")
INSTRUCTION(do_rdmsr, "mov $0xc0000082, %ecx\n\trdmsr")
INSTRUCTION(do_wrmsr, "mov $0xc0000082, %ecx\n\txor %eax, %eax\n\txor %edx, %edx\n\twrmsr")
INSTRUCTION(do_lgdt, "sub $16, %rsp\n\tlgdt (%rsp)")
INSTRUCTION(do_lidt, "sub $16, %rsp\n\tlidt (%rsp)")
INSTRUCTION(do_ltr, "mov $0x30, %eax\n\tltr %ax")
INSTRUCTION(do_invlpg, "invlpg (%rsp)")
INSTRUCTION(do_wbinvd, "wbinvd")
INSTRUCTION(do_swapgs, "swapgs")
INSTRUCTION(do_sysret, "sysretq")
INSTRUCTION(do_iret_kernel, "mov %rsp, %rax\n\tpush $0x10\n\tpush %rax\n\tpushf\n\tpush $0x8\n\t"
                            "lea 1f(%rip), %rax\n\tpush %rax\n\tiretq\n1:")
INSTRUCTION(do_far_kernel, "sub $16, %rsp\n\tmovl $0x400000, (%rsp)\n\tmovw $8, 4(%rsp)\n\t"
                           "ljmp *(%rsp)")
INSTRUCTION(do_xsetbv, "xor %ecx, %ecx\n\tmov $1, %eax\n\txor %edx, %edx\n\txsetbv")
INSTRUCTION(do_int80, "mov $1, %eax\n\tint $0x80")
INSTRUCTION(do_int14, "int $14")
INSTRUCTION(do_ud2, "ud2")
INSTRUCTION(do_divide, "xor %edx, %edx\n\txor %ecx, %ecx\n\tdiv %ecx")
INSTRUCTION(do_iopl, "pushf\n\torl $0x3000, (%rsp)\n\tpopf\n\tcli")
INSTRUCTION(do_trap_flag, "pushf\n\torl $0x100, (%rsp)\n\tpopf\n\tnop\n\tnop")
INSTRUCTION(do_bad_rip, "movabs $0x800000000000, %rax\n\tjmp *%rax")
INSTRUCTION(do_bad_rsp, "movabs $0x800000000000, %rsp\n\tpush %rax")
INSTRUCTION(do_read_null, "xor %eax, %eax\n\tmov (%rax), %al")
INSTRUCTION(do_read_supervisor, "movabs $0x7fc0001000, %rax\n\tmov (%rax), %al")
INSTRUCTION(do_write_idt, "movabs $0x7fc0002000, %rax\n\tmovb $0, (%rax)")
INSTRUCTION(do_write_time, "movabs $0x7f7ffff000, %rax\n\tmovb $0, (%rax)")
INSTRUCTION(do_write_vdso, "movabs $0x7f80000000, %rax\n\tmovb $0, (%rax)")
INSTRUCTION(do_call_stub, "movabs $0x7fc0001100, %rax\n\tcall *%rax")
/* To where SYSCALL leads, with an address to return to that is not canonical. */
INSTRUCTION(do_bad_return, "mov $39, %eax\n\tmovabs $0x8000000000000000, %rcx\n\t"
                           "movabs $0x7fc0001000, %rdx\n\tjmp *%rdx")
INSTRUCTION(do_sysenter, "sysenter")
INSTRUCTION(do_vmcall, "mov $1, %eax\n\tvmcall")
INSTRUCTION(do_vmmcall, "mov $1, %eax\n\tvmmcall")

static int do_write_text(void) {
    *(volatile char *)(uintptr_t)do_ud2 = 0;
    return SURVIVED;
}

static int do_execute_data(void) {
    static unsigned char ret[] = {0xc3};
    ((void (*)(void))(uintptr_t)ret)();
    return SURVIVED;
}

static int do_execute_map(void) {
    unsigned char *code = map(4096, PROT_READ | PROT_WRITE);
    code[0] = 0xc3;
    ((void (*)(void))(uintptr_t)code)();
    return SURVIVED;
}

static int do_read_unmapped(void) {
    volatile char *page = map(3 * 4096, PROT_READ | PROT_WRITE);
    page[4096] = 1;
    EXPECT(CALL(__NR_munmap, page + 4096, 4096, 0) == 0);
    page[0] = page[2 * 4096] = 1;
    (void)page[4096];
    return SURVIVED;
}

static int do_read_none(void) {
    volatile char *page = map(4096, PROT_READ | PROT_WRITE);
    page[0] = 1;
    EXPECT(CALL(__NR_mprotect, page, 4096, PROT_NONE) == 0);
    (void)page[0];
    return SURVIVED;
}

/* Rights taken from a part of a huge page whose translation is in use. */
static int do_write_readonly(void) {
    volatile char *pages = map(4 << 20, PROT_READ | PROT_WRITE);
    for (size_t i = 0; i < 4 << 20; i += 4096)
        pages[i] = 1;
    EXPECT(CALL(__NR_mprotect, pages + (1 << 20), 4096, PROT_READ) == 0);
    EXPECT(pages[1 << 20] == 1);
    pages[(1 << 20) - 1] = pages[(1 << 20) + 4096] = 2;
    pages[1 << 20] = 2;
    return SURVIVED;
}

__attribute__((noinline)) static int overflow(int depth) {
    volatile char frame[65536 / 2];
    frame[0] = (char)depth;
    return depth < 1 << 30 ? overflow(depth + 1) + frame[0] : 0;
}

static int do_stack_overflow(void) {
    return overflow(0);
}

const struct payload faults[] = {
    PAYLOAD(out),
    PAYLOAD(in),
    PAYLOAD(hlt),
    PAYLOAD(cli),
    PAYLOAD(read_cr0),
    PAYLOAD(write_cr3),
    PAYLOAD(write_cr4),
    PAYLOAD(rdmsr),
    PAYLOAD(wrmsr),
    PAYLOAD(lgdt),
    PAYLOAD(lidt),
    PAYLOAD(ltr),
    PAYLOAD(invlpg),
    PAYLOAD(wbinvd),
    PAYLOAD(swapgs),
    PAYLOAD(sysret),
    PAYLOAD(iret_kernel),
    PAYLOAD(far_kernel),
    PAYLOAD(xsetbv),
    PAYLOAD(int80),
    PAYLOAD(int14),
    PAYLOAD(ud2),
    PAYLOAD(divide),
    PAYLOAD(iopl),
    PAYLOAD(trap_flag),
    PAYLOAD(bad_rip),
    PAYLOAD(bad_rsp),
    PAYLOAD(read_null),
    PAYLOAD(read_supervisor),
    PAYLOAD(write_idt),
    PAYLOAD(write_time),
    PAYLOAD(write_vdso),
    PAYLOAD(call_stub),
    PAYLOAD(bad_return),
    PAYLOAD(sysenter),
    PAYLOAD(vmcall),
    PAYLOAD(vmmcall),
    PAYLOAD(write_text),
    PAYLOAD(execute_data),
    PAYLOAD(execute_map),
    PAYLOAD(read_unmapped),
    PAYLOAD(read_none),
    PAYLOAD(write_readonly),
    PAYLOAD(stack_overflow),
    {"", 0},
};
