// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "harness/machine.h"

static char base[] = "/tmp/boxmark-machine-XXXXXX";

static int make_base(void **state) {
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state) {
    (void)state;
    return file_remove_tree(base, NULL);
}

static void set_governor(unsigned cpu, const char *governor) {
    cleanup_error struct error *err = NULL;
    cleanup_free char *folder = text_format("%s/cpu%u/cpufreq", base, cpu);
    cleanup_free char *path = text_format("%s/scaling_governor", folder);
    assert_int_equal(file_make_folders(folder, 0755, &err), 0);
    assert_int_equal(file_replace(path, governor, strlen(governor), &err), 0);
}

/* What counts is where the work runs. */
static void governor_is_the_envelopes(void **state) {
    (void)state;
    set_governor(0, "powersave\n");
    set_governor(2, "performance\n");
    set_governor(3, "performance\n");
    struct envelope envelope = {.cpu_count = 2, .cpus = {2, 3}};
    cleanup_free char *same = machine_governor(base, &envelope);
    assert_string_equal(same, "performance");
    set_governor(3, "schedutil\n");
    cleanup_free char *different = machine_governor(base, &envelope);
    assert_string_equal(different, "performance and schedutil");
    cleanup_free char *first = machine_governor(base, NULL);
    assert_string_equal(first, "powersave");
    envelope.cpus[0] = envelope.cpus[1] = 9;
    assert_null(machine_governor(base, &envelope));
}

static void turbo_is_known_by_both_names(void **state) {
    (void)state;
    static const struct {
        const char *fact, *value, *command; /* NULL: no advice */
    } machines[] = {
        {"intel_no_turbo", "0", "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"},
        {"intel_no_turbo", "1", NULL},
        {"boost", "1", "echo 0 > /sys/devices/system/cpu/cpufreq/boost"},
        {"boost", "0", NULL},
    };
    for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
        json_auto_t *machine = json_pack("{s:s}", machines[i].fact, machines[i].value);
        json_auto_t *list = json_array();
        machine_advise(machine, list);
        assert_int_equal(json_array_size(list), machines[i].command != NULL);
        if (machines[i].command)
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(list, 0), "command")),
                machines[i].command);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(governor_is_the_envelopes),
        cmocka_unit_test(turbo_is_known_by_both_names),
    };
    return cmocka_run_group_tests_name("machine", tests, make_base, remove_base);
}
