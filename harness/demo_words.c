// SPDX-License-Identifier: GPL-3.0-or-later
/* What the demonstration says, and how it is put on a page of any width. */
#include "harness/demo.h"

#include "common/file.h"
#include "common/text.h"

#include <stdarg.h>
#include <string.h>

static const struct demo_words words[] = {
    {"host",
     "The program runs as an ordinary process. Everything else is measured against it. It, too, "
     "gets only the CPUs and the memory that the others get, or it would be another contest.",
     "Nothing stands between the program and the machine: this is the yardstick."},
    {"container",
     "The same kernel, with a narrower view. The kernel gives the process names of its own "
     "(namespaces: its own process table, mounts, network), a share of the machine (control "
     "group) and fewer system calls (seccomp). There is no second kernel and no second computer.",
     "Computing should cost nothing more: the instructions are the same ones on the same CPU. "
     "Starting costs milliseconds, because names and mounts have to be made. System calls cost a "
     "little more, because a filter looks at each."},
    {"vm",
     "A whole computer with a kernel of its own, acted by QEMU: memory, CPUs, a disk, a serial "
     "line. The program inside talks to the guest's kernel, never to this one.",
     "Starting costs most: a kernel has to boot. Whatever leaves the virtual computer (disk, "
     "timers) goes through two kernels and QEMU. Memory is looked up through two sets of tables."},
    {"microguest",
     "A virtual machine without an operating system: a small monitor gives the processor's own "
     "guest mode to this one program, and answers its system calls itself.",
     "Computing runs at native speed, since the CPU runs the instructions itself. Every system call "
     "leaves the guest (an exit) and costs more than on the host. It starts in milliseconds, because "
     "no kernel boots."},
    {"uml", "A Linux kernel that runs as an ordinary process of this one, and programs under it.",
     "Computing is native, system calls and page faults are slow: each is caught and handed over."},
    {NULL, "Another way to put walls around a program.",
     "Computing costs what the host's does as long as the CPU runs the instructions itself; "
     "starting, system calls and the disk cost what the walls cost."},
};

const struct demo_words *demo_words_of(const char *kind) {
    const struct demo_words *at = words;
    while (at->kind && strcmp(at->kind, kind) != 0)
        at++;
    return at;
}

const char *demo_workload_words(const char *workload) {
    static const struct {
        const char *workload, *text;
    } reasons[] = {
        {"prime", "Divisions only, no system call: what differs here is the CPU itself. Under KVM "
                  "and in a container it is the same CPU; software emulation (TCG) translates "
                  "every instruction and is several times slower."},
        {"zip", "Compression: the CPU again, with some megabytes of memory."},
        {"stream", "Copying large arrays: the memory's bandwidth. A guest looks addresses up "
                   "through two sets of tables."},
        {"disk", "Reading and writing past the page cache. A container uses the same file system; "
                 "a guest has one of its own in a file on the host, and every request crosses "
                 "two kernels. A container's cost should be near 1."},
        {"startup", "From the first system call until the program answers: making namespaces takes "
                    "milliseconds, booting a kernel takes much longer."},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (strcmp(reasons[i].workload, workload) == 0)
            return reasons[i].text;
    return NULL;
}

static void put(const struct demo *demo, const char *first, const char *indent, const char *tone,
                const char *text) {
    cleanup_free char *clean = demo->ascii ? text_clean_ascii(text) : text_clean(text);
    cleanup_free char *wrapped =
        clean ? text_wrap(clean, demo->columns - text_width(indent) - 1) : NULL;
    char *rest = wrapped;
    for (char *line; rest && (line = strsep(&rest, "\n")); first = indent) {
        fputs(first, demo->to);
        fprintf(demo->to, demo->color && tone ? "\033[%sm%s\033[0m\n" : "%.0s%s\n",
                tone ? tone : "", line);
    }
    fflush(demo->to);
}

void demo_heading(const struct demo *demo, const char *text) {
    putc('\n', demo->to);
    put(demo, "", "", "1", text);
}

void demo_say(const struct demo *demo, const char *format, ...) {
    cleanup_free char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (text)
        put(demo, "", "", NULL, text);
}

void demo_show(const struct demo *demo, const char *format, ...) {
    cleanup_free char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (text)
        put(demo, "  > ", "    ", "36", text);
}
