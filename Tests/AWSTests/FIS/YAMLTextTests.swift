import Experiment
import Testing

@testable import AWS

/// Text that comes from a template is the same text when the experiment file is read.
@Suite struct YAMLTextTests {
    @Test(arguments: [
        "plain", "two words", "a: b", "# no comment", "- no list", "yes", "NULL", "0012", "1h", "{a: b}", "[x]", "*a",
        "&a", "!tag", "%", "@at", "`", "a \"quoted\" word", "back\\slash", "two\nlines\n", "tab\there",
        "ünï→ 日本",
        "${name}", "$${name}", "cost: $5", "  spaces  ", "\u{7}bell", "\u{85}next\u{2028}line", "'single'", "?", "a'b",
        String(repeating: "long ", count: 60),
    ])
    func everyTextIsReadBackAsItIs(text: String) throws {
        let file = "title: t\nmethod: []\n" + YAMLText.text(text).block(0, after: "description")
        #expect(try FISFixture.experiment(file).description == text)
    }

    @Test func aLongMappingIsWrittenBelowItsKey() {
        let long = String(repeating: "x", count: 60)
        let text = YAMLText.mapping([("a", .text(long)), ("b", .list([.text(long), .plain("5m")]))])
        #expect(
            text.element(2) == """
                  - a: \(long)
                    b: [\(long), 5m]

                """)
        #expect(YAMLText.mapping([("a", .plain("1"))]).element(2) == "  - {a: 1}\n")
    }
}
