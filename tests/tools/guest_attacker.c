// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stands in for the agent inside of a virtual machine. Root there owns the whole machine, so what
 * is tried is to leave it: the host's files, memory, network and disk, devices that should not be,
 * and the harness at the other end of the channel. What it shall do stands at the end of the
 * program's own file, as "\nattack WHAT [PATH]\n"; it hears nothing else from outside before it
 * speaks.
 *
 * attempts PATH   one line each on the console, "attack: NAME ERRNO TEXT" (0: it succeeded), and
 *                 "attack: count NAME NUMBER" for what there is; PATH is a file of the host
 * flood, line, binary, lies   what is written to the channel, until the host has had enough
 */
#include "bench/init.h"
#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

static void tell(const char *name, int errnum) {
    dprintf(STDERR_FILENO, "attack: %s %d %s\n", name, errnum, strerror(errnum));
}

/* A call that returns a negative value when it was refused. */
#define TRY(name, call) tell(name, (errno = 0, (long)(call) < 0) ? errno : 0)

static void try_open(const char *name, const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC);
    tell(name, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
}

/* ---- What hardware there is ---- */

static void count_entries(const char *name, const char *folder, const char *but) {
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[0] != '.' && strncmp(entry->d_name, but, strlen(but)) != 0;
    if (dir)
        closedir(dir);
    dprintf(STDERR_FILENO, "attack: count %s %d\n", name, count);
}

static void look_around(void) {
    count_entries("network-devices-but-lo", "/sys/class/net", "lo");
    count_entries("virtio-devices", "/sys/bus/virtio/devices", "-");
    count_entries("virtio-ports", "/sys/class/virtio-ports", "-");
    count_entries("pci-devices", "/sys/bus/pci/devices", "-");
    count_entries("usb-devices", "/sys/bus/usb/devices", "-");
    count_entries("scsi-devices", "/sys/bus/scsi/devices", "-");
    count_entries("other-disks", "/sys/class/block", "vda");
    count_entries("displays", "/sys/class/drm", "version");
    count_entries("sound-cards", "/sys/class/sound", "-");
    count_entries("tpms", "/sys/class/tpm", "-");
}

/* ---- Ways out ---- */

static void try_files(const char *host_file) {
    try_open("read-host-file", host_file, O_RDONLY);
    try_open("climb-out", "/../../../../etc/passwd", O_RDONLY);
    try_open("climb-out-of-data", "/data/../../etc/passwd", O_RDONLY);
    (void)mkdir("/tmp/host", 0700);
    static const char *const tags[] = {"host", "share", "/", "root", "myfs"};
    for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
        TRY("mount-9p", mount(tags[i], "/tmp/host", "9p", 0, "trans=virtio,version=9p2000.L"));
        TRY("mount-virtiofs", mount(tags[i], "/tmp/host", "virtiofs", 0, NULL));
    }
    TRY("mount-cifs", mount("//10.0.2.4/qemu", "/tmp/host", "cifs", 0, "ip=10.0.2.4,guest"));
    TRY("mount-nfs", mount("10.0.2.2:/", "/tmp/host", "nfs", 0, "addr=10.0.2.2,nolock"));
}

