/// JSON text as bytes, written by hand: an encoder of the library costs microseconds and allocations per observation.
extension [UInt8] {
    /// Appends a JSON string with its quotes; control characters, quotes and backslashes are escaped.
    package mutating func appendJSON(_ text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case UInt8(ascii: "\n"): append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0..<0x20, 0x7F:
                append(contentsOf: "\\u00".utf8)
                append(hexDigit(byte >> 4))
                append(hexDigit(byte & 15))
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    /// Appends an integer in decimal.
    package mutating func appendJSON(_ number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        let start = count
        var rest = number.magnitude
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }

    /// Appends the shortest decimal that reads back as the same number; JSON knows no infinity, so that becomes text.
    package mutating func appendJSON(_ number: Double) {
        if number.isFinite {
            append(contentsOf: number.description.utf8)
        } else {
            appendJSON(number.description)
        }
    }

    /// Appends `true` or `false`.
    package mutating func appendJSON(_ flag: Bool) {
        append(contentsOf: (flag ? "true" : "false").utf8)
    }

    /// Appends `,"key":`.
    mutating func appendKey(_ key: LineKey) {
        append(UInt8(ascii: ","))
        append(UInt8(ascii: "\""))
        var shift = 56
        while shift >= 0 {
            let byte = UInt8(truncatingIfNeeded: key.packed >> UInt64(shift))
            if byte != 0 { append(byte) }
            shift -= 8
        }
        append(UInt8(ascii: "\""))
        append(UInt8(ascii: ":"))
    }

    mutating func appendField(_ key: LineKey, _ number: Int64) {
        appendKey(key)
        appendJSON(number)
    }

    mutating func appendField(_ key: LineKey, _ number: Int64?) {
        if let number { appendField(key, number) }
    }

    mutating func appendField(_ key: LineKey, _ text: String) {
        guard !text.isEmpty else { return }
        appendKey(key)
        appendJSON(text)
    }

    mutating func appendField(_ key: LineKey, _ flag: Bool) {
        appendKey(key)
        appendJSON(flag)
    }

    /// Appends an array unless it is empty; `element` writes each.
    mutating func appendField<Value>(
        _ key: LineKey, _ elements: [Value], _ element: (inout [UInt8], Value) -> Void
    ) {
        guard !elements.isEmpty else { return }
        appendKey(key)
        appendArray(elements, element)
    }

    mutating func appendArray<Value>(_ elements: [Value], _ element: (inout [UInt8], Value) -> Void) {
        append(UInt8(ascii: "["))
        for (index, value) in elements.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            element(&self, value)
        }
        append(UInt8(ascii: "]"))
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
