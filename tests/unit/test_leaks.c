// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every child and every descriptor accounted for: as many after a life of each environment as
 * before it, whether it started, was refused, or died.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/environment.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct environment_setup setup;
static char folder[] = "/tmp/boxmark-leaks.XXXXXX";

static unsigned open_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void assert_no_children(void) {
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static bool can_run(struct environment *environment) {
    struct probe_result result = {0};
    return environment->ops->probe(environment, &result, NULL) == 0 &&
           result.readiness != READINESS_MISSING;
}

enum life { LIVES, DIES, REFUSED };

/* One life of an instance, in whatever way. */
static void live(const char *spec, enum life life) {
    struct environment *environment = NULL;
    struct instance *instance = NULL;
    struct error *err = NULL;
    const char *agent_path = setup.agent_path;
    if (life == REFUSED)
        setup.agent_path = "/bin/true"; /* it never says hello */
    assert_int_equal(environment_new(spec, &setup, &environment, NULL), 0);
    bool provisioned = can_run(environment) && environment->ops->provision(environment, &err) == 0;
    err = error_free(err);
    if (provisioned && environment->ops->start(environment, &instance, &err) == 0) {
        if (life == DIES && instance->pid > 0)
            kill(instance->pid, SIGKILL);
        struct footprint footprint;
        (void)environment->ops->footprint(instance, &footprint, NULL);
        if (environment->ops->stop(instance, &err) < 0)
            fail_msg("%s: %s", spec, error_message(err));
        instance_free(instance);
    } else if (provisioned && life != REFUSED) {
        fail_msg("%s: %s", spec, error_message(err));
    }
    error_free(err);
    environment_free(environment);
    setup.agent_path = agent_path;
}

static void check(const char *spec) {
    struct environment *environment = NULL;
    assert_int_equal(environment_new(spec, &setup, &environment, NULL), 0);
    bool can = can_run(environment);
    environment_free(environment);
    if (!can)
        skip_because("%s cannot run here", spec);
    /* Once before, for what libraries open once for all. */
    live(spec, LIVES);
    unsigned before = open_descriptors();
    for (enum life life = LIVES; life <= REFUSED; life++) {
        live(spec, life);
        if (open_descriptors() != before)
            fail_msg("%s: %u descriptors before, %u after (life %d)", spec, before,
                     open_descriptors(), life);
        assert_no_children();
    }
    assert_int_equal(rmdir(folder), 0); /* nothing in it */
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void host(void **state) {
    (void)state;
    check("host");
}

static void container(void **state) {
    (void)state;
    check("container");
}

static void container_with_overlays(void **state) {
    (void)state;
    check("container:root=overlay,data=overlay");
}

static void microguest(void **state) {
    (void)state;
    check("microguest");
}

static int set_up(void **state) {
    (void)state;
    const char *agent = getenv("AGENT");
    if (!mkdtemp(folder))
        return -1;
    setup = (struct environment_setup){
        .version = "0",
        .agent_path = agent ? agent : "./boxmark-agent",
        .data_folder = folder,
        .data_bytes = 1 << 20,
        .start_timeout_ns = 60 * NS_PER_S,
        .stop_timeout_ns = 10 * NS_PER_S,
        .cancel_fd = -1,
        .clock = &clock_monotonic,
    };
    return envelope_choose(1, 1, UINT64_C(512) << 20, &setup.envelope, NULL);
}

static int tear_down(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host),
        cmocka_unit_test(container),
        cmocka_unit_test(container_with_overlays),
        cmocka_unit_test(microguest),
    };
    return cmocka_run_group_tests_name("leaks", tests, set_up, tear_down);
}
