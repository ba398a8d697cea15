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

    /// Docker leaves plain files behind where a namespace was mounted: the kernel is asked what the file stands for.
    private static func identity(of descriptor: CInt) throws(SystemError) -> NamespaceIdentity {
        guard squall_is_network_namespace(descriptor) == 1 else {
            throw SystemError("open", errno: EINVAL, subject: "a file that is no network namespace")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError.last("fstat", subject: "network namespace") }
        return NamespaceIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// A socket that belongs to this namespace, proven by asking the kernel for the socket's own.
    ///
    /// The caller's thread never leaves its namespace; see `squall_socket_in_namespace`.
    borrowing func socket(
        domain: CInt, type: CInt, protocol number: CInt = 0
    ) throws(NetworkError) -> Descriptor {
        let raw = squall_socket_in_namespace(descriptor.number, domain, type, number)
        guard raw >= 0 else { throw NetworkError("open a socket in the network namespace", errno: errno) }
        let opened = Descriptor(owning: raw)
        let home = squall_namespace_of_socket(opened.number)
        guard home >= 0 else { throw NetworkError("find the namespace of a socket (CAP_NET_ADMIN)", errno: errno) }
        let owner = Descriptor(owning: home)
        do throws(SystemError) {
            let found = try Self.identity(of: owner.number)
            guard found == identity else { throw SystemError("compare", errno: EXDEV, subject: "namespace \(found)") }
        } catch {
            throw NetworkError("open a socket in the network namespace", error)
        }
        return opened
    }

    borrowing func netlink(
        _ family: NetlinkSocket.Family, sendBuffer: Int = NetlinkSocket.sendBuffer
    ) throws(NetworkError) -> NetlinkSocket {
        let opened = try socket(
            domain: AF_NETLINK, type: CInt(SOCK_RAW.rawValue), protocol: family.rawValue)
        // The netlink socket owns a descriptor of its own: `opened` closes when this returns.
        let copy = fcntl(opened.number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw NetworkError("keep a netlink socket", errno: errno) }
        return try NetlinkSocket(owning: copy, family, sendBuffer: sendBuffer)
    }
}
