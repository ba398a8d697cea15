import Testing

@testable import Network

@Suite struct AddressRangeTests {
    @Test(arguments: [
        ("10.1.2.3", "10.1.2.3"), ("10.1.2.3/8", "10.0.0.0-10.255.255.255"), ("0.0.0.0/0", "0.0.0.0-255.255.255.255"),
        ("10.1.2.3/31", "10.1.2.2-10.1.2.3"), ("2001:db8::/33", "2001:db8::-2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"),
        ("::1", "::1"), ("10.1.2.3/32", "10.1.2.3"),
    ])
    func anAddressOrABlockIsRead(text: String, range: String) {
        #expect(AddressRange(parsing: text)?.description == range)
    }

    @Test(arguments: [
        "", "10.1.2", "10.1.2.3/33", "10.1.2.3/", "10.1.2.3/-1", "10.1.2.3/+8", "fe80::1%eth0", "::/129", "db.example",
        "10.0.0.0/8/8", "256.0.0.1",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(AddressRange(parsing: text) == nil)
    }

    @Test func rangesThatOverlapOrTouchBecomeOne() {
        let ranges = ["10.0.0.2", "10.0.0.0/31", "10.0.0.0/24", "10.0.1.0", "10.0.3.0", "::1", "::2"]
        let merged = AddressRange.merged(ranges.compactMap { AddressRange(parsing: $0) })
        #expect(merged.map(\.description) == ["10.0.0.0-10.0.1.0", "10.0.3.0", "::1-::2"])
    }

    @Test func nothingComesAfterTheHighestAddress() {
        #expect(AddressRange(parsing: "255.255.255.255")?.afterLast == nil)
        #expect(AddressRange(parsing: "10.0.0.255")?.afterLast == [10, 0, 1, 0])
    }
}
