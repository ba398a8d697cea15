internal import Basics
import Testing

@testable import Experiment

@Suite struct DiagnosticRendererTests {
    @Test func showsTheLineTheCaretAndTheNotes() {
        let result = load("title: t\nmethod:\n  - {fault: fake.kil}\n")
        let text = DiagnosticRenderer(sources: result.sources).render(result.diagnostics)
        #expect(
            text == """
                x.yaml:1:1: warning: no criteria: the run can only end inconclusive
                title: t
                ^
                  note: squall list criteria
                x.yaml:3:13: error: unknown fault 'fake.kil'
                  - {fault: fake.kil}
                            ^
                  note: did you mean 'fake.kill'?
                1 error, 1 warning

                """)
    }

    @Test(
        arguments: [
            ("a:\tb", 4, "   \t".dropFirst(1) + "^"), ("漢字: x", 5, "      ^"), ("e\u{301}: x", 5, "   ^"),
            ("👩: x", 4, "    ^"),
            ("plain", 6, "     ^"), ("", 1, "^"), ("short", 99, "     ^"),
        ] as [(String, Int, Substring)])
    func putsTheCaretUnderTheCharacterWhateverItsWidth(line: String, column: Int, expected: Substring) {
        let source = SourceText(file: "f", text: line)
        let place = Location(file: "f", line: 1, column: column)
        let text = DiagnosticRenderer(sources: [source]).render(Diagnostic(.error, "m", at: place))
        #expect(text == "f:1:\(column): error: m\n\(line)\n\(expected)\n")
    }

    @Test func leavesOutTheLineWhenItIsNotKnown() {
        let place = Location(file: "gone", line: 3, column: 1)
        let renderer = DiagnosticRenderer(sources: [])
        #expect(renderer.render(Diagnostic(.error, "m", at: place)) == "gone:3:1: error: m\n")
        #expect(renderer.render(Diagnostic(.warning, "m", at: nil, notes: ["n"])) == "warning: m\n  note: n\n")
        #expect(renderer.render(Diagnostics()) == "")
    }

    @Test func colorsOnlyWhenAsked() {
        let diagnostic = Diagnostic(.error, "m", at: Location(file: "f", line: 1, column: 1))
        let source = SourceText(file: "f", text: "x")
        let colored = DiagnosticRenderer(sources: [source], usesColor: true).render(diagnostic)
        #expect(
            colored
                == "\u{1B}[1mf:1:1: \u{1B}[0m\u{1B}[1;31merror: \u{1B}[0m\u{1B}[1mm\u{1B}[0m\nx\n\u{1B}[1;32m^\u{1B}[0m\n"
        )
    }

    @Test func encodesAsJSON() throws {
        let place = Location(file: "f", line: 1, column: 2)
        let json = try JSONValue(encoding: [Diagnostic(.error, "m", at: place, notes: ["n"])])
        #expect(
            try json.text()
                == #"[{"location":{"column":2,"file":"f","line":1},"message":"m","notes":["n"],"severity":"error"}]"#)
    }
}
