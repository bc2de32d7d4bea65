// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * System calls of a program in the micro-guest, as many in a row as the input says, served by the
 * monitor's own code without KVM. Afterwards its books must be right, page tables give the program
 * what it was granted and no more, read-only memory be as it was, and open files lie where they
 * may.
 *
 * Input: a byte of switches; calls (a byte that names the call, then six arguments, each a byte
 * that says what kind of value it is and the bytes of it) up to a byte 255; the rest lies in the
 * program's memory, where arguments point.
 */
#include "tests/fuzz/fuzz.h"

#include "environments/microguest/cpu_state.h"
#include "environments/microguest/entry.h"
#include "environments/microguest/syscalls.h"

#include <dirent.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The real ones. */
#undef ioctl
#undef syscall
#undef poll
#undef clock_nanosleep
#undef pthread_create
#undef ftruncate
#undef fallocate

#define FILE_BYTES_MAX (1 << 20)
#define MEMORY_BYTES (4 * MIB_BYTES)
#define CALLS_MAX 64

/* What the program has in the beginning. */
#define TEXT_GVA LOW_GVA
#define CONSTANT_GVA (LOW_GVA + 2 * PAGE_BYTES)
#define DATA_GVA (LOW_GVA + 4 * PAGE_BYTES)
#define DATA_BYTES (2 * PAGE_BYTES)
#define HEAP_GVA (LOW_GVA + 16 * PAGE_BYTES)

static struct vmm vmm;
static struct status status;
static struct vcpu cpus[2];
static struct kvm_run runs[2];
static uint8_t first_pages[2 * PAGE_BYTES]; /* what text and constants hold */
static char folder[64];
static int folder_fd = -1, null_fd = -1;
static jmp_buf end_of_guest;
static bool memory_changed;

/* The host, as microguest_host.h has it. */

int host_ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    (void)fd;
    if (request == KVM_GET_SREGS)
        memset(argument, 0, sizeof(struct kvm_sregs));
    if (request == KVM_GET_MSRS || request == KVM_SET_MSRS)
        return (int)((const struct kvm_msrs *)argument)->nmsrs;
    return 0;
}

long host_syscall(long number, ...) {
    va_list list;
    long a[6] = {0};
    int count = number == SYS_futex                                        ? 6
                : number == SYS_openat2 || number == SYS_io_uring_register ? 4
                                                                           : 3;
    va_start(list, number);
    for (int i = 0; i < count; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    const struct timespec at_once = {0, 0};
    long command = a[1] & FUTEX_CMD_MASK;
    if (number == SYS_futex && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET))
        a[3] = (long)&at_once;
    return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int host_poll(struct pollfd *waits, nfds_t count, int timeout_ms) {
    (void)timeout_ms;
    return poll(waits, count, 0);
}

int host_clock_nanosleep(clockid_t clock, int flags, const struct timespec *duration,
                         struct timespec *left) {
    (void)clock;
    (void)flags;
    (void)left;
    return duration->tv_nsec < 0 || duration->tv_nsec > 999999999 ? EINVAL : 0;
}

int host_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *),
                        void *argument) {
    (void)thread;
    (void)attributes;
    (void)main;
    (void)argument;
    return EAGAIN;
}

/* What is negative, the real call refuses. */
static bool is_too_long(off_t offset, off_t bytes) {
    return offset > FILE_BYTES_MAX || bytes > FILE_BYTES_MAX ||
           (offset >= 0 && bytes >= 0 && offset + bytes > FILE_BYTES_MAX);
}

int host_ftruncate(int fd, off_t bytes) {
    return is_too_long(0, bytes) ? (errno = EFBIG, -1) : ftruncate(fd, bytes);
}

int host_fallocate(int fd, int mode, off_t offset, off_t bytes) {
    return is_too_long(offset, bytes) ? (errno = EFBIG, -1) : fallocate(fd, mode, offset, bytes);
}

/* The rest of the monitor, without KVM. */

struct vcpu *vmm_take_vcpu(struct vmm *self) {
    (void)self;
    if (cpus[1].busy)
        return errno = EAGAIN, NULL;
    cpus[1].busy = true;
    return &cpus[1];
}

