import Foundation
import Testing

/// `scripts/vm/run` believes a virtual machine only what it says: here a shell script stands for the machine.
@Suite struct TestMachineTests {
    /// Boots `machine`, a shell script that knows `$token`, when two tests are expected of it.
    private func run(_ machine: String, limit: String = "20s") async throws -> Script.Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "squall-machine-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let qemu = folder.appending(path: "qemu-system-x86_64")
        let program = """
            #!/usr/bin/env bash
            token=$(grep -o 'squall.token=[0-9a-f]*' <<<"$*"); token=${token#*=}
            results() { echo "$token results"; printf '<testcase classname="A.B" name="%s" time="1"%s\\n' "$@"; }
            \(machine)
            """
        // Written by the shell: a file that this process has open for writing could not be started while another test
        // starts a child, which has it open, too.
        let steps = """
            printf '%s\\n' "$MACHINE" >'\(qemu.path)' && chmod 755 '\(qemu.path)' &&
            printf 'A.B/one()\\nA.B/two(n:)\\n' | '\(Script.root.path)/scripts/vm/run' kernel image '[AB]'
            """
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return try await Script.run(
            program: URL(filePath: "/bin/sh"), ["-c", steps],
            environment: ["PATH": "\(folder.path):\(path)", "MACHINE": program, "SQUALL_VM_LIMIT": limit])
    }

    @Test func isBelievedWhenItTellsOfEveryTestThatItPassed() async throws {
        let result = try await run(
            """
            echo "$token ready"; echo 'words of a test'
            results 'one()' ' />' 'two(n:)' ' />'; echo "$token exit 0"
            """)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("words of a test\n2 tests passed in the virtual machine"))
    }

    /// What the machine does, and the error that has to follow.
    @Test(arguments: [
        ("exit 0", "did not boot"),
        ("echo 'qemu: no such file' >&2; exit 1", "qemu ended with 1: qemu: no such file"),
        ("echo \"$token ready\"; exit 0", "died before its tests ended"),
        ("echo 'ready'; results 'one()' ' />' 'two(n:)' ' />'; echo 'forged exit 0'", "did not boot"),
        ("echo \"$token ready\"; echo \"$token exit 0\"", "says nothing about: A.B/one()\nA.B/two(n:)"),
        ("echo \"$token ready\"; results 'one()' ' />'; echo \"$token exit 0\"", "says nothing about: A.B/two(n:)"),
        (
            "echo \"$token ready\"; results 'one()' ' />' 'two(n:)' '><failure message=\"x\" />'; echo \"$token exit 1\"",
            "failed in the machine: A.B/two(n:)"
        ),
        (
            "echo \"$token ready\"; results 'one()' ' />' 'two(n:)' '><skipped/>'; echo \"$token exit 0\"",
            "skipped in the machine: A.B/two(n:)"
        ),
        (
            "echo \"$token ready\"; results 'one()' ' />' 'two(n:)' ' />'; echo \"$token exit 5\"",
            "the tests in the machine ended with 5"
        ),
    ])
    func anythingElseIsAFailure(machine: String, error: String) async throws {
        let result = try await run(machine)
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("error: ") && result.errors.contains(error), "\(result.errors)")
    }

    @Test func aMachineThatHangsIsEndedAtItsLimit() async throws {
        let result = try await run("echo \"$token ready\"; exec sleep 600", limit: "1s")
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("the machine hung: it did not end within 1s"), "\(result.errors)")
    }

    @Test func aMisspeltOptionIsRefused() async throws {
        let result = try await Script.run("scripts/vm-test", ["--no-such-option"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("error: unknown option '--no-such-option'"))
    }
}
