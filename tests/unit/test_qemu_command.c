// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's command line for a few machines against tests/golden/qemu-*.txt. After a wanted change:
 *     BOXMARK_UPDATE_GOLDEN=1 tests/unit/test_qemu_command
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/vm/qemu_command.h"

static const struct qemu_files files = {.qemu = "/usr/bin/qemu-system-x86_64",
                                        .kernel = "/cache/vmlinux",
                                        .initramfs = "/cache/initramfs",
                                        .disk = "/data/disk.raw",
                                        .agent_fd = 3,
                                        .console_fd = 4,
                                        .qmp_fd = 5};

struct machine {
    const char *name;
    struct vm_config config;
};

static const struct machine machines[] = {
    {"microvm-tcg",
     {.cpus = 2,
      .memory_bytes = UINT64_C(1) << 30,
      .tsc_khz = 2400000,
      .guest_hz = 250,
      .huge_page_mode = "madvise"}},
    {"microvm-kvm-tuned",
     {.cpus = 4,
      .memory_bytes = UINT64_C(8) << 30,
      .kvm = true,
      .iothread = true,
      .hugepages = true,
      .aio = VM_AIO_NATIVE,
      .huge_page_mode = "always"}},
    {"q35-ahci",
     {.machine = VM_MACHINE_Q35,
      .disk = VM_DISK_AHCI,
      .cache = VM_CACHE_WRITEBACK,
      .aio = VM_AIO_THREADS,
      .cpu_baseline = true,
      .cpus = 1,
      .memory_bytes = UINT64_C(512) << 20,
      .huge_page_mode = "never"}},
    {"q35-ide-unsafe",
     {.machine = VM_MACHINE_Q35,
      .disk = VM_DISK_IDE,
      .cache = VM_CACHE_UNSAFE,
      .cpus = 1,
      .memory_bytes = UINT64_C(512) << 20,
      .huge_page_mode = "never"}},
    {"q35-nvme-qcow2",
     {.machine = VM_MACHINE_Q35,
      .disk = VM_DISK_NVME,
      .qcow2 = true,
      .kvm = true,
      .cpus = 2,
      .memory_bytes = UINT64_C(512) << 20,
      .huge_page_mode = "never"}},
};

static char *printed(const struct vm_config *config, const struct qemu_files *used) {
    cleanup_qemu_command struct qemu_command command = {0};
    struct error *err = NULL;
    char *text = NULL;
    size_t size;
    qemu_command_build(config, used, &command, &err);
    assert_no_error(err);
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    qemu_command_print(&command, stream);
    fclose(stream);
    return text;
}

static void test_command_lines(void **state) {
    (void)state;
    const char *source = getenv("SRCDIR") ? getenv("SRCDIR") : ".";
    for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
        char *text = printed(&machines[i].config, &files);
        char *path = text_format("%s/tests/golden/qemu-%s.txt", source, machines[i].name);
        char *expected = NULL;
        if (getenv("BOXMARK_UPDATE_GOLDEN"))
            assert_int_equal(file_replace(path, text, strlen(text), NULL), 0);
        assert_int_equal(file_read(path, &expected, NULL, NULL), 0);
        assert_string_equal(text, expected);
        free(expected);
        free(path);
        free(text);
    }
}

static void test_paths_with_special_characters(void **state) {
    (void)state;
    struct qemu_files odd = files;
    odd.disk = "/data/a,b 'c'/disk.raw";
    char *text = printed(&machines[0].config, &odd);
    /* A comma doubled for QEMU, the rest quoted for the shell. */
    assert_non_null(strstr(text, "filename=/data/a,,b '\\''c'\\''/disk.raw,"));
    free(text);
}

static bool has_driver(const struct guest_driver *drivers, const char *module) {
    for (; drivers->module; drivers++)
        if (strcmp(drivers->module, module) == 0)
            return true;
    return false;
}

static void test_drivers_follow_the_machine(void **state) {
    (void)state;
    struct guest_driver drivers[VM_DRIVERS_MAX];
    vm_config_drivers(&machines[0].config, drivers);
    assert_true(has_driver(drivers, "virtio_mmio") && has_driver(drivers, "virtio_blk"));
    assert_false(has_driver(drivers, "virtio_pci"));
    vm_config_drivers(&machines[2].config, drivers);
    assert_true(has_driver(drivers, "virtio_pci") && has_driver(drivers, "ahci") &&
                has_driver(drivers, "sd_mod"));
    assert_false(has_driver(drivers, "virtio_mmio") || has_driver(drivers, "virtio_blk"));
    vm_config_drivers(&machines[4].config, drivers);
    assert_true(has_driver(drivers, "nvme") && has_driver(drivers, "virtio_console"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_lines),
        cmocka_unit_test(test_paths_with_special_characters),
        cmocka_unit_test(test_drivers_follow_the_machine),
    };
    return cmocka_run_group_tests_name("qemu_command", tests, NULL, NULL);
}
