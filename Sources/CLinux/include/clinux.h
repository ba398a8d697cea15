// System calls that glibc's Swift overlay hides or lacks, as plain functions that return -1 and set errno.
#pragma once
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

#include "network_namespace.h"

// pidfd_open(2), Linux 5.3. Flags are reserved and must be 0.
int squall_pidfd_open(pid_t pid, unsigned int flags);
// pidfd_send_signal(2), Linux 5.1.
int squall_pidfd_send_signal(int pidfd, int signal);
// gettid(2).
pid_t squall_gettid(void);
// CLOCK_BOOTTIME in nanoseconds; never fails on Linux.
int64_t squall_boottime(void);
// CLOCK_REALTIME in nanoseconds; never fails on Linux.
int64_t squall_realtime(void);
// Names the calling thread (prctl PR_SET_NAME); the kernel keeps 15 bytes.
void squall_name_thread(const char *name);

// Starts a program in its own process group with default signal actions and an empty signal mask, stdin from /dev/null,
// stdout and stderr to the two descriptors, every other descriptor closed. `directory` may be NULL. No search of PATH.
// Returns 0 and the pid, or the errno of posix_spawn(3).
int squall_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int out, int err,
                 pid_t *pid);
// pipe2(2) with O_CLOEXEC.
int squall_pipe(int ends[2]);
// Reaps the child behind a pidfd (waitid with P_PIDFD, Linux 5.4) without blocking. Returns 1 when reaped, 0 when it
// still lives, -1 with errno. `signalled` tells whether `status` is a signal's number or an exit code.
int squall_reap(int pidfd, int *signalled, int *status);
// From now on writes the number of this signal as one byte to `descriptor` instead of its default action. One
// descriptor serves all signals of the process. Safe in a handler: write(2) only.
int squall_forward_signal(int signal, int descriptor);
// Whether this process ignores a signal, as nohup(1) makes its command ignore SIGHUP.
int squall_is_ignored(int signal);

// Starts a program as the leader of a session of its own, out of reach of the terminal's signals and of a kill of our
// process group: stdin from /dev/null, stdout and stderr to `log`, `channel` as descriptor 3, every other one closed.
// INT, TERM, HUP and PIPE are reset to their defaults. Returns 0 and the pid, or the errno of posix_spawn(3).
int squall_spawn_session(const char *path, char *const argv[], char *const envp[], int channel, int log, pid_t *pid);
// A connected pair of sockets that keep messages apart (SOCK_SEQPACKET), both closed on exec.
int squall_message_pair(int ends[2]);
// Sends one byte, with a descriptor unless it is -1. Never waits and never raises SIGPIPE.
int squall_send_message(int socket, unsigned char byte, int descriptor);
// Receives one message without waiting: the byte (0 to 255), or -1 with errno, or -2 at the end of the stream.
// `descriptor` is the one that came along (closed on exec), or -1.
int squall_receive_message(int socket, int *descriptor);
// Takes, or gives back, an open-file-description lock on the first byte of a file without waiting (F_OFD_SETLK,
// fcntl(2)): independent of flock(2) on the same file, gone when its holder dies.
int squall_take_turn(int descriptor);
int squall_end_turn(int descriptor);

// Puts every thread of this process before all usual ones on a core (SCHED_RR at its lowest priority, sched(7)), or back
// among them. Threads that start later inherit it; programs that squall_spawn starts do not. Returns 0, or -1 with errno:
// EPERM without CAP_SYS_NICE.
int squall_set_urgent(int urgent);
