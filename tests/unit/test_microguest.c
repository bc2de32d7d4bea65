// SPDX-License-Identifier: GPL-3.0-or-later
/* The micro-guest's page tables and names of files by themselves; the environment for real. */
#include "tests/unit/unit.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "environments/environment.h"
#include "environments/microguest/descriptors.h"
#include "environments/microguest/interrupts.h"
#include "environments/microguest/paging.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_BYTES (256 * MIB_BYTES)
#define HIGH (HIGH_GVA + LOW_BYTES)

struct tables {
    struct paging paging;
    uint8_t *control;
    uint64_t bytes;
};

static void make_tables(struct tables *tables) {
    tables->bytes = paging_control_bytes(ARENA_BYTES);
    tables->control =
        mmap(NULL, tables->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(tables->control, MAP_FAILED);
    assert_int_equal(paging_init(&tables->paging, tables->control, tables->bytes, ARENA_BYTES), 0);
}

static void free_tables(struct tables *tables) {
    for (unsigned i = 0; i < 512; i++)
        free(tables->paging.directories[i]);
    munmap(tables->control, tables->bytes);
}

static void test_small_pages(void **state) {
    (void)state;
    struct tables tables;
    make_tables(&tables);
    struct paging *paging = &tables.paging;
    assert_int_equal(paging_entry(paging, LOW_GVA), 0);
    assert_int_equal(paging_set(paging, LOW_GVA, 2 * PAGE_BYTES, PROT_READ | PROT_EXEC), 0);
    uint64_t entry = paging_entry(paging, LOW_GVA + PAGE_BYTES);
    assert_true(entry & PTE_PRESENT);
    assert_true(entry & PTE_USER);
    assert_false(entry & (PTE_WRITABLE | PTE_NO_EXECUTE));
    assert_int_equal(entry & UINT64_C(0xffffffffff000), tables.bytes + PAGE_BYTES);
    assert_int_equal(paging_entry(paging, LOW_GVA + 2 * PAGE_BYTES), 0);
    assert_int_equal(paging_set(paging, LOW_GVA, PAGE_BYTES, PROT_NONE), 0);
    assert_int_equal(paging_entry(paging, LOW_GVA), 0);
    assert_int_not_equal(paging_entry(paging, LOW_GVA + PAGE_BYTES), 0);
    free_tables(&tables);
}

static void test_large_pages_split(void **state) {
    (void)state;
    struct tables tables;
    make_tables(&tables);
    struct paging *paging = &tables.paging;
    /* One page before, two large ones, one page after. */
    uint64_t start = HIGH + LARGE_PAGE_BYTES - PAGE_BYTES;
    uint64_t bytes = 2 * LARGE_PAGE_BYTES + 2 * PAGE_BYTES;
    assert_int_equal(paging_set(paging, start, bytes, PROT_READ | PROT_WRITE), 0);
    assert_false(paging_entry(paging, start) & PTE_LARGE);
    uint64_t large = paging_entry(paging, start + PAGE_BYTES);
    assert_true(large & PTE_LARGE);
    assert_true(large & PTE_WRITABLE);
    assert_true(large & PTE_NO_EXECUTE);
    assert_false(paging_entry(paging, start + bytes - PAGE_BYTES) & PTE_LARGE);
    assert_int_equal(paging_entry(paging, start + bytes), 0);
    /* One page of the first loses a right; its neighbours keep theirs. */
    uint64_t one = start + 4 * PAGE_BYTES;
    assert_int_equal(paging_set(paging, one, PAGE_BYTES, PROT_READ), 0);
    assert_false(paging_entry(paging, one) & PTE_WRITABLE);
    assert_true(paging_entry(paging, one - PAGE_BYTES) & PTE_WRITABLE);
    assert_true(paging_entry(paging, one + PAGE_BYTES) & PTE_WRITABLE);
    assert_int_equal(paging_entry(paging, one + PAGE_BYTES) & UINT64_C(0xffffffffff000),
                     tables.bytes + one + PAGE_BYTES - HIGH_GVA);
    assert_true(paging_entry(paging, start + PAGE_BYTES + LARGE_PAGE_BYTES) & PTE_LARGE);
    free_tables(&tables);
}

static void test_kernel_pages_are_not_the_programs(void **state) {
    (void)state;
    struct tables tables;
    make_tables(&tables);
    for (unsigned page = 0; page < CONTROL_TABLES + 4; page++) {
        uint64_t entry = paging_entry(&tables.paging, control_gva(page));
        assert_false((entry & PTE_PRESENT) && (entry & PTE_USER));
        assert_false((entry & PTE_WRITABLE) && !(entry & PTE_NO_EXECUTE));
    }
    /* The tables themselves are nowhere. */
    assert_int_equal(paging_entry(&tables.paging, control_gva(CONTROL_TOP)), 0);
    assert_int_equal(paging_entry(&tables.paging, control_gva(CONTROL_TABLES)), 0);
    assert_int_equal(paging_show_control(&tables.paging, TIME_GVA, CONTROL_TIME, false), 0);
    assert_false(paging_entry(&tables.paging, TIME_GVA) & PTE_WRITABLE);
    free_tables(&tables);
}

static void test_tables_are_bounded(void **state) {
    (void)state;
    struct tables tables;
    make_tables(&tables);
    /* Every 2 MiB of all there is, in the most wasteful way: never more than was set aside. */
    for (uint64_t offset = LOW_BYTES; offset < ARENA_BYTES; offset += LARGE_PAGE_BYTES)
        assert_int_equal(
            paging_set(&tables.paging, HIGH_GVA + offset, PAGE_BYTES, PROT_READ | PROT_WRITE), 0);
    for (uint64_t offset = 0; offset < LOW_BYTES; offset += LARGE_PAGE_BYTES)
        assert_int_equal(paging_set(&tables.paging, LOW_GVA + offset, PAGE_BYTES, PROT_READ), 0);
    free_tables(&tables);
}

static void test_hole_is_left_out(void **state) {
    (void)state;
    assert_int_equal(place_gpa(0), 0);
    assert_int_equal(place_gpa(HOLE_GPA - 1), HOLE_GPA - 1);
    assert_int_equal(place_gpa(HOLE_GPA), HOLE_GPA + HOLE_BYTES);
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(descriptors_data_path("/data/x"), "x");
    assert_string_equal(descriptors_data_path("/data//x/y"), "x/y");
    assert_string_equal(descriptors_data_path("/data"), ".");
    assert_string_equal(descriptors_data_path("x"), "x");
    assert_null(descriptors_data_path("/datax"));
    assert_null(descriptors_data_path("/dat"));
    assert_null(descriptors_data_path("/etc/passwd"));
    assert_null(descriptors_data_path(""));
}

/* Two threads that close the same number at once. */
struct closing {
    struct descriptors *descriptors;
    atomic_int *there; /* a barrier that is left at once */
    int number, result;
};

static void *close_one(void *argument) {
    struct closing *closing = argument;
    atomic_fetch_add(closing->there, 1);
    while (atomic_load(closing->there) < 2) {
    }
    closing->result = descriptors_close(closing->descriptors, closing->number);
    return NULL;
}

static void test_closed_once(void **state) {
    (void)state;
    static struct descriptors descriptors;
    descriptors_init(&descriptors, -1, -1);
    assert_int_equal(descriptors_close(&descriptors, -1), -EBADF);
    assert_int_equal(descriptors_close(&descriptors, DESCRIPTORS_MAX), -EBADF);
    for (int i = 0; i < 1000; i++) {
        int number = descriptors_add_ring(&descriptors, STDERR_FILENO);
        assert_true(number >= 0);
        atomic_int both = 0;
        struct closing here = {&descriptors, &both, number, 0}, there = here;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, close_one, &there), 0);
        close_one(&here);
        pthread_join(thread, NULL);
        assert_true((here.result == DESCRIPTOR_RING && there.result == -EBADF) ||
                    (there.result == DESCRIPTOR_RING && here.result == -EBADF));
        assert_null(descriptors_hold(&descriptors, number));
    }
}

