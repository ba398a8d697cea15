package import Basics
internal import CLinux
internal import Glibc
package import Process

extension LocalNetworkKernel {
    /// The name servers that programs of a process's container ask, by its /etc/resolv.conf.
    package func nameServers(of process: ProcessIdentity) throws(NetworkError) -> [AddressRange] {
        // Proves that it is the process that is meant, and keeps none of it.
        _ = try open(process).identity
        let number = squall_open_in_root("/proc/\(process.pid)/root", "/etc/resolv.conf")
        guard number >= 0 else { throw NetworkError("read /etc/resolv.conf of process \(process.pid)", errno: errno) }
        let file = Descriptor(owning: number)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(file.number, &buffer, buffer.count)
        guard count >= 0 else { throw NetworkError("read /etc/resolv.conf of process \(process.pid)", errno: errno) }
        return ResolverFile.servers(String(decoding: buffer[..<count], as: UTF8.self))
    }

    /// Names of the tables in the namespace of a process that begin with `prefix`.
    package func tables(_ prefix: String, of process: ProcessIdentity) throws(NetworkError) -> [String] {
        try NftablesReader.tables(try open(process).netlink(.netfilter)).map(\.name).filter { $0.hasPrefix(prefix) }
    }

    /// Forgets where queries to these servers were sent before: see `NameFlows`.
    package func forgetQueries(
        to servers: [AddressRange], redirectedOnly: Bool, of process: ProcessIdentity
    ) throws(NetworkError) {
        try NameFlows.forget(to: servers, redirectedOnly: redirectedOnly, try open(process).netlink(.netfilter))
    }

    /// Asks a server for the addresses of a name, from inside the namespace as one of its programs would; nil when no
    /// answer comes in time. The thread is free meanwhile.
    package func ask(
        _ name: DomainName, _ family: AddressFamily, of server: AddressRange, from process: ProcessIdentity,
        within limit: Span
    ) async throws(NetworkError) -> NameReply? {
        let socket = try ProbeSocket(SOCK_DGRAM, server.family, in: try open(process))
        let type =
            family == .version4 ? DNSQuestion.RecordType.address4 : DNSQuestion.RecordType.address6
        let question = DNSQuestion(name, type: type, identifier: .random(in: .min ... .max))
        let address = SocketAddress(server.first, server.family, port: 53)
        guard address.with({ connect(socket.descriptor.number, $0, $1) }) == 0 else {
            throw NetworkError("reach the name server \(server)", errno: errno)
        }
        let time = SystemTimeSource()
        let sent = time.now
        let bytes = question.bytes
        guard send(socket.descriptor.number, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else {
            throw NetworkError("ask the name server \(server)", errno: errno)
        }
        while await ready(socket.descriptor.number, for: .readable, until: sent + limit, on: loop) {
            var buffer = [UInt8](repeating: 0, count: 65_535)
            let count = recv(socket.descriptor.number, &buffer, buffer.count, 0)
            // ECONNREFUSED: nobody listens there. That is no answer, and none will come.
            if count < 0 { return nil }
            if let answer = DNSAnswer(Array(buffer[..<count]), to: question) {
                return NameReply(answer: answer, after: time.now - sent)
            }
        }
        return nil
    }
}

/// How a name server answered, and how long that took.
package struct NameReply: Sendable, Hashable {
    package var answer: DNSAnswer
    package var after: Span
}
