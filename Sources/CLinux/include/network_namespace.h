// Network namespaces without ever moving a thread of Swift's into one.
#pragma once

// A socket of the namespace behind `space`, an open /proc/PID/ns/net, closed on exec. Made by a thread that enters the
// namespace and ends there (setns(2) with CLONE_NEWNET is per thread, and threads started from one that moved inherit
// the namespace); the socket stays bound to it. Returns the descriptor, or -1 with errno.
int squall_socket_in_namespace(int space, int domain, int type, int protocol);
// Whether a descriptor is one of a network namespace (ioctl NS_GET_NSTYPE, Linux 4.11): 1 or 0.
int squall_is_network_namespace(int descriptor);
// The namespace a socket belongs to (ioctl SIOCGSKNS, Linux 4.10, needs CAP_NET_ADMIN there) as a descriptor that is
// closed on exec; -1 with errno.
int squall_namespace_of_socket(int socket);
