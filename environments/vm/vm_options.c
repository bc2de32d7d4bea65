// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/vm_options.h"

#include "common/file.h"
#include "common/units.h"
#include "environments/vm/guest_box.h"
#include "environments/vm/host_tsc.h"

#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The order of the values is that of the enumerations in qemu_command.h and vm_options.h. */
const struct spec_key vm_keys[] = {
    {"machine", VALUES("microvm", "q35"), "small virtual machine, or a PC with firmware and PCI"},
    {"disk", VALUES("virtio", "ahci", "ide", "nvme"), "paravirtual or emulated disk controller"},
    {"cache", VALUES("none", "writeback", "unsafe"), "the host's page cache under the guest"},
    {"aio", VALUES("io_uring", "native", "threads"), "how QEMU does its disk I/O"},
    {"iothread", VALUES("off", "on"), "disk I/O in a thread of its own"},
    {"hugepages", VALUES("off", "on"), "guest memory from the host's reserved huge pages"},
    {"cpu", VALUES("host", "baseline"), "the host's processor, or one of least features"},
    {"pin", VALUES("on", "off"), "each virtual CPU on one CPU"},
    {"format", VALUES("raw", "qcow2"), "of the disk's image"},
    {"accel", VALUES("auto", "kvm", "tcg"), "KVM where it is native, or as given"},
    {"kernel", NULL, "lean, cloud, host or a file"},
    {0},
};

static unsigned value_index(const struct environment *environment, const char *name) {
    const char *value = environment_value(environment, name);
    for (const struct spec_key *key = vm_keys; key->name; key++) {
        if (strcmp(key->name, name) != 0 || !key->values)
            continue;
        for (unsigned i = 0; key->values[i]; i++)
            if (value && strcmp(key->values[i], value) == 0)
                return i;
    }
    return 0;
}

static bool is_given(const struct environment *environment, const char *name) {
    for (unsigned i = 0; i < environment->spec->count; i++)
        if (strcmp(environment->spec->entries[i].key, name) == 0)
            return true;
    return false;
}

