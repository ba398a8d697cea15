import Basics
import Glibc
import TestSupport
import Testing

/// A fault that cannot be healed is never called healed: it is named, with what to do, until it is.
@Suite struct UnhealableTests {
    @Test func aMedicThatCannotHealSaysSoInEveryFileUntilAPersonHelps() async throws {
        try await Crash.with([.stuckFlag, .freeze], "the undo of one fault fails") { crash in
            try await crash.killWhileFaulty()
            let isOver = try await eventually(within: .seconds(30)) { crash.space.medics.isEmpty }
            #expect(isOver, "the medic does not end")
            // The other fault is healed all the same.
            #expect(try await crash.damage() == ["\(crash.space.path)/flag exists"])
            let verdict = try #require(try crash.space.run?.verdict(), "there is no verdict")
            #expect(verdict["exit-code"] as? Int == 6, "\(verdict)")
            #expect((verdict["leftovers"] as? [Any])?.count == 1, "\(verdict)")
            #expect(try crash.space.run?.isClosed() == false)
            let refused = try await crash.space.squall(try crash.experiment())
            #expect(refused.ending == .exited(6), "\(refused.text)")
            let failed = try await crash.space.squall(["heal", "--all"])
            #expect(failed.ending == .exited(6), "\(failed.text)")
            #expect(failed.text.contains("command.run"), "\(failed.text)")

            try crash.space.folder.write("", to: "flag.fixed")
            try await crash.recover(.nobody)
            #expect(try await crash.damage() == [])
            #expect(try crash.space.run?.isClosed() == true)
            #expect(try crash.space.run?.verdict()?["exit-code"] as? Int == 5)
            try await crash.expectUsable()
        }
    }
}
