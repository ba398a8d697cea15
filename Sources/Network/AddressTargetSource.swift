internal import Basics
package import Contracts
package import Experiment

/// `addresses: {list: [10.0.0.0/8, 2001:db8::1, api.example.com]}`: machines outside any container, as the other side of
/// a partition.
///
/// Nothing is ever changed on them: their packets are stopped at the side that is ours.
package struct AddressTargetSource: TargetSource {
    package static let kind = "addresses"

    private static let list = Parameter<[PeerName]>.required(
        "list", .list(.peerName), "addresses and blocks of either version, and host names: 10.0.0.0/8, api.example.com")
    package static let parameters: [any AnyParameter] = [list]

    private let peers: [PeerName]

    package init(from reader: inout ParameterReader) {
        peers = reader.value(Self.list)
        guard !reader.diagnostics.hasErrors else { return }
        let place = reader.location(of: Self.list.key)
        if peers.isEmpty { reader.diagnostics.error("name at least one address", at: place) }
        for (index, one) in ranges.enumerated() {
            guard let other = ranges[..<index].first(where: { $0.overlaps(one) }) else { continue }
            reader.diagnostics.error("\(one) and \(other) overlap", at: place, notes: ["name each address once"])
        }
    }

    private var ranges: [AddressRange] {
        peers.compactMap { peer in
            if case .range(let range) = peer { range } else { nil }
        }
    }

    /// One target for all of them: an address is no thing of its own that could be counted or drawn. Names are looked up
    /// now, by this machine's resolver.
    package func resolve(in context: SystemContext) async throws(FaultError) -> [Target] {
        var found = ranges
        for peer in peers {
            guard case .host(let name) = peer else { continue }
            do throws(NetworkError) {
                found += try await NameResolver.resolve(name)
            } catch {
                throw FaultError(
                    error.code == .timeout ? .timeout : .notFound, "host name '\(name)' has no address",
                    advice: "getent ahosts \(name)", underlying: error)
            }
        }
        let merged = AddressRange.merged(found)
        return [
            Target(
                id: "addresses:" + merged.map(\.description).joined(separator: ","), name: summary,
                attributes: [.addresses: merged.map(\.description).joined(separator: ",")])
        ]
    }

    package var summary: String { peers.map(\.description).joined(separator: ", ") }

    package static let manual = Manual(
        summary: "Addresses, blocks and host names outside any container",
        details: """
            Stands for machines that Squall does not control: an API, a database service, a whole region. Only faults
            between targets take it, with containers on the other side, where the packets are stopped. Nothing is
            changed on these machines. 0.0.0.0/0 and ::/0 are everybody but the container itself and the members of its
            side; loopback and the names of other containers still work.

            Host names are looked up when the fault is injected, by this machine's resolver, and all their addresses are
            taken; a name that changes its address later is not followed. IPv6 zones (fe80::1%eth0) are refused: an
            interface of this machine means nothing in a container.
            """,
        example: """
            targets:
              storage: {addresses: {list: [192.0.2.0/24, "2001:db8::/32", storage.example.com]}}
            """)
}

extension ValueType where Value == PeerName {
    static var peerName: ValueType {
        ValueType(
            scalar: "an address, a block or a host name, for example 10.0.0.0/8, 2001:db8::1 or api.example.com",
            schema: .object(["type": .string("string")]),
            placeholder: .range(AddressRange(.version4, [0, 0, 0, 0])),
            hint: { $0.contains("%") ? "leave the zone out: it names an interface of this machine" : nil }
        ) { PeerName(parsing: $0.text) }
    }
}

extension ValueType where Value == AddressRange {
    static var addressRange: ValueType {
        ValueType(
            scalar: "an address or a block, for example 10.0.0.0/8 or 2001:db8::1",
            schema: .object(["type": .string("string")]), placeholder: AddressRange(.version4, [0, 0, 0, 0]),
            hint: { $0.contains("%") ? "leave the zone out: it names an interface of this machine" : nil }
        ) { AddressRange(parsing: $0.text) }
    }
}

extension ValueType where Value == PortRange {
    static var portRange: ValueType {
        ValueType(
            scalar: "a port from 1 to 65535 or a range, for example 5432 or 8000-8010",
            schema: .object([
                "type": .array([.string("string"), .string("integer")]), "minimum": .integer(1),
                "maximum": .integer(65_535), "pattern": .string("^[0-9]+(-[0-9]+)?$|\\$\\{"),
            ]), placeholder: .any
        ) { PortRange(parsing: $0.text) }
    }
}
