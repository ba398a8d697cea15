import Basics
import Contracts
import Experiment
import Journal

@testable import Process

/// The journal of a run that died with its medic, written as one would have; each fault has raised a flag of its own.
struct DeadRun {
    let folder: String
    var run = "20260101-000000-a-dead-run-0001"
    /// Relative to `folder`.
    var runsFolder = "runs"
    /// nil: this machine's own.
    var host: String?
    var bootID: String?
    var version: Int?
    /// One fault for each name, oldest first.
    var flags = ["flag"]
    /// The undo of these fails.
    var stuck: Set<String> = []

    var journal: String { "\(folder)/\(runsFolder)/\(run)/journal" }

    func flag(_ name: String) -> String { "\(folder)/\(name)" }

    /// Raises the flags and writes the journal, after `change` has done to its bytes what it wants.
    func write(_ change: (inout [UInt8], _ lines: [Range<Int>]) -> Void = { _, _ in }) async throws {
        var bytes: [UInt8] = []
        var lines: [Range<Int>] = []
        for record in try records() {
            let line = try JournalCoding.encode(record)
            lines.append(bytes.count..<bytes.count + line.count)
            bytes += line
        }
        change(&bytes, lines)
        for name in flags { try CommandLineTests.write("up", to: flag(name)) }
        try await mustSucceed("mkdir -p \(folder)/\(runsFolder)/\(run)")
        try CommandLineTests.write(String(decoding: bytes, as: UTF8.self), to: journal)
    }

    /// Enters the journal into the machine's index, as a run does before its first intent.
    func register() throws {
        try JournalIndex(stateFolder: SquallBinary.stateFolder(for: folder)).register(run: run, journal: journal)
    }

    private func records() throws -> [JournalRecord] {
        let machine = try LocalHost()
        var header = JournalHeader(
            run: run, title: "A dead run", runbook: "runbooks/flag.md", host: host ?? machine.name,
            machine: host == nil ? machine.machine : "another", bootID: bootID ?? machine.bootID, pid: 1,
            processStart: 1, secrets: [], openedAt: WallInstant(nanoseconds: 0))
        header.version = version ?? header.version
        let intents = try flags.enumerated().map { number, name in
            JournalRecord.intent(
                JournalIntent(
                    id: MutationID("\(number)"), step: "raise", kind: CommandRunFault.kind, target: "host:local",
                    targetName: "localhost", undo: try JSONValue(encoding: undo(name)), timeToLive: nil,
                    at: Instant(nanoseconds: 1)))
        }
        return [.opened(header)] + intents
    }

    private func undo(_ name: String) -> CommandRunFault.Undo {
        CommandRunFault.Undo(
            id: "\(run)/host:local/\(name)", target: "localhost", place: .host,
            undo: stuck.contains(name) ? ["false"] : ["rm", "-f", flag(name)],
            checkClean: ["test", "!", "-e", flag(name)], environment: [:], directory: nil, timeout: .seconds(5))
    }
}

/// A line for sh(1) that must succeed.
func mustSucceed(_ line: String) async throws {
    let runner = try LocalCommandRunner()
    let result = try await runner.run(Command(["sh", "-c", line]), until: SystemTimeSource().now + .seconds(30))
    if result.exitCode != 0 { throw SystemError("sh", errno: 5, subject: "\(line): \(result.errors.text)") }
}
