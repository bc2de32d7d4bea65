// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/cgroup_above.h"
#include "environments/cgroup_backend.h"
#include "environments/launcher.h"
#include "environments/owner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- layouts of distributions ---- */

/* A terminal in a desktop session, systemd 252 (Debian 12). */
static const char debian12_cgroup[] =
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-6c.scope\n";
static const char debian12_mounts[] =
    "22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
    "28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"
    "31 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
    "rw,nsdelegate,memory_recursiveprot\n"
    "32 22 0:27 / /sys/fs/pstore rw,nosuid,nodev,noexec,relatime shared:10 - pstore pstore rw\n";

/* An ssh login on CentOS 7: version 1 only, controllers mounted in pairs. */
static const char centos7_cgroup[] = "11:cpuset:/\n"
                                     "10:freezer:/\n"
                                     "9:blkio:/user.slice\n"
                                     "8:memory:/user.slice\n"
                                     "7:net_prio,net_cls:/\n"
                                     "6:devices:/user.slice\n"
                                     "5:pids:/user.slice\n"
                                     "4:perf_event:/\n"
                                     "3:cpuacct,cpu:/user.slice\n"
                                     "2:hugetlb:/\n"
                                     "1:name=systemd:/user.slice/user-0.slice/session-1.scope\n";
static const char centos7_mounts[] =
    "25 18 0:20 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:8 - tmpfs tmpfs ro,mode=755\n"
    "26 25 0:21 / /sys/fs/cgroup/systemd rw,nosuid shared:9 - cgroup cgroup "
    "rw,xattr,release_agent=/usr/lib/systemd/systemd-cgroups-agent,name=systemd\n"
    "29 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup "
    "rw,cpuacct,cpu\n"
    "30 25 0:25 / /sys/fs/cgroup/pids rw,nosuid shared:12 - cgroup cgroup rw,pids\n"
    "33 25 0:28 / /sys/fs/cgroup/memory rw,nosuid shared:15 - cgroup cgroup rw,memory\n"
    "36 25 0:31 / /sys/fs/cgroup/cpuset rw,nosuid shared:18 - cgroup cgroup rw,cpuset\n";

/* Ubuntu 20.04: version 1 with the service manager's version 2 tree beside it. */
static const char ubuntu2004_cgroup[] =
    "12:pids:/user.slice/user-1000.slice/session-3.scope\n"
    "11:memory:/user.slice/user-1000.slice/session-3.scope\n"
    "10:cpuset:/\n"
    "4:cpu,cpuacct:/user.slice\n"
    "1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n"
    "0::/user.slice/user-1000.slice/session-3.scope\n";
static const char ubuntu2004_mounts[] =
    "34 25 0:29 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
    "35 25 0:30 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup "
    "rw,xattr,name=systemd\n"
    "39 25 0:34 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:16 - cgroup cgroup rw,cpu,cpuacct\n"
    "41 25 0:36 / /sys/fs/cgroup/memory rw,nosuid shared:18 - cgroup cgroup rw,memory\n"
    "44 25 0:39 / /sys/fs/cgroup/cpuset rw,nosuid shared:21 - cgroup cgroup rw,cpuset\n"
    "48 25 0:43 / /sys/fs/cgroup/pids rw,nosuid shared:25 - cgroup cgroup rw,pids\n";

/* Inside of a Docker container on a version 1 host: the mounts begin at the container's groups. */
static const char docker_v1_cgroup[] = "5:memory:/docker/4f1c\n4:cpuset:/docker/4f1c\n";
static const char docker_v1_mounts[] =
    "640 639 0:34 /docker/4f1c /sys/fs/cgroup/memory ro,nosuid master:18 - cgroup cgroup "
    "rw,memory\n"
    "641 639 0:39 /docker/4f1c /sys/fs/cgroup/cpuset ro,nosuid master:21 - cgroup cgroup "
    "rw,cpuset\n";

