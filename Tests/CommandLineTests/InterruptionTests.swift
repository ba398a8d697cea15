import Basics
import Contracts
import Glibc
import Process
import Testing

/// A run that is interrupted: by a person, by a kill, by a full disk.
@Suite struct InterruptionTests {
    /// Starts a long run, waits until the flag is up, sends the signals, and gives the outcome.
    ///
    /// - Parameter medicToo: stops the controller, kills its medic, and only then sends the signals: nobody heals.
    private func interrupt(
        _ folder: String, _ signals: [Signal], extra: String = "", medicToo: Bool = false
    ) async throws -> (outcome: CommandResult, experiment: FlagExperiment) {
        let experiment = FlagExperiment(
            folder: folder, duration: nil, criteria: "availability: {probe: service, min: 0%, window: 60s}",
            extra: extra)
        let path = try experiment.file()
        try #require(access(SquallBinary.path, X_OK) == 0, "\(SquallBinary.path) is missing: swift build -c release")
        let runner = try LocalCommandRunner()
        let time = SystemTimeSource()
        let outcome = try await withThrowingTaskGroup(of: CommandResult?.self) { group in
            group.addTask {
                // The shell's exec keeps the pid, which it leaves in a file first.
                let script = "echo $$ > \(folder)/pid && exec \(SquallBinary.path) run \(path)"
                let command = Command(
                    ["sh", "-c", script],
                    environment: ["HOME": folder, "SQUALL_STATE_DIR": SquallBinary.stateFolder(for: folder)],
                    directory: folder)
                return try await runner.run(command, until: time.now + .minutes(2))
            }
            group.addTask {
                let deadline = time.now + .seconds(60)
                while !exists(experiment.flag) {
                    try #require(time.now < deadline, "the fault was never injected")
                    try await time.sleep(for: .milliseconds(20))
                }
                let pid = try #require(Int32(try read("\(folder)/pid").filter(\.isNumber)))
                if medicToo {
                    kill(pid, SIGSTOP)
                    kill(try medic(of: pid), SIGKILL)
                }
                for signal in signals {
                    kill(pid, signal.number)
                    try await time.sleep(for: .milliseconds(300))
                }
                return nil
            }
            var outcome: CommandResult?
            for try await result in group { outcome = result ?? outcome }
            return outcome
        }
        return (try #require(outcome), experiment)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalHealsWritesEveryFileAndEndsWithItsCode(number: Int32) async throws {
        try await withFolder { folder in
            let (outcome, experiment) = try await interrupt(folder, [try #require(Signal(number: number))])
            #expect(outcome.exitCode == 128 + number, "\(outcome.output.text)")
            #expect(!exists(experiment.flag))
            #expect(try read("\(folder)/runs/latest/verdict.json").contains("\"exit-code\""))
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(leftovers.code == 0)
        }
    }

    /// The child of the controller that is a medic; a child belongs to the thread that started it, whichever that was.
    private func medic(of pid: Int32) throws -> Int32 {
        let children = try threads(of: pid).flatMap { thread in
            try read("/proc/\(pid)/task/\(thread)/children").split(separator: " ").compactMap { Int32($0) }
        }
        return try #require(children.first { (try? read("/proc/\($0)/cmdline"))?.contains("medic") ?? false })
    }

    private func threads(of pid: Int32) throws -> [String] {
        let folder = try #require(opendir("/proc/\(pid)/task"))
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { !$0.hasPrefix(".") }
    }

    @Test func afterSigkillTheMedicHealsAtOnceAndWritesTheVerdict() async throws {
        try await withFolder { folder in
            let (outcome, experiment) = try await interrupt(folder, [try #require(Signal(number: SIGKILL))])
            #expect(outcome.exitCode == nil)
            // The verdict comes last; a fault that was on its way at the kill is looked at for some seconds before.
            let time = SystemTimeSource()
            let deadline = time.now + .seconds(30)
            while !exists("\(folder)/runs/latest/verdict.json") {
                try #require(time.now < deadline, "the medic wrote no verdict")
                try await time.sleep(for: .milliseconds(20))
            }
            #expect(!exists(experiment.flag))
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(leftovers.code == 0, "\(leftovers.output)\(leftovers.errors)")
            let verdict = try read("\(folder)/runs/latest/verdict.json")
            #expect(verdict.contains("\"exit-code\": 5"))
            #expect(verdict.contains("its medic took over"))
            let next = FlagExperiment(folder: folder)
            let run = try await SquallBinary.run(["run", try next.file()], in: folder)
            #expect(run.code == 0, "\(run.output)\(run.errors)")
        }
    }

    @Test func afterSigkillOfBothTheJournalAloneHealsAndHealingAgainIsHarmless() async throws {
        try await withFolder { folder in
            let (outcome, experiment) = try await interrupt(
                folder, [try #require(Signal(number: SIGKILL))], medicToo: true)
            #expect(outcome.exitCode == nil)
            #expect(exists(experiment.flag))
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(leftovers.code == 6)
            #expect(leftovers.output.contains("command.run"))
            let refused = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(refused.code == 6)
            let healed = try await SquallBinary.run(["heal", "--all"], in: folder)
            #expect(healed.code == 0, "\(healed.output)\(healed.errors)")
            #expect(!exists(experiment.flag))
            let again = try await SquallBinary.run(["heal", "--all"], in: folder)
            #expect(again.code == 0)
            #expect(again.output.contains("nothing to heal"))
            let clean = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(clean.code == 0)
            // The history survived as well: a report can be made of the run that died.
            let report = try await SquallBinary.run(["report", "latest"], in: folder)
            #expect(report.code != 0)
            #expect(exists("\(folder)/runs/latest/report.html"))
        }
    }

    @Test func aFullDiskUnderTheRunsEndsTheRunHealed() async throws {
        try #require(getuid() == 0, "a small file system can be mounted only by root")
        try await withFolder { folder in
            let runner = try LocalCommandRunner()
            let time = SystemTimeSource()
            try #require(mkdir("\(folder)/runs", 0o755) == 0)
            let mounted = try await runner.run(
                Command(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", "\(folder)/runs"]),
                until: time.now + .seconds(10))
            try #require(mounted.exitCode == 0, "\(mounted.errors.text)")
            let experiment = FlagExperiment(
                folder: folder, duration: nil, criteria: "availability: {probe: service, min: 0%, window: 60s}")
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            let unmounted = try await runner.run(Command(["umount", "\(folder)/runs"]), until: time.now + .seconds(10))
            #expect(unmounted.exitCode == 0)
            #expect(run.code == 5, "\(run.output)\(run.errors)")
            #expect(run.errors.contains("No space left on device"))
            #expect(!exists(experiment.flag))
        }
    }
}
