/// Attributes by the names that the kernel's headers give them; C enumerations come to Swift as raw numbers of 32 bits.
extension NetlinkMessage {
    func put(_ attribute: some RawRepresentable<UInt32>, _ value: [UInt8]) {
        put(UInt16(truncatingIfNeeded: attribute.rawValue), value)
    }

    func put(_ attribute: some RawRepresentable<UInt32>, text: String) {
        put(UInt16(truncatingIfNeeded: attribute.rawValue), text: text)
    }

    func put(_ attribute: some RawRepresentable<UInt32>, big value: UInt32) {
        put(UInt16(truncatingIfNeeded: attribute.rawValue), big: value)
    }

    func nest(_ attribute: some RawRepresentable<UInt32>, _ body: () -> Void) {
        nest(UInt16(truncatingIfNeeded: attribute.rawValue), body)
    }
}
