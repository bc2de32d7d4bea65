// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/elf_load.h"

#include "common/units.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#define HEADERS_MAX 32
#define STACK_BYTES (8 * MIB_BYTES)
/* What a program touches while it starts; no more of an image than this. */
#define POPULATE_BYTES (4 * MIB_BYTES)
#define FIRST_HEAP_BYTES (16 * PAGE_BYTES)
#define FIRST_STACK_BYTES (8 * PAGE_BYTES)
#define STACK_GUARD_BYTES (64 * UINT64_C(1024))
#define STRINGS_MAX_BYTES (64 * UINT64_C(1024))
#define STRINGS_MAX 256

/* What is being loaded. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[HEADERS_MAX];
    uint64_t file_bytes, bias;
};

static int refuse(struct error **err, const char *why) {
    error_set(err, ERROR_UNAVAILABLE, 0, "the program cannot be run here: %s", why);
    return error_advise(err, "it must be a static ELF program for x86-64");
}

static int read_headers(int fd, struct image *image, struct error **err) {
    struct stat status;
    const Elf64_Ehdr *header = &image->header;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return refuse(err, "it is not a file");
    image->file_bytes = (uint64_t)status.st_size;
    if (pread(fd, &image->header, sizeof(image->header), 0) != sizeof(image->header) ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(err, "it is not an ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != EM_X86_64)
        return refuse(err, "it is for another architecture");
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return refuse(err, "it is not an executable");
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phnum > HEADERS_MAX)
        return refuse(err, "its program headers are malformed");
    size_t bytes = header->e_phnum * sizeof(Elf64_Phdr);
    if (pread(fd, image->segments, bytes, (off_t)header->e_phoff) != (ssize_t)bytes)
        return refuse(err, "its program headers are cut off");
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (image->segments[i].p_type == PT_INTERP)
            return refuse(err, "it is dynamically linked");
    image->bias = header->e_type == ET_DYN ? LOW_GVA : 0;
    return 0;
}

static int segment_prot(const Elf64_Phdr *segment) {
    return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? PROT_EXEC | PROT_READ : 0);
}

static bool segment_is_sound(const struct image *image, const Elf64_Phdr *segment) {
    uint64_t start = segment->p_vaddr + image->bias;
    return segment->p_memsz > 0 && segment->p_memsz <= LOW_BYTES &&
           segment->p_filesz <= segment->p_memsz && segment->p_offset <= image->file_bytes &&
           segment->p_filesz <= image->file_bytes - segment->p_offset && start >= LOW_GVA &&
           start - LOW_GVA <= LOW_BYTES - segment->p_memsz &&
           start % PAGE_BYTES == segment->p_offset % PAGE_BYTES;
}

static int refuse_memory(const struct vmm *vmm, const char *what, struct error **err) {
    char size[32];
    return error_set(err, ERROR_UNAVAILABLE, 0, "%s needs more memory than the guest's %s", what,
                     format_size(vmm->memory.limit_bytes, size));
}

/* Pages of the file as they are, read when touched; the rest of the segment is zero. */
static int map_segment(struct vmm *vmm, int fd, const struct image *image,
                       const Elf64_Phdr *segment, struct error **err) {
    int prot = segment_prot(segment);
    if (!segment_is_sound(image, segment))
        return refuse(err, "one of its segments is malformed or too large");
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
        return refuse(err, "one of its segments is writable and executable");
    uint64_t start = segment->p_vaddr + image->bias, first = page_floor(start);
    uint64_t file_end = start + segment->p_filesz, end = page_ceiling(start + segment->p_memsz);
    int64_t result = memory_map(&vmm->memory, first, end - first, prot, true, false);
    if (result >= 0 && segment->p_filesz > 0)
        result = memory_back_by_file(&vmm->memory, first, page_ceiling(file_end) - first, fd,
                                     (off_t)page_floor(segment->p_offset));
    if (result == -EEXIST)
        return refuse(err, "its segments overlap");
    if (result == -ENOMEM)
        return refuse_memory(vmm, "the program", err);
    if (result < 0)
        return error_set(err, ERROR_INTERNAL, (int)-result, "cannot load the program");
    /* Behind the file's last byte the page holds what follows in the file. */
    if (segment->p_memsz > segment->p_filesz && file_end % PAGE_BYTES != 0)
        memset(memory_host(&vmm->memory, file_end, 1), 0, page_ceiling(file_end) - file_end);
    memory_populate(&vmm->memory, first,
                    end - first < POPULATE_BYTES ? end - first : POPULATE_BYTES);
    return 0;
}