static void try_connect(const char *name, uint32_t address, uint16_t port) {
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tell(name, fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
}

static void try_network(void) {
    try_connect("connect-qemu-gateway", 0x0a000202, 22);
    try_connect("connect-qemu-names", 0x0a000203, 53);
    try_connect("connect-link-local", 0xa9fea9fe, 80);
    try_connect("connect-outside", 0x08080808, 53);
    const struct sockaddr_vm host = {
        .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = 1024};
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tell("vsock-to-host",
         fd < 0 || connect(fd, (const struct sockaddr *)&host, sizeof(host)) < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
}

/* Disks behind other buses, other numbers, other drivers. */
static void try_devices(void) {
    static const char *const nodes[] = {
        "/dev/vdb",      "/dev/sda", "/dev/nvme0n1",   "/dev/sr0",  "/dev/fd0",
        "/dev/vport0p0", "/dev/kvm", "/dev/vhost-net", "/dev/tpm0", "/dev/input/mice"};
    for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
        try_open(nodes[i], nodes[i], O_RDWR);
    static const struct {
        const char *name;
        unsigned major, minor;
    } numbers[] = {{"second-virtio-disk", 254, 16}, {"first-scsi-disk", 8, 0},
                   {"first-scsi-generic", 21, 0},   {"first-cdrom", 11, 0},
                   {"first-nvme", 259, 0},          {"first-floppy", 2, 0}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        (void)unlink("/tmp/node");
        (void)mknod("/tmp/node", S_IFBLK | 0600, makedev(numbers[i].major, numbers[i].minor));
        try_open(numbers[i].name, "/tmp/node", O_RDWR);
    }
}

/* Bytes of the image's file behind or before those of the disk. */
static void try_disk(void) {
    static char block[4096] __attribute__((aligned(4096)));
    uint64_t bytes = 0;
    memset(block, 0xa5, sizeof(block));
    /* Some kernels keep the device of a mounted file system shut. */
    (void)umount2("/data", 0);
    int fd = open("/dev/vda", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0) {
        tell("no-disk", 0); /* so that it is noticed */
        return;
    }
    dprintf(STDERR_FILENO, "attack: count disk-bytes %llu\n", (unsigned long long)bytes);
    TRY("write-behind-the-disk", pwrite(fd, block, sizeof(block), (off_t)bytes));
    TRY("write-far-behind-the-disk", pwrite(fd, block, sizeof(block), (off_t)1 << 50));
    TRY("write-before-the-disk", pwrite(fd, block, sizeof(block), -4096));
    unsigned char inquiry[6] = {0x12, 0, 0, 0, 36, 0}, answer[36];
    struct sg_io_hdr command = {.interface_id = 'S',
                                .dxfer_direction = SG_DXFER_FROM_DEV,
                                .cmd_len = sizeof(inquiry),
                                .dxfer_len = sizeof(answer),
                                .dxferp = answer,
                                .cmdp = inquiry,
                                .timeout = 1000};
    TRY("scsi-command-to-the-disk", ioctl(fd, SG_IO, &command));
    close(fd);
}

#if defined(__x86_64__)
/* Doors of other configurations of QEMU: a way to end it with a status, VMware's door, ACPI's. */
static void try_ports(void) {
    if (iopl(3) < 0) {
        tell("ports", errno);
        return;
    }
    outl(0x2a, 0xf4);
    outl(0x2a, 0x501);
    tell("qemu-debug-exit", ENXIO); /* still here */
    uint32_t a = 0x564d5868, b = 0, c = 10, d = 0x5658;
    __asm__ volatile("inl %%dx, %%eax" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
    tell("vmware-door", b == 0x564d5868 ? 0 : ENXIO);
    for (unsigned port = 0xc000; port < 0xc400; port += 4)
        outl(0xffffffff, (unsigned short)port);
    tell("ports-of-pci-devices", ENXIO);
}
#else
static void try_ports(void) {
}
#endif

static void attempt_all(const char *host_file) {
    look_around();
    try_files(host_file);
    try_network();
    try_devices();
    try_ports();
    try_disk();
    dprintf(STDERR_FILENO, "attack: over\n");
}

/* ---- The other end of the channel ---- */

static void say_for_ever(int fd, const char *text, size_t length) {
    while (write(fd, text, length) >= 0 || errno == EINTR)
        ;
}

static void babble(int fd, const char *how) {
    static char text[65536];
    if (strcmp(how, "flood") == 0) {
        for (size_t i = 0; i < sizeof(text); i += 2)
            memcpy(text + i, "y\n", 2);
    } else if (strcmp(how, "line") == 0) {
        memset(text, 'x', sizeof(text));
    } else if (strcmp(how, "binary") == 0) {
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (char)(i * 2654435761U >> 7);
    } else {
        /* Well-formed, and none of it asked for. */
        static const char lie[] =
            "{\"type\":\"end\",\"id\":18446744073709551615}\n"
            "{\"type\":\"sample\",\"id\":-1,\"metric\":\"../../etc\",\"value\":1e999}\n";
        size_t length = 0;
        while (length + sizeof(lie) <= sizeof(text)) {
            memcpy(text + length, lie, sizeof(lie) - 1);
            length += sizeof(lie) - 1;
        }
        say_for_ever(fd, text, length);
        return;
    }
    say_for_ever(fd, text, sizeof(text));
}

/* The words at the end of this program's file. */
static void read_orders(char what[32], char path[256]) {
    char tail[512] = "";
    int fd = open("/init", O_RDONLY | O_CLOEXEC);
    struct stat status;
    *what = *path = '\0';
    if (fd < 0 || fstat(fd, &status) < 0 ||
        pread(fd, tail, sizeof(tail) - 1, status.st_size - (off_t)(sizeof(tail) - 1)) < 0)
        return;
    close(fd);
    static const char mark[] = "\nattack ";
    char *at = memmem(tail, sizeof(tail) - 1, mark, strlen(mark));
    if (at)
        (void)sscanf(at, "\nattack %31s %255s", what, path);
}

/* As the agent's command line in a guest (bench/agent.c): pairs, behind --init. */
static const char *value_of(char **argv, const char *option) {
    for (char **at = argv; *at && at[1]; at++)
        if (strcmp(*at, option) == 0)
            return at[1];
    return NULL;
}

int main(int argc, char **argv) {
    /* Nobody shall start this outside of a box by mistake. */
    if (argc < 2 || strcmp(argv[1], "--init") != 0 || getpid() != 1) {
        fputs("guest_attacker: this is not the inside of a guest\n", stderr);
        return 2;
    }
    struct init_options options = {.channel = value_of(argv, "--channel"),
                                   .data_device = value_of(argv, "--data-device"),
                                   .data_folder = value_of(argv, "--data")};
    struct port port;
    char what[32], path[256];
    init_announce();
    init_start(&options, &port);
    signal(SIGPIPE, SIG_IGN);
    read_orders(what, path);
    if (strcmp(what, "attempts") == 0)
        attempt_all(path);
    else
        babble(port.output_fd, what);
    return 0;
}