/* An environment on a scratch folder, or the case is skipped. */
struct bed {
    struct environment_setup setup;
    struct environment *environment;
    char folder[64];
};

static void make_bed(struct bed *bed) {
    struct error *err = NULL;
    struct probe_result result;
    const char *agent = getenv("AGENT");
    if (!agent)
        skip_because("AGENT is not set");
    strcpy(bed->folder, "/tmp/boxmark-microguest.XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    /* The monitor's user must get there. */
    assert_int_equal(chmod(bed->folder, 0755), 0);
    bed->setup = (struct environment_setup){.version = "test",
                                            .agent_path = agent,
                                            .data_folder = bed->folder,
                                            .start_timeout_ns = 60 * NS_PER_S,
                                            .stop_timeout_ns = 200 * NS_PER_MS,
                                            .cancel_fd = -1,
                                            .clock = &clock_monotonic};
    assert_int_equal(envelope_choose(1, 1, 512 * MIB_BYTES, &bed->setup.envelope, &err), 0);
    assert_int_equal(environment_new("microguest", &bed->setup, &bed->environment, &err), 0);
    assert_int_equal(bed->environment->ops->probe(bed->environment, &result, &err), 0);
    if (result.readiness == READINESS_MISSING) {
        environment_free(bed->environment);
        rmdir(bed->folder);
        skip_because("%s", result.detail);
    }
    assert_string_equal(bed->environment->accelerator, "KVM");
}

static void free_bed(struct bed *bed) {
    environment_free(bed->environment);
    /* Fails, and so does the test, when something is left in it. */
    assert_int_equal(rmdir(bed->folder), 0);
}

static unsigned open_files(void) {
    unsigned count = 0;
    cleanup_dir DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    return count;
}

/* Status pages that are still mapped. (Lost heap is for valgrind and ASan to find.) */
static bool status_is_mapped(void) {
    cleanup_free char *text = NULL;
    struct error *err = NULL;
    assert_int_equal(file_read("/proc/self/maps", &text, NULL, &err), 0);
    return strstr(text, "boxmark-microguest-status") != NULL;
}

static struct instance *start(struct bed *bed) {
    struct error *err = NULL;
    struct instance *instance = NULL;
    int result = bed->environment->ops->start(bed->environment, &instance, &err);
    assert_no_error(err);
    assert_int_equal(result, 0);
    return instance;
}

static void stop(struct bed *bed, struct instance *instance) {
    struct error *err = NULL;
    int result = bed->environment->ops->stop(instance, &err);
    assert_no_error(err);
    assert_int_equal(result, 0);
    instance_free(instance);
}

static void test_start_and_stop(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct instance *instance = start(&bed);
    const uint64_t *stamps = instance->stamps;
    assert_true(stamps[STAMP_LAUNCH] > 0);
    assert_true(stamps[STAMP_HELPER_ALIVE] >= stamps[STAMP_LAUNCH]);
    assert_true(stamps[STAMP_USER_INSTRUCTION] >= stamps[STAMP_HELPER_ALIVE]);
    assert_true(stamps[STAMP_AGENT_READY] >= stamps[STAMP_USER_INSTRUCTION]);
    assert_int_equal(stamps[STAMP_KERNEL_ENTERED], 0);
    json_t *facts = json_object();
    struct footprint footprint;
    assert_int_equal(bed.environment->ops->facts(instance, facts, NULL), 0);
    assert_true(json_integer_value(json_object_get(
                    json_object_get(json_object_get(facts, "exits"), "system_call"), "count")) > 0);
    assert_non_null(json_object_get(facts, "system_call_entry"));
    json_decref(facts);
    json_t *counters = json_object();
    assert_int_equal(bed.environment->ops->counters(instance, counters, NULL), 0);
    assert_true(json_integer_value(json_object_get(counters, "exits.system_call")) > 0);
    assert_true(json_integer_value(json_object_get(counters, "exits.system_call_ns")) > 0);
    /* Not the write that says it is ready: that one may still be under way. */
    assert_true(json_integer_value(json_object_get(counters, "calls.brk")) > 0);
    json_decref(counters);
    assert_int_equal(bed.environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.image_bytes > 0);
    /* It waits for a request, and says so. */
    cleanup_free char *words = bed.environment->ops->diagnose(instance);
    assert_non_null(words);
    assert_non_null(strstr(words, "thread 1 in"));
    stop(&bed, instance);
    free_bed(&bed);
}

/* Only what has a number counts; a CPU that is offline has no column. */
static void test_interrupts(void **state) {
    (void)state;
    static const char before[] =
        "           CPU0       CPU3\n"
        "  0:        150          0   IO-APIC   2-edge      timer\n"
        " 36:          7       1000   PCI-MSIX  1-edge      virtio1-req.0\n"
        "NMI:          0          0   Non-maskable interrupts\n"
        "LOC:     900000     100000   Local timer interrupts\n"
        "ERR:          0\n";
    static const char after[] = "           CPU0       CPU3\n"
                                "  0:        152          0   IO-APIC   2-edge      timer\n"
                                " 36:          7       1016   PCI-MSIX  1-edge      virtio1-req.0\n"
                                "LOC:     990000     100000   Local timer interrupts\n";
    struct interrupts first, second;
    interrupts_parse(before, &first);
    interrupts_parse(after, &second);
    assert_int_equal(first.columns, 2);
    assert_int_equal(first.cpus[1], 3);
    assert_int_equal(first.counts[0], 157);
    assert_int_equal(first.counts[1], 1000);
    assert_int_equal(interrupts_busiest(&first, &second), 3);
    assert_int_equal(interrupts_busiest(&first, &first), -1);
    interrupts_parse("           CPU0\n 36: 1020\n", &second);
    assert_int_equal(interrupts_busiest(&first, &second), -1);
    interrupts_parse("", &second);
    assert_int_equal(second.columns, 0);
    interrupts_parse(" 36: 12 13\n", &second);
    assert_int_equal(interrupts_busiest(&second, &second), -1);
}

static void test_starts_leave_nothing(void **state) {
    (void)state;
    const char *wanted = getenv("BOXMARK_TEST_STARTS");
    unsigned starts = wanted ? (unsigned)atoi(wanted) : 20;
    struct bed bed;
    make_bed(&bed);
    struct instance *first = start(&bed);
    assert_true(status_is_mapped());
    stop(&bed, first);
    unsigned files = open_files();
    for (unsigned i = 0; i < starts; i++)
        stop(&bed, start(&bed));
    assert_int_equal(open_files(), files);
    assert_false(status_is_mapped());
    free_bed(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_pages),
        cmocka_unit_test(test_large_pages_split),
        cmocka_unit_test(test_kernel_pages_are_not_the_programs),
        cmocka_unit_test(test_tables_are_bounded),
        cmocka_unit_test(test_hole_is_left_out),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_closed_once),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_starts_leave_nothing),
    };
    return cmocka_run_group_tests_name("microguest", tests, NULL, NULL);
}
