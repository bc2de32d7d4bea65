// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * net=veth: a pair of virtual network devices, as engines make one for every container. One end is
 * in the container's network namespace, the other in a second one where nobody lives: there is an
 * interface with an address, and no way out. Plain system calls only: this runs after a raw clone.
 */
#include "environments/container/container.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

/* Link-local addresses (RFC 3927): nobody routes them. */
#define INSIDE "169.254.77.1"
#define OUTSIDE "169.254.77.2"
enum { PREFIX_LENGTH = 30 };

struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
    };
    char attributes[256];
};

static struct rtattr *add(struct request *request, unsigned short type, const void *data,
                          size_t size) {
    struct rtattr *attribute =
        (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(attribute), data, size);
    request->header.nlmsg_len =
        NLMSG_ALIGN(request->header.nlmsg_len) + (unsigned)RTA_ALIGN(attribute->rta_len);
    return attribute;
}

/* The attribute holds all that was added since. */
static void close_nest(struct request *request, struct rtattr *attribute) {
    attribute->rta_len =
        (unsigned short)((char *)request + request->header.nlmsg_len - (char *)attribute);
}

/* Sends it and waits for the answer; negative with errno. */
static int perform(int fd, struct request *request) {
    char answer[1024];
    request->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (send(fd, request, request->header.nlmsg_len, 0) < 0)
        return -1;
    ssize_t count = recv(fd, answer, sizeof(answer), 0);
    if (count < 0)
        return -1;
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
    if (!NLMSG_OK(header, (size_t)count) || header->nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
    return errno ? -1 : 0;
}

static int make_pair(int fd, const char *name, const char *peer_name, int peer_namespace_fd) {
    struct request request = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                                         .nlmsg_type = RTM_NEWLINK,
                                         .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL}};
    const struct ifinfomsg peer_link = {.ifi_family = AF_UNSPEC};
    add(&request, IFLA_IFNAME, name, strlen(name) + 1);
    struct rtattr *info = add(&request, IFLA_LINKINFO, NULL, 0);
    add(&request, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = add(&request, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = add(&request, VETH_INFO_PEER, &peer_link, sizeof(peer_link));
    add(&request, IFLA_IFNAME, peer_name, strlen(peer_name) + 1);
    add(&request, IFLA_NET_NS_FD, &peer_namespace_fd, sizeof(peer_namespace_fd));
    close_nest(&request, peer);
    close_nest(&request, data);
    close_nest(&request, info);
    return perform(fd, &request);
}

static int bring_up(int fd, const char *name) {
    struct request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK},
        .link = {
            .ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP, .ifi_change = IFF_UP}};
    return request.link.ifi_index == 0 ? -1 : perform(fd, &request);
}

static int give_address(int fd, const char *name, const char *text) {
    struct in_addr address;
    struct request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                   .nlmsg_type = RTM_NEWADDR,
                   .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
        .address = {.ifa_family = AF_INET,
                    .ifa_prefixlen = PREFIX_LENGTH,
                    .ifa_scope = RT_SCOPE_LINK,
                    .ifa_index = if_nametoindex(name)},
    };
    if (inet_pton(AF_INET, text, &address) != 1)
        return -1;
    add(&request, IFA_LOCAL, &address, sizeof(address));
    add(&request, IFA_ADDRESS, &address, sizeof(address));
    return perform(fd, &request);
}

static int configure(const char *name, const char *address) {
    cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || bring_up(fd, "lo") < 0 || give_address(fd, name, address) < 0)
        return -1;
    return bring_up(fd, name);
}

int container_make_network(int proc_fd, const char **step) {
    *step = "making the other end's network namespace";
    cleanup_fd int own_fd = openat(proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own_fd < 0 || unshare(CLONE_NEWNET) < 0)
        return -1;
    /*
     * Left open over the exec: the other end lives as long as this descriptor, so it goes with the
     * container however that ends. Who has no capability can do nothing with it.
     */
    int other_fd = openat(proc_fd, "self/ns/net", O_RDONLY);
    cleanup_fd int netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    *step = "making a pair of network devices (needs the kernel's veth)";
    if (other_fd < 0 || netlink_fd < 0 || make_pair(netlink_fd, "outside", "eth0", own_fd) < 0)
        return -1;
    *step = "configuring its network devices";
    if (configure("outside", OUTSIDE) < 0 || setns(own_fd, CLONE_NEWNET) < 0)
        return -1;
    return configure("eth0", INSIDE);
}