void vmm_give_back_vcpu(struct vcpu *vcpu) {
    vcpu->busy = false;
}

void vcpu_run(struct vcpu *vcpu) {
    (void)vcpu;
}

void vmm_end(struct vmm *self, int code, const char *format, ...) {
    (void)self;
    (void)format;
    fuzz_check(code == MONITOR_EXIT_SIGNAL);
    longjmp(end_of_guest, 1);
}

void vmm_exit(struct vmm *self, int code) {
    (void)self;
    (void)code;
    longjmp(end_of_guest, 1);
}

/* Before the first input, and before each. */

static void empty_folder(void) {
    cleanup_dir DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(folder_fd, entry->d_name, 0);
}

static void remove_folder(void) {
    empty_folder();
    (void)rmdir(folder);
}

static void prepare(void) {
    snprintf(folder, sizeof(folder), "%s/boxmark-fuzz.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_check(mkdtemp(folder));
    atexit(remove_folder);
    folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    fuzz_check(folder_fd >= 0 && null_fd >= 0);
    for (size_t i = 0; i < sizeof(first_pages); i++)
        first_pages[i] = (uint8_t)(i * 7 + 1);
    pthread_mutex_init(&vmm.vcpus_lock, NULL);
    static struct kvm_cpuid2 no_leaves;
    vmm.status = &status;
    vmm.cpuid = &no_leaves;
    vmm.threads_max = 2;
    ring_make(&vmm.ring);
    syscalls_init(&vmm);
}

static void free_memory(void) {
    struct memory *memory = &vmm.memory;
    if (!memory->control)
        return;
    for (unsigned i = 0; i < 512; i++)
        free(memory->paging.directories[i]);
    munmap(memory->control, memory->control_bytes + memory->arena_bytes);
    free(memory->areas);
    pthread_mutex_destroy(&memory->lock);
}

static void map_fresh(uint64_t gva, uint64_t bytes, int prot, const uint8_t *from) {
    fuzz_check(memory_map(&vmm.memory, gva, bytes, prot, true, false) == (int64_t)gva);
    if (from)
        memcpy(memory_host(&vmm.memory, gva, bytes), from, bytes);
}

static void make_memory(void) {
    free_memory();
    fuzz_check(memory_create(&vmm.memory, -1, MEMORY_BYTES) == 0);
    map_fresh(TEXT_GVA, PAGE_BYTES, PROT_READ | PROT_EXEC, first_pages);
    map_fresh(CONSTANT_GVA, PAGE_BYTES, PROT_READ, first_pages + PAGE_BYTES);
    map_fresh(DATA_GVA, DATA_BYTES, PROT_READ | PROT_WRITE, NULL);
    memory_set_heap(&vmm.memory, HEAP_GVA);
    memory_changed = false;
}

static void close_descriptors(void) {
    for (unsigned i = 0; i < DESCRIPTORS_MAX; i++)
        if (vmm.descriptors.table[i].kind != DESCRIPTOR_FREE)
            close(vmm.descriptors.table[i].host_fd);
}

static void make_guest(uint8_t switches) {
    if (memory_changed || !vmm.memory.control)
        make_memory();
    descriptors_init(&vmm.descriptors, switches & 1 ? -1 : folder_fd, null_fd);
    for (unsigned i = 0; i < 3; i++)
        vmm.descriptors.table[i].host_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 3);
    vmm.entry = switches & 2 ? ENTRY_SYSCALL : ENTRY_PAGE_FAULT;
    vmm.signals_ignored = 0;
    atomic_store(&vmm.threads, switches & 4 ? 2 : 1);
    for (unsigned i = 0; i < 2; i++) {
        cpus[i] = (struct vcpu){.vmm = &vmm,
                                .number = i,
                                .run = &runs[i],
                                .stats_fd = -1,
                                .page = vmm.memory.control + (CONTROL_VCPUS + i) * PAGE_BYTES};
        memset(&runs[i], 0, sizeof(runs[i]));
    }
}

/* The input. */

struct input {
    const uint8_t *at, *end;
    uint64_t last; /* result of the call before */
};

static uint64_t take(struct input *input, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && input->at < input->end; i++)
        value |= (uint64_t)*input->at++ << 8 * i;
    return value;
}

