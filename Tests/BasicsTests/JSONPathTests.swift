import Basics
import FoundationEssentials
import Testing

@Suite struct JSONPathTests {
    private let document: JSONValue

    init() throws {
        let text = #"""
            {"status": "ok", "data": {"items": [{"id": 7}, {"id": 8}]}, "a.b": 1, "nodes": {"pg-1": {"lag": 0.5}},
             "it's \"x\"": true, "none": null, "ü": [[1, 2], [3]], "": "empty"}
            """#
        document = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test(
        arguments: [
            ("status", .string("ok")), ("$.status", .string("ok")), ("data.items[0].id", .integer(7)),
            ("$.data.items[-1].id", .integer(8)), ("$['data'][\"items\"][1]['id']", .integer(8)),
            ("[\"a.b\"]", .integer(1)), ("nodes.pg-1.lag", .number(0.5)), ("nodes[\"pg-1\"].lag", .number(0.5)),
            (#"['it\'s "x"']"#, .boolean(true)), ("none", .null), ("ü[0][1]", .integer(2)), ("ü[-1][-1]", .integer(3)),
            ("$[\"\"]", .string("empty")),
        ] as [(String, JSONValue)])
    func findsOneValue(text: String, value: JSONValue) throws {
        let path = try #require(JSONPath(parsing: text))
        #expect(path.value(in: document) == value)
        #expect(JSONPath(parsing: path.description) == path)
    }

    @Test func theDollarSignIsTheWholeDocument() {
        #expect(JSONPath(parsing: "$")?.value(in: document) == document)
    }

    @Test(arguments: [
        "missing", "status.deeper", "data.items[2]", "data.items[-3]", "data[0]", "none.x", "status[0]", "a.b",
    ])
    func whatIsNotThereIsNothing(text: String) throws {
        #expect(try #require(JSONPath(parsing: text)).value(in: document) == nil)
    }

    @Test(arguments: [
        "", ".a", "a.", "a..b", "a[", "a[]", "a[x]", "a[1", "a['x", "a['x'", "a]b", "$a", "a[0]b", "a[+1]", "a[1.5]",
        "a['x\\",
    ])
    func refusesWhatIsNoPath(text: String) {
        #expect(JSONPath(parsing: text) == nil)
    }
}