int elf_load(struct vmm *vmm, int fd, struct program *ret_program, struct error **err) {
    struct image image;
    if (read_headers(fd, &image, err) < 0)
        return -1;
    struct program program = {.entry = image.header.e_entry + image.bias,
                              .headers = image.header.e_phnum,
                              .header_bytes = sizeof(Elf64_Phdr)};
    uint64_t end = 0;
    for (unsigned i = 0; i < image.header.e_phnum; i++) {
        const Elf64_Phdr *segment = &image.segments[i];
        if (segment->p_type != PT_LOAD || segment->p_memsz == 0)
            continue;
        if (map_segment(vmm, fd, &image, segment, err) < 0)
            return -1;
        uint64_t start = segment->p_vaddr + image.bias;
        if (start + segment->p_memsz > end)
            end = start + segment->p_memsz;
        uint64_t offset = image.header.e_phoff - segment->p_offset;
        if (image.header.e_phoff >= segment->p_offset && offset < segment->p_filesz)
            program.headers_gva = start + offset;
    }
    if (!memory_pointer(&vmm->memory, program.entry, 1, PROT_EXEC))
        return refuse(err, "its entry point is not executable");
    memory_set_heap(&vmm->memory, end);
    memory_populate(&vmm->memory, page_ceiling(end), FIRST_HEAP_BYTES);
    *ret_program = program;
    return 0;
}

/* A stack that grows downwards while it is being filled. */
struct stack {
    uint8_t *host;
    uint64_t gva, low; /* its present end; its start */
};

static uint64_t push_bytes(struct stack *stack, const void *data, uint64_t bytes) {
    stack->gva -= bytes;
    memcpy(stack->host + (stack->gva - stack->low), data, bytes);
    return stack->gva;
}

static unsigned push_strings(struct stack *stack, const char *const *strings, uint64_t *places) {
    unsigned count = 0;
    for (; strings[count]; count++)
        places[count] = push_bytes(stack, strings[count], strlen(strings[count]) + 1);
    return count;
}

static bool strings_fit(const char *const *strings, uint64_t *bytes) {
    unsigned count = 0;
    for (; strings[count]; count++)
        *bytes += strlen(strings[count]) + 1;
    return count < STRINGS_MAX && *bytes <= STRINGS_MAX_BYTES;
}

int elf_make_stack(struct vmm *vmm, struct program *program, char *const *arguments,
                   const char *const *environment, struct error **err) {
    uint64_t bytes = 0, places[STRINGS_MAX], others[STRINGS_MAX];
    const char *const *argument_texts = (const char *const *)arguments;
    if (!strings_fit(argument_texts, &bytes) || !strings_fit(environment, &bytes))
        return error_set(err, ERROR_USAGE, E2BIG, "too many arguments for the program");
    int64_t low =
        memory_map(&vmm->memory, 0, STACK_BYTES + STACK_GUARD_BYTES, PROT_NONE, false, false);
    int result = low < 0 ? (int)low
                         : memory_protect(&vmm->memory, (uint64_t)low + STACK_GUARD_BYTES,
                                          STACK_BYTES, PROT_READ | PROT_WRITE);
    if (result < 0)
        return refuse_memory(vmm, "the program's stack", err);
    struct stack stack = {.low = (uint64_t)low,
                          .gva = (uint64_t)low + STACK_GUARD_BYTES + STACK_BYTES};
    stack.host = memory_host(&vmm->memory, stack.low, STACK_GUARD_BYTES + STACK_BYTES);
    memory_populate(&vmm->memory, stack.gva - FIRST_STACK_BYTES, FIRST_STACK_BYTES);
    uint8_t random[16];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return error_set(err, ERROR_INTERNAL, errno, "cannot draw random bytes");
    static const char platform[] = "x86_64";
    unsigned argument_count = push_strings(&stack, argument_texts, places);
    unsigned environment_count = push_strings(&stack, environment, others);
    uint64_t platform_gva = push_bytes(&stack, platform, sizeof(platform));
    uint64_t random_gva = push_bytes(&stack, random, sizeof(random));
    const uint64_t auxiliary[][2] = {
        {AT_PHDR, program->headers_gva},
        {AT_PHENT, program->header_bytes},
        {AT_PHNUM, program->headers},
        {AT_PAGESZ, PAGE_BYTES},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, program->entry},
        {AT_UID, vmm->uid},
        {AT_EUID, vmm->uid},
        {AT_GID, vmm->gid},
        {AT_EGID, vmm->gid},
        {AT_SECURE, 0},
        {AT_CLKTCK, 100},
        {AT_HWCAP, getauxval(AT_HWCAP)},
        {AT_PLATFORM, platform_gva},
        {AT_RANDOM, random_gva},
        {AT_EXECFN, places[0]},
        {vmm->sysinfo_gva ? AT_SYSINFO_EHDR : AT_IGNORE, vmm->sysinfo_gva},
        {AT_NULL, 0},
    };
    uint64_t words = 1 + argument_count + 1 + environment_count + 1;
    stack.gva = (stack.gva - words * 8 - sizeof(auxiliary)) / 16 * 16;
    program->stack_pointer = stack.gva;
    uint64_t *word = (uint64_t *)(void *)(stack.host + (stack.gva - stack.low));
    *word++ = argument_count;
    for (unsigned i = 0; i < argument_count; i++)
        *word++ = places[i];
    *word++ = 0;
    for (unsigned i = 0; i < environment_count; i++)
        *word++ = others[i];
    *word++ = 0;
    memcpy(word, auxiliary, sizeof(auxiliary));
    return 0;
}