static bool io_uring_works(void) {
    struct io_uring_params parameters = {0};
    int fd = (int)syscall(SYS_io_uring_setup, 1, &parameters);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int refuse(const struct environment *environment, enum error_kind kind, const char *reason,
                  const char *advice, struct error **err) {
    error_set(err, kind, 0, "environment \"%s\": %s", environment->label, reason);
    return error_advise(err, "%s", advice);
}

static int check_combination(const struct environment *environment,
                             const struct vm_options *options, struct error **err) {
    const struct vm_config *config = &options->config;
    if (config->machine == VM_MACHINE_MICROVM && config->disk != VM_DISK_VIRTIO)
        return refuse(environment, ERROR_USAGE,
                      "a microvm has no PCI bus, so no ahci, ide or nvme disk",
                      "add machine=q35, or use disk=virtio", err);
    if (config->iothread && config->disk != VM_DISK_VIRTIO)
        return refuse(environment, ERROR_USAGE, "only a virtio disk can have an iothread in QEMU",
                      "use disk=virtio, or leave iothread=on out", err);
    if (config->aio == VM_AIO_NATIVE && config->cache != VM_CACHE_NONE)
        return refuse(environment, ERROR_USAGE,
                      "aio=native works past the host's page cache only (cache=none)",
                      "use cache=none, or another aio", err);
    return 0;
}

/* Reserved huge pages that are free, in bytes, and their size, of the default kind. */
static void read_huge_pages(uint64_t *ret_free_bytes, uint64_t *ret_page_bytes) {
    cleanup_free char *text = NULL;
    unsigned long long pages = 0, kibibytes = 0;
    if (file_read("/proc/meminfo", &text, NULL, NULL) == 0) {
        const char *line = strstr(text, "\nHugePages_Free:");
        if (line)
            sscanf(line, " HugePages_Free: %llu", &pages);
        line = strstr(text, "\nHugepagesize:");
        if (line)
            sscanf(line, " Hugepagesize: %llu", &kibibytes);
    }
    *ret_page_bytes = kibibytes << 10;
    *ret_free_bytes = pages * (kibibytes << 10);
}

static int check_host(const struct environment *environment, struct vm_options *options,
                      struct error **err) {
    struct vm_config *config = &options->config;
    if (config->aio == VM_AIO_IO_URING && !io_uring_works()) {
        if (options->aio_given)
            return refuse(environment, ERROR_UNAVAILABLE, "this host does not offer io_uring",
                          "use aio=native or aio=threads", err);
        config->aio = config->cache == VM_CACHE_NONE ? VM_AIO_NATIVE : VM_AIO_THREADS;
    }
    uint64_t free_bytes, page_bytes;
    if (!config->hugepages)
        return 0;
    read_huge_pages(&free_bytes, &page_bytes);
    if (page_bytes && free_bytes >= config->memory_bytes)
        return 0;
    char need[32], have[32];
    error_set(err, ERROR_UNAVAILABLE, 0,
              "environment \"%s\": %s of reserved huge pages are needed, %s are free",
              environment->label, format_size(config->memory_bytes, need),
              format_size(free_bytes, have));
    return error_advise(
        err, "reserve them as root: echo %llu > /proc/sys/vm/nr_hugepages",
        (unsigned long long)(page_bytes ? config->memory_bytes / page_bytes + 1 : 0));
}

/* "always [madvise] never" -> "madvise": programs in the guest shall meet the host's policy. */
static void read_huge_page_mode(struct vm_options *options) {
    cleanup_free char *line = file_read_line("/sys/kernel/mm/transparent_hugepage/enabled");
    /* A kernel without them. */
    strcpy(options->config.huge_page_mode, "never");
    const char *start = line ? strchr(line, '[') : NULL;
    const char *end = start ? strchr(start, ']') : NULL;
    if (end && (size_t)(end - start) <= sizeof(options->config.huge_page_mode))
        snprintf(options->config.huge_page_mode, sizeof(options->config.huge_page_mode), "%.*s",
                 (int)(end - start - 1), start + 1);
}

int vm_options_read(const struct environment *environment, struct vm_options *ret_options,
                    struct error **err) {
    const struct envelope *envelope = &environment->setup->envelope;
    struct vm_options options = {
        .config =
            {
                .machine = value_index(environment, "machine"),
                .disk = value_index(environment, "disk"),
                .cache = value_index(environment, "cache"),
                .aio = value_index(environment, "aio"),
                .iothread = environment_is_on(environment, "iothread"),
                .hugepages = environment_is_on(environment, "hugepages"),
                .qcow2 = value_index(environment, "format") == 1,
                .cpu_baseline = value_index(environment, "cpu") == 1,
                .cpus = envelope->cpu_count,
                .memory_bytes = envelope->memory_bytes,
            },
        .accel = value_index(environment, "accel"),
        .pin = environment_is_on(environment, "pin"),
        .aio_given = is_given(environment, "aio"),
        .kernel = environment_value(environment, "kernel"),
    };
    if (!options.kernel)
        options.kernel = environment->setup->guest_kernel;
    if (check_combination(environment, &options, err) < 0 ||
        check_host(environment, &options, err) < 0)
        return -1;
    read_huge_page_mode(&options);
    if (guest_box_read(environment, &options.config, err) < 0)
        return -1;
    *ret_options = options;
    return 0;
}

int vm_options_choose_accelerator(struct vm_options *options, const struct kvm_probe_result *kvm,
                                  bool require_kvm, char label[16], struct error **err) {
    bool native = kvm->state == KVM_NATIVE;
    bool forced = options->accel == VM_ACCEL_KVM;
    /* Where KVM is insisted on, it is first measured inside a guest. */
    if (require_kvm && (options->accel == VM_ACCEL_TCG || (!native && !forced))) {
        error_set(err, ERROR_UNAVAILABLE, 0, "KVM is required, but %s",
                  options->accel == VM_ACCEL_TCG ? "accel=tcg was asked for" : kvm->reason);
        return *kvm->advice && options->accel != VM_ACCEL_TCG ? error_advise(err, "%s", kvm->advice)
                                                              : -1;
    }
    if (forced && (kvm->state == KVM_ABSENT || kvm->state == KVM_NO_PERMISSION)) {
        error_set(err, ERROR_UNAVAILABLE, 0, "accel=kvm was asked for, but %s", kvm->reason);
        return *kvm->advice ? error_advise(err, "%s", kvm->advice) : -1;
    }
    options->config.kvm = forced || (options->accel == VM_ACCEL_AUTO && native);
    /* QEMU 7.2: "ioeventfd is required for iothread"; of virtio-mmio only KVM has it. */
    if (!options->config.kvm && options->config.iothread &&
        options->config.machine == VM_MACHINE_MICROVM) {
        error_set(err, ERROR_UNAVAILABLE, 0,
                  "under software emulation the disk of a microvm can have no iothread");
        return error_advise(err, "add machine=q35, or leave iothread=on out");
    }
    options->config.tsc_khz = options->config.kvm ? 0 : host_tsc_khz();
    snprintf(label, 16, "%s",
             !options->config.kvm ? ACCELERATOR_TCG
             : native             ? ACCELERATOR_KVM
                                  : ACCELERATOR_KVM_EMULATED);
    return 0;
}
