// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/kernel_file.h"

#include "common/file.h"

#include <archive.h>
#include <ctype.h>
#include <elf.h>
#include <stdint.h>
#include <string.h>

/* Larger than any kernel, debug information included. */
#define KERNEL_MAX_BYTES (UINT64_C(1) << 30)

/* The boot protocol's header (Documentation/arch/x86/boot.rst of Linux). */
enum {
    BZIMAGE_SETUP_SECTORS = 0x1f1,
    BZIMAGE_MAGIC = 0x202,
    BZIMAGE_VERSION = 0x206,
    BZIMAGE_PAYLOAD_OFFSET = 0x248,
    BZIMAGE_PAYLOAD_LENGTH = 0x24c,
    BZIMAGE_HEADER_END = 0x268,
    BZIMAGE_PAYLOAD_SINCE = 0x208, /* protocol version */
    SECTOR_BYTES = 512,
};

/* XEN_ELFNOTE_PHYS32_ENTRY: where a hypervisor enters the kernel in 32-bit mode (PVH). */
#define NOTE_PVH_ENTRY 18

#if defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_X86_64
#endif

void kernel_file_clear(struct kernel_file *kernel) {
    free(kernel->elf);
    *kernel = (struct kernel_file){0};
}

static uint32_t read_u32(const unsigned char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static void archive_cleanup(struct archive **archive) {
    if (*archive)
        archive_read_free(*archive);
}

int unpack_bytes(const void *data, size_t size, size_t limit, void **ret_bytes, size_t *ret_size,
                 struct error **err) {
    __attribute__((cleanup(archive_cleanup))) struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    if (!archive)
        return error_no_memory(err);
    archive_read_support_filter_all(archive);
    archive_read_support_format_raw(archive);
    if (archive_read_open_memory(archive, data, size) != ARCHIVE_OK ||
        archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        return error_set(err, ERROR_USAGE, 0, "cannot unpack: %s", archive_error_string(archive));
    cleanup_free char *bytes = NULL;
    size_t used = 0, capacity = 0;
    for (;;) {
        if (used == capacity) {
            capacity = capacity ? capacity * 2 : UINT64_C(1) << 20;
            if (used >= limit)
                return error_set(err, ERROR_USAGE, 0, "cannot unpack: more than %zu MiB",
                                 limit >> 20);
            char *larger = realloc(bytes, capacity);
            if (!larger)
                return error_no_memory(err);
            bytes = larger;
        }
        la_ssize_t count = archive_read_data(archive, bytes + used, capacity - used);
        if (count < 0)
            return error_set(err, ERROR_USAGE, 0, "cannot unpack: %s",
                             archive_error_string(archive));
        if (count == 0)
            break;
        used += (size_t)count;
    }
    *ret_bytes = TAKE_PTR(bytes);
    *ret_size = used;
    return 0;
}

/* 1 when there is a PVH entry among the notes, 0 when not. Bounds have been checked by the caller.
 */
static int has_pvh_note(const unsigned char *notes, size_t size) {
    size_t at = 0;
    while (at + sizeof(Elf64_Nhdr) <= size) {
        Elf64_Nhdr header;
        memcpy(&header, notes + at, sizeof(header));
        at += sizeof(header);
        uint64_t name_bytes = ((uint64_t)header.n_namesz + 3) & ~UINT64_C(3);
        uint64_t value_bytes = ((uint64_t)header.n_descsz + 3) & ~UINT64_C(3);
        if (name_bytes + value_bytes > size - at)
            return 0;
        if (header.n_type == NOTE_PVH_ENTRY && header.n_namesz == 4 &&
            memcmp(notes + at, "Xen", 4) == 0)
            return 1;
        at += (size_t)(name_bytes + value_bytes);
    }
    return 0;
}

static int check_elf(const struct kernel_file *kernel, struct error **err) {
    const unsigned char *bytes = kernel->elf;
    Elf64_Ehdr header;
    if (kernel->size < sizeof(header))
        return error_set(err, ERROR_USAGE, 0, "it is cut off");
    memcpy(&header, bytes, sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != OWN_MACHINE)
        return error_set(err, ERROR_USAGE, 0, "it is for another processor (ELF machine %u)",
                         header.e_machine);
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
        return error_set(err, ERROR_USAGE, 0, "it is not an executable ELF file");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > kernel->size ||
        header.e_phnum > (kernel->size - header.e_phoff) / sizeof(Elf64_Phdr))
        return error_set(err, ERROR_USAGE, 0, "it is cut off");
    int pvh = 0;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_offset > kernel->size || segment.p_filesz > kernel->size - segment.p_offset)
            return error_set(err, ERROR_USAGE, 0, "it is cut off");
        if (segment.p_type == PT_NOTE)
            pvh |= has_pvh_note(bytes + segment.p_offset, segment.p_filesz);
    }
    if (!pvh) {
        error_set(err, ERROR_USAGE, 0, "it has no PVH entry");
        return error_advise(err, "use a Linux kernel built with CONFIG_PVH=y");
    }
    return 0;
}

