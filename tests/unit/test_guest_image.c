// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Guest images from kernels made up here: same input, same bytes; what is no kernel, or not a
 * whole one, is refused.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/vm/guest_image.h"
#include "environments/vm/guest_lean.h"
#include "environments/vm/kernel_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

static char *folder;

static char *in_folder(const char *name) {
    char *path = text_format("%s/%s", folder, name);
    assert_non_null(path);
    return path;
}

static void write_file(const char *path, const void *data, size_t size) {
    assert_int_equal(file_replace(path, data, size, NULL), 0);
}

static int set_up(void **state) {
    (void)state;
    char template[] = "test-guest-image.XXXXXX";
    folder = mkdtemp(template) ? realpath(template, NULL) : NULL;
    return folder ? setenv("XDG_CACHE_HOME", folder, 1) : -1;
}

static int tear_down(void **state) {
    (void)state;
    int result = file_remove_tree(folder, NULL);
    free(folder);
    return result;
}

/* The least that passes for a kernel: an ELF header, a note with the PVH entry, a banner. */
struct fake_kernel {
    Elf64_Ehdr header;
    Elf64_Phdr note;
    Elf64_Nhdr note_header;
    char note_name[4];
    uint64_t entry;
    char banner[64];
};

static struct fake_kernel fake_kernel(void) {
    struct fake_kernel kernel = {
        .header = {.e_type = ET_EXEC,
#if defined(__aarch64__)
                   .e_machine = EM_AARCH64,
#else
                   .e_machine = EM_X86_64,
#endif
                   .e_phoff = offsetof(struct fake_kernel, note),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .note = {.p_type = PT_NOTE,
                 .p_offset = offsetof(struct fake_kernel, note_header),
                 .p_filesz = sizeof(Elf64_Nhdr) + 4 + 8},
        .note_header = {.n_namesz = 4, .n_descsz = 8, .n_type = 18},
        .note_name = "Xen",
        .banner = "Linux version 6.99.0-fake (somebody@somewhere) #1",
    };
    memcpy(kernel.header.e_ident, ELFMAG, SELFMAG);
    kernel.header.e_ident[EI_CLASS] = ELFCLASS64;
    return kernel;
}

static void assert_kernel_refused(const void *data, size_t size, const char *reason) {
    char *path = in_folder("refused");
    struct kernel_file file;
    struct error *err = NULL;
    write_file(path, data, size);
    assert_int_equal(kernel_file_read(path, &file, &err), -1);
    assert_error(err, ERROR_USAGE, reason);
    free(path);
}

static void test_a_kernel_is_recognised(void **state) {
    (void)state;
    struct fake_kernel kernel = fake_kernel();
    char *path = in_folder("vmlinux");
    struct kernel_file file;
    struct error *err = NULL;
    write_file(path, &kernel, sizeof(kernel));
    kernel_file_read(path, &file, &err);
    assert_no_error(err);
    assert_string_equal(file.release, "6.99.0-fake");
    assert_int_equal(file.size, sizeof(kernel));
    kernel_file_clear(&file);
    free(path);
}

static void test_what_is_no_kernel_is_refused(void **state) {
    (void)state;
    const struct fake_kernel good = fake_kernel();
    struct fake_kernel kernel = good;
    assert_kernel_refused("", 0, "neither an ELF kernel nor a bzImage");
    assert_kernel_refused("#!/bin/sh\n", 10, "neither an ELF kernel nor a bzImage");
    assert_kernel_refused(&kernel, 20, "cut off");
    assert_kernel_refused(&kernel, sizeof(Elf64_Ehdr) + 8, "cut off");
    kernel.note.p_filesz = 1 << 20;
    assert_kernel_refused(&kernel, sizeof(kernel), "cut off");
    kernel = good;
    kernel.header.e_machine = EM_S390;
    assert_kernel_refused(&kernel, sizeof(kernel), "another processor");
    kernel = good;
    kernel.header.e_type = ET_REL;
    assert_kernel_refused(&kernel, sizeof(kernel), "not an executable");
    kernel = good;
    kernel.note_header.n_type = 1;
    assert_kernel_refused(&kernel, sizeof(kernel), "no PVH entry");
    kernel = good;
    kernel.note_header.n_descsz = UINT32_MAX;
    assert_kernel_refused(&kernel, sizeof(kernel), "no PVH entry");
    kernel = good;
    kernel.banner[0] = 'X';
    assert_kernel_refused(&kernel, sizeof(kernel), "does not name a Linux version");
}

/* A bzImage around a payload: header, one set-up sector, payload, its unpacked size. */
static size_t make_bzimage(unsigned char *image, const void *payload, size_t size,
                           uint32_t unpacked_size) {
    uint32_t offset = 0, length = (uint32_t)size + 4;
    memset(image, 0, 1024);
    image[0x1f1] = 1;
    memcpy(image + 0x202, "HdrS", 4);
    image[0x206] = 0x0f;
    image[0x207] = 0x02;
    memcpy(image + 0x248, &offset, 4);
    memcpy(image + 0x24c, &length, 4);
    memcpy(image + 1024, payload, size);
    memcpy(image + 1024 + size, &unpacked_size, 4);
    return 1024 + size + 4;
}

static size_t compress_xz(const void *data, size_t size, void *buffer, size_t capacity) {
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    size_t used = 0;
    archive_write_add_filter_xz(archive);
    archive_write_set_format_raw(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    assert_int_equal(archive_write_open_memory(archive, buffer, capacity, &used), ARCHIVE_OK);
    archive_entry_set_pathname(entry, "x");
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, data, size), (la_ssize_t)size);
    archive_entry_free(entry);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return used;
}

