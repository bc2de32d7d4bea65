// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/qemu_command.h"

#include "common/file.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

void qemu_command_clear(struct qemu_command *command) {
    for (unsigned i = 0; i < command->count; i++)
        free(command->arguments[i]);
    free(command->arguments);
    *command = (struct qemu_command){0};
}

/* Running out of memory is remembered and checked once, at the end. */
struct builder {
    struct qemu_command command;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct builder *builder, const char *format,
                                                      ...) {
    struct qemu_command *command = &builder->command;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    char **larger = reallocarray(command->arguments, command->count + 2, sizeof(*larger));
    if (larger)
        command->arguments = larger;
    if (length < 0 || !larger) {
        if (length >= 0)
            free(text);
        builder->failed = true;
        return;
    }
    command->arguments[command->count++] = text;
    command->arguments[command->count] = NULL;
}

#define add_option(builder, name, ...)                                                             \
    do {                                                                                           \
        add(builder, "%s", name);                                                                  \
        add(builder, __VA_ARGS__);                                                                 \
    } while (0)

/* A path as a value of QEMU's key=value lists, where a comma is written twice. */
static char *escape_commas(const char *path) {
    char *text = malloc(2 * strlen(path) + 1);
    char *to = text;
    if (!text)
        return NULL;
    for (; *path; path++) {
        if (*path == ',')
            *to++ = ',';
        *to++ = *path;
    }
    *to = '\0';
    return text;
}

static void add_machine(struct builder *builder, const struct vm_config *config) {
    static const char *const machines[] = {
        [VM_MACHINE_MICROVM] = "microvm", [VM_MACHINE_Q35] = "q35"};
    char size[32];
    snprintf(size, sizeof(size), "%lluM", (unsigned long long)(config->memory_bytes >> 20));
    if (config->hugepages) {
        add_option(builder, "-object",
                   "memory-backend-memfd,id=memory,size=%s,hugetlb=on,prealloc=on", size);
        add_option(builder, "-machine", "%s,memory-backend=memory", machines[config->machine]);
    } else {
        add_option(builder, "-machine", "%s", machines[config->machine]);
    }
    add_option(builder, "-accel", "%s", config->kvm ? "kvm" : "tcg,thread=multi");
    /* Under TCG there is no host CPU to pass on: "max" is all that QEMU can do. */
    add_option(builder, "-cpu", "%s",
               config->cpu_baseline ? "qemu64"
               : config->kvm        ? "host"
                                    : "max");
    add_option(builder, "-smp", "cpus=%u,sockets=1,cores=%u,threads=1", config->cpus, config->cpus);
    add_option(builder, "-m", "%s", size);
}

static void add_kernel(struct builder *builder, const struct vm_config *config,
                       const struct qemu_files *files) {
    static const char *const devices[] = {[VM_DISK_VIRTIO] = "/dev/vda",
                                          [VM_DISK_AHCI] = "/dev/sda",
                                          [VM_DISK_IDE] = "/dev/sda",
                                          [VM_DISK_NVME] = "/dev/nvme0n1"};
    char tsc[96] = "";
    /*
     * A guest under TCG counts with the host's time stamp counter, but has nothing on a microvm to
     * measure its rate with but the emulated PIT. On a busy host that fails, and then the kernel
     * waits for ever for a timer. And without tsc=reliable it would keep time by counting jiffies,
     * of which an emulated guest loses many: its clock fell behind by a third on a busy host. lpj
     * says the same to each CPU, which else takes 0.1 s to count.
     */
    if (config->tsc_khz)
        snprintf(tsc, sizeof(tsc), " tsc_early_khz=%u tsc=reliable", config->tsc_khz);
    if (config->tsc_khz && config->guest_hz)
        snprintf(tsc + strlen(tsc), sizeof(tsc) - strlen(tsc), " lpj=%llu",
                 (unsigned long long)config->tsc_khz * 1000 / config->guest_hz);
    add_option(builder, "-kernel", "%s", files->kernel);
    add_option(builder, "-initrd", "%s", files->initramfs);
    /*
     * earlyprintk before quiet: the kernel prints what it has logged so far as soon as it reads its
     * parameters, and then falls silent. The first byte is the host's stamp "kernel entered".
     * panic=-1 and reboot=t with -no-reboot: a panic, like an orderly end, ends QEMU at once.
     */
    add_option(builder, "-append",
               "%squiet console=ttyS0 panic=-1 reboot=t transparent_hugepage=%s%s -- --init "
               "--channel virtio:" QEMU_CHANNEL_NAME " --data-device %s --data /data%s%s%s",
               config->shell ? "loglevel=1 " : "earlyprintk=ttyS0 ", config->huge_page_mode, tsc,
               devices[config->disk], *config->box ? " --box " : "", config->box,
               config->shell ? " --shell /dev/ttyS0" : "");
}

