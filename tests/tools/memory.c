// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A preloaded library that runs out of memory: allocations that the program itself asks for (with
 * MEMORY_OF=NAME, the library whose file has that in its name) are counted, and number
 * MEMORY_FAILS_AT fails; with MEMORY_FAILS=forever, all after it, too. MEMORY_COUNT names a file
 * into which their number is written at the end. What others allocate is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

#define CALLER ((uintptr_t)__builtin_return_address(0))

static uintptr_t code_begin, code_end;

static unsigned long count, fails_at;
static bool forever;
static pid_t process;

/* The code of the library that is watched, or of the program, which comes first. */
static int find_code(struct dl_phdr_info *info, size_t size, void *cookie) {
    const char *library = cookie;
    (void)size;
    if (library && !strstr(info->dlpi_name, library))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            code_begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            code_end = code_begin + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("MEMORY_FAILS_AT"), *how = getenv("MEMORY_FAILS");
    fails_at = at ? strtoul(at, NULL, 10) : 0;
    forever = how && strcmp(how, "forever") == 0;
    process = getpid();
    dl_iterate_phdr(find_code, getenv("MEMORY_OF"));
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("MEMORY_COUNT");
    int fd = path && getpid() == process ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%lu\n", count);
        close(fd);
    }
}

static bool fails(uintptr_t caller) {
    if (caller < code_begin || caller >= code_end)
        return false;
    unsigned long number = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    if (!fails_at || !(forever ? number >= fails_at : number == fails_at))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) {
    return fails(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    return fails(CALLER) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    return fails(CALLER) ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t number, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(number, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return fails(CALLER) ? NULL : __libc_realloc(memory, bytes);
}

static char *copy(const char *text, size_t length) {
    char *result = __libc_malloc(length + 1);
    if (result) {
        memcpy(result, text, length);
        result[length] = '\0';
    }
    return result;
}

char *strdup(const char *text) {
    return fails(CALLER) ? NULL : copy(text, strlen(text));
}

char *strndup(const char *text, size_t length) {
    return fails(CALLER) ? NULL : copy(text, strnlen(text, length));
}

static int print(char **ret_text, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : __libc_malloc((size_t)length + 1);
    if (!text)
        return -1;
    vsnprintf(text, (size_t)length + 1, format, arguments);
    *ret_text = text;
    return length;
}

int vasprintf(char **ret_text, const char *format, va_list arguments) {
    return fails(CALLER) ? -1 : print(ret_text, format, arguments);
}

int asprintf(char **ret_text, const char *format, ...) {
    va_list arguments;
    if (fails(CALLER))
        return -1;
    va_start(arguments, format);
    int length = print(ret_text, format, arguments);
    va_end(arguments);
    return length;
}

/* The same, as _FORTIFY_SOURCE calls them. */
int __vasprintf_chk(char **ret_text, int flag, const char *format, va_list arguments);
int __asprintf_chk(char **ret_text, int flag, const char *format, ...);

int __vasprintf_chk(char **ret_text, int flag, const char *format, va_list arguments) {
    (void)flag;
    return fails(CALLER) ? -1 : print(ret_text, format, arguments);
}

int __asprintf_chk(char **ret_text, int flag, const char *format, ...) {
    va_list arguments;
    (void)flag;
    if (fails(CALLER))
        return -1;
    va_start(arguments, format);
    int length = print(ret_text, format, arguments);
    va_end(arguments);
    return length;
}
