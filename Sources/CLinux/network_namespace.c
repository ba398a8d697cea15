#define _GNU_SOURCE
#include "network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct visit {
    int space;
    struct squall_socket *wanted;
    int count, failure;
};

static void *visit_namespace(void *context) {
    struct visit *visit = context;
    if (setns(visit->space, CLONE_NEWNET) != 0) {
        visit->failure = errno;
        return NULL;
    }
    for (int i = 0; i < visit->count; i++) {
        struct squall_socket *wanted = &visit->wanted[i];
        wanted->descriptor = socket(wanted->domain, wanted->type | SOCK_CLOEXEC, wanted->protocol);
        if (wanted->descriptor < 0) {
            visit->failure = errno;
            return NULL;
        }
    }
    return NULL;
}

int squall_sockets_in_namespace(int space, struct squall_socket *wanted, int count) {
    struct visit visit = {space, wanted, count, 0};
    for (int i = 0; i < count; i++) wanted[i].descriptor = -1;
    // The thread inherits this mask: no handler of ours may run in a foreign namespace.
    sigset_t all, before;
    sigfillset(&all);
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, visit_namespace, &visit);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure) failure = pthread_join(thread, NULL);
    if (!failure) failure = visit.failure;
    if (!failure) return 0;
    for (int i = 0; i < count; i++) {
        if (wanted[i].descriptor >= 0) close(wanted[i].descriptor);
        wanted[i].descriptor = -1;
    }
    errno = failure;
    return -1;
}

int squall_is_network_namespace(int descriptor) { return ioctl(descriptor, NS_GET_NSTYPE) == CLONE_NEWNET; }

int squall_namespace_of_socket(int socket) {
    int space = ioctl(socket, SIOCGSKNS);
    // The kernel opens it with O_CLOEXEC already (open_related_ns); said again because a leak would pin the namespace.
    if (space >= 0) fcntl(space, F_SETFD, FD_CLOEXEC);
    return space;
}

int squall_open_in_root(const char *root, const char *path) {
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_IN_ROOT};
    int opened = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    int failure = errno;
    close(folder);
    errno = failure;
    return opened;
}

int squall_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int squall_stamp_arrivals(int socket) {
    int on = 1;
    return setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

ssize_t squall_receive_stamped(int socket, void *bytes, size_t capacity, struct sockaddr_storage *sender,
                               uint32_t *sender_length, int64_t *arrived) {
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec data = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_name = sender,
                             .msg_namelen = sizeof *sender,
                             .msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT);
    if (count < 0) return -1;
    *sender_length = message.msg_namelen;
    struct timespec stamp;
    clock_gettime(CLOCK_REALTIME, &stamp);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
    *arrived = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
    return count;
}
