import Basics
import Glibc
import Testing

/// One run that is killed, and the proof that nothing of it is left.
struct Crash {
    /// Who is still there to heal.
    enum Survivor: String, Sendable, CaseIterable {
        case medic, nobody
    }

    let space: CrashSpace
    let victims: [any Victim]
    /// For messages: what was broken, and where it died.
    let label: String

    /// Makes the victims, runs `body`, and takes everything away whatever happened.
    static func with(
        _ damages: [Damage], _ label: String, engine: String = "", _ body: (Crash) async throws -> Void
    ) async throws {
        let space = try CrashSpace(engine: engine)
        var victims: [any Victim] = []
        do {
            for damage in damages { victims.append(try await damage.victim(in: space)) }
            try await body(Crash(space: space, victims: victims, label: "\(damages) \(label)"))
        } catch {
            Issue.record("\(damages) \(label): \(error)\n\(space.output())")
        }
        for victim in victims { try await victim.remove() }
    }

    func experiment(duration: Span = .milliseconds(400)) throws -> [String] {
        try CrashExperiment(victims: victims, duration: duration).arguments(in: space)
    }

    /// Starts the run and waits until it has killed itself as planned; false when the plan was never reached.
    func dieAsPlanned(_ plan: CrashPlan) async throws -> Bool {
        let controller = try space.start(try experiment(), plan)
        let ending = try await controller.ending(within: .minutes(1))
        #expect(ending != nil, "\(label): the run does not end\n\(space.output())")
        guard space.crashLog.shows(plan.action) else { return false }
        #expect(ending == .killed(9), "\(label): \(space.output())")
        return true
    }

    /// Waits until every fault shows, and gives the medic that watches by then.
    func faultyMedic() async throws -> Int32 {
        let isFaulty = try await eventually(within: .seconds(20)) {
            let isActive = try space.run?.isActive(victims.count) ?? false
            return isActive && victims.allSatisfy { !$0.isWholeToTheKernel }
        }
        try #require(isFaulty, "the fault was never injected: \(space.output())")
        return try #require(space.medics.first, "there is no medic")
    }

    /// Kills the controller while every fault is active; the plan is for who comes after it.
    func killWhileFaulty(_ plan: CrashPlan? = nil) async throws {
        let controller = try space.start(try experiment(duration: .seconds(60)), plan)
        _ = try await faultyMedic()
        try controller.send(SIGKILL)
        _ = try await controller.ending(within: .seconds(5))
    }

    /// What the machine itself says is left of the faults.
    func damage() async throws -> [String] {
        var found: [String] = []
        for victim in victims { if let damage = try await victim.damage() { found.append(damage) } }
        return found
    }

    /// What `squall leftovers` says of this run; nil for nothing. It reads the whole engine, on which other tests may be at
    /// work with targets of their own: theirs do not count.
    func listedLeftovers() async throws -> String? {
        let leftovers = try await space.squall(["leftovers"])
        if leftovers.ending == .exited(0) { return nil }
        let marks = victims.map(\.mark) + [space.path]
        let isForeign = leftovers.ending == .exited(6) && !marks.contains { leftovers.text.contains($0) }
        return isForeign ? nil : leftovers.text
    }

    /// Waits for the medic's work, or does it by hand when nobody is left to do it.
    func recover(_ survivor: Survivor) async throws {
        switch survivor {
        case .medic:
            var left: [String] = []
            _ = try await eventually(within: .seconds(2)) {
                left = try await damage()
                return left.isEmpty
            }
            #expect(left.isEmpty, "\(label): left after 2 s: \(left)")
            let isOver = try await eventually(within: .seconds(15)) { space.medics.isEmpty }
            #expect(isOver, "\(label): the medic does not end")
        case .nobody:
            try await space.bury()
            let heal = try await space.squall(["heal", "--all"])
            #expect(heal.ending == .exited(0), "\(label): \(heal.text)")
        }
    }

    /// No leftover, a closed journal, a whole history, a verdict of the survivor, and a machine that can be used again.
    func expectNothingIsLeft(_ survivor: Survivor) async throws {
        let left = try await damage()
        #expect(left.isEmpty, "\(label): \(left)")
        guard let run = space.run else { return }
        try expectJournal(run)
        try expectHistory(run)
        let listed = try await listedLeftovers()
        #expect(listed == nil, "\(label): \(listed ?? "")")
        try expectVerdict(run)
        let next = try await space.squall(try experiment(duration: .milliseconds(50)))
        #expect(next.ending == .exited(0), "\(label), the next run: \(next.text)")
        let end = try await damage()
        #expect(end.isEmpty, "\(label), after the next run: \(end)")
    }

    private func expectJournal(_ run: RunFiles) throws {
        #expect(try run.openFaults() == 0, "\(label): the journal has open faults")
        guard try run.journal().contains(where: { $0.form == "intent" }) else { return }
        #expect(try run.isClosed(), "\(label): the journal is not closed")
        let healing = try run.journal().filter { $0.form == "healed" }
        let intents = try run.journal().filter { $0.form == "intent" }
        #expect(healing.count >= intents.count, "\(label): not every fault was healed")
    }

    private func expectHistory(_ run: RunFiles) throws {
        let size = contents("\(run.path)/events.ndjson")?.utf8.count ?? 0
        let acknowledged = space.crashLog.historyBytes
        #expect(size >= acknowledged, "\(label): \(acknowledged) bytes of history were written, \(size) are there")
        // The first line alone may be half a line: nothing was acknowledged, and nothing is judged without it.
        guard acknowledged > 0 else { return }
        let missing = try run.missingBeats()
        #expect(missing.isEmpty, "\(label): beats are not in the history: \(missing)")
    }

    /// The survivor judges what it has healed: never a pass, and the code of a run whose tool died. A controller that died
    /// after it had closed its journal had measured and healed everything: its own verdict stands.
    private func expectVerdict(_ run: RunFiles) throws {
        guard try run.journal().contains(where: { $0.form == "intent" }) else { return }
        let verdict = try run.verdict()
        let wasOver = space.crashLog.firstWrite(of: "closed", by: .controller) != nil
        #expect(verdict != nil || wasOver, "\(label): there is no verdict")
        guard let verdict else { return }
        #expect((verdict["leftovers"] as? [Any])?.isEmpty == true, "\(label): \(verdict)")
        guard !wasOver else { return }
        #expect(verdict["verdict"] as? String == "inconclusive", "\(label): \(verdict)")
        #expect(verdict["exit-code"] as? Int == 5, "\(label): \(verdict)")
    }
}