static void test_a_bzimage_is_unpacked(void **state) {
    (void)state;
    struct fake_kernel kernel = fake_kernel();
    unsigned char packed[8192], image[16384];
    size_t packed_size = compress_xz(&kernel, sizeof(kernel), packed, sizeof(packed));
    size_t size = make_bzimage(image, packed, packed_size, sizeof(kernel));
    char *path = in_folder("bzImage");
    struct kernel_file file;
    struct error *err = NULL;
    write_file(path, image, size);
    kernel_file_read(path, &file, &err);
    assert_no_error(err);
    assert_int_equal(file.size, sizeof(kernel));
    assert_memory_equal(file.elf, &kernel, sizeof(kernel));
    kernel_file_clear(&file);
    free(path);
    assert_kernel_refused(image, size - 40, "cut off");
    assert_kernel_refused(image, 600, "neither");
    make_bzimage(image, packed, packed_size, 17);
    assert_kernel_refused(image, size, "does not unpack to its stated size");
    image[1024 + packed_size / 2] ^= 0x55;
    assert_kernel_refused(image, size, "unpack");
}

static const struct guest_driver no_drivers[] = {{NULL, NULL, false}};

static void build(const char *agent, struct guest_image *image) {
    struct error *err = NULL;
    struct guest_kernel kernel = {.path = in_folder("vmlinux"), .origin = strdup("test")};
    guest_image_build(agent, &kernel, no_drivers, NULL, image, &err);
    assert_no_error(err);
    guest_kernel_clear(&kernel);
}

static void test_same_input_same_bytes(void **state) {
    (void)state;
    struct fake_kernel kernel = fake_kernel();
    char *path = in_folder("vmlinux"), *agent = in_folder("agent");
    write_file(path, &kernel, sizeof(kernel));
    write_file(agent, "agent 1", 7);
    struct guest_image first, again, other;
    build(agent, &first);
    /* Times and owners differ; a damaged file in the cache is written anew. */
    sleep(1);
    write_file(agent, "agent 1", 7);
    write_file(first.initramfs_path, "damaged", 7);
    build(agent, &again);
    assert_string_equal(first.initramfs_sha256, again.initramfs_sha256);
    assert_string_equal(first.initramfs_path, again.initramfs_path);
    char hash[65];
    assert_int_equal(file_sha256(again.initramfs_path, hash, NULL), 0);
    assert_string_equal(hash, again.initramfs_sha256);
    write_file(agent, "agent 2", 7);
    build(agent, &other);
    assert_string_not_equal(first.initramfs_sha256, other.initramfs_sha256);
    assert_string_equal(first.kernel_path, other.kernel_path);
    guest_image_clear(&first);
    guest_image_clear(&again);
    guest_image_clear(&other);
    free(agent);
    free(path);
}

static void test_what_is_not_used_is_removed(void **state) {
    (void)state;
    struct fake_kernel kernel = fake_kernel();
    char *path = in_folder("vmlinux"), *agent = in_folder("agent");
    const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    write_file(path, &kernel, sizeof(kernel));
    write_file(agent, "agent 1", 7);
    struct guest_image first, second;
    build(agent, &first);
    assert_int_equal(utimensat(AT_FDCWD, first.initramfs_path, long_ago, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, first.kernel_path, long_ago, 0), 0);
    write_file(agent, "agent 2", 7);
    build(agent, &second);
    /* The kernel was used again, the old agent's image was not. */
    assert_true(file_exists(second.kernel_path));
    assert_true(file_exists(second.initramfs_path));
    assert_false(file_exists(first.initramfs_path));
    guest_image_clear(&first);
    guest_image_clear(&second);
    free(agent);
    free(path);
}

