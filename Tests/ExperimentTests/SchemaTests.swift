internal import Basics
internal import Glibc
import Testing

@testable import Experiment

@Suite struct SchemaTests {
    /// Every group of keys that a reader uses, with where its properties are in the schema.
    private static let groups: [(keys: [any AnyParameter], path: [String])] = [
        (ExperimentKeys.all, []),
        (ConfigurationKeys.variable, ["properties", "configuration", "additionalProperties", "anyOf.1"]),
        (ConfigurationKeys.secret, ["properties", "secrets", "additionalProperties"]),
        (TargetKeys.all, ["definitions", "target"]),
        (TargetKeys.selection, ["definitions", "target", "properties", "docker"]),
        (ProbeKeys.all, ["definitions", "probe", "allOf.0", "then"]),
        (FakeKinds.catalog.probes[0].parameters, ["definitions", "probe", "allOf.0", "then"]),
        (SteadyStateKeys.all, ["properties", "steady-state-hypothesis"]),
        (SteadyStateKeys.expectation, ["properties", "steady-state-hypothesis", "properties", "probes", "items"]),
        (InclusionKeys.all, ["definitions", "step", "then"]),
        (StepKeys.all.filter { $0.key != "between" }, ["definitions", "step", "else", "allOf.0", "then"]),
        (StepKeys.all.filter { $0.key != "target" }, ["definitions", "step", "else", "allOf.1", "then"]),
        (FakeKinds.catalog.faults[0].parameters, ["definitions", "step", "else", "allOf.0", "then"]),
        (
            FakeKinds.catalog.faults[0].parameters,
            ["definitions", "step", "else", "allOf.0", "then", "properties", "with"]
        ),
        (CriterionKeys.all, ["properties", "criteria", "anyOf.0", "properties", "rto", "anyOf.0"]),
        (StopKeys.all, ["properties", "stop-conditions", "items"]),
        (LimitKeys.all, ["properties", "limits"]),
    ]

    @Test(arguments: groups.indices)
    func holdsEveryKeyThatTheReaderKnows(index: Int) throws {
        let (keys, path) = SchemaTests.groups[index]
        var schema = ExperimentSchema.make(FakeKinds.catalog)
        for step in path {
            let parts = step.split(separator: ".").map(String.init)
            let isIndexed = parts.count == 2 && Int(parts[1]) != nil
            schema = try #require(schema[isIndexed ? parts[0] : step], "\(path) at \(step)")
            if isIndexed { schema = try #require(schema[Int(parts[1]) ?? 0]) }
        }
        let properties = try #require(schema["properties"]?.object)
        for key in keys {
            let property = try #require(properties[key.key], "\(path): \(key.key)")
            #expect(property["description"]?.string?.hasPrefix(key.summary) == true, "\(path): \(key.key)")
        }
        #expect(schema["additionalProperties"] == .boolean(false))
    }

    @Test func knowsEveryKeyOfAFaultPlan() throws {
        let properties = try #require(ExperimentSchema.plan(FakeKinds.catalog)["properties"]?.object)
        #expect(properties.keys.sorted() == PlanKeys.all.map(\.key).sorted())
    }

    @Test func isTheSameTextEveryTime() throws {
        let first = try ExperimentSchema.make(FakeKinds.catalog).text()
        #expect(try ExperimentSchema.make(FakeKinds.catalog).text() == first)
        #expect(first.contains("\"$schema\":\"http://json-schema.org/draft-07/schema#\""))
    }

    @Test func acceptsACompleteFileAndItsPlan() throws {
        #expect(try violations(completeText, ExperimentSchema.make(FakeKinds.catalog)) == "")
        #expect(try violations(planText, ExperimentSchema.plan(FakeKinds.catalog)) == "")
    }

    @Test(arguments: [
        ("title: t\n", "'method' is a required property"),
        ("title: t\nmethod: []\nx: 1\n", "('x' was unexpected)"),
        ("title: t\nmethod: [{fault: fake.kill}]\n", "'target' is a required property"),
        (
            "title: t\nmethod: [{fault: fake.kil, target: a}]\n",
            "'fake.kil' is not valid under any of the given schemas"
        ),
        ("title: t\nmethod: [{fault: fake.kill, target: a, signl: b}]\n", "('signl' was unexpected)"),
        ("title: t\nmethod: [{fault: fake.kill, target: a, duration: 30}]\n", "30 is not of type 'string'"),
        ("title: t\nmethod: [{fault: fake.lag, target: a, delay: 1s}]\n", "'with' is a required property"),
        ("title: t\nmethod: [{plan: a.yaml, target: b}]\n", "('target' was unexpected)"),
        ("title: t\nmethod: []\ntargets: {a: {}}\n", "is not valid under any of the given schemas"),
        ("title: t\nmethod: []\nprobes: {a: {type: fake.ledger, dsn: x}}\n", "'rate' is a required property"),
        ("title: t\nmethod: []\nprobes: {a: {type: fake.ledger, dsn: x, rate: 200}}\n", "200 is not of type 'string'"),
        ("title: t\nmethod: []\ncriteria: {rto: {max: 1s}}\n", "is not valid under any of the given schemas"),
        ("title: t\nmethod: []\nlimits: {max-targets: many}\n", "'many' is not valid under any of the given schemas"),
    ])
    func refusesWhatTheReaderRefuses(text: String, message: String) throws {
        #expect(load(text).diagnostics.hasErrors)
        let found = try violations(text, ExperimentSchema.make(FakeKinds.catalog))
        #expect(found.contains(message), "\(found)")
    }

    /// Runs the script that validates with an implementation that shares no code with ours.
    private func violations(_ text: String, _ schema: JSONValue) throws -> String {
        var template = Array("/tmp/squall-schema-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
        let made = try #require(mkdtemp(&template))
        let folder = String(cString: made)
        defer { for name in ["schema.json", "file.yaml", ""] { remove(folder + "/" + name) } }
        try write(try schema.text(), to: folder + "/schema.json")
        try write(text, to: folder + "/file.yaml")
        let script = "\(projectFolder)/scripts/schema-check"
        let pipe = try #require(popen("'\(script)' '\(folder)/schema.json' '\(folder)/file.yaml' 2>&1", "r"))
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer[..<count]
        }
        let status = pclose(pipe)
        let report = String(decoding: output, as: UTF8.self)
        try #require((status == 0) == report.isEmpty, "schema-check failed: \(report)")
        return report
    }

    private func write(_ text: String, to path: String) throws {
        let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.writeAll(Array(text.utf8))
    }
}

/// The root of the project, seen from this file.
let projectFolder = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
