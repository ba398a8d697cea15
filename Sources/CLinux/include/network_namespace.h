// Network namespaces without ever moving a thread of Swift's into one.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A socket that is wanted of a namespace, and what came of it.
struct squall_socket {
    int domain, type, protocol;
    int descriptor;
};
// Opens sockets of the namespace behind `space`, an open /proc/PID/ns/net, closed on exec. Made by a thread that does
// nothing else and comes home again (setns(2) with CLONE_NEWNET is per thread, and threads started from one that moved
// inherit the namespace); the sockets stay bound to theirs. All or none: 0, or -1 with errno. From any thread.
int squall_sockets_in_namespace(int space, struct squall_socket *wanted, int count);
// Whether a descriptor is one of a network namespace (ioctl NS_GET_NSTYPE, Linux 4.11): 1 or 0.
int squall_is_network_namespace(int descriptor);
// The namespace a socket belongs to (ioctl SIOCGSKNS, Linux 4.10, needs CAP_NET_ADMIN there) as a descriptor that is
// closed on exec; -1 with errno.
int squall_namespace_of_socket(int socket);
// Opens a file for reading as a process sees it whose root folder is `root`: links lead nowhere outside of that
// (openat2(2) with RESOLVE_IN_ROOT, Linux 5.6), and a pipe in its place does not block. The descriptor is closed on exec;
// -1 with errno.
int squall_open_in_root(const char *root, const char *path);
// Accepts a connection; the socket never blocks and is closed on exec (accept4(2)). The descriptor, or -1 with errno.
int squall_accept(int listener);
// Makes the kernel note when each datagram arrived (SO_TIMESTAMPNS): 0, or -1 with errno.
int squall_stamp_arrivals(int socket);
// One datagram with its sender and the instant at which it arrived, CLOCK_REALTIME in nanoseconds: its length, or -1 with
// errno. Without a stamp of the kernel's the instant is that of the call. `sender` has room for a struct sockaddr_storage:
// with <sys/socket.h> here, its constants would belong to this module, and files that import Glibc alone not find them.
ssize_t squall_receive_stamped(int socket, void *bytes, size_t capacity, void *sender, uint32_t *sender_length,
                               int64_t *arrived);
// A network namespace of our own with nothing in it but loopback, closed on exec: for trying out what a target's kernel
// takes. It ends with its last descriptor. Returns the descriptor, or -1 with errno.
int squall_new_network_namespace(void);
