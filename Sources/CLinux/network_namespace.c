#define _GNU_SOURCE
#include "network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
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

// The one thread that enters foreign namespaces. It runs nothing else, so that no thread of Swift's is ever in one, nor is
// started from one (threads inherit the namespace). Between visits it is at home: where it stays, it would keep a dead
// namespace alive.
static struct {
    pthread_mutex_t turn;
    sem_t wanted, done;
    struct visit *visit;
    int home;
    int runs;
} visitor = {.turn = PTHREAD_MUTEX_INITIALIZER};

static void open_sockets(struct visit *visit) {
    if (setns(visit->space, CLONE_NEWNET) != 0) {
        visit->failure = errno;
        return;
    }
    for (int i = 0; i < visit->count && !visit->failure; i++) {
        struct squall_socket *wanted = &visit->wanted[i];
        wanted->descriptor = socket(wanted->domain, wanted->type | SOCK_CLOEXEC, wanted->protocol);
        if (wanted->descriptor < 0) visit->failure = errno;
    }
}

static void await(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0 && errno == EINTR) {}
}

static void *visit_namespaces(void *unused) {
    int isHome = 1;
    while (isHome) {
        await(&visitor.wanted);
        open_sockets(visitor.visit);
        // One that cannot come home ends here; the next visit starts another.
        isHome = setns(visitor.home, CLONE_NEWNET) == 0;
        if (!isHome) visitor.runs = 0;
        sem_post(&visitor.done);
    }
    return unused;
}

// Starts a thread that inherits a full mask: no handler of ours may run in a foreign namespace. 0, or why there is none.
static int start_apart(void *(*work)(void *), void *context, pthread_t *thread) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(thread, NULL, work, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

// Called with the turn taken.
static int start_visitor(void) {
    if (visitor.runs) return 0;
    if (!visitor.home) {
        int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        if (home < 0) return errno;
        visitor.home = home;
        sem_init(&visitor.wanted, 0, 0);
        sem_init(&visitor.done, 0, 0);
    }
    pthread_t thread;
    int failure = start_apart(visit_namespaces, NULL, &thread);
    if (failure) return failure;
    pthread_detach(thread);
    visitor.runs = 1;
    return 0;
}

int squall_sockets_in_namespace(int space, struct squall_socket *wanted, int count) {
    struct visit visit = {space, wanted, count, 0};
    for (int i = 0; i < count; i++) wanted[i].descriptor = -1;
    pthread_mutex_lock(&visitor.turn);
    int failure = start_visitor();
    if (!failure) {
        visitor.visit = &visit;
        sem_post(&visitor.wanted);
        await(&visitor.done);
        failure = visit.failure;
    }
    pthread_mutex_unlock(&visitor.turn);
    if (!failure) return 0;
    for (int i = 0; i < count; i++) {
        if (wanted[i].descriptor >= 0) close(wanted[i].descriptor);
        wanted[i].descriptor = -1;
    }
    errno = failure;
    return -1;
}

struct creation {
    int space, failure;
};

static void *create_namespace(void *context) {
    struct creation *creation = context;
    // The thread's own: /proc/thread-self, because /proc/self is the process's first thread.
    if (unshare(CLONE_NEWNET) == 0) creation->space = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    creation->failure = creation->space < 0 ? errno : 0;
    return NULL;
}

int squall_new_network_namespace(void) {
    struct creation creation = {-1, 0};
    pthread_t thread;
    int failure = start_apart(create_namespace, &creation, &thread);
    if (!failure) failure = pthread_join(thread, NULL);
    if (failure || creation.failure) errno = failure ? failure : creation.failure;
    return creation.space;
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

ssize_t squall_receive_stamped(int socket, void *bytes, size_t capacity, void *sender, uint32_t *sender_length,
                               int64_t *arrived) {
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec data = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_name = sender,
                             .msg_namelen = sizeof(struct sockaddr_storage),
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
