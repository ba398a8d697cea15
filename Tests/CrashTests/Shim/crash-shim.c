// Preloaded into the released binary by the crash tests: acts at the Nth call that changes one of a run's files.
//
// The product has no hook for its own death. This library stands between it and the C library instead: it counts the
// calls that change a file of a given name, and before or after the Nth it kills or stops its process, or answers as a
// full disk does. Everything it needs comes from the environment, which the medic inherits from its controller:
//
//   CRASH_ROLE    controller | medic | heal | any: the process that acts, told by its subcommand
//   CRASH_FILE    the last component of the file's path, `journal` by default
//   CRASH_CALL    N, counted from 1 in each process; without it calls are only counted and logged
//   CRASH_SIDE    before | after
//   CRASH_ACTION  kill | stop | full (ENOSPC from that call on) | torn (half the bytes, then kill) | step (the wall clock)
//   CRASH_CHILDREN  1: the process's children die first, so that a controller takes its medic with it
//   CRASH_STEP    seconds that the wall clock jumps, in every process, once CRASH_FLAG exists; `step` creates that file
//   CRASH_LOG     a file that gets one line for each counted call (what was called, when, by whom), and one for each
//                 whole write to the history: what was acknowledged to the process must be there after its death
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum action { COUNT, KILL, STOP, FULL, TORN, STEP };

static struct {
    int is_acting, is_before, takes_children;
    enum action action;
    long call;
    time_t step;
    const char *role, *file, *log, *flag;
} plan;
static atomic_long calls;
static atomic_int is_stepped;

static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fdatasync)(int), (*real_fsync)(int), (*real_ftruncate)(int, off_t), (*real_truncate)(const char *, off_t);
static int (*real_clock_gettime)(clockid_t, struct timespec *), (*real_gettimeofday)(struct timeval *, void *);

// `run` and `inject` are the controller; any other subcommand is a role of its own name.
static const char *own_role(void) {
    static char line[4096];
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? 0 : read(file, line, sizeof line - 2);
    if (file >= 0) close(file);
    if (count <= 0) return "";
    line[count] = line[count + 1] = 0;
    const char *word = line + strlen(line) + 1;
    return !strcmp(word, "run") || !strcmp(word, "inject") ? "controller" : word;
}

static enum action action_named(const char *name) {
    static const char *const names[] = {"", "kill", "stop", "full", "torn", "step"};
    for (int index = KILL; index <= STEP; index++)
        if (name && !strcmp(name, names[index])) return index;
    return COUNT;
}

// A constructor, but whoever calls before it has run calls it: the order among libraries is the linker's.
__attribute__((constructor)) static void read_plan(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_truncate = dlsym(RTLD_NEXT, "truncate");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
    const char *role = getenv("CRASH_ROLE"), *call = getenv("CRASH_CALL"), *side = getenv("CRASH_SIDE");
    const char *step = getenv("CRASH_STEP");
    plan.role = own_role();
    plan.file = getenv("CRASH_FILE") ? getenv("CRASH_FILE") : "journal";
    plan.log = getenv("CRASH_LOG");
    plan.flag = getenv("CRASH_FLAG");
    plan.step = step ? atol(step) : 0;
    plan.call = call ? atol(call) : 0;
    plan.takes_children = getenv("CRASH_CHILDREN") && !strcmp(getenv("CRASH_CHILDREN"), "1");
    plan.is_before = !side || !strcmp(side, "before");
    plan.action = action_named(getenv("CRASH_ACTION"));
    plan.is_acting = role && (!strcmp(role, "any") || !strcmp(role, plan.role));
}

static int is_named(const char *path, size_t length, const char *file) {
    size_t name = strlen(file);
    return length > name && path[length - name - 1] == '/' && !memcmp(path + length - name, file, name);
}

static int is_open_on(int descriptor, const char *file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 && is_named(path, (size_t)length, file);
}

// One line by one write(2) to a file opened for appending: lines of several processes never mix.
static void note(long call, const char *format, ...) {
    if (!plan.log) return;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now);
    char line[256];
    int length = snprintf(
        line, sizeof line, "%lld %s %d %ld ", (long long)now.tv_sec * 1000000000 + now.tv_nsec, plan.role, getpid(), call);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    int file = open(plan.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return;
    syscall(SYS_write, file, line, (size_t)length);
    close(file);
}

