/// Makes a `JSONValue` of an `Encodable` without a text in between, and just as the text would be read again: a whole
/// number is an integer, whatever its type was.
struct JSONValueEncoder: Encoder {
    /// What is being filled; containers of one encoder share it.
    final class Slot {
        enum Part {
            case value(JSONValue)
            case nested(Slot)
        }

        enum Content {
            case empty
            case value(JSONValue)
            case members([String: Part])
            case elements([Part])
        }

        private var content = Content.empty

        func set(_ value: JSONValue) { content = .value(value) }

        func becomeObject() { if case .empty = content { content = .members([:]) } }
        func becomeArray() { if case .empty = content { content = .elements([]) } }

        func set(_ part: Part, for key: String) {
            guard case .members(var members) = content else { return }
            content = .empty
            members[key] = part
            content = .members(members)
        }

        func append(_ part: Part) {
            guard case .elements(var elements) = content else { return }
            content = .empty
            elements.append(part)
            content = .elements(elements)
        }

        var count: Int { if case .elements(let elements) = content { elements.count } else { 0 } }

        /// Null when nothing was encoded.
        var value: JSONValue {
            switch content {
            case .empty: .null
            case .value(let value): value
            case .members(let members): .object(members.mapValues(Self.value))
            case .elements(let elements): .array(elements.map(Self.value))
            }
        }

        private static func value(_ part: Part) -> JSONValue {
            switch part {
            case .value(let value): value
            case .nested(let slot): slot.value
            }
        }
    }

    let slot: Slot
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Throws `EncodingError` for a number that JSON cannot tell, and whatever the value throws.
    static func encode(_ value: some Encodable, at path: [any CodingKey] = []) throws -> JSONValue {
        if let value = value as? JSONValue { return value }
        let slot = Slot()
        try value.encode(to: JSONValueEncoder(slot: slot, codingPath: path))
        return slot.value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        slot.becomeObject()
        return KeyedEncodingContainer(JSONObjectEncoder<Key>(slot: slot, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        slot.becomeArray()
        return JSONArrayEncoder(slot: slot, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONScalarEncoder(slot: slot, codingPath: codingPath)
    }

    static func number(_ value: Double, at path: [any CodingKey]) throws -> JSONValue {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: path, debugDescription: "JSON has no number for \(value)"))
        }
        return Int64(exactly: value).map(JSONValue.integer) ?? .number(value)
    }

    static func integer(_ value: some BinaryInteger) -> JSONValue {
        Int64(exactly: value).map(JSONValue.integer) ?? .number(Double(value))
    }
}

private struct JSONObjectEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: JSONValueEncoder.Slot
    let codingPath: [any CodingKey]

    private func set(_ value: JSONValue, _ key: Key) { slot.set(.value(value), for: key.stringValue) }

    mutating func encodeNil(forKey key: Key) { set(.null, key) }
    mutating func encode(_ value: Bool, forKey key: Key) { set(.boolean(value), key) }
    mutating func encode(_ value: String, forKey key: Key) { set(.string(value), key) }
    mutating func encode(_ value: Double, forKey key: Key) throws {
        set(try JSONValueEncoder.number(value, at: codingPath + [key]), key)
    }
    mutating func encode(_ value: Float, forKey key: Key) throws { try encode(Double(value), forKey: key) }
    mutating func encode(_ value: Int, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: Int8, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: Int16, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: Int32, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: Int64, forKey key: Key) { set(.integer(value), key) }
    mutating func encode(_ value: UInt, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: UInt8, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: UInt16, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: UInt32, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: UInt64, forKey key: Key) { set(JSONValueEncoder.integer(value), key) }
    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        set(try JSONValueEncoder.encode(value, at: codingPath + [key]), key)
    }

    private func nested(_ key: any CodingKey) -> JSONValueEncoder {
        let nested = JSONValueEncoder.Slot()
        slot.set(.nested(nested), for: key.stringValue)
        return JSONValueEncoder(slot: nested, codingPath: codingPath + [key])
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { nested(key).container(keyedBy: type) }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nested(key).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { nested(JSONPlaceKey.parent) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

private struct JSONArrayEncoder: UnkeyedEncodingContainer {
    let slot: JSONValueEncoder.Slot
    let codingPath: [any CodingKey]
    var count: Int { slot.count }

    mutating func encodeNil() { slot.append(.value(.null)) }
    mutating func encode(_ value: some Encodable) throws {
        slot.append(.value(try JSONValueEncoder.encode(value, at: codingPath + [JSONPlaceKey(index: count)])))
    }

    private func nested() -> JSONValueEncoder {
        let nested = JSONValueEncoder.Slot()
        defer { slot.append(.nested(nested)) }
        return JSONValueEncoder(slot: nested, codingPath: codingPath + [JSONPlaceKey(index: count)])
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> { nested().container(keyedBy: type) }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { nested() }
}

private struct JSONScalarEncoder: SingleValueEncodingContainer {
    let slot: JSONValueEncoder.Slot
    let codingPath: [any CodingKey]

    mutating func encodeNil() { slot.set(.null) }
    mutating func encode(_ value: Bool) { slot.set(.boolean(value)) }
    mutating func encode(_ value: String) { slot.set(.string(value)) }
    mutating func encode(_ value: Double) throws { slot.set(try JSONValueEncoder.number(value, at: codingPath)) }
    mutating func encode(_ value: Float) throws { try encode(Double(value)) }
    mutating func encode(_ value: Int) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: Int8) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: Int16) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: Int32) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: Int64) { slot.set(.integer(value)) }
    mutating func encode(_ value: UInt) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: UInt8) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: UInt16) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: UInt32) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: UInt64) { slot.set(JSONValueEncoder.integer(value)) }
    mutating func encode(_ value: some Encodable) throws {
        slot.set(try JSONValueEncoder.encode(value, at: codingPath))
    }
}

/// A place in an array, or that of a superclass.
struct JSONPlaceKey: CodingKey {
    static let parent = JSONPlaceKey("super")

    let stringValue: String
    let intValue: Int?

    init(index: Int) {
        stringValue = "Index \(index)"
        intValue = index
    }

    init(_ text: String) {
        stringValue = text
        intValue = nil
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(index: intValue) }
}
