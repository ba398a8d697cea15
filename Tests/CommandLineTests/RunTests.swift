import Basics
import Foundation
import Testing

/// Whole runs of the released binary against a system under test that is a file.
@Suite struct RunTests {
    @Test func aRunThatHoldsPassesWithAllItsFilesAndLeavesNothing() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(folder: folder)
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            #expect(run.output.contains("PASS"))
            #expect(!exists(experiment.flag))
            for name in ["events.ndjson", "journal", "verdict.json", "junit.xml", "summary.md", "report.html"] {
                #expect(exists("\(folder)/runs/latest/\(name)"), "\(name) is missing")
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/runs/latest/verdict.json"))
            let verdict = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            #expect(verdict["verdict"] as? String == "pass")
            #expect(verdict["exit-code"] as? Int == 0)
            #expect((verdict["leftovers"] as? [Any])?.isEmpty == true)
        }
    }

    @Test func aRunThatMissesItsCriterionFailsWithCode1() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(
                folder: folder, criteria: "availability: {probe: service, min: 100%, window: 2s}")
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 1, "\(run.output)\(run.errors)")
            #expect(run.output.contains("FAIL"))
        }
    }

    @Test func aSteadyStateThatDoesNotHoldVoidsTheRunBeforeTheFault() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(folder: folder, probe: "[\"false\"]")
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 3, "\(run.output)\(run.errors)")
            #expect(try !read("\(folder)/runs/latest/events.ndjson").contains("\"stage\":\"injecting\""))
        }
    }

    @Test func aProbeThatNeverGetsAnAnswerIsInconclusiveAndNeverAPass() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(folder: folder, probe: "[sleep, \"60\"]")
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 3, "\(run.output)\(run.errors)")
        }
    }

    @Test func aFaultThatDoesNothingIsInconclusive() async throws {
        try await withFolder { folder in
            let method = """
                  - {name: nothing, fault: command.run, inject: ["true"], undo: ["true"]}
                """
            let experiment = FlagExperiment(folder: folder, method: method)
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 3, "\(run.output)\(run.errors)")
            #expect(run.output.contains("no effect"))
        }
    }

    @Test func aHealThatDoesNotHealIsReportedWithCode6AndTheNextRunIsRefused() async throws {
        try await withFolder { folder in
            let method = """
                  - {name: raise, fault: command.run, inject: [touch, FLAG], confirm: [test, -e, FLAG], undo: ["true"], check-clean: [test, "!", -e, FLAG]}
                """
            let experiment = FlagExperiment(folder: folder, method: method)
            let path = try experiment.file()
            let run = try await SquallBinary.run(["run", path], in: folder, environment: ["TERM": "dumb"])
            #expect(run.code == 6, "\(run.output)\(run.errors)")
            let second = try await SquallBinary.run(["run", path], in: folder)
            #expect(second.code == 6)
            #expect(second.errors.contains("squall heal --all"))
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(leftovers.code == 6)
            #expect(leftovers.output.contains("command.run"))
        }
    }

    @Test func aStopConditionEndsTheRunWithCode4() async throws {
        try await withFolder { folder in
            let extra = """
                stop-conditions:
                  - {probe: service, when: "success < 50%", for: 1s}
                """
            let experiment = FlagExperiment(
                folder: folder, duration: nil, criteria: "availability: {probe: service, min: 0%, window: 60s}",
                extra: extra)
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 4, "\(run.output)\(run.errors)")
            #expect(run.seconds < 30)
            #expect(!exists(experiment.flag))
        }
    }

    @Test func theReportIsRebuiltFromTheHistoryAloneWithTheSameFigures() async throws {
        try await withFolder { folder in
            var experiment = FlagExperiment(folder: folder)
            experiment.criteria += """

                  recovery: {within: 1m}
                  latency: {probe: service, p50: "<= 900ms"}
                """
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            let names = ["verdict.json", "junit.xml", "summary.md", "report.html"]
            let before = try names.map { try read("\(folder)/runs/latest/\($0)") }
            for name in names { try FileManager.default.removeItem(atPath: "\(folder)/runs/latest/\(name)") }
            let again = try await SquallBinary.run(["report", "latest"], in: folder)
            #expect(again.code == 0, "\(again.output)\(again.errors)")
            #expect(try names.map { try read("\(folder)/runs/latest/\($0)") } == before)
        }
    }

    @Test func oneInjectedFaultPassesWhenItWasShownAndHealedAndEveryOutputSaysSo() async throws {
        try await withFolder { folder in
            let flag = "\(folder)/flag"
            let values = ["inject=touch", "inject=\(flag)", "undo=rm", "undo=-f", "undo=\(flag)"]
            let shown = ["confirm=test", "confirm=-e", "confirm=\(flag)"]
            func inject(_ values: [String]) async throws -> SquallBinary.Outcome {
                let arguments = ["inject", "command.run", "--duration", "1s"] + values.flatMap { ["--set", $0] }
                return try await SquallBinary.run(arguments, in: folder)
            }
            let passed = try await inject(values + shown)
            #expect(passed.code == 0, "\(passed.output)\(passed.errors)")
            #expect(passed.output.contains("PASS"))
            #expect(try read("\(folder)/runs/latest/verdict.json").contains("\"exit-code\": 0"))
            #expect(!exists(flag))
            let unproven = try await inject(values)
            #expect(unproven.code == 3, "\(unproven.output)\(unproven.errors)")
            #expect(try read("\(folder)/runs/latest/verdict.json").contains("\"exit-code\": 3"))
        }
    }

    @Test func theHistoryListsTheRunWithItsVerdict() async throws {
        try await withFolder { folder in
            _ = try await SquallBinary.run(["run", try FlagExperiment(folder: folder).file()], in: folder)
            let history = try await SquallBinary.run(["history"], in: folder)
            #expect(history.code == 0)
            #expect(history.output.hasPrefix("pass"))
        }
    }

    @Test func theStepSummaryIsAppendedAndNeverOverwritten() async throws {
        try await withFolder { folder in
            let summary = "\(folder)/summary"
            try write("before\n", to: summary)
            let path = try FlagExperiment(folder: folder).file()
            _ = try await SquallBinary.run(["run", path], in: folder, environment: ["GITHUB_STEP_SUMMARY": summary])
            let text = try read(summary)
            #expect(text.hasPrefix("before\n"))
            #expect(text.contains("A flag is raised"))
        }
    }

    @Test func secretsNeverReachAnyOutput() async throws {
        try await withFolder { folder in
            let secret = "hunter2-squall-secret"
            var experiment = FlagExperiment(folder: folder)
            experiment.probe = "[sh, -c, \"test x != x${token} && test ! -e FLAG\"]"
            experiment.extra = "secrets:\n  token: {type: env, key: SQUALL_TEST_TOKEN}\n"
            let run = try await SquallBinary.run(
                ["run", try experiment.file()], in: folder, environment: ["SQUALL_TEST_TOKEN": secret])
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            #expect(!run.output.contains(secret))
            for name in ["events.ndjson", "journal", "verdict.json", "junit.xml", "summary.md", "report.html"] {
                #expect(try !read("\(folder)/runs/latest/\(name)").contains(secret), "\(name) holds the secret")
            }
        }
    }
}
