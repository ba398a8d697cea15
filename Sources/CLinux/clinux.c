#define _GNU_SOURCE
#include "clinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int squall_pidfd_open(pid_t pid, unsigned int flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

int squall_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

pid_t squall_gettid(void) { return (pid_t)syscall(SYS_gettid); }

static int64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t squall_boottime(void) { return nanoseconds(CLOCK_BOOTTIME); }

int64_t squall_realtime(void) { return nanoseconds(CLOCK_REALTIME); }

void squall_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

static int describe_files(posix_spawn_file_actions_t *files, const char *directory, int out, int err) {
    int failure = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (!failure) failure = posix_spawn_file_actions_adddup2(files, out, 1);
    if (!failure) failure = posix_spawn_file_actions_adddup2(files, err, 2);
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(files, 3);
    if (!failure && directory) failure = posix_spawn_file_actions_addchdir_np(files, directory);
    return failure;
}

// A child must not inherit ignored signals (SIGPIPE, SIGINT of a controller) or a blocked mask.
static int describe_attributes(posix_spawnattr_t *attributes, short own) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int failure = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failure) failure = posix_spawnattr_setsigmask(attributes, &none);
    if (!failure) failure = posix_spawnattr_setpgroup(attributes, 0);
    // What an urgent process starts is not urgent itself (squall_set_urgent).
    if (sched_getscheduler(0) == SCHED_RR) {
        struct sched_param usual = {.sched_priority = 0};
        if (!failure) failure = posix_spawnattr_setschedpolicy(attributes, SCHED_OTHER);
        if (!failure) failure = posix_spawnattr_setschedparam(attributes, &usual);
        own |= POSIX_SPAWN_SETSCHEDULER;
    }
    if (!failure)
        failure = posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | own));
    return failure;
}

static int spawn(const char *path, char *const argv[], char *const envp[], posix_spawn_file_actions_t *files,
                 short own, pid_t *pid) {
    posix_spawnattr_t attributes;
    int failure = posix_spawnattr_init(&attributes);
    if (failure) return failure;
    failure = describe_attributes(&attributes, own);
    if (!failure) failure = posix_spawn(pid, path, files, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

int squall_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int out, int err,
                 pid_t *pid) {
    posix_spawn_file_actions_t files;
    int failure = posix_spawn_file_actions_init(&files);
    if (failure) return failure;
    failure = describe_files(&files, directory, out, err);
    if (!failure) failure = spawn(path, argv, envp, &files, POSIX_SPAWN_SETPGROUP, pid);
    posix_spawn_file_actions_destroy(&files);
    return failure;
}

int squall_spawn_session(const char *path, char *const argv[], char *const envp[], int channel, int log, pid_t *pid) {
    posix_spawn_file_actions_t files;
    int failure = posix_spawn_file_actions_init(&files);
    if (failure) return failure;
    failure = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!failure) failure = posix_spawn_file_actions_adddup2(&files, log, 1);
    if (!failure) failure = posix_spawn_file_actions_adddup2(&files, log, 2);
    // dup2 of 3 onto itself clears its close-on-exec flag (posix_spawn_file_actions_adddup2(3)).
    if (!failure) failure = posix_spawn_file_actions_adddup2(&files, channel, 3);
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&files, 4);
    if (!failure) failure = spawn(path, argv, envp, &files, POSIX_SPAWN_SETSID, pid);
    posix_spawn_file_actions_destroy(&files);
    return failure;
}

int squall_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int squall_reap(int pidfd, int *signalled, int *status) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) return -1;
    if (info.si_pid == 0) return 0;
    *signalled = info.si_code != CLD_EXITED;
    *status = info.si_status;
    return 1;
}

static volatile int signal_descriptor = -1;

static void forward_signal(int signal) {
    int saved = errno;
    unsigned char number = (unsigned char)signal;
    // A full pipe already holds a signal that nobody has read yet: losing this one changes nothing.
    ssize_t written = write(signal_descriptor, &number, 1);
    (void)written;
    errno = saved;
}

int squall_forward_signal(int signal, int descriptor) {
    struct sigaction action = {.sa_handler = forward_signal, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    signal_descriptor = descriptor;
    return sigaction(signal, &action, NULL);
}

int squall_is_ignored(int signal) {
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int squall_message_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }

int squall_send_message(int socket, unsigned char byte, int descriptor) {
    char control[CMSG_SPACE(sizeof(int))];
    memset(control, 0, sizeof control);
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

int squall_receive_message(int socket, int *descriptor) {
    unsigned char byte = 0;
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *descriptor = -1;
    ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return -1;
    if (count == 0) return -2;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(header), sizeof(int));
    return byte;
}

static int set_turn(int descriptor, short type) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    return fcntl(descriptor, F_OFD_SETLK, &range);
}

int squall_take_turn(int descriptor) { return set_turn(descriptor, F_WRLCK); }

int squall_end_turn(int descriptor) { return set_turn(descriptor, F_UNLCK); }

// One pass over the threads; those that start meanwhile inherit from their makers.
static int set_policy(DIR *tasks, int policy, const struct sched_param *parameters) {
    int failure = 0;
    for (struct dirent *entry = readdir(tasks); entry; entry = readdir(tasks)) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        // A thread that has ended since needs nothing.
        if (thread > 0 && sched_setscheduler(thread, policy, parameters) != 0 && errno != ESRCH) failure = errno;
    }
    return failure;
}

int squall_set_urgent(int urgent) {
    int policy = urgent ? SCHED_RR : SCHED_OTHER;
    struct sched_param parameters = {.sched_priority = urgent ? sched_get_priority_min(SCHED_RR) : 0};
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return -1;
    int failure = set_policy(tasks, policy, &parameters);
    // A thread that an unvisited one made during the first pass is met by a second one.
    rewinddir(tasks);
    if (!failure) failure = set_policy(tasks, policy, &parameters);
    closedir(tasks);
    errno = failure;
    return failure ? -1 : 0;
}
