// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/container/box.h"

#include <inttypes.h>

#define FORMAT(number)                                                                             \
    "userns=%u,id=%u,net=%u,root=%u,overlay=%u,ssbd=%u,memory=%" number ",pids=%" number           \
    ",quota_us=%" number ",period_us=%" number

void box_write(const struct container_plan *plan, const struct cgroup_limits *limits,
               char text[BOX_TEXT_BYTES]) {
    snprintf(text, BOX_TEXT_BYTES, FORMAT(PRIu64), (unsigned)plan->user_namespace,
             (unsigned)plan->uid, (unsigned)plan->network, (unsigned)plan->root, plan->data_overlay,
             plan->ssbd, limits->memory_bytes, limits->pids, limits->cpu_quota_us,
             limits->cpu_period_us);
}

int box_read(const char *text, struct container_plan *plan, struct cgroup_limits *limits) {
    unsigned user_namespace, id, network, root, overlay, ssbd;
    if (sscanf(text, FORMAT(SCNu64), &user_namespace, &id, &network, &root, &overlay, &ssbd,
               &limits->memory_bytes, &limits->pids, &limits->cpu_quota_us,
               &limits->cpu_period_us) != 10 ||
        user_namespace > USER_NAMESPACE_LAST || root > ROOT_OVERLAY || network > NETWORK_HOST)
        return -1;
    plan->user_namespace = (enum user_namespace)user_namespace;
    plan->uid = plan->gid = id;
    plan->network = (enum network)network;
    plan->root = (enum root_kind)root;
    plan->data_overlay = overlay;
    plan->ssbd = ssbd;
    return 0;
}