// The children of every thread; a kernel without CONFIG_PROC_CHILDREN shows none, and the test then sees the medic heal.
static void kill_children(void) {
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *entry; threads && (entry = readdir(threads));) {
        char path[300], list[4096];
        snprintf(path, sizeof path, "/proc/self/task/%s/children", entry->d_name);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t count = file < 0 ? 0 : read(file, list, sizeof list - 1);
        if (file >= 0) close(file);
        if (count <= 0) continue;
        list[count] = 0;
        char *next = list;
        for (long pid; (pid = strtol(next, &next, 10)) > 0;) syscall(SYS_kill, (pid_t)pid, SIGKILL);
    }
    if (threads) closedir(threads);
}

static void act(long call, const char *side) {
    switch (plan.action) {
    case KILL:
    case TORN:
        if (plan.takes_children) kill_children();
        note(call, "kill %s", side);
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    case STOP:
        note(call, "stop %s", side);
        syscall(SYS_kill, getpid(), SIGSTOP);
        break;
    case STEP: {
        note(call, "step %s", side);
        int file = plan.flag ? open(plan.flag, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (file >= 0) close(file);
        break;
    }
    case COUNT:
    case FULL: break;
    }
}

// Counts a call; 1 when it must fail with ENOSPC instead of being made.
static int enter(long *call) {
    *call = atomic_fetch_add(&calls, 1) + 1;
    if (!plan.is_acting || !plan.call) return 0;
    if (plan.action == FULL && *call >= plan.call) {
        note(*call, "full");
        errno = ENOSPC;
        return 1;
    }
    if (*call == plan.call && plan.is_before && plan.action != TORN) act(*call, "before");
    return 0;
}

static void leave(long call) {
    int kept = errno;
    if (plan.is_acting && call == plan.call && !plan.is_before) act(call, "after");
    errno = kept;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    long call;
    if (!real_write) read_plan();
    int is_history = is_open_on(descriptor, "events.ndjson");
    if (!is_open_on(descriptor, plan.file)) {
        ssize_t result = real_write(descriptor, bytes, count);
        if (is_history && result > 0) note(0, "history %zd", result);
        return result;
    }
    // A record is `length sum {"name":…`: the name tells a reader of the log which boundary this is.
    note(atomic_load(&calls) + 1, "write %zu %.24s", count, count > 20 ? (const char *)bytes + 18 : "");
    if (enter(&call)) return -1;
    // Two faults at once write in any order: the Nth call may be a sync this time, and the next write is torn then.
    if (plan.is_acting && plan.action == TORN && call >= plan.call) {
        real_write(descriptor, bytes, count / 2);
        act(call, "torn");
    }
    ssize_t result = real_write(descriptor, bytes, count);
    if (is_history && result > 0) note(0, "history %zd", result);
    leave(call);
    return result;
}

#define WATCHED(name, is_ours, ...)                          \
    long call;                                               \
    if (!real_##name) read_plan();                           \
    if (!(is_ours)) return real_##name(__VA_ARGS__);         \
    note(atomic_load(&calls) + 1, #name);                    \
    if (enter(&call)) return -1;                             \
    int result = real_##name(__VA_ARGS__);                   \
    leave(call);                                             \
    return result

int fdatasync(int descriptor) { WATCHED(fdatasync, is_open_on(descriptor, plan.file), descriptor); }
int fsync(int descriptor) { WATCHED(fsync, is_open_on(descriptor, plan.file), descriptor); }
int ftruncate(int descriptor, off_t length) { WATCHED(ftruncate, is_open_on(descriptor, plan.file), descriptor, length); }
int truncate(const char *path, off_t length) { WATCHED(truncate, is_named(path, strlen(path), plan.file), path, length); }

// The wall clock alone: CLOCK_BOOTTIME and CLOCK_MONOTONIC cannot be set by anybody.
static time_t stepped_by(void) {
    if (!plan.step || !plan.flag) return 0;
    if (atomic_load(&is_stepped)) return plan.step;
    int kept = errno;
    int exists = access(plan.flag, F_OK) == 0;
    errno = kept;
    if (!exists) return 0;
    if (!atomic_exchange(&is_stepped, 1)) note(atomic_load(&calls), "clock");
    return plan.step;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real_clock_gettime) read_plan();
    int result = real_clock_gettime(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += stepped_by();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    if (!real_gettimeofday) read_plan();
    int result = real_gettimeofday(now, zone);
    if (result == 0) now->tv_sec += stepped_by();
    return result;
}
