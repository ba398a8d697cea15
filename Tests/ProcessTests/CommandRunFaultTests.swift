import Basics
import Contracts
import Glibc
import Process
import TestSupport
import Testing

@Suite struct CommandRunFaultTests {
    private let fixture: Fixture
    private let folder: TemporaryFolder
    private var context: SystemContext { fixture.context }

    init() throws {
        fixture = try Fixture(secrets: ["password": "correct-horse"])
        folder = try TemporaryFolder()
    }

    private var mark: Value { .text(folder.path + "/mark") }

    private func fault(_ extra: [(String, Value)] = []) throws -> CommandRunFault {
        try makeFault(
            CommandRunFault.self,
            .map([("inject", ["touch", mark]), ("undo", ["rm", "-f", mark]), ("timeout", "5s")] + extra))
    }

    @Test func aConfirmedFaultIsUndoneAndReadBack() async throws {
        let fault = try fault([("confirm", ["test", "-e", mark]), ("check-clean", ["test", "!", "-e", mark])])
        let undo = try roundTrip(try await fault.prepare(.localHost, in: context))
        #expect(try await CommandRunFault.leftover(of: undo, in: context) == nil)
        let before = context.time.now
        guard case .confirmed(let range, let evidence) = try await fault.inject(undo, in: context) else {
            Issue.record("the effect was not confirmed")
            return
        }
        #expect(range.lower >= before && range.upper <= context.time.now)
        #expect(evidence.contains("exited with 0, and had not before"))
        let leftover = try #require(try await CommandRunFault.leftover(of: undo, in: context))
        #expect(leftover.commands == ["rm -f \(folder.path)/mark"])
        try await CommandRunFault.heal(undo, in: context)
        #expect(try await CommandRunFault.leftover(of: undo, in: context) == nil)
        try await CommandRunFault.heal(undo, in: context)
    }

    @Test func anExitCodeAloneProvesNothingUnlessTheFileSaysSo() async throws {
        let silent = try fault()
        let effect = try await silent.inject(try await silent.prepare(.localHost, in: context), in: context)
        guard case .unproven = effect else {
            Issue.record("an exit code is no effect: \(effect)")
            return
        }
        let declared = try fault([("effect", "exit-code")])
        guard
            case .confirmed = try await declared.inject(
                try await declared.prepare(.localHost, in: context), in: context)
        else {
            Issue.record("the file declares the exit code to be evidence")
            return
        }
    }

    @Test func aConfirmationThatHoldsBeforehandIsRefused() async throws {
        let fault = try fault([("confirm", ["true"])])
        let error = await #expect(throws: FaultError.self) { try await fault.prepare(.localHost, in: context) }
        #expect(error?.code == .foreignState)
    }

    @Test func aConfirmationThatNeverComesIsUnproven() async throws {
        let fault = try makeFault(
            CommandRunFault.self,
            ["inject": ["true"], "undo": ["true"], "confirm": ["false"], "timeout": "300ms"])
        let effect = try await fault.inject(try await fault.prepare(.localHost, in: context), in: context)
        guard case .unproven(let reason) = effect else {
            Issue.record("nothing was confirmed: \(effect)")
            return
        }
        #expect(reason.contains("did not succeed within 300ms"))
    }

