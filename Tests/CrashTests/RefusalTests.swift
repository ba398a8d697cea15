import Basics
import TestSupport
import Testing

/// A run that could not keep its promise is refused before it touches anything.
@Suite struct RefusalTests {
    /// Root may write anywhere, except where nobody can: below a file.
    @Test(arguments: ["runs", "state"])
    func aFolderThatCannotBeWrittenIsFoundBeforeAnythingIsInjected(folder: String) async throws {
        try await Crash.with([.flag, .freeze], "the folder \(folder) is a file") { crash in
            try crash.space.folder.write("", to: folder)
            let run = try await crash.space.squall(try crash.experiment())
            // 6: whether an earlier run left something cannot be told without the machine's state.
            #expect(folder == "state" ? run.ending == .exited(6) : run.ending == .exited(5), "\(run.text)")
            #expect(run.text.contains(folder), "\(run.text)")
            #expect(crash.space.crashLog.firstWrite(of: "intent", by: .controller) == nil, "\(run.text)")
            #expect(try await crash.damage() == [])
            let isOver = try await eventually(within: .seconds(5)) { crash.space.medics.isEmpty }
            #expect(isOver, "a medic is left of a run that never was")
        }
    }

    @Test func aReadOnlyFolderOfRunsIsFoundBeforeAnythingIsInjected() async throws {
        try await Crash.with([.flag], "--runs in /proc") { crash in
            let run = try await crash.space.squall(try crash.experiment() + ["--runs", "/proc/squall-runs"])
            #expect([.exited(2), .exited(5)].contains(run.ending), "\(run.text)")
            #expect(run.text.contains("/proc/squall-runs"), "\(run.text)")
            #expect(crash.space.crashLog.calls(of: .controller) == 0)
            #expect(try await crash.damage() == [])
        }
    }
}
