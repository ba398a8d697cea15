import Basics
import FoundationEssentials
import Testing

/// The direct coding of `JSONValue` held against Foundation's, by way of a text.
struct JSONValueTests {
    private struct Part: Codable, Hashable {
        enum Kind: String, Codable { case one, two }

        var kind = Kind.one
        var name: String?
        var shares: [Double] = []
    }

    private enum Choice: Codable, Hashable {
        case plain
        case named(text: String, number: Int)
        case listed([Part])
    }

    private struct Whole: Codable, Hashable {
        var flag = true
        var small: UInt8 = 255
        var large = UInt64.max
        var least = Int64.min
        var whole = 3.0
        var share = 0.25
        var single: Float = 1.5
        var label = Label("pg-1")
        var parts = [Part(), Part(kind: .two, name: "x", shares: [1, 2.5])]
        var byName = ["a": Part(), "b": Part(name: "é\"\n")]
        var byNumber = [Int64(7): "seven"]
        var choices = [Choice.plain, .named(text: "", number: -1), .listed([Part()])]
        var document = JSONValue.object(["k": .array([.null, .boolean(false), .number(0.5), .integer(2)])])
        var nothing: Int?
    }

    @Test func aValueEncodesAsItsTextReads() throws {
        // Foundation reads UInt64.max as no Int64 and hence as a number, too.
        let value = Whole()
        let read = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        #expect(try JSONValue(encoding: value) == read)
    }

    @Test func aDocumentDecodesAsItsTextDoes() throws {
        let document = try JSONValue(encoding: Part(kind: .two, name: "n", shares: [1, 0.5]))
        let read = try JSONDecoder().decode(Part.self, from: JSONEncoder().encode(document))
        #expect(try document.decode(as: Part.self) == read)
    }

    @Test func whatIsEncodedComesBack() throws {
        var value = Whole()
        // Beyond 2^63 a JSON number is a double here, as in every reader of the journal.
        value.large = 1 << 62
        #expect(try JSONValue(encoding: value).decode(as: Whole.self) == value)
    }

    @Test(arguments: [
        "{}", #"{"kind":"three","shares":[]}"#, #"{"kind":"one","shares":[true]}"#, #"{"kind":"one","shares":null}"#,
        #"{"kind":"one","shares":{}}"#, "[]", "null", "7",
    ])
    func aDocumentThatDoesNotFitIsAnError(_ text: String) throws {
        let document = try JSONValue(parsing: text)
        #expect(throws: DecodingError.self) { try document.decode(as: Part.self) }
    }

    @Test func aNumberThatDoesNotFitIsAnError() {
        #expect(throws: DecodingError.self) { try JSONValue.integer(256).decode(as: UInt8.self) }
        #expect(throws: DecodingError.self) { try JSONValue.number(1.5).decode(as: Int.self) }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: [Double.nan]) }
    }
}
