import Basics
import Glibc
import Process
import TestSupport
import Testing

@Suite struct LocalCommandRunnerTests {
    private let runner: LocalCommandRunner
    private let time = SystemTimeSource()

    init() throws {
        runner = try LocalCommandRunner()
    }

    private func run(_ arguments: [String], until deadline: Instant = .soon()) async throws -> CommandResult {
        try await runner.run(Command(arguments, grace: .milliseconds(200)), until: deadline)
    }

    private func python(_ program: String, until deadline: Instant = .soon()) async throws -> CommandResult {
        try await run(["python3", "-c", program], until: deadline)
    }

    @Test(arguments: [0, 1, 3, 127, 255] as [Int32])
    func reportsTheExitCode(code: Int32) async throws {
        let before = time.now
        let result = try await python("import sys; sys.exit(\(code))")
        #expect(result.ending == .exited(code))
        #expect(result.exitCode == code)
        #expect(result.started >= before && result.ended >= result.started && result.ended <= time.now)
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGTERM])
    func reportsTheSignalThatKilled(number: Int32) async throws {
        let result = try await python("import os; os.kill(os.getpid(), \(number))")
        #expect(result.ending == .killed(try #require(Signal(number: number))))
        #expect(result.exitCode == nil)
        #expect(result.interruption == nil)
    }

    @Test func passesArgumentsWithoutAShell() async throws {
        let result = try await run(["echo", "$HOME", "a  b", ";", "`id`", "*"])
        #expect(result.output.text == "$HOME a  b ; `id` *\n")
    }

    @Test func capturesBothStreamsApart() async throws {
        let result = try await python("import sys; sys.stdout.write('out'); sys.stderr.write('err')")
        #expect(result.output.text == "out")
        #expect(result.errors.text == "err")
        #expect(!result.output.isTruncated)
    }

    @Test func boundsHugeOutputAndSaysSo() async throws {
        let command = Command(
            ["python3", "-c", "import sys; sys.stdout.write('x' * 50_000_000); sys.stderr.write('e' * 3_000_000)"],
            outputLimit: 1_000)
        let result = try await runner.run(command, until: .soon(.seconds(60)))
        #expect(result.exitCode == 0)
        #expect(result.output.bytes == [UInt8](repeating: 120, count: 1_000))
        #expect(result.output.total == 50_000_000)
        #expect(result.output.isTruncated)
        #expect(result.errors.total == 3_000_000)
        #expect(result.errors.lastLine.hasSuffix("(first 1000 of 3000000 bytes)"))
    }

    @Test func theChildGetsOnlyWhatIsListed() async throws {
        let command = Command(["env"], environment: ["SQUALL_TEST": "1", "PATH": "/usr/bin:/bin"])
        let result = try await runner.run(command, until: .soon())
        #expect(Set(result.output.text.split(separator: "\n")) == ["SQUALL_TEST=1", "PATH=/usr/bin:/bin"])
        #expect(try await run(["env"]).output.text == "PATH=\(Command.defaultPath)\n")
    }

    @Test func theChildHasCleanSignalsADeadStdinAndNoStrayDescriptors() async throws {
        let before = signal(SIGUSR2, SIG_IGN)
        defer { signal(SIGUSR2, before) }
        let result = try await python(
            """
            import os, re
            status = open('/proc/self/status').read()
            print(re.search('SigBlk:\\\\s*(\\\\w+)', status)[1], os.readlink('/proc/self/fd/0'))
            print(int(re.search('SigIgn:\\\\s*(\\\\w+)', status)[1], 16) >> 11 & 1)
            print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))
            print(os.getpgid(0) == os.getpid())
            """)
        let lines = result.output.text.split(separator: "\n")
        // The fourth descriptor is the folder that listdir itself has open.
        #expect(lines == ["0000000000000000 /dev/null", "0", "[0, 1, 2] 4", "True"])
    }

    @Test func runsInTheGivenFolder() async throws {
        let result = try await runner.run(Command(["pwd"], directory: "/usr/lib"), until: .soon())
        #expect(result.output.text == "/usr/lib\n")
    }

    @Test(
        arguments: [
            (["squall-no-such-program"], ENOENT), (["/no/such/program"], ENOENT), (["/etc/passwd"], EACCES),
            ([], EINVAL),
            ([""], EINVAL),
        ] as [([String], CInt)])
    func aProgramThatCannotStartIsAnError(arguments: [String], errno: CInt) async throws {
        let error = await #expect(throws: SystemError.self) { try await run(arguments) }
        #expect(error?.errno == errno)
    }

    @Test func aMissingFolderIsAnErrorToo() async throws {
        let error = await #expect(throws: SystemError.self) {
            try await runner.run(Command(["true"], directory: "/no/such/folder"), until: .soon())
        }
        #expect(error?.errno == ENOENT)
    }

    @Test func theDeadlineEndsACommand() async throws {
        let deadline = time.now + .milliseconds(100)
        let result = try await run(["sleep", "60"], until: deadline)
        #expect(result.interruption == .deadline)
        #expect(result.ending == .killed(.terminate))
        #expect(result.exitCode == nil)
        #expect(result.ended >= deadline)
        #expect(result.summary == "stopped at its deadline (killed by SIGTERM)")
    }

    /// Runs a shell program that touches `$1` when it is where the test wants it, and interrupts it then.
    private func interrupted(_ program: String) async throws -> CommandResult {
        let folder = try TemporaryFolder()
        let mark = folder.path + "/ready"
        return try await withThrowingTaskGroup(of: CommandResult.self) { group in
            group.addTask { try await run(["sh", "-c", program, "sh", mark], until: .soon(.seconds(120))) }
            _ = try await eventually(within: .seconds(60)) { access(mark, F_OK) == 0 }
            group.cancelAll()
            return try #require(try await group.next())
        }
    }

    @Test func anInterruptionEndsTheWholeGroup() async throws {
        let result = try await interrupted("sleep 60 & echo $!; touch \"$1\"; wait")
        #expect(result.interruption == .cancelled)
        #expect(result.ending == .killed(.terminate))
        let grandchild = try #require(Int32(result.output.text.trimmingSuffix { $0.isNewline }))
        #expect(try await eventually { !isLiving(grandchild) })
    }

    @Test func whoIgnoresSIGTERMIsKilledAfterTheGrace() async throws {
        let result = try await interrupted("trap '' TERM; touch \"$1\"; sleep 60; sleep 60")
        #expect(result.interruption == .cancelled)
        #expect(result.ending == .killed(.kill))
    }

    @Test func whoAnswersSIGTERMWithAnExitCodeIsStillInterrupted() async throws {
        let result = try await interrupted("trap 'exit 0' TERM; sleep 60 & touch \"$1\"; wait")
        #expect(result.ending == .exited(0))
        #expect(result.exitCode == nil)
        #expect(result.summary == "stopped because the run was cancelled (exit code 0)")
    }

    @Test func aCancelledTaskEndsTheCommand() async throws {
        let result = try await withThrowingTaskGroup(of: CommandResult.self) { group in
            group.addTask { try await run(["sleep", "60"]) }
            group.cancelAll()
            return try #require(try await group.next())
        }
        #expect(result.interruption == .cancelled)
        #expect(result.ending == .killed(.terminate))
    }

    @Test func aDescendantThatKeepsThePipesDoesNotHoldTheResult() async throws {
        let result = try await python(
            """
            import subprocess
            child = subprocess.Popen(['sleep', '60'])
            print(child.pid)
            """)
        #expect(result.exitCode == 0)
        #expect(result.ended - result.started < .seconds(15))
        let grandchild = try #require(Int32(result.output.text.trimmingSuffix { $0.isNewline }))
        #expect(isLiving(grandchild), "a command that ended by itself keeps what it left running")
        kill(grandchild, SIGKILL)
    }

    @Test func manyCommandsAtOnceEachGetTheirOwnResult() async throws {
        let codes = try await withThrowingTaskGroup(of: (Int, Int32?).self) { group in
            for number in 0..<60 {
                group.addTask { (number, try await run(["sh", "-c", "exit \(number)"]).exitCode) }
            }
            return try await group.reduce(into: [Int: Int32]()) { $0[$1.0] = $1.1 }
        }
        #expect(codes == Dictionary(uniqueKeysWithValues: (0..<60).map { ($0, Int32($0)) }))
    }
}

/// A zombie whose new parent has not looked yet counts as dead.
private func isLiving(_ pid: Int32) -> Bool {
    guard let host = try? LocalHost() else { return false }
    return (try? host.entry(pid)) != nil
}

extension String {
    fileprivate func trimmingSuffix(while condition: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, condition(last) { text.removeLast() }
        return text
    }
}
