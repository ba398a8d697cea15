internal import Contracts

/// A JSON document whose keys keep their order, printed the same way each time: two runs can be compared with `diff`.
indirect enum OrderedJSON {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([OrderedJSON])
    case object([(String, OrderedJSON)])

    static func string(_ text: String?) -> OrderedJSON { text.map { .string($0) } ?? .null }
    static func number(_ value: Double?) -> OrderedJSON { value.map { .number($0) } ?? .null }
    static func integer(_ value: Int) -> OrderedJSON { .integer(Int64(value)) }
    static func strings(_ texts: [String]) -> OrderedJSON { .array(texts.map { .string($0) }) }

    /// Two spaces per level, a newline at the end; lists of plain values stay on one line.
    var prettyPrinted: String {
        var bytes: [UInt8] = []
        append(to: &bytes, indent: 0)
        bytes.append(UInt8(ascii: "\n"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private var isPlain: Bool {
        switch self {
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        case .null, .boolean, .integer, .number, .string: true
        }
    }

    private func append(to bytes: inout [UInt8], indent: Int) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .boolean(let flag): bytes.appendJSON(flag)
        case .integer(let number): bytes.appendJSON(number)
        // JSON knows no infinity; a value that is none is no value.
        case .number(let number):
            number.isFinite ? bytes.appendJSON(number) : OrderedJSON.null.append(to: &bytes, indent: 0)
        case .string(let text): bytes.appendJSON(text)
        case .array(let elements):
            let isInline = elements.allSatisfy(\.isPlain)
            OrderedJSON.appendList(elements, "[", "]", isInline: isInline, to: &bytes, indent) {
                element, bytes, indent in
                element.append(to: &bytes, indent: indent)
            }
        case .object(let members):
            OrderedJSON.appendList(members, "{", "}", isInline: members.isEmpty, to: &bytes, indent) {
                member, bytes, indent in
                bytes.appendJSON(member.0)
                bytes.append(contentsOf: ": ".utf8)
                member.1.append(to: &bytes, indent: indent)
            }
        }
    }

    private static func appendList<Element>(
        _ elements: [Element], _ open: String, _ close: String, isInline: Bool, to bytes: inout [UInt8], _ indent: Int,
        _ append: (Element, inout [UInt8], Int) -> Void
    ) {
        func newline(_ level: Int) {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
        }
        bytes.append(contentsOf: open.utf8)
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(contentsOf: (isInline ? ", " : ",").utf8) }
            if !isInline { newline(indent + 1) }
            append(element, &bytes, indent + 1)
        }
        if !isInline && !elements.isEmpty { newline(indent) }
        bytes.append(contentsOf: close.utf8)
    }
}