static struct cgroup_world *parse(const char *self_cgroup, const char *mounts) {
    struct cgroup_world *world = NULL;
    struct error *err = NULL;
    cgroup_world_parse(self_cgroup, mounts, &world, &err);
    assert_no_error(err);
    assert_non_null(world);
    return world;
}

static void v2_session(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = parse(debian12_cgroup, debian12_mounts);
    assert_int_equal(world->kind, CGROUP_KIND_V2);
    assert_string_equal(cgroup_world_name(world), "v2");
    assert_string_equal(world->mount, "/sys/fs/cgroup");
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        assert_string_equal(world->parents[i],
                            "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/"
                            "vte-spawn-6c.scope");
}

static void v1_paired_controllers(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = parse(centos7_cgroup, centos7_mounts);
    assert_int_equal(world->kind, CGROUP_KIND_V1);
    assert_false(world->hybrid);
    assert_string_equal(world->parents[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct/user.slice");
    assert_string_equal(world->parents[CGROUP_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct/user.slice");
    assert_string_equal(world->parents[CGROUP_MEMORY], "/sys/fs/cgroup/memory/user.slice");
    assert_string_equal(world->parents[CGROUP_CPUSET], "/sys/fs/cgroup/cpuset");
    assert_string_equal(world->parents[CGROUP_PIDS], "/sys/fs/cgroup/pids/user.slice");
}

static void hybrid(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = parse(ubuntu2004_cgroup, ubuntu2004_mounts);
    assert_int_equal(world->kind, CGROUP_KIND_V1);
    assert_string_equal(cgroup_world_name(world), "v1 (hybrid)");
    assert_string_equal(world->parents[CGROUP_MEMORY],
                        "/sys/fs/cgroup/memory/user.slice/user-1000.slice/session-3.scope");
}

static void v1_in_a_container(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = parse(docker_v1_cgroup, docker_v1_mounts);
    assert_int_equal(world->kind, CGROUP_KIND_V1);
    assert_string_equal(world->parents[CGROUP_MEMORY], "/sys/fs/cgroup/memory");
    assert_string_equal(world->parents[CGROUP_CPUSET], "/sys/fs/cgroup/cpuset");
    assert_null(world->parents[CGROUP_PIDS]);
    assert_false(cgroup_world_has(world, CGROUP_PIDS));
}

/* In a cgroup namespace of its own a process sees itself at the top. */
static void v2_in_a_container(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world =
        parse("0::/\n", "700 699 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n");
    assert_int_equal(world->kind, CGROUP_KIND_V2);
    assert_string_equal(world->parents[0], "/sys/fs/cgroup");
}

static void paths_that_lead_outside_are_not_used(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *above =
        parse("0::/../../init.scope\n", debian12_mounts);
    assert_int_equal(above->kind, CGROUP_KIND_NONE);
    assert_true(above->reason[0]);
    /* The mount shows another part of the tree than the one we are in. */
    cleanup_cgroup_world struct cgroup_world *beside =
        parse("5:memory:/docker/4f1cXX\n", docker_v1_mounts);
    assert_null(beside->parents[CGROUP_MEMORY]);
}

static void none(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world =
        parse("", "28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n");
    assert_int_equal(world->kind, CGROUP_KIND_NONE);
    assert_string_equal(cgroup_world_name(world), "none");
    assert_true(world->reason[0]);
    assert_false(cgroup_world_has(world, CGROUP_MEMORY));
}

static void odd_lines_are_passed_over(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world =
        parse("nonsense\n:\n::\n5:memory\n4:memory:relative\n3:memory,x:/a\n",
              "\n1 2 3\n1 2 3 / /a b\n1 2 3 / /mnt/with\\040space rw - cgroup none rw,memory\n");
    assert_int_equal(world->kind, CGROUP_KIND_V1);
    /* The first line with "memory" says nothing that can be used. */
    assert_null(world->parents[CGROUP_MEMORY]);
    cleanup_cgroup_world struct cgroup_world *escaped =
        parse("3:memory,x:/a\n", "1 2 3 / /mnt/with\\040space rw - cgroup none rw,memory\n");
    assert_string_equal(escaped->parents[CGROUP_MEMORY], "/mnt/with space/a");
}

/* ---- version 2: the choice of the folder, on a tree of plain files ---- */

static void put(const char *folder, const char *file, const char *text) {
    cleanup_free char *path = text_format("%s/%s", folder, file);
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void fake_group(const char *folder, const char *controllers, const char *enabled,
                       const char *members, bool root) {
    assert_int_equal(file_make_folders(folder, 0755, NULL), 0);
    put(folder, "cgroup.controllers", controllers);
    put(folder, "cgroup.subtree_control", enabled);
    put(folder, "cgroup.procs", members);
    if (!root)
        put(folder, "cgroup.type", "domain\n");
}

static struct cgroup_world *fake_world(const char *mount, const char *own) {
    struct cgroup_world *world = calloc(1, sizeof(*world));
    world->kind = CGROUP_KIND_V2;
    world->mount = strdup(mount);
    for (int i = 0; i < CGROUP_CONTROLLERS; i++)
        world->parents[i] = strdup(own);
    return world;
}

struct fake_tree {
    char top[64];
    char *slice, *scope;
};

static int make_fake_tree(void **state) {
    struct fake_tree *tree = calloc(1, sizeof(*tree));
    strcpy(tree->top, "/tmp/boxmark-test.XXXXXX");
    if (!mkdtemp(tree->top))
        return -1;
    tree->slice = text_format("%s/user.slice", tree->top);
    tree->scope = text_format("%s/user.slice/a.scope", tree->top);
    *state = tree;
    return 0;
}

static int remove_fake_tree(void **state) {
    struct fake_tree *tree = *state;
    int result = file_remove_tree(tree->top, NULL);
    free(tree->slice);
    free(tree->scope);
    free(tree);
    return result;
}

#define ALL "cpuset cpu io memory hugetlb pids\n"
#define BITS(a, b) (1U << (a) | 1U << (b))

/* A scope with a shell in it gives nothing; the slice above may enable what it has. */
static void the_nearest_folder_that_gives_most(void **state) {
    struct fake_tree *tree = *state;
    fake_group(tree->top, ALL, ALL, "1\n2\n", true);
    fake_group(tree->slice, ALL, "memory pids\n", "", false);
    fake_group(tree->scope, "memory pids\n", "", "1\n2\n", false);
    cleanup_cgroup_world struct cgroup_world *world = fake_world(tree->top, tree->scope);
    cgroup_v2_choose_parent(world);
    assert_int_equal(world->kind, CGROUP_KIND_V2);
    assert_string_equal(world->parents[CGROUP_CPUSET], tree->slice);
    assert_int_equal(world->enable, BITS(CGROUP_CPUSET, CGROUP_CPU));
    assert_false(world->move_self);
}

/* What the slice lacks, the root may have. */
static void up_to_the_root_for_more(void **state) {
    struct fake_tree *tree = *state;
    fake_group(tree->top, ALL, "cpu memory pids\n", "1\n2\n", true);
    fake_group(tree->slice, "cpu memory pids\n", "memory pids\n", "", false);
    fake_group(tree->scope, "memory pids\n", "", "1\n", false);
    cleanup_cgroup_world struct cgroup_world *world = fake_world(tree->top, tree->scope);
    cgroup_v2_choose_parent(world);
    assert_string_equal(world->parents[CGROUP_MEMORY], tree->top);
    assert_int_equal(world->enable, 1U << CGROUP_CPUSET);
}

/* systemd-run --scope -p Delegate=yes: we are alone in a scope that has everything, and the slice
 * above gives less. */
static void a_delegated_scope_of_our_own(void **state) {
    struct fake_tree *tree = *state;
    char alone[32];
    snprintf(alone, sizeof(alone), "%d\n", (int)getpid());
    fake_group(tree->top, ALL, "memory\n", "1\n", false);
    fake_group(tree->slice, ALL, "memory\n", "3\n", false);
    fake_group(tree->scope, ALL, "", alone, false);
    cleanup_cgroup_world struct cgroup_world *world = fake_world(tree->top, tree->scope);
    cgroup_v2_choose_parent(world);
    assert_string_equal(world->parents[CGROUP_MEMORY], tree->scope);
    assert_true(world->move_self);
}

/* Nobody has to move where the folder above gives as much. */
static void rather_above_than_moving(void **state) {
    struct fake_tree *tree = *state;
    char alone[32];
    snprintf(alone, sizeof(alone), "%d\n", (int)getpid());
    fake_group(tree->top, ALL, ALL, "1\n", true);
    fake_group(tree->slice, ALL, ALL, "", false);
    fake_group(tree->scope, ALL, "", alone, false);
    cleanup_cgroup_world struct cgroup_world *world = fake_world(tree->top, tree->scope);
    cgroup_v2_choose_parent(world);
    assert_string_equal(world->parents[CGROUP_MEMORY], tree->slice);
    assert_false(world->move_self);
}

static void nothing_to_give(void **state) {
    struct fake_tree *tree = *state;
    fake_group(tree->top, "", "", "1\n2\n", true);
    fake_group(tree->slice, "", "", "", false);
    fake_group(tree->scope, "", "", "1\n", false);
    cleanup_cgroup_world struct cgroup_world *world = fake_world(tree->top, tree->scope);
    cgroup_v2_choose_parent(world);
    assert_int_equal(world->kind, CGROUP_KIND_NONE);
    assert_non_null(strstr(world->reason, "no controllers"));
    assert_null(world->parents[CGROUP_MEMORY]);
}

/* ---- names ---- */

static void names_tell_the_living_from_the_dead(void **state) {
    (void)state;
    cleanup_free char *name = owner_make_name();
    cleanup_free char *other = owner_make_name();
    assert_int_equal(strncmp(name, "boxmark-", 8), 0);
    assert_string_not_equal(name, other);
    assert_false(owner_is_gone(name));
    /* The same process number, started at another time. */
    uint64_t namespace;
    int pid;
    assert_int_equal(sscanf(name, "boxmark-%lu-%d", &namespace, &pid), 2);
    cleanup_free char *dead = text_format("boxmark-%lu-%d-1-0123456789abcdef", namespace, pid);
    assert_true(owner_is_gone(dead));
    /* A PID namespace that is no more: only root in the first one can tell. */
    cleanup_free char *elsewhere = text_format("boxmark-1-%d-1-0123456789abcdef", pid);
    assert_int_equal(owner_is_gone(elsewhere), geteuid() == 0 && namespace == UINT64_C(0xEFFFFFFC));
    /* Not ours to judge. */
    assert_false(owner_is_gone("boxmark-production"));
    assert_false(owner_is_gone("docker"));
    cleanup_free char *longer = text_format("%sx", dead);
    assert_false(owner_is_gone(longer));
}

/* ---- the real thing, where this user may ---- */

static struct cgroup_world *real_world(void) {
    struct cgroup_world *world = NULL;
    struct error *err = NULL;
    cgroup_world_find(&world, &err);
    assert_no_error(err);
    return world;
}

/* Is the name of one of ours in the text? */
static bool has_own_name(const char *text) {
    char mine[64];
    snprintf(mine, sizeof(mine), "-%d-", (int)getpid());
    const char *at = strstr(text, "boxmark-");
    return at && strstr(at, mine);
}

/* Groups of ours below the world's folders, without the one that we may have had to move to. */
static unsigned own_groups(const struct cgroup_world *world) {
    unsigned count = 0;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        cleanup_dir DIR *dir = world->parents[i] ? opendir(world->parents[i]) : NULL;
        for (struct dirent *entry; dir && (entry = readdir(dir));)
            count += has_own_name(entry->d_name);
    }
    cleanup_free char *own = NULL;
    if (world->kind == CGROUP_KIND_V2 && file_read("/proc/self/cgroup", &own, NULL, NULL) == 0 &&
        has_own_name(own))
        for (int i = 0; i < CGROUP_CONTROLLERS; i++)
            count -= world->parents[i] != NULL;
    return count;
}

static const struct cgroup_limits some_limits = {
    .memory_bytes = UINT64_C(64) << 20,
    .pids = 32,
    .cpu_quota_us = 50000,
    .cpu_period_us = 100000,
    .cpu_list = "0",
    .node_list = "0",
};

static struct cgroup *real_group(const struct cgroup_world *world) {
    struct cgroup *cgroup = NULL;
    struct error *err = NULL;
    cgroup_create(world, &some_limits, &cgroup, &err);
    assert_no_error(err);
    return cgroup;
}

static void limits_are_read_back(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = real_world();
    if (world->kind == CGROUP_KIND_NONE)
        skip_because("no cgroups for this user: %s", world->reason);
    struct cgroup *cgroup = real_group(world);
    assert_true(own_groups(world) > 0);
    struct cgroup_limits limits;
    cgroup_read_limits(cgroup, &limits);
    if (cgroup_has(cgroup, CGROUP_MEMORY))
        assert_int_equal(limits.memory_bytes, some_limits.memory_bytes);
    if (cgroup_has(cgroup, CGROUP_PIDS))
        assert_int_equal(limits.pids, some_limits.pids);
    if (cgroup_has(cgroup, CGROUP_CPUSET))
        assert_string_equal(limits.cpu_list, "0");
    if (cgroup_has(cgroup, CGROUP_CPU)) {
        assert_int_equal(limits.cpu_quota_us, some_limits.cpu_quota_us);
        assert_int_equal(limits.cpu_period_us, some_limits.cpu_period_us);
    }
    assert_int_equal(cgroup_remove(cgroup, NULL), 0);
    assert_int_equal(own_groups(world), 0);
}

static void a_refused_limit_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = real_world();
    if (!cgroup_world_has(world, CGROUP_CPUSET))
        skip_because("no cpuset for this user: %s", world->reason);
    struct cgroup_limits limits = some_limits;
    strcpy(limits.cpu_list, "8000");
    struct cgroup *cgroup = NULL;
    struct error *err = NULL;
    assert_int_equal(cgroup_create(world, &limits, &cgroup, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cpuset.cpus");
    assert_int_equal(own_groups(world), 0);
}

/* Starts a shell command inside the group. */
static struct process start_inside(const struct cgroup *cgroup, const char *command) {
    const char *const arguments[] = {"/bin/sh", "-c", command, NULL};
    const struct launch_program program = {
        .arguments = arguments, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    const struct launch_plan plan = {.name = "a test program",
                                     .join_fds = cgroup->join_fds,
                                     .timeout_ns = 10 * NS_PER_S,
                                     .cancel_fd = -1,
                                     .child = launch_program_child,
                                     .cookie = &program};
    struct launcher launcher;
    struct process process;
    struct error *err = NULL;
    launcher_prepare(&launcher, &plan, &err);
    assert_no_error(err);
    launcher_go(&launcher, &process, NULL, NULL, &err);
    assert_no_error(err);
    launcher_dismiss(&launcher);
    return process;
}

static void members_are_counted_and_killed(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = real_world();
    if (world->kind == CGROUP_KIND_NONE)
        skip_because("no cgroups for this user: %s", world->reason);
    struct cgroup *cgroup = real_group(world);
    /* A family of processes that ignore being asked. */
    struct process process =
        start_inside(cgroup, "trap '' TERM; (sleep 600 & sleep 600 &) ; i=0; "
                             "while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 600; true");
    struct cgroup_usage usage = {0};
    uint64_t deadline_ns = deadline_after(monotonic_ns(), 30 * NS_PER_S);
    do
        cgroup_read_usage(cgroup, &usage);
    while (usage.cpu_ns < NS_PER_MS && monotonic_ns() < deadline_ns);
    assert_true(usage.cpu_ns >= NS_PER_MS);
    assert_int_equal(cgroup_remove(cgroup, NULL), 0);
    assert_true(process_wait(&process, deadline_after(monotonic_ns(), 5 * NS_PER_S)));
    assert_true(WIFSIGNALED(process.status));
    assert_int_equal(WTERMSIG(process.status), SIGKILL);
    assert_int_equal(own_groups(world), 0);
}

static void the_memory_limit_kills_and_is_counted(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = real_world();
    if (!cgroup_world_has(world, CGROUP_MEMORY))
        skip_because("no memory controller for this user: %s", world->reason);
    struct cgroup *cgroup = real_group(world);
    struct process process = start_inside(cgroup, "exec head -c 200M /dev/zero | tail -c 190M");
    assert_true(process_wait(&process, deadline_after(monotonic_ns(), 60 * NS_PER_S)));
    struct cgroup_usage usage;
    cgroup_read_usage(cgroup, &usage);
    assert_true(usage.oom_kills >= 1 && usage.oom_kills != CGROUP_UNKNOWN);
    assert_true(usage.memory_peak_bytes > some_limits.memory_bytes / 2);
    assert_int_equal(cgroup_remove(cgroup, NULL), 0);
}

/* A harness that was killed leaves its group behind; the next one removes it. */
static void leftovers_of_the_dead_are_removed(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = real_world();
    if (world->kind == CGROUP_KIND_NONE)
        skip_because("no cgroups for this user: %s", world->reason);
    pid_t harness = fork();
    if (harness == 0) {
        struct cgroup *cgroup = real_group(world);
        struct process process = start_inside(cgroup, "sleep 600");
        (void)process;
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(harness, &status, 0), harness);
    assert_true(WIFSIGNALED(status));
    assert_true(cgroup_remove_leftovers(world) > 0);
    assert_int_equal(cgroup_remove_leftovers(world), 0);
}

struct named {
    const char *name;
    unsigned made, found;
};

static void make_named(const char *folder, void *cookie) {
    struct named *named = cookie;
    cleanup_free char *path = text_format("%s/%s", folder, named->name);
    named->made += mkdir(path, 0755) == 0;
}

static void find_named(const char *folder, void *cookie) {
    struct named *named = cookie;
    cleanup_free char *path = text_format("%s/%s", folder, named->name);
    named->found += file_exists(path);
}

static void remove_named(const char *folder, void *cookie) {
    struct named *named = cookie;
    cleanup_free char *path = text_format("%s/%s", folder, named->name);
    (void)rmdir(path);
}

/* LXC puts words of its own before our names, in hierarchies that we make no groups in. */
static void groups_of_engines_are_removed_with_their_owners(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = real_world();
    cleanup_free char *ours = owner_make_name();
    const pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    assert_int_equal(waitpid(dead, NULL, 0), dead);
    struct stat status;
    assert_int_equal(stat("/proc/self/ns/pid", &status), 0);
    cleanup_free char *gone =
        text_format("boxmark-%llu-%d-1-0123456789abcdef", (unsigned long long)status.st_ino, dead);
    static const char *const formats[] = {"lxc.payload.", "lxc.monitor."};
    for (unsigned i = 0; i < 2; i++) {
        cleanup_free char *living_name = text_format("%s%s", formats[i], ours);
        cleanup_free char *dead_name = text_format("%s%s", formats[i], gone);
        struct named living = {.name = living_name}, stale = {.name = dead_name};
        cgroup_for_each_hierarchy(make_named, &living);
        if (living.made == 0)
            skip_because("no control group may be made here");
        cgroup_for_each_hierarchy(make_named, &stale);
        cgroup_remove_leftovers(world);
        cgroup_for_each_hierarchy(find_named, &stale);
        cgroup_for_each_hierarchy(find_named, &living);
        cgroup_for_each_hierarchy(remove_named, &stale);
        cgroup_for_each_hierarchy(remove_named, &living);
        assert_true(stale.made > 0);
        assert_int_equal(stale.found, 0);
        assert_int_equal(living.found, living.made);
    }
}

static void without_cgroups_all_is_quietly_empty(void **state) {
    (void)state;
    cleanup_cgroup_world struct cgroup_world *world = parse("", "");
    struct cgroup *cgroup = real_group(world);
    assert_int_equal(cgroup->join_fds[0], -1);
    struct cgroup_limits limits;
    struct cgroup_usage usage;
    cgroup_read_limits(cgroup, &limits);
    cgroup_read_usage(cgroup, &usage);
    assert_int_equal(limits.memory_bytes, 0);
    assert_true(usage.cpu_ns == CGROUP_UNKNOWN);
    json_t *facts = json_object();
    cgroup_facts(cgroup, facts);
    assert_string_equal(json_string_value(json_object_get(facts, "cgroup")), "none");
    json_decref(facts);
    assert_int_equal(cgroup_kill(cgroup, 0, NULL), 0);
    assert_int_equal(cgroup_remove(cgroup, NULL), 0);
}

/* Folders as the kernel's, with those files that it would have. */
static void limits_from_outside_add_up(void **state) {
    (void)state;
    char top[] = "/tmp/boxmark-above.XXXXXX";
    assert_non_null(mkdtemp(top));
    cleanup_free char *inner = text_format("%s/slice/job", top);
    assert_int_equal(file_make_folders(inner, 0700, NULL), 0);
    assert_true(cgroup_above_throttled_in(inner) == CGROUP_UNKNOWN);
    assert_true(cgroup_above_memory_in(inner) == UINT64_MAX);
    static const struct {
        const char *file, *text;
    } files[] = {
        {"slice/job/cpu.stat", "nr_periods 46\nnr_throttled 35\nthrottled_time 860000000\n"},
        {"slice/cpu.stat", "usage_usec 9\nthrottled_usec 40000\n"},
        {"cpu.stat", "usage_usec 9\n"},
        {"slice/job/memory.limit_in_bytes", "9223372036854771712\n"},
        {"slice/memory.max", "209715200\n"},
        {"memory.max", "max\n"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        cleanup_free char *path = text_format("%s/%s", top, files[i].file);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(files[i].text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    assert_int_equal(cgroup_above_throttled_in(inner), 860000000 + 40000000);
    assert_int_equal(cgroup_above_memory_in(inner), 209715200);
    file_remove_tree(top, NULL);
}

int main(void) {
#define on_fake_tree(test) cmocka_unit_test_setup_teardown(test, make_fake_tree, remove_fake_tree)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v2_session),
        cmocka_unit_test(v1_paired_controllers),
        cmocka_unit_test(hybrid),
        cmocka_unit_test(v1_in_a_container),
        cmocka_unit_test(v2_in_a_container),
        cmocka_unit_test(paths_that_lead_outside_are_not_used),
        cmocka_unit_test(none),
        cmocka_unit_test(odd_lines_are_passed_over),
        cmocka_unit_test(limits_from_outside_add_up),
        on_fake_tree(the_nearest_folder_that_gives_most),
        on_fake_tree(up_to_the_root_for_more),
        on_fake_tree(a_delegated_scope_of_our_own),
        on_fake_tree(rather_above_than_moving),
        on_fake_tree(nothing_to_give),
        cmocka_unit_test(names_tell_the_living_from_the_dead),
        cmocka_unit_test(limits_are_read_back),
        cmocka_unit_test(a_refused_limit_is_an_error_and_leaves_nothing),
        cmocka_unit_test(members_are_counted_and_killed),
        cmocka_unit_test(the_memory_limit_kills_and_is_counted),
        cmocka_unit_test(leftovers_of_the_dead_are_removed),
        cmocka_unit_test(groups_of_engines_are_removed_with_their_owners),
        cmocka_unit_test(without_cgroups_all_is_quietly_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