static void test_the_initramfs_holds_the_agent(void **state) {
    (void)state;
    struct fake_kernel kernel = fake_kernel();
    char *path = in_folder("vmlinux"), *agent = in_folder("agent");
    write_file(path, &kernel, sizeof(kernel));
    write_file(agent, "agent 1", 7);
    struct guest_image image;
    build(agent, &image);
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    bool init = false, console = false;
    archive_read_support_format_cpio(archive);
    assert_int_equal(archive_read_open_filename(archive, image.initramfs_path, 65536), ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        assert_int_equal(archive_entry_mtime(entry), 0);
        assert_int_equal(archive_entry_uid(entry), 0);
        if (strcmp(name, "init") == 0) {
            char bytes[16] = "";
            assert_int_equal(archive_read_data(archive, bytes, sizeof(bytes)), 7);
            assert_string_equal(bytes, "agent 1");
            init = archive_entry_perm(entry) == 0755;
        }
        if (strcmp(name, "dev/console") == 0)
            console = archive_entry_filetype(entry) == AE_IFCHR;
    }
    archive_read_free(archive);
    assert_true(init && console);
    guest_image_clear(&image);
    free(agent);
    free(path);
}

static void test_missing_drivers_are_named(void **state) {
    (void)state;
    const struct guest_driver drivers[] = {
        {"virtio_blk", "CONFIG_VIRTIO_BLK", false},
        {"crc32c_generic", "CONFIG_CRYPTO_CRC32C", true},
        {"ahci", "CONFIG_SATA_AHCI", false},
        {NULL, NULL, false},
    };
    char *config = in_folder("config");
    struct guest_modules modules;
    struct error *err = NULL;
    static const char without[] = "#\nCONFIG_VIRTIO_BLK=y\n# CONFIG_SATA_AHCI is not set\n";
    static const char with[] = "#\nCONFIG_VIRTIO_BLK=y\nCONFIG_SATA_AHCI=y\n";
    write_file(config, without, sizeof(without) - 1);
    assert_int_equal(guest_modules_find(NULL, config, drivers, &modules, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "no driver ahci");
    write_file(config, with, sizeof(with) - 1);
    guest_modules_find(NULL, config, drivers, &modules, &err);
    assert_no_error(err);
    assert_int_equal(modules.count, 0);
    /* A folder that is none of modules, and one where a driver is neither module nor built in. */
    assert_int_equal(guest_modules_find(folder, NULL, drivers, &modules, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "not a folder of kernel modules");
    char *builtin = in_folder("modules.builtin");
    static const char list[] = "kernel/drivers/block/virtio_blk.ko\n";
    write_file(builtin, list, sizeof(list) - 1);
    assert_int_equal(guest_modules_find(folder, NULL, drivers, &modules, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "no driver ahci");
    free(builtin);
    free(config);
}

static void test_a_lean_configuration_is_checked(void **state) {
    (void)state;
    struct error *err = NULL;
    static const char fragment[] = "# comment\nCONFIG_A=y\n\nCONFIG_B=y\n"
                                   "# ---- where the kernel has them ----\nCONFIG_C=y\n";
    guest_lean_check_config(fragment, "#\nCONFIG_A=y\nCONFIG_B=y\n", &err);
    assert_no_error(err);
    assert_int_equal(guest_lean_check_config(fragment, "#\nCONFIG_A=y\nCONFIG_BB=y\n", &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "CONFIG_B=y");
    /* The fragment itself has that mark. */
    assert_int_equal(guest_lean_check_config(guest_lean_config, guest_lean_config, &err), 0);
    const char *mark = strstr(guest_lean_config, "\n# ---- where the kernel has them");
    assert_non_null(mark);
    char *mandatory = strndup(guest_lean_config, (size_t)(mark - guest_lean_config) + 1);
    guest_lean_check_config(guest_lean_config, mandatory, &err);
    assert_no_error(err);
    free(mandatory);
    assert_non_null(strstr(guest_lean_config, "\nCONFIG_PVH=y\n"));
    assert_non_null(strstr(guest_lean_config, "CONFIG_LOCALVERSION=\"-boxmark-lean\"\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_kernel_is_recognised),
        cmocka_unit_test(test_what_is_no_kernel_is_refused),
        cmocka_unit_test(test_a_bzimage_is_unpacked),
        cmocka_unit_test(test_same_input_same_bytes),
        cmocka_unit_test(test_what_is_not_used_is_removed),
        cmocka_unit_test(test_the_initramfs_holds_the_agent),
        cmocka_unit_test(test_missing_drivers_are_named),
        cmocka_unit_test(test_a_lean_configuration_is_checked),
    };
    return cmocka_run_group_tests_name("guest_image", tests, set_up, tear_down);
}
