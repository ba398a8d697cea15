internal import Basics
package import Contracts
package import Experiment

/// `addresses: {list: [10.0.0.0/8, 2001:db8::1]}`: machines outside any container, as the other side of a partition.
///
/// Nothing is ever changed on them: their packets are stopped at the side that is ours.
package struct AddressTargetSource: TargetSource {
    package static let kind = "addresses"

    private static let list = Parameter<[AddressRange]>.required(
        "list", .list(.addressRange), "addresses and blocks of either version, for example 10.0.0.0/8")
    package static let parameters: [any AnyParameter] = [list]

    private let ranges: [AddressRange]

    package init(from reader: inout ParameterReader) {
        ranges = reader.value(Self.list)
        if ranges.isEmpty, !reader.diagnostics.hasErrors {
            reader.diagnostics.error("name at least one address", at: reader.location(of: Self.list.key))
        }
    }

    /// One target for all of them: an address is no thing of its own that could be counted or drawn.
    package func resolve(in context: SystemContext) async throws(FaultError) -> [Target] {
        let merged = AddressRange.merged(ranges)
        return [
            Target(
                id: "addresses:" + merged.map(\.description).joined(separator: ","), name: summary,
                attributes: [.addresses: merged.map(\.description).joined(separator: ",")])
        ]
    }

    package var summary: String { ranges.map(\.description).joined(separator: ", ") }

    package static let manual = Manual(
        summary: "Addresses and blocks outside any container",
        details: """
            Stands for machines that Squall does not control: an API, a database service, a whole region. Only faults
            between targets take it, with containers on the other side, where the packets are stopped. Nothing is
            changed on these machines. IPv6 zones (fe80::1%eth0) are refused: an interface of this machine means nothing
            in a container.
            """,
        example: """
            targets:
              storage: {addresses: {list: [192.0.2.0/24, "2001:db8::/32"]}}
            """)
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
