internal import Basics
internal import Contracts
internal import Glibc

/// The name server that is asked, as a file writes it.
struct NameServer: Sendable, Hashable, CustomStringConvertible {
    static let port: UInt16 = 53
    private static let file = "/etc/resolv.conf"

    /// An address or a host name.
    var host: String
    var port: UInt16

    init(host: String, port: UInt16 = NameServer.port) {
        self.host = host
        self.port = port
    }

    /// Reads `10.0.0.2`, `10.0.0.2:5353`, `[2001:db8::53]:53`, `2001:db8::53`, `ns-1.example.com:53`; nil for all else.
    init?(parsing text: String) {
        if let address = AddressRange(parsing: text) {
            guard address.isSingle, !text.contains("/") else { return nil }
            self.init(host: text)
            return
        }
        var (host, rest) = (Substring(text), Substring())
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            guard AddressRange(parsing: String(host))?.family == .version6, !host.contains("/") else { return nil }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            rest = text[colon...]
        }
        guard let known = PeerName(parsing: String(host)), !host.contains("/") else { return nil }
        guard !rest.isEmpty else {
            self.init(host: "\(known)")
            return
        }
        guard rest.first == ":", rest.dropFirst().utf8.allSatisfy({ (48...57).contains($0) }),
            let port = UInt16(rest.dropFirst()), port > 0
        else { return nil }
        self.init(host: "\(known)", port: port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The first one that this machine's programs ask; throws `notFound` when its file names none.
    static func ofThisMachine() throws(FaultError) -> NameServer {
        let advice = "write server: HOST:PORT, the name server that is to be asked"
        do throws(SystemError) {
            let bytes = try Descriptor(opening: file, flags: O_RDONLY).readToEnd(subject: file)
            guard let first = ResolverFile.servers(String(decoding: bytes, as: UTF8.self)).first else {
                throw SystemError("find a nameserver line", errno: ENOENT, subject: file)
            }
            return NameServer(host: "\(first)")
        } catch {
            throw FaultError(.notFound, "no name server is known", advice: advice, underlying: error)
        }
    }

    /// The address behind it; a host name is asked of this machine's resolver, once.
    func address() async throws(FaultError) -> AddressRange {
        do throws(NetworkError) {
            guard let address = try await NameResolver.resolve(host).first else {
                throw NetworkError("look up '\(host)'", errno: ENOENT)
            }
            return address
        } catch {
            throw FaultError(
                .notFound, "the name server \(self) has no address", advice: "getent ahosts \(host)",
                underlying: error)
        }
    }
}
