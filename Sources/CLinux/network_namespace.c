#define _GNU_SOURCE
#include "network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct visit {
    int space, domain, type, protocol;
    int result, failure;
};

static void *visit_namespace(void *context) {
    struct visit *visit = context;
    visit->result = -1;
    if (setns(visit->space, CLONE_NEWNET) == 0)
        visit->result = socket(visit->domain, visit->type | SOCK_CLOEXEC, visit->protocol);
    visit->failure = visit->result < 0 ? errno : 0;
    return NULL;
}

int squall_socket_in_namespace(int space, int domain, int type, int protocol) {
    struct visit visit = {space, domain, type, protocol, -1, 0};
    // The thread inherits this mask: no handler of ours may run in a foreign namespace.
    sigset_t all, before;
    sigfillset(&all);
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, visit_namespace, &visit);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure) failure = pthread_join(thread, NULL);
    if (!failure) failure = visit.failure;
    if (failure) {
        errno = failure;
        return -1;
    }
    return visit.result;
}

int squall_is_network_namespace(int descriptor) { return ioctl(descriptor, NS_GET_NSTYPE) == CLONE_NEWNET; }

int squall_namespace_of_socket(int socket) {
    int space = ioctl(socket, SIOCGSKNS);
    // The kernel opens it with O_CLOEXEC already (open_related_ns); said again because a leak would pin the namespace.
    if (space >= 0) fcntl(space, F_SETFD, FD_CLOEXEC);
    return space;
}
