internal import Basics
import Testing

@testable import Experiment

@Suite struct FaultPlanTests {
    private func experiment(_ method: String) -> String {
        "title: t\ntargets: {primary: {docker: {}}}\nmethod:\n\(method)\ncriteria: {recovery: {}}\n"
    }

    @Test func fillsInWhatTheExperimentGivesAndTheDefaults() throws {
        let plan = """
            title: Shout and run
            parameters:
              word: hello
              count: {default: 3, description: how often}
              must:
            configuration:
              shell: {type: env, key: SHELL_NAME, default: sh}
            method:
              - {fault: fake.run, command: ["${shell}", "${word}", "${count}", "${must}"]}
            """
        let text = experiment("  - {plan: p.yaml, with: {word: bye, must: \"yes\"}}")
        let step = try load(text, files: ["p.yaml": plan]).get().method[0]
        guard case .mapping(let mapping) = step.fault.parameters else { return #expect(Bool(false)) }
        let words = mapping["command"]?.children.map(\.shape)
        #expect(
            words == ["'sh' (from ${shell})", "'bye' (from ${word})", "'3' (from ${count})", "'yes' (from ${must})"])
    }

    @Test func keepsNamesApartAndOrdersPlansAsWholes() throws {
        let files = [
            "plans/outer.yaml": """
            title: outer
            method:
              - {plan: inner.yaml, name: first, start-after: last}
              - {name: last, fault: fake.kill, target: primary, start-after: []}
            """,
            "plans/inner.yaml": "title: inner\nmethod: [{fault: fake.shout}, {fault: fake.shout}]\n",
        ]
        let text = experiment(
            """
              - {fault: fake.shout}
              - {plan: plans/outer.yaml, delay: 1s}
              - {plan: plans/outer.yaml, start-after: outer}
              - {fault: fake.shout, start-after: [outer-2]}
            """)
        let method = try load(text, files: files).get().method
        #expect(
            method.map(\.name) == [
                "fake.shout", "outer:first:fake.shout", "outer:first:fake.shout-2", "outer:last",
                "outer-2:first:fake.shout", "outer-2:first:fake.shout-2", "outer-2:last", "fake.shout-2",
            ])
        #expect(method[1].startAfter == ["outer:last"])
        #expect(method[1].delay == .seconds(1))
        #expect(method[2].startAfter == nil)
        #expect(
            method[4].startAfter == [
                "outer:first:fake.shout", "outer:first:fake.shout-2", "outer:last", "outer-2:last",
            ])
        #expect(method[7].startAfter == ["outer-2:first:fake.shout", "outer-2:first:fake.shout-2", "outer-2:last"])
    }

    @Test func findsThePlanBesideTheFileInTheCurrentFolderAndUpwards() throws {
        let plan = "title: p\nmethod: [{fault: fake.shout}]\n"
        let text = "title: t\nmethod: [{plan: plans/p.yaml}]\ncriteria: {recovery: {}}\n"
        for place in ["sub/plans/p.yaml", "plans/p.yaml", "/repository/plans/p.yaml"] {
            let files = FileAccess.memory(["sub/x.yaml": text, place: plan, "/repository/.git/HEAD": "x"])
            let loader = ExperimentLoader(
                catalog: FakeKinds.catalog, environment: [:], files: files, currentFolder: "/repository/deep")
            #expect(try loader.load("sub/x.yaml").get().method.map(\.name) == ["p:fake.shout"])
        }
    }

    @Test func refusesPlansThatIncludeEachOther() {
        let files = [
            "a.yaml": "title: a\nmethod:\n  - plan: b.yaml\n", "b.yaml": "title: b\nmethod:\n  - plan: ./a.yaml\n",
        ]
        let result = load(experiment("  - {plan: a.yaml}"), files: files)
        #expect(result.diagnostics.all.map(\.message) == ["fault plans include each other: a.yaml → b.yaml → a.yaml"])
        #expect(result.diagnostics.all.first?.location == Location(file: "b.yaml", line: 3, column: 11))
        #expect(result.diagnostics.all.first?.notes == ["included at a.yaml:3:11", "included at x.yaml:4:12"])
        let itself = load(experiment("  - {plan: x.yaml}"))
        #expect(itself.diagnostics.all.map(\.message) == ["fault plans include each other: x.yaml → x.yaml"])
    }

    @Test func placesAnErrorInThePlanAndSaysWhereItIsIncluded() {
        let plan = """
            title: p
            parameters: {depth: , unused: x}
            mehtod: []
            method:
              - {fault: fake.cut, between: {a: primary, b: nobody}, depth: "${depth}", start-after: nothing}
            """
        let result = load(experiment("  - {plan: p.yaml, with: {depth: 99, dept: 1}}"), files: ["p.yaml": plan])
        let found = result.diagnostics.all.map {
            "\($0.location.map { "\($0.file):\($0.line):\($0.column)" } ?? ""): \($0.message)"
        }
        #expect(
            found == [
                "x.yaml:4:38: the fault plan has no parameter 'dept'",
                "p.yaml:3:1: unknown key 'mehtod'",
                "p.yaml:5:48: no target is named 'nobody'",
                "p.yaml:5:64: expected a whole number, 1 to 9, found '99' (from ${depth})",
                "p.yaml:5:89: no step is named 'nothing'",
            ])
        #expect(result.diagnostics.all.dropFirst().allSatisfy { $0.notes.contains("included at x.yaml:4:12") })
        #expect(result.sources.map(\.file) == ["x.yaml", "p.yaml"])
    }

    @Test func refusesAPlanThatLacksAValueOrIsNoPlan() {
        let files = [
            "p.yaml": planText, "list.yaml": "- a\n", "none.yaml": "title: t\nmethod: []\n", "bad.yaml": "a: b: c\n",
        ]
        let text = experiment(
            "  - {plan: p.yaml}\n  - {plan: gone.yaml}\n  - {plan: list.yaml}\n  - {plan: none.yaml}\n  - {plan: bad.yaml}"
        )
        let messages = load(text, files: files).diagnostics.all.map(\.message)
        #expect(
            messages == [
                "the fault plan needs 'depth'", "there is no fault plan 'gone.yaml'",
                "a fault plan is a mapping, found a list", "the fault plan has no step", "a ':' is not allowed here",
            ])
    }

    @Test func saysThatAPlanIsNoExperiment() {
        let result = load(planText)
        #expect(result.diagnostics.all.map(\.message) == ["this is a fault plan, not an experiment"])
    }
}
