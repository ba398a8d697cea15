/// What a resolv.conf(5) says of the servers to ask.
enum ResolverFile {
    /// glibc asks no more than these (MAXNS).
    private static let most = 3

    /// The addresses of its `nameserver` lines in their order, each once; what is no address is passed over, as libc does.
    static func servers(_ text: String) -> [AddressRange] {
        var found: [AddressRange] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver" else { continue }
            // A zone (fe80::1%eth0) names a cable; the address without it is what stands in the packet.
            let address = words[1].prefix { $0 != "%" }
            guard let server = AddressRange(parsing: String(address)), server.isSingle, !found.contains(server) else {
                continue
            }
            found.append(server)
            if found.count == most { break }
        }
        return found
    }
}
