// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/aftermath.h"

#include "common/file.h"
#include "environments/cgroup.h"
#include "environments/process.h"

#include <sys/mman.h>

/* In the keeper. */
static void clean_up(const void *cookie) {
    const struct aftermath *aftermath = cookie;
    cleanup_cgroup_world struct cgroup_world *world = NULL;
    if (*aftermath->session > 0)
        process_kill_session(*aftermath->session, NULL);
    if (cgroup_world_find(&world, NULL) == 0)
        cgroup_remove_leftovers(world);
    file_remove_tree(aftermath->data_folder, NULL);
}

int aftermath_begin(struct aftermath *aftermath, const char *data_folder, struct error **err) {
    pid_t *session =
        mmap(NULL, sizeof(*session), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (session == MAP_FAILED)
        return error_no_memory(err);
    *aftermath =
        (struct aftermath){.keeper = KEEPER_NONE, .session = session, .data_folder = data_folder};
    if (keeper_start(&aftermath->keeper, clean_up, aftermath, err) == 0)
        return 0;
    aftermath_end(aftermath);
    return error_wrap(err, "cannot watch over the run");
}

void aftermath_end(struct aftermath *aftermath) {
    keeper_dismiss(&aftermath->keeper);
    if (aftermath->session)
        munmap(aftermath->session, sizeof(*aftermath->session));
    aftermath->session = NULL;
}
