internal import Basics

/// The keys and raw values of one line, found in one pass over its bytes and reused from line to line.
///
/// Input is data: anything that is no JSON object makes `read` return false, it never traps.
struct EventLineFields {
    private var bytes: [UInt8] = []
    private var fields: [(key: UInt64, value: Range<Int>)] = []

    /// Splits a line into its fields; false when it is no complete JSON object.
    mutating func read(_ line: ArraySlice<UInt8>) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: line)
        fields.removeAll(keepingCapacity: true)
        var cursor = JSONCursor(bytes)
        guard cursor.take(UInt8(ascii: "{")) else { return false }
        if cursor.take(UInt8(ascii: "}")) { return cursor.isAtEnd }
        repeat {
            guard let key = cursor.skipString(), cursor.take(UInt8(ascii: ":")), let value = cursor.skipValue() else {
                return false
            }
            fields.append((LineKey.pack(bytes[key]), value))
        } while cursor.take(UInt8(ascii: ","))
        return cursor.take(UInt8(ascii: "}")) && cursor.isAtEnd
    }

    private func range(_ key: LineKey) -> Range<Int>? {
        for field in fields where field.key == key.packed { return field.value }
        return nil
    }

    private func cursor(_ key: LineKey) -> JSONCursor? {
        range(key).map { JSONCursor(bytes, at: $0.lowerBound) }
    }

    func has(_ key: LineKey) -> Bool { range(key) != nil }

    func integer(_ key: LineKey) -> Int64? {
        var cursor = cursor(key)
        return cursor?.integer()
    }

    func instant(_ key: LineKey) -> Instant? { integer(key).map(Instant.init(nanoseconds:)) }

    /// A number, or the text that stands for one that JSON cannot write (`inf`, `nan`).
    func number(_ key: LineKey) -> Double? {
        guard let range = range(key) else { return nil }
        return Double(String(decoding: bytes[range].filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self))
    }

    func boolean(_ key: LineKey) -> Bool? {
        guard let range = range(key) else { return nil }
        if bytes[range].elementsEqual("true".utf8) { return true }
        return bytes[range].elementsEqual("false".utf8) ? false : nil
    }

    func text(_ key: LineKey) -> String? {
        var cursor = cursor(key)
        return cursor?.string()
    }

    /// The empty name when the key is absent.
    func label(_ key: LineKey) -> Label { text(key).map { Label($0) } ?? .none }

    func choice<Value: RawRepresentable>(_ key: LineKey) -> Value? where Value.RawValue == String {
        text(key).flatMap(Value.init(rawValue:))
    }

    /// The elements of an array, empty when the key is absent; nil when an element is not what `element` reads.
    func array<Element>(_ key: LineKey, _ element: (inout JSONCursor) -> Element?) -> [Element]? {
        guard var cursor = cursor(key) else { return [] }
        return cursor.array(element)
    }
}

/// A position in JSON text. Every method leaves it behind what it read, or returns nil.
struct JSONCursor {
    private let bytes: [UInt8]
    private var index: Int

    init(_ bytes: [UInt8], at index: Int = 0) {
        self.bytes = bytes
        self.index = index
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D { index += 1 }
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return index == bytes.count
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        index += 1
        return true
    }

    /// The range between the quotes of a string, escapes left as they are.
    mutating func skipString() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = index
        while let byte = next {
            if byte == UInt8(ascii: "\"") {
                index += 1
                return start..<index - 1
            }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    /// The range of any value, quotes and brackets included; nested values are balanced, not read.
    mutating func skipValue() -> Range<Int>? {
        skipSpace()
        let start = index
        switch next {
        case UInt8(ascii: "\""): guard skipString() != nil else { return nil }
        case UInt8(ascii: "["), UInt8(ascii: "{"): guard skipNested() else { return nil }
        default:
            while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]"),
                byte > 0x20
            { index += 1 }
        }
        return index > start ? start..<index : nil
    }

    private mutating func skipNested() -> Bool {
        var depth = 0
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard skipString() != nil else { return false }
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
            index += 1
            if depth == 0 { return true }
        }
        return false
    }

    mutating func integer() -> Int64? {
        skipSpace()
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let start = index
        var value: Int64 = 0
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            let digit = Int64(byte - UInt8(ascii: "0"))
            // Built on the negative side, where Int64.min fits as well.
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowedToo) = product.subtractingReportingOverflow(digit)
            if overflowed || overflowedToo { return nil }
            value = sum
            index += 1
        }
        if index == start || (!isNegative && value == .min) { return nil }
        return isNegative ? value : -value
    }

    mutating func string() -> String? {
        guard let range = skipString() else { return nil }
        let raw = bytes[range]
        return raw.contains(UInt8(ascii: "\\")) ? unescaped(raw) : String(decoding: raw, as: UTF8.self)
    }

    mutating func array<Element>(_ element: (inout JSONCursor) -> Element?) -> [Element]? {
        guard take(UInt8(ascii: "[")) else { return nil }
        var elements: [Element] = []
        if take(UInt8(ascii: "]")) { return elements }
        repeat {
            guard let value = element(&self) else { return nil }
            elements.append(value)
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? elements : nil
    }

    /// `[first,second]`
    mutating func pair<Element>(_ element: (inout JSONCursor) -> Element?) -> (Element, Element)? {
        guard let elements = array(element), elements.count == 2 else { return nil }
        return (elements[0], elements[1])
    }
}

/// The text behind JSON escapes; nil when an escape is none of JSON's. A lone surrogate becomes U+FFFD.
private func unescaped(_ raw: ArraySlice<UInt8>) -> String? {
    var units: [UInt16] = []
    var text = ""
    func flush() {
        text += String(decoding: units, as: UTF16.self)
        units.removeAll()
    }
    var rest = raw
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            let end = rest.firstIndex(of: UInt8(ascii: "\\")) ?? rest.endIndex
            flush()
            text += String(decoding: [byte] + rest[..<end], as: UTF8.self)
            rest = rest[end...]
            continue
        }
        guard let escape = rest.popFirst() else { return nil }
        if escape == UInt8(ascii: "u") {
            guard let unit = UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16), rest.count >= 4 else {
                return nil
            }
            rest = rest.dropFirst(4)
            units.append(unit)
        } else {
            guard let scalar = simpleEscapes[escape] else { return nil }
            units.append(UInt16(scalar))
        }
    }
    flush()
    return text
}

private let simpleEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
    UInt8(ascii: "\""): 34, UInt8(ascii: "\\"): 92, UInt8(ascii: "/"): 47,
]
