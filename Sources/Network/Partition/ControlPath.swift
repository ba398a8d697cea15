internal import Contracts
internal import Docker
internal import Glibc

/// The addresses by which squall reaches what it controls, and by which it is controlled: cut off, it could not heal by
/// the engine, and nobody would see it.
struct ControlPath {
    private let addresses: [(address: AddressRange, role: String)]

    /// - Parameters:
    ///   - engine: the engine's address as its client writes it, `tcp://10.0.0.5:2376`; a socket on this machine is no
    ///     path over a network.
    ///   - session: SSH_CONNECTION as sshd sets it: client address and port, server address and port.
    ///   - resolve: the addresses behind a name; none when it is not known.
    init(engine: String, session: String, resolve: (String) async -> [AddressRange]) async {
        var found: [(AddressRange, String)] = []
        if let host = Self.host(of: engine) {
            found += await resolve(host).map { ($0, "the Docker engine's") }
        }
        if let peer = session.split(separator: " ").first.flatMap({ AddressRange(parsing: String($0)) }) {
            found.append((peer, "the other end of the SSH session in which squall runs"))
        }
        addresses = found.filter { !$0.0.isLoopback }
    }

    /// That of this process.
    static func current(in context: SystemContext) async throws(FaultError) -> ControlPath {
        let engine = try context.services.require((any ContainerEngine).self)
        let session = getenv("SSH_CONNECTION").map { String(cString: $0) } ?? ""
        return await ControlPath(engine: engine.address, session: session) { name in
            await NameResolver.addresses(of: name)
        }
    }

    /// Throws when one of these holds an address of the path.
    func refuse(_ ranges: [AddressRange]) throws(FaultError) {
        for (address, role) in addresses {
            guard let range = ranges.first(where: { $0.overlaps(address) }) else { continue }
            let holds = range.isSingle ? "\(address) is" : "\(range) holds \(address),"
            throw FaultError(
                .notApplicable, "\(holds) \(role): squall's own control path",
                advice: "leave it out, or write force: true when it may be cut")
        }
    }

    /// The host in `tcp://host:port`, `https://host:port` or `ssh://user@host`; nil for a socket of this machine.
    static func host(of engine: String) -> String? {
        guard let separator = engine.firstRange(of: "://") else { return nil }
        guard ["tcp", "http", "https", "ssh"].contains(engine[..<separator.lowerBound]) else { return nil }
        var host = engine[separator.upperBound...].prefix { $0 != "/" }
        if let at = host.lastIndex(of: "@") { host = host[host.index(after: at)...] }
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }
}