static void add_channels(struct builder *builder, const struct vm_config *config,
                         const struct qemu_files *files) {
    add_option(builder, "-chardev", "socket,id=console,fd=%d", files->console_fd);
    add_option(builder, "-serial", "chardev:console");
    add_option(builder, "-chardev", "socket,id=qmp,fd=%d", files->qmp_fd);
    add_option(builder, "-mon", "chardev=qmp,mode=control");
    add_option(builder, "-chardev", "socket,id=agent,fd=%d", files->agent_fd);
    /* Ours, and port 0, which is reserved: each port of the usual 31 would cost two queues. */
    add_option(builder, "-device", "%s",
               config->machine == VM_MACHINE_MICROVM ? "virtio-serial-device,max_ports=2"
                                                     : "virtio-serial-pci,max_ports=2");
    add_option(builder, "-device", "virtserialport,chardev=agent,name=" QEMU_CHANNEL_NAME);
}

static void add_disk(struct builder *builder, const struct vm_config *config, const char *path) {
    static const char *const aios[] = {
        [VM_AIO_IO_URING] = "io_uring", [VM_AIO_NATIVE] = "native", [VM_AIO_THREADS] = "threads"};
    static const char *const caches[] = {
        [VM_CACHE_NONE] = "cache.direct=on",
        [VM_CACHE_WRITEBACK] = "cache.direct=off",
        [VM_CACHE_UNSAFE] = "cache.direct=off,cache.no-flush=on",
    };
    const char *cache = caches[config->cache];
    const char *iothread = config->iothread ? ",iothread=disk" : "";
    if (config->iothread)
        add_option(builder, "-object", "iothread,id=disk");
    add_option(builder, "-blockdev", "driver=file,node-name=file,filename=%s,%s,aio=%s", path,
               cache, aios[config->aio]);
    add_option(builder, "-blockdev", "driver=%s,node-name=disk,file=file,%s",
               config->qcow2 ? "qcow2" : "raw", cache);
    switch (config->disk) {
    case VM_DISK_VIRTIO:
        add_option(builder, "-device", "virtio-blk-%s,id=" QEMU_DISK_ID ",drive=disk%s",
                   config->machine == VM_MACHINE_MICROVM ? "device" : "pci", iothread);
        break;
    case VM_DISK_AHCI:
        /* q35 has an AHCI controller of its own. */
        add_option(builder, "-device", "ide-hd,id=" QEMU_DISK_ID ",drive=disk,bus=ide.0");
        break;
    case VM_DISK_IDE:
        add_option(builder, "-device", "piix3-ide,id=piix");
        add_option(builder, "-device", "ide-hd,id=" QEMU_DISK_ID ",drive=disk,bus=piix.0");
        break;
    case VM_DISK_NVME:
        add_option(builder, "-device", "nvme,id=" QEMU_DISK_ID ",drive=disk,serial=boxmark");
        break;
    }
}

