internal import Basics
internal import Glibc

/// Asks this machine's resolver for the addresses of a host name; getaddrinfo(3) blocks for as long as it likes, so it
/// has a thread of its own for the time of one question.
actor NameResolver {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private init() throws(SystemError) {
        loop = try EventLoop(name: "squall-names")
    }

    deinit {
        loop.stop()
    }

    /// All addresses of both versions, sorted, each once; the name itself when it is an address. Throws `notFound` for
    /// a name that nobody knows, `timeout` for a name server that does not answer.
    static func resolve(_ name: String) async throws(NetworkError) -> [AddressRange] {
        if let address = AddressRange(parsing: name) { return [address] }
        let resolver: NameResolver
        do throws(SystemError) {
            resolver = try NameResolver()
        } catch {
            throw NetworkError("look up '\(name)'", error)
        }
        return try await resolver.ask(name)
    }

    /// The same; none for a name that is not known.
    static func addresses(of name: String) async -> [AddressRange] {
        do throws(NetworkError) {
            return try await resolve(name)
        } catch {
            return []
        }
    }

    private func ask(_ name: String) throws(NetworkError) -> [AddressRange] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        switch result {
        case 0: break
        case EAI_NONAME: throw NetworkError("look up '\(name)': no such host", errno: ENOENT)
        case EAI_AGAIN: throw NetworkError("look up '\(name)': the name server does not answer", errno: ETIMEDOUT)
        default: throw NetworkError("look up '\(name)': \(String(cString: gai_strerror(result)))", errno: ENOENT)
        }
        var found: Set<AddressRange> = []
        var next = list
        while let entry = next {
            if let address = Self.address(entry.pointee) { found.insert(address) }
            next = entry.pointee.ai_next
        }
        return found.sorted()
    }

    private static func address(_ entry: addrinfo) -> AddressRange? {
        guard let pointer = entry.ai_addr else { return nil }
        // struct sockaddr_in has the address at byte 4, struct sockaddr_in6 at byte 8.
        let (family, offset): (AddressFamily, Int)
        switch entry.ai_family {
        case AF_INET: (family, offset) = (.version4, 4)
        case AF_INET6: (family, offset) = (.version6, 8)
        default: return nil
        }
        guard Int(entry.ai_addrlen) >= offset + family.length else { return nil }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: Int(entry.ai_addrlen))
        return AddressRange(family, Array(bytes[offset..<(offset + family.length)]))
    }
}