static uint64_t take_argument(struct input *input) {
    switch (take(input, 1) % 12) {
    case 0:
        return 0;
    case 1:
        return take(input, 1);
    case 2:
        return take(input, 2);
    case 3:
        return take(input, 4);
    case 4:
        return take(input, 8);
    case 5: /* an address in its data, */
        return DATA_GVA + take(input, 2) % (DATA_BYTES + PAGE_BYTES);
    case 6: /* in what it cannot write, */
        return TEXT_GVA + take(input, 2) % (4 * PAGE_BYTES);
    case 7: /* in its heap, */
        return HEAP_GVA + take(input, 2);
    case 8: /* anywhere above */
        return HIGH_GVA + LOW_BYTES + take(input, 1) * PAGE_BYTES;
    case 9:
        return input->last + take(input, 1);
    case 10:
        return UINT64_MAX - take(input, 2);
    default:
        return take(input, 1) * PAGE_BYTES;
    }
}

/* What must hold. */

static void check_page(uint64_t gva, int prot) {
    const struct memory *memory = &vmm.memory;
    uint64_t entry = paging_entry(&memory->paging, gva), offset = 0;
    if (prot == PROT_NONE) {
        fuzz_check(entry == 0);
        return;
    }
    fuzz_check(arena_offset(gva, memory->arena_bytes, &offset));
    uint64_t gpa = place_gpa(memory->control_bytes + offset);
    if (entry & PTE_LARGE)
        gpa = gpa / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    fuzz_check((entry & UINT64_C(0x000ffffffffff000)) == gpa);
    fuzz_check((entry & (PTE_PRESENT | PTE_USER)) == (PTE_PRESENT | PTE_USER));
    fuzz_check(!(entry & PTE_WRITABLE) == !(prot & PROT_WRITE));
    fuzz_check(!(entry & PTE_NO_EXECUTE) == !!(prot & PROT_EXEC));
    fuzz_check(!(entry & PTE_WRITABLE) || (entry & PTE_NO_EXECUTE));
}

static void check_memory(void) {
    const struct memory *memory = &vmm.memory;
    uint64_t used = 0, before = 0, offset;
    for (unsigned i = 0; i < memory->area_count; i++) {
        const struct area *area = &memory->areas[i];
        fuzz_check(area->start < area->end && area->start >= before);
        fuzz_check(area->start % PAGE_BYTES == 0 && area->end % PAGE_BYTES == 0);
        used += area->prot == PROT_NONE ? 0 : area->end - area->start;
        check_page(area->start, area->prot);
        check_page(area->end - PAGE_BYTES, area->prot);
        check_page(page_floor((area->start + area->end) / 2), area->prot);
        if (area->start > before &&
            arena_offset(area->start - PAGE_BYTES, memory->arena_bytes, &offset))
            check_page(area->start - PAGE_BYTES, PROT_NONE);
        before = area->end;
    }
    fuzz_check(used == memory->used_bytes && used <= memory->limit_bytes);
    if (!memory_changed) {
        fuzz_check(memcmp(memory->arena, first_pages, PAGE_BYTES) == 0);
        fuzz_check(memcmp(memory->arena + 2 * PAGE_BYTES, first_pages + PAGE_BYTES, PAGE_BYTES) ==
                   0);
    }
}

static void check_descriptors(void) {
    char name[32], path[256];
    for (unsigned i = 0; i < DESCRIPTORS_MAX; i++) {
        const struct descriptor *descriptor = &vmm.descriptors.table[i];
        if (descriptor->kind == DESCRIPTOR_FREE || descriptor->kind == DESCRIPTOR_STREAM ||
            descriptor->kind == DESCRIPTOR_RING)
            continue;
        fuzz_check(descriptor->users == 0 && !descriptor->closing);
        snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor->host_fd);
        ssize_t length = readlink(name, path, sizeof(path) - 1);
        fuzz_check(length > 0);
        path[length] = '\0';
        if (descriptor->kind == DESCRIPTOR_DATA)
            fuzz_check(strncmp(path, folder, strlen(folder)) == 0);
        else
            fuzz_check(descriptor->host_fd != null_fd && strncmp(path, folder, strlen(folder)));
    }
}

