internal import Basics
internal import CLinux
internal import Glibc

/// What names a network namespace on one boot of one machine: device and inode of its file.
package struct NamespaceIdentity: Sendable, Hashable, Codable {
    package var device: UInt64
    package var inode: UInt64
}

/// An open network namespace. It stays alive as long as this does, even without a process.
struct NetworkNamespace: ~Copyable {
    private let descriptor: Descriptor
    let identity: NamespaceIdentity

    /// Opens the namespace behind a path: `/proc/PID/ns/net`, or one of those that ip(8) and Docker keep below /run.
    init(path: String) throws(NetworkError) {
        do throws(SystemError) {
            let opened = try Descriptor(opening: path, flags: O_RDONLY)
            identity = try Self.identity(of: opened.number)
            descriptor = opened
        } catch {
            throw NetworkError("open the network namespace", error)
        }
    }

    init(ofProcess pid: Int32) throws(NetworkError) {
        try self.init(path: "/proc/\(pid)/ns/net")
    }

    private init(_ descriptor: consuming Descriptor, _ identity: NamespaceIdentity) {
        self.descriptor = descriptor
        self.identity = identity
    }

    /// The same namespace for another owner.
    borrowing func copy() throws(NetworkError) -> NetworkNamespace {
        let number = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
        guard number >= 0 else { throw NetworkError("keep a network namespace", errno: errno) }
        return NetworkNamespace(Descriptor(owning: number), identity)
    }

    /// A new one with nothing in it but loopback, to try out what the kernel takes.
    init() throws(NetworkError) {
        let number = squall_new_network_namespace()
        guard number >= 0 else { throw NetworkError("make a network namespace", errno: errno) }
        let opened = Descriptor(owning: number)
        do throws(SystemError) {
            identity = try Self.identity(of: opened.number)
            descriptor = opened
        } catch {
            throw NetworkError("make a network namespace", error)
        }
    }

    /// Docker leaves plain files behind where a namespace was mounted: the kernel is asked what the file stands for. Such a
    /// namespace is gone, like that of a process that has ended.
    private static func identity(of descriptor: CInt) throws(SystemError) -> NamespaceIdentity {
        guard squall_is_network_namespace(descriptor) == 1 else {
            throw SystemError("open", errno: ENOENT, subject: "a file that is no network namespace")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError.last("fstat", subject: "network namespace") }
        return NamespaceIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// A socket that belongs to this namespace, proven by asking the kernel for the socket's own.
    borrowing func socket(
        domain: CInt, type: CInt, protocol number: CInt = 0
    ) throws(NetworkError) -> Descriptor {
        Descriptor(owning: try sockets(domain, type, [number])[0])
    }

    /// As many sockets as protocols, with one visit. The caller owns them.
    ///
    /// The caller's thread never leaves its namespace; see `squall_sockets_in_namespace`.
    private borrowing func sockets(_ domain: CInt, _ type: CInt, _ protocols: [CInt]) throws(NetworkError) -> [CInt] {
        var wanted = protocols.map { squall_socket(domain: domain, type: type, protocol: $0, descriptor: -1) }
        guard squall_sockets_in_namespace(descriptor.number, &wanted, CInt(wanted.count)) == 0 else {
            throw NetworkError("open a socket in the network namespace", errno: errno)
        }
        let opened = wanted.map(\.descriptor)
        do throws(NetworkError) {
            for socket in opened { try prove(socket) }
        } catch {
            for socket in opened { close(socket) }
            throw error
        }
        return opened
    }

    private borrowing func prove(_ socket: CInt) throws(NetworkError) {
        let home = squall_namespace_of_socket(socket)
        guard home >= 0 else { throw NetworkError("find the namespace of a socket (CAP_NET_ADMIN)", errno: errno) }
        let owner = Descriptor(owning: home)
        do throws(SystemError) {
            let found = try Self.identity(of: owner.number)
            guard found == identity else { throw SystemError("compare", errno: EXDEV, subject: "namespace \(found)") }
        } catch {
            throw NetworkError("open a socket in the network namespace", error)
        }
    }

    borrowing func netlink(
        _ family: NetlinkSocket.Family, sendBuffer: Int = NetlinkSocket.sendBuffer
    ) throws(NetworkError) -> NetlinkSocket {
        let opened = try sockets(AF_NETLINK, CInt(SOCK_RAW.rawValue), [family.rawValue])
        return try NetlinkSocket(owning: opened[0], family, sendBuffer: sendBuffer)
    }

    /// Sockets of both families with one visit: a fault in many namespaces needs two in each.
    borrowing func netlinkPair() throws(NetworkError) -> (netfilter: NetlinkSocket, route: NetlinkSocket) {
        let opened = try sockets(
            AF_NETLINK, CInt(SOCK_RAW.rawValue),
            [NetlinkSocket.Family.netfilter.rawValue, NetlinkSocket.Family.route.rawValue])
        let netfilter: NetlinkSocket
        do throws(NetworkError) {
            netfilter = try NetlinkSocket(owning: opened[0], .netfilter)
        } catch {
            close(opened[1])
            throw error
        }
        return (netfilter, try NetlinkSocket(owning: opened[1], .route))
    }
}
