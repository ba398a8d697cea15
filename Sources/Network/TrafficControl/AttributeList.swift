/// The attributes of a queueing discipline's options as they go to the kernel: numbers in the order of this machine, no
/// flag for nesting, which is how the kernel's own tools send them.
///
/// Options are written apart from their message because one of them, netem's, begins with a structure that is no
/// attribute.
struct AttributeList: Hashable {
    private(set) var bytes: [UInt8] = []

    /// struct nlattr: length with its own four bytes, number; then the value, padded to four.
    mutating func put(_ number: UInt16, _ value: [UInt8]) {
        bytes += hostOrder(UInt16(value.count + 4)) + hostOrder(number) + value
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    mutating func put(_ number: UInt16, _ value: some FixedWidthInteger) { put(number, hostOrder(value)) }

    /// Flagged as nested (NLA_F_NESTED): netem's loss models are read strictly.
    mutating func nest(_ number: UInt16, _ body: (inout AttributeList) -> Void) {
        var inner = AttributeList()
        body(&inner)
        put(number | 0x8000, inner.bytes)
    }

    /// By the names of the kernel's headers, which come to Swift as plain integers.
    mutating func put(_ number: Int, _ value: [UInt8]) { put(UInt16(truncatingIfNeeded: number), value) }

    mutating func put(_ number: Int, _ value: some FixedWidthInteger) { put(number, hostOrder(value)) }
}

/// Time as the kernel's schedulers count it: 64 nanoseconds, see /proc/net/psched.
func ticks(_ nanoseconds: Int64) -> UInt32 { UInt32(clamping: nanoseconds / 64) }