static void check_return(const struct vcpu *vcpu) {
    const struct kvm_regs *regs = &vcpu->run->s.regs.regs;
    fuzz_check(regs->rcx < USER_END_GVA);
    fuzz_check((regs->r11 & ~(USER_FLAGS | FIXED_FLAGS)) == 0);
    fuzz_check((regs->r11 & FIXED_FLAGS) == FIXED_FLAGS);
    if (vmm.entry == ENTRY_SYSCALL)
        return;
    const struct exception_frame *frame = cpu_state_frame(vcpu);
    fuzz_check(frame->cs == USER_CS && frame->ss == USER_SS && frame->rip == regs->rcx);
    fuzz_check(regs->rsp == cpu_state_frame_gva(vcpu));
}

/* An exit in any state that a program could bring about. */
static void decode(struct input *input, struct vcpu *vcpu) {
    struct exception_frame *frame = cpu_state_frame(vcpu);
    struct kvm_regs *regs = vcpu_regs(vcpu);
    struct fault fault;
    char text[160];
    regs->rip = STUB_SYSCALL_GVA + take(input, 2);
    *frame = (struct exception_frame){.rip = take_argument(input),
                                      .cs = take(input, 1),
                                      .rflags = take_argument(input),
                                      .rsp = take_argument(input)};
    ((uint64_t *)(void *)frame)[-1] = take(input, 1);
    if (entry_decode(vcpu, &fault) == ENTRY_EVENT_FAULT)
        entry_describe_fault(&fault, text);
}

enum { NAMED_CALLS = 68, CALL_ANY = 253, CALL_DECODE = 254, CALL_LAST = 255 };

static void call(struct input *input, struct vcpu *vcpu, unsigned named) {
    struct kvm_regs *regs = vcpu_regs(vcpu);
    static const struct call_entry *const tables[] = {
        memory_calls, file_calls, path_calls, thread_calls, process_calls, time_calls, ring_calls};
    *regs = (struct kvm_regs){.rcx = TEXT_GVA, .r11 = input->last};
    if (named == CALL_ANY) {
        regs->rax = take(input, 2);
        regs->rcx = take_argument(input);
    } else {
        unsigned table = 0, at = named % NAMED_CALLS;
        for (const struct call_entry *entry = tables[0];; at--, entry++) {
            while (!entry->name)
                entry = tables[table = (table + 1) % 7];
            regs->rax = entry->number;
            if (at == 0)
                break;
        }
    }
    for (const struct call_entry *entry = memory_calls; entry->name; entry++)
        memory_changed |= regs->rax == entry->number;
    uint64_t arguments[6];
    for (unsigned i = 0; i < 6; i++)
        arguments[i] = take_argument(input);
    regs->rdi = arguments[0];
    regs->rsi = arguments[1];
    regs->rdx = arguments[2];
    regs->r10 = arguments[3];
    regs->r8 = arguments[4];
    regs->r9 = arguments[5];
    syscalls_serve(vcpu);
    check_return(vcpu);
    input->last = regs->rax;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (folder_fd < 0)
        prepare();
    struct input input = {.at = data, .end = data + size};
    make_guest((uint8_t)take(&input, 1));
    const uint8_t *rest = memchr(input.at, CALL_LAST, (size_t)(input.end - input.at));
    void *text = memory_host(&vmm.memory, DATA_GVA, DATA_BYTES);
    size_t rest_bytes = rest ? (size_t)(input.end - rest - 1) : 0;
    memset(text, 0, DATA_BYTES);
    if (rest_bytes > 0)
        memcpy(text, rest + 1, rest_bytes < DATA_BYTES ? rest_bytes : DATA_BYTES);
    if (rest)
        input.end = rest;
    if (setjmp(end_of_guest) == 0)
        for (unsigned i = 0; i < CALLS_MAX && input.at < input.end; i++) {
            unsigned named = (unsigned)take(&input, 1);
            if (named == CALL_DECODE)
                decode(&input, &cpus[0]);
            else
                call(&input, &cpus[0], named);
        }
    ring_poll_close(&vmm);
    check_memory();
    check_descriptors();
    close_descriptors();
    empty_folder();
    return 0;
}
