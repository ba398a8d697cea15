import Basics
import Glibc
import Testing

/// One crash run of a campaign, measured.
struct CampaignRun {
    /// What came of it.
    struct Outcome: Sendable {
        /// What was left in the real system, or what else broke a promise; empty is good.
        var failures: [String] = []
        /// SIGKILL to the medic's first record of a heal; nil when it had nothing to heal.
        var reaction: Span?
        /// SIGKILL to the kernel showing the target whole; nil when it was whole already.
        var restored: Span?
        /// The run ended before its crash was due.
        var hasMissed = false
    }

    let draw: Campaign.Draw
    let index: Int

    func execute() async throws -> Outcome {
        var outcome = Outcome()
        try await Crash.with([draw.damage], "run \(index): \(draw.moment), \(draw.death.rawValue)") { crash in
            let death = try await kill(crash)
            guard let death else {
                outcome.hasMissed = true
                return
            }
            let wasBroken = crash.victims.contains { !$0.isWholeToTheKernel }
            if draw.death == .controller {
                try await followMedic(crash, death, wasBroken, &outcome)
            } else {
                try await crash.space.bury()
                let heal = try await crash.space.squall(["heal", "--all"])
                if heal.ending != .exited(0) { outcome.failures.append("heal: \(heal.ending) \(heal.text)") }
            }
            try await inspect(crash, &outcome)
        }
        return outcome
    }

    /// Kills as drawn and gives the instant of the controller's death; nil when it had ended before.
    private func kill(_ crash: Crash) async throws -> Instant? {
        var plan: CrashPlan?
        if case .boundary(let drawn) = draw.moment { plan = drawn }
        let controller = try crash.space.start(try crash.experiment(), plan)
        switch draw.moment {
        case .boundary:
            let ending = try await controller.ending(within: .minutes(1))
            guard ending == .killed(SIGKILL) else { return nil }
            if draw.death == .controllerFirst { try await SystemTimeSource().sleep(for: draw.gap) }
            return crash.space.crashLog.lines.last { $0.text.hasPrefix("kill") }?.at
        case .instant(let span): try await SystemTimeSource().sleep(for: span)
        case .active(let span):
            _ = try await eventually(within: .seconds(20)) { try crash.space.run?.isActive(1) ?? false }
            try await SystemTimeSource().sleep(for: span)
        }
        if draw.death == .both || draw.death == .medicFirst { try await killMedics(crash) }
        if draw.death == .medicFirst { try await SystemTimeSource().sleep(for: draw.gap) }
        let death = try controller.send(SIGKILL)
        if draw.death == .controllerFirst { try await SystemTimeSource().sleep(for: draw.gap) }
        return try await controller.ending(within: .seconds(5)) == .killed(SIGKILL) ? death : nil
    }

    private func killMedics(_ crash: Crash) async throws {
        for medic in crash.space.medics { Glibc.kill(medic, SIGKILL) }
    }

    private func followMedic(
        _ crash: Crash, _ death: Instant, _ wasBroken: Bool, _ outcome: inout Outcome
    ) async throws {
        // A removed container comes back under another id: only the engine knows it.
        let isWhole =
            draw.damage == .remove
            ? try await eventually(within: .seconds(2)) { try await crash.damage().isEmpty }
            : try await crash.isWhole(within: .seconds(2))
        if !isWhole { outcome.failures.append("not whole after 2 s") }
        if isWhole, wasBroken { outcome.restored = SystemTimeSource().now - death }
        let isOver = try await eventually(within: .seconds(30)) { crash.space.medics.isEmpty }
        if !isOver { outcome.failures.append("the medic does not end") }
        outcome.reaction = crash.space.crashLog.firstWrite(of: "healing", by: .medic).map { $0 - death }
    }

    private func inspect(_ crash: Crash, _ outcome: inout Outcome) async throws {
        outcome.failures += try await crash.damage()
        if let listed = try await crash.listedLeftovers() { outcome.failures.append("leftovers: \(listed)") }
        guard let run = crash.space.run, try run.journal().contains(where: { $0.form == "intent" }) else { return }
        if try !run.isClosed() { outcome.failures.append("the journal is not closed") }
        if try run.openFaults() > 0 { outcome.failures.append("the journal has open faults") }
        if try !run.missingBeats().isEmpty { outcome.failures.append("beats are missing: \(try run.missingBeats())") }
        let size = contents("\(run.path)/events.ndjson")?.utf8.count ?? 0
        if size < crash.space.crashLog.historyBytes { outcome.failures.append("history was lost") }
    }
}
