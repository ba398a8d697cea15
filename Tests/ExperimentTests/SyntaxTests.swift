internal import Basics
import Testing

@testable import Experiment

/// What is wrong before a single key is read: bytes, YAML, files.
@Suite struct SyntaxTests {
    @Test func reportsEveryDuplicateKeyAtItsSecondUse() {
        expectFindings(
            """
            title: first
            tags: [a]
            title: second
            #< the key 'title' is used twice | first used at x.yaml:1:1
            probes: {orders: {type: fake.value}, "orders": {type: fake.value}}
            #                                    ^ the key 'orders' is used twice | first used at x.yaml:5:10
            title: third
            #< the key 'title' is used twice | first used at x.yaml:1:1
            method: []
            """)
    }

    @Test(arguments: [
        ("title: t\n\tmethod: []\n", "2:1: a tab cannot indent YAML"),
        ("title: t\nmethod:\n  - {fault: x\ncriteria: {}\n", "4:9: expected ',' or '}'"),
        ("title: \"open\nmethod: []\n", "3:1: the file ends inside a quoted text"),
        ("title: a: b\n", "1:9: a ':' is not allowed here"),
        ("title: @host\n", "1:8: a value cannot start with '@'"),
        ("title: t\n---\ntitle: u\n", "2:1: a second document starts here"),
        ("title: *nowhere\n", "1:8: this alias has no anchor before it"),
        ("title: t\nmethod\n", "3:1: expected 'key: value'"),
        ("title: !special t\nmethod: []\n", "1:8: the tag '!special' has no meaning here; remove it"),
        ("? [a]\n: b\n", "1:3: a key must be a plain text"),
        ("", "1:1: the file is empty"), ("# only a comment\n", "1:1: the file is empty"),
        ("- a\n- b\n", "1:1: an experiment is a mapping with title and method, found a list"),
        ("just text", "1:1: an experiment is a mapping with title and method, found 'just text'"),
        ("title: a\u{7}b\n", "1:9: the control character U+0007 is not allowed in YAML"),
        ("title: \u{0}\n", "1:8: the control character U+0000 is not allowed in YAML"),
        ("title: t\nmethod: []\n<<: 3\n", "3:5: '<<' merges a mapping or a list of mappings, found '3'"),
    ])
    func explainsWhatIsNoYAML(text: String, expected: String) throws {
        let diagnostics = load(text).diagnostics.all
        let first = try #require(diagnostics.first)
        #expect("\(first.location?.line ?? 0):\(first.location?.column ?? 0): \(first.message)" == expected)
        #expect(load(text).experiment == nil)
    }

    @Test func countsColumnsInUnicodeScalars() {
        expectFindings(
            """
            title: "Größe 漢字 👩‍👩‍👧"
            probes: {ü: {type: x}}
            #        ^ 'ü' cannot be a name
            #                  ^ unknown kind of probe 'x' | known: fake.ledger, fake.roles, fake.value
            method: []
            criteria: {recovery: }
            """)
        let wide = load("title: \"👩‍👩‍👧\" x\n").diagnostics.all.first
        #expect(wide?.location?.column == 16)
    }

    @Test func ignoresAByteOrderMark() {
        let result = load("\u{FEFF}title: t\nmethod: []\ncriteria: {recovery: {}}\nx: 1\n")
        #expect(result.diagnostics.all.map(\.message) == ["unknown key 'x'"])
        #expect(result.diagnostics.all.first?.location == Location(file: "x.yaml", line: 4, column: 1))
    }

    @Test func readsWindowsLineBreaks() {
        let result = load("title: t\r\nmethod: []\r\nx: 1\r\n")
        #expect(result.diagnostics.all.last?.location == Location(file: "x.yaml", line: 3, column: 1))
    }

    @Test func keepsScalarsAsTheyAreWritten() throws {
        let text = "title: 012\ndescription: yes\ntags: [12:30:45, ~, 0x1F]\nmethod: []\ncriteria: {recovery: {}}\n"
        let experiment = try load(text).get()
        #expect(experiment.title == "012")
        #expect(experiment.description == "yes")
        #expect(experiment.tags == ["12:30:45", "~", "0x1F"])
    }

    @Test func repeatsAnchorsAndMergesMappings() throws {
        let text = """
            title: t
            probes:
              a: &base {type: fake.ledger, dsn: x, rate: 1/s}
              b: {<<: *base, dsn: y}
              c: *base
            method: []
            criteria: {recovery: {}}
            """
        let experiment = try load(text).get()
        #expect(experiment.probes.map(\.kind) == ["fake.ledger", "fake.ledger", "fake.ledger"])
        guard case .mapping(let mapping) = experiment.probes[1].parameters else { return #expect(Bool(false)) }
        #expect(mapping["dsn"]?.shape == "'y'")
        #expect(mapping["rate"]?.shape == "'1/s'")
    }

    @Test func refusesAliasesThatMultiplyWithoutEnd() {
        var text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "b\(level): &a\(level) [\(aliases)]\n"
        }
        let messages = load(text).diagnostics.all.map(\.message)
        #expect(messages == ["the file is more than 100000 values; are aliases repeated inside aliases?"])
    }

    @Test func refusesNestingThatNobodyWrites() {
        let text = "title: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(load(text).diagnostics.all.first?.message.hasPrefix("the file is nested too deeply") == true)
    }

    @Test func namesTheByteThatIsNotUTF8() {
        let bytes: [UInt8] = Array("title: t\nx: ".utf8) + [0xC3, 0x28]
        var files = FileAccess.memory([:])
        files.read = { (_) throws(FileProblem) in bytes }
        let loader = ExperimentLoader(catalog: FakeKinds.catalog, environment: [:], files: files, currentFolder: "/")
        let first = loader.load("x.yaml").diagnostics.all.first
        #expect(first?.message == "the file is not UTF-8 text: this byte belongs to no character")
        #expect(first?.location == Location(file: "x.yaml", line: 2, column: 4))
    }

    @Test(arguments: [[0xFF, 0xFE, 0x74, 0x00], [0xFE, 0xFF, 0x00, 0x74]] as [[UInt8]])
    func saysThatAFileIsUTF16(bytes: [UInt8]) {
        var files = FileAccess.memory([:])
        files.read = { (_) throws(FileProblem) in bytes }
        let loader = ExperimentLoader(catalog: FakeKinds.catalog, environment: [:], files: files, currentFolder: "/")
        #expect(loader.load("x.yaml").diagnostics.all.map(\.message) == ["the file is UTF-16; it must be UTF-8"])
    }

    @Test(arguments: [
        ("/nonexistent/x.yaml", "cannot read /nonexistent/x.yaml: there is no such file"),
        ("/tmp", "cannot read /tmp: it is a folder"),
        ("/dev/zero", "cannot read /dev/zero: it is larger than 4 MiB"),
    ])
    func saysWhyAFileCannotBeRead(path: String, message: String) {
        let loader = ExperimentLoader(catalog: FakeKinds.catalog, environment: [:])
        #expect(loader.load(path).diagnostics.all.map(\.message) == [message])
    }
}