int qemu_command_build(const struct vm_config *config, const struct qemu_files *files,
                       struct qemu_command *ret_command, struct error **err) {
    struct builder builder = {0};
    cleanup_free char *disk = escape_commas(files->disk);
    if (!disk)
        return error_no_memory(err);
    add(&builder, "%s", files->qemu);
    add_option(&builder, "-name", "boxmark,debug-threads=on");
    add(&builder, "-nodefaults");
    add(&builder, "-no-user-config");
    add(&builder, "-nographic");
    add(&builder, "-no-reboot");
    add_option(&builder, "-sandbox",
               "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    add_machine(&builder, config);
    add_kernel(&builder, config, files);
    add_channels(&builder, config, files);
    add_disk(&builder, config, disk);
    if (builder.failed) {
        qemu_command_clear(&builder.command);
        return error_no_memory(err);
    }
    *ret_command = builder.command;
    return 0;
}

static void print_quoted(const char *text, FILE *to) {
    bool plain = *text != '\0';
    for (const char *at = text; *at; at++)
        plain = plain && (isalnum((unsigned char)*at) || strchr("/._-+=:,@%", *at));
    if (plain) {
        fputs(text, to);
        return;
    }
    fputc('\'', to);
    for (const char *at = text; *at; at++) {
        if (*at == '\'')
            fputs("'\\''", to);
        else
            fputc(*at, to);
    }
    fputc('\'', to);
}

void qemu_command_print(const struct qemu_command *command, FILE *to) {
    for (unsigned i = 0; i < command->count; i++) {
        const char *argument = command->arguments[i];
        if (i > 0)
            fputs(*argument == '-' ? " \\\n    " : " ", to);
        print_quoted(argument, to);
    }
    fputc('\n', to);
}

void vm_config_drivers(const struct vm_config *config,
                       struct guest_driver ret_drivers[VM_DRIVERS_MAX]) {
    unsigned count = 0;
    if (config->machine == VM_MACHINE_MICROVM)
        ret_drivers[count++] = (struct guest_driver){"virtio_mmio", "CONFIG_VIRTIO_MMIO", false};
    else
        ret_drivers[count++] = (struct guest_driver){"virtio_pci", "CONFIG_VIRTIO_PCI", false};
    ret_drivers[count++] = (struct guest_driver){"virtio_console", "CONFIG_VIRTIO_CONSOLE", false};
    switch (config->disk) {
    case VM_DISK_VIRTIO:
        ret_drivers[count++] = (struct guest_driver){"virtio_blk", "CONFIG_VIRTIO_BLK", false};
        break;
    case VM_DISK_AHCI:
        ret_drivers[count++] = (struct guest_driver){"ahci", "CONFIG_SATA_AHCI", false};
        ret_drivers[count++] = (struct guest_driver){"sd_mod", "CONFIG_BLK_DEV_SD", false};
        break;
    case VM_DISK_IDE:
        ret_drivers[count++] = (struct guest_driver){"ata_piix", "CONFIG_ATA_PIIX", false};
        ret_drivers[count++] = (struct guest_driver){"sd_mod", "CONFIG_BLK_DEV_SD", false};
        break;
    case VM_DISK_NVME:
        ret_drivers[count++] = (struct guest_driver){"nvme", "CONFIG_BLK_DEV_NVME", false};
        break;
    }
    /* ext4 asks for it by an alias, which only a modprobe in the guest could resolve. */
    ret_drivers[count++] = (struct guest_driver){"crc32c_generic", "CONFIG_CRYPTO_CRC32C", true};
    ret_drivers[count++] = (struct guest_driver){"ext4", "CONFIG_EXT4_FS", false};
    if (config->overlays)
        ret_drivers[count++] = (struct guest_driver){"overlay", "CONFIG_OVERLAY_FS", false};
    if (config->veth)
        ret_drivers[count++] = (struct guest_driver){"veth", "CONFIG_VETH", false};
    ret_drivers[count] = (struct guest_driver){NULL, NULL, false};
}