    @Test func aFailedInjectNamesTheCommandAndItsLastWords() async throws {
        let fault = try makeFault(
            CommandRunFault.self,
            ["inject": ["sh", "-c", "echo first; echo the disk is on fire >&2; exit 7"], "undo": ["true"]])
        let undo = try await fault.prepare(.localHost, in: context)
        let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: context) }
        #expect(error?.code == .unexpected)
        #expect(error?.message.hasSuffix("exit code 7, last output: the disk is on fire") == true)
    }

    @Test func aCommandThatHangsIsATimeout() async throws {
        let fault = try makeFault(
            CommandRunFault.self, ["inject": ["sleep", "60"], "undo": ["true"], "timeout": "100ms"])
        let undo = try await fault.prepare(.localHost, in: context)
        let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: context) }
        #expect(error?.code == .timeout)
    }

    @Test func withoutCheckCleanOnlyASuccessfulUndoCountsAsGone() async throws {
        let fault = try makeFault(
            CommandRunFault.self, ["inject": ["true"], "undo": ["test", "-e", mark], "effect": "exit-code"])
        let undo = try await fault.prepare(.localHost, in: context)
        _ = try await fault.inject(undo, in: context)
        #expect(try await CommandRunFault.leftover(of: undo, in: context) != nil)
        await #expect(throws: FaultError.self) { try await CommandRunFault.heal(undo, in: context) }
        #expect(try await CommandRunFault.leftover(of: undo, in: context) != nil)
        try folder.write("", to: "mark")
        try await CommandRunFault.heal(undo, in: context)
        #expect(try await CommandRunFault.leftover(of: undo, in: context) == nil)
    }

    @Test func aSecretReachesTheProgramAndNothingElse() async throws {
        let fault = try makeFault(
            CommandRunFault.self,
            [
                "inject": ["sh", "-c", "test \"$1\" = \"$TOKEN\" && echo \"$1\" >&2 && exit 9", "sh", "${password}"],
                "undo": ["sh", "-c", "test ${#TOKEN} = 13"], "environment": ["TOKEN": "${password}"],
            ])
        let undo = try await fault.prepare(.localHost, in: context)
        let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: context) }
        #expect(error?.message.contains("exit code 9, last output: ${password}") == true)
        #expect(!"\(undo)".contains("correct-horse"))
        #expect(!CommandRunFault.manualHeal(undo).joined().contains("correct-horse"))
        #expect(!fault.plan(for: .localHost).operation.contains("correct-horse"))
        try await CommandRunFault.heal(undo, in: context)
    }

    @Test func aProgramThatIsMissingIsNamed() async throws {
        let fault = try makeFault(CommandRunFault.self, ["inject": ["squall-no-such-program"], "irreversible": "true"])
        let undo = try await fault.prepare(.localHost, in: context)
        let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: context) }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("squall-no-such-program") == true)
        try await CommandRunFault.heal(undo, in: context)
        #expect(try await CommandRunFault.leftover(of: undo, in: context) == nil)
    }

    @Test(
        arguments: [
            (["inject": ["true"]], "missing 'undo'"), (["undo": ["true"]], "missing 'inject'"),
            (["inject": ["true"], "undo": ["true"], "irreversible": "true"], "contradicts"),
            (["inject": [], "undo": ["true"]], "'inject' names no program"),
            (["inject": "touch /tmp/x", "undo": ["true"]], "no shell splits it"),
            (["inject": ["true"], "undo": ["true"], "check-clean": []], "'check-clean' names no program"),
            (["inject": ["true"], "undo": ["true"], "effect": "hope"], "not one of confirm, exit-code"),
            (["inject": ["true"], "undo": ["true"], "comfirm": ["true"]], "unknown key 'comfirm'"),
            (["inject": ["true"], "undo": ["true"], "timeout": "30"], "expected a duration"),
        ] as [(Value, String)])
    func refusesAFileThatDoesNotSayHow(parameters: Value, message: String) {
        let refused = #expect(throws: Refused.self) { try makeFault(CommandRunFault.self, parameters) }
        #expect(refused?.messages.contains { $0.contains(message) } == true, "\(refused?.messages ?? [])")
    }

    @Test func aPlanShowsBothCommandsAsAPersonWouldTypeThem() throws {
        let fault = try makeFault(
            CommandRunFault.self, ["inject": ["echo", "it's", "a b", ""], "undo": ["rm", "-f", "x"]])
        let plan = fault.plan(for: .localHost)
        #expect(plan.operation == #"run echo 'it'\''s' 'a b' '' on this machine"#)
        #expect(plan.undo == "run rm -f x on this machine")
    }
}
