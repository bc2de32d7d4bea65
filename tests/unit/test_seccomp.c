// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The container's filter of system calls beside the default list of other engines: what it lets
 * through, that list must let through too, for a container without capabilities. The compiled
 * filter itself is asked, as the kernel would ask it, for every number and many first arguments.
 *
 * The list is what golang-github-containers-common (podman's) installs, or the file that
 * BOXMARK_TEST_SECCOMP names: Docker's default.json, or the seccomp part of an OCI config.json.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/container/container.h"

#include <jansson.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#define USUAL_LIST "/usr/share/containers/seccomp.json"

enum {
    CALLS_MAX = 1024,
    VALUES_MAX = 1024,
};

#if defined(__x86_64__)
static const char architecture[] = "amd64";
static const uint32_t audit_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
static const char architecture[] = "arm64";
static const uint32_t audit_architecture = AUDIT_ARCH_AARCH64;
#else
static const char architecture[] = "";
static const uint32_t audit_architecture = 0;
#endif

/* ---- the filter, as the kernel runs it ---- */

static uint32_t load(const struct seccomp_data *data, uint32_t offset) {
    uint32_t word;
    assert_true(offset + sizeof(word) <= sizeof(*data));
    memcpy(&word, (const char *)data + offset, sizeof(word));
    return word;
}

static uint32_t run_filter(const struct sock_fprog *filter, const struct seccomp_data *data) {
    uint32_t a = 0;
    for (unsigned at = 0; at < filter->len; at++) {
        const struct sock_filter *step = &filter->filter[at];
        switch (step->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            a = load(data, step->k);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= step->k;
            break;
        case BPF_JMP | BPF_JA:
            at += step->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            at += a > step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += a >= step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += a & step->k ? step->jt : step->jf;
            break;
        case BPF_RET | BPF_K:
            return step->k;
        default:
            fail_msg("instruction %#x of the filter is not known here", step->code);
        }
    }
    fail_msg("the filter does not end");
    return 0;
}

/* First arguments worth asking for: each bit, small numbers, and all that the filter compares with.
 */
static unsigned choose_values(const struct sock_fprog *filter, uint64_t values[VALUES_MAX]) {
    unsigned count = 0;
    for (unsigned i = 0; i < 64; i++) {
        values[count++] = i;
        values[count++] = UINT64_C(1) << i;
    }
    values[count++] = UINT32_MAX;
    values[count++] = UINT64_MAX;
    for (unsigned i = 0; i < filter->len && count < VALUES_MAX; i++)
        values[count++] = filter->filter[i].k;
    return count;
}

/* ---- the other list ---- */

static bool holds(const json_t *strings, const char *text) {
    size_t index;
    const json_t *string;
    json_array_foreach(strings, index,
                       string) if (strcmp(json_string_value(string), text) == 0) return true;
    return false;
}

/* In a container without capabilities, on this architecture, with a kernel that is new enough. */
static bool applies(const json_t *rule) {
    const json_t *includes = json_object_get(rule, "includes");
    const json_t *excludes = json_object_get(rule, "excludes");
    const json_t *architectures = json_object_get(includes, "arches");
    return json_array_size(json_object_get(includes, "caps")) == 0 &&
           (json_array_size(architectures) == 0 || holds(architectures, architecture)) &&
           !holds(json_object_get(excludes, "arches"), architecture);
}

static bool argument_matches(const json_t *condition, const struct seccomp_data *data) {
    json_int_t index = json_integer_value(json_object_get(condition, "index"));
    uint64_t value = (uint64_t)json_integer_value(json_object_get(condition, "value"));
    uint64_t other = (uint64_t)json_integer_value(json_object_get(condition, "valueTwo"));
    const char *comparison = json_string_value(json_object_get(condition, "op"));
    assert_in_range(index, 0, 5);
    uint64_t argument = data->args[index];
    if (strcmp(comparison, "SCMP_CMP_EQ") == 0)
        return argument == value;
    if (strcmp(comparison, "SCMP_CMP_NE") == 0)
        return argument != value;
    if (strcmp(comparison, "SCMP_CMP_MASKED_EQ") == 0)
        return (argument & value) == other;
    fail_msg("%s is not known here", comparison);
    return false;
}

static bool arguments_match(const json_t *rule, const struct seccomp_data *data) {
    size_t index;
    const json_t *condition;
    json_array_foreach(json_object_get(rule, "args"), index,
                       condition) if (!argument_matches(condition, data)) return false;
    return true;
}

static bool list_allows(const json_t *list, const char *name, const struct seccomp_data *data) {
    size_t index;
    const json_t *rule;
    json_array_foreach(json_object_get(list, "syscalls"), index, rule) {
        const char *action = json_string_value(json_object_get(rule, "action"));
        if (strcmp(action, "SCMP_ACT_ALLOW") == 0 && applies(rule) &&
            holds(json_object_get(rule, "names"), name) && arguments_match(rule, data))
            return true;
    }
    return false;
}

static json_t *load_list(void) {
    const char *given = getenv("BOXMARK_TEST_SECCOMP");
    const char *path = given ? given : USUAL_LIST;
    if (!given && !file_exists(path))
        skip_because("%s is not there (package golang-github-containers-common)", path);
    json_error_t why;
    json_t *list = json_load_file(path, 0, &why);
    if (!list)
        fail_msg("%s: %s", path, why.text);
    assert_true(json_array_size(json_object_get(list, "syscalls")) > 0);
    return list;
}

/* ---- side by side ---- */

/* What the disk workload is made of; Docker's list has left it out since version 25. */
static bool is_exception(const char *name) {
    return strncmp(name, "io_uring_", 9) == 0;
}

static unsigned compare_call(const struct sock_fprog *filter, const json_t *list, int number,
                             const char *name, unsigned *ret_allowed) {
    uint64_t values[VALUES_MAX];
    unsigned count = choose_values(filter, values);
    bool allowed = false;
    for (unsigned i = 0; i < count; i++) {
        struct seccomp_data data = {.nr = number, .arch = audit_architecture, .args = {values[i]}};
        if (run_filter(filter, &data) != SECCOMP_RET_ALLOW)
            continue;
        allowed = true;
        if (list_allows(list, name, &data) || is_exception(name))
            continue;
        print_error("%s(%#llx, ...) is allowed here, and is not there\n", name,
                    (unsigned long long)values[i]);
        return 1;
    }
    *ret_allowed += allowed;
    return 0;
}

static void compare(bool network) {
    if (!*architecture)
        skip_because("lists are compared on x86-64 and arm64 only");
    json_auto_t *list = load_list();
    struct sock_fprog filter;
    struct error *err = NULL;
    container_filter_compile(network, &filter, &err);
    assert_no_error(err);
    unsigned laxer = 0, allowed = 0;
    for (int number = 0; number < CALLS_MAX; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        /* A number that the library cannot name is none that a list by name can have allowed. */
        if (!name) {
            struct seccomp_data data = {.nr = number, .arch = audit_architecture};
            assert_int_not_equal(run_filter(&filter, &data), SECCOMP_RET_ALLOW);
            continue;
        }
        laxer += compare_call(&filter, list, number, name, &allowed);
        free(name);
    }
    container_filter_free(&filter);
    print_message("%u system calls allowed\n", allowed);
    assert_true(allowed > 100);
    assert_int_equal(laxer, 0);
}

static void nothing_is_allowed_beyond_the_list(void **state) {
    (void)state;
    compare(false);
}

static void nor_with_a_network(void **state) {
    (void)state;
    compare(true);
}

/* Needs no list: whatever the others do, these stay shut. */
static void foreign_calls_are_not_answered(void **state) {
    (void)state;
    struct sock_fprog filter;
    struct error *err = NULL;
    container_filter_compile(true, &filter, &err);
    assert_no_error(err);
    for (int number = 0; number < CALLS_MAX; number++) {
        struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_I386};
        assert_int_not_equal(run_filter(&filter, &data), SECCOMP_RET_ALLOW);
        data = (struct seccomp_data){.nr = 0x40000000 | number, .arch = audit_architecture};
        assert_int_not_equal(run_filter(&filter, &data), SECCOMP_RET_ALLOW);
    }
    container_filter_free(&filter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allowed_beyond_the_list),
        cmocka_unit_test(nor_with_a_network),
        cmocka_unit_test(foreign_calls_are_not_answered),
    };
    return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
