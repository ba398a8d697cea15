#define _GNU_SOURCE
#include "clinux.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