/* The release from the banner that every Linux kernel holds: "Linux version RELEASE (...". */
static int read_release(struct kernel_file *kernel, struct error **err) {
    static const char banner[] = "Linux version ";
    const char *at = kernel->elf, *end = at + kernel->size;
    while ((at = memmem(at, (size_t)(end - at), banner, sizeof(banner) - 1))) {
        at += sizeof(banner) - 1;
        size_t length = 0;
        while (at + length < end && length < sizeof(kernel->release) - 1 &&
               isgraph((unsigned char)at[length]) && at[length] != '%' && at[length] != '/')
            length++;
        if (length > 0 && isdigit((unsigned char)*at) && at + length < end && at[length] == ' ') {
            memcpy(kernel->release, at, length);
            kernel->release[length] = '\0';
            return 0;
        }
    }
    return error_set(err, ERROR_USAGE, 0, "it does not name a Linux version");
}

static int unpack_bzimage(const unsigned char *bytes, size_t size, struct kernel_file *kernel,
                          struct error **err) {
    unsigned version = bytes[BZIMAGE_VERSION] | (unsigned)bytes[BZIMAGE_VERSION + 1] << 8;
    if (version < BZIMAGE_PAYLOAD_SINCE)
        return error_set(err, ERROR_USAGE, 0, "its boot protocol is older than 2.8");
    uint64_t sectors = bytes[BZIMAGE_SETUP_SECTORS] ? bytes[BZIMAGE_SETUP_SECTORS] : 4;
    uint64_t offset = (sectors + 1) * SECTOR_BYTES + read_u32(bytes + BZIMAGE_PAYLOAD_OFFSET);
    uint64_t length = read_u32(bytes + BZIMAGE_PAYLOAD_LENGTH);
    if (offset > size || length > size - offset || length < 8)
        return error_set(err, ERROR_USAGE, 0, "it is cut off");
    const unsigned char *payload = bytes + offset;
    /* The unpacked size follows the compressed data, except where gzip holds it itself. */
    bool gzip = payload[0] == 0x1f && payload[1] == 0x8b;
    uint32_t expected = read_u32(payload + length - 4);
    if (unpack_bytes(payload, (size_t)(gzip ? length : length - 4), KERNEL_MAX_BYTES, &kernel->elf,
                     &kernel->size, err) < 0)
        return -1;
    if (kernel->size != expected)
        return error_set(err, ERROR_USAGE, 0, "its payload does not unpack to its stated size");
    return 0;
}

static int read_any(const char *path, struct kernel_file *kernel, struct error **err) {
    cleanup_free char *text = NULL;
    size_t size;
    if (file_read(path, &text, &size, err) < 0) {
        error_blame_usage(err);
        return -1;
    }
    const unsigned char *bytes = (const unsigned char *)text;
    if (size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0) {
        kernel->elf = TAKE_PTR(text);
        kernel->size = size;
    } else if (size >= BZIMAGE_HEADER_END && memcmp(bytes + BZIMAGE_MAGIC, "HdrS", 4) == 0) {
        if (unpack_bzimage(bytes, size, kernel, err) < 0)
            return -1;
    } else {
        return error_set(err, ERROR_USAGE, 0, "it is neither an ELF kernel nor a bzImage");
    }
    if (kernel->size < SELFMAG || memcmp(kernel->elf, ELFMAG, SELFMAG) != 0)
        return error_set(err, ERROR_USAGE, 0, "what it holds is not an ELF kernel");
    return check_elf(kernel, err) < 0 ? -1 : read_release(kernel, err);
}

int kernel_file_read(const char *path, struct kernel_file *ret_kernel, struct error **err) {
    cleanup_kernel_file struct kernel_file kernel = {0};
    if (read_any(path, &kernel, err) < 0) {
        error_wrap(err, "%s cannot be used as guest kernel", path);
        return error_advise(err, "give a Linux kernel for this processor (vmlinux or bzImage)");
    }
    *ret_kernel = kernel;
    kernel = (struct kernel_file){0};
    return 0;
}
