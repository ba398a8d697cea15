import Basics
import Contracts
import Controller
import Journal
import Testing

/// What every fault owes its users, checked on something real. One function is one clause.
struct FaultContract {
    private enum Clause {
        case healWithoutInjectChangesNothing
        case whatWasInjectedShowsUntilItIsHealedOnceOrTwice
        case whatIsThereAlreadyIsNotInjectedAgain
        case anInterruptedInjectionIsHealed(after: Span)
        case aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain
    }

    let contract: Contract

    /// All clauses after which the target is as it was before.
    ///
    /// - Parameter delays: after how long injections are interrupted.
    func holdsOnATargetThatStays(interruptedAfter delays: [Span]) async throws {
        let others: [Clause] = [
            .healWithoutInjectChangesNothing, .whatWasInjectedShowsUntilItIsHealedOnceOrTwice,
            .whatIsThereAlreadyIsNotInjectedAgain,
        ]
        let interruptions = delays.map { Clause.anInterruptedInjectionIsHealed(after: $0) }
        guard contract.place == .container else { return try await check(others + interruptions) }
        // Most of the time is waiting for what may come late.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for clauses in [others] + interruptions.map({ [$0] }) {
                group.addTask { try await check(clauses) }
            }
            try await group.waitForAll()
        }
    }

    /// The target vanishes, and others take its place.
    func holdsOnATargetThatGoes() async throws {
        try await check([.aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain])
    }

    /// Most of the time goes into making targets: one serves for as many clauses as it can.
    private func check(_ clauses: [Clause]) async throws {
        var rest = clauses[...]
        while let first = rest.popFirst() {
            try await contract.with { fixture in
                try await check(first, fixture)
                while !rest.isEmpty, try await fixture.comesToRest(), let next = rest.popFirst() {
                    try await check(next, fixture)
                }
            }
        }
    }

    private func check(_ clause: Clause, _ fixture: any ContractFixture) async throws {
        switch clause {
        case .healWithoutInjectChangesNothing: try await healWithoutInjectChangesNothing(fixture)
        case .whatWasInjectedShowsUntilItIsHealedOnceOrTwice:
            try await whatWasInjectedShowsUntilItIsHealedOnceOrTwice(fixture)
        case .whatIsThereAlreadyIsNotInjectedAgain: try await whatIsThereAlreadyIsNotInjectedAgain(fixture)
        case .anInterruptedInjectionIsHealed(let delay):
            try await anInterruptedInjectionIsHealed(fixture, after: delay)
        case .aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain:
            try await aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain(fixture)
        }
    }

    /// A kernel that lacks what the fault needs is named, with what to type, before anything is touched.
    func whatTheKernelCannotDoIsRefused() async throws {
        try await contract.with { fixture in
            let run = ContractRun(fixture: fixture)
            let state = try await fixture.state()
            let error = await #expect(throws: FaultError.self) { try await run.prepare() }
            #expect(error?.code == .notApplicable)
            #expect(error?.message.contains("this kernel (") == true, "\(String(describing: error))")
            #expect(error?.advice.isEmpty == false)
            #expect(try await fixture.state() == state)
        }
    }

    private func healWithoutInjectChangesNothing(_ fixture: any ContractFixture) async throws {
        let run = ContractRun(fixture: fixture)
        let (state, identity) = (try await fixture.state(), try await fixture.identity())
        let intent = try await run.prepare()
        #expect(try await fixture.state() == state, "prepare has changed something")
        let result = try await run.heal(intent)
        #expect(result.isHealed, "\(result)")
        #expect(try await fixture.state() == state)
        #expect(try await fixture.identity() == identity)
    }

    private func whatWasInjectedShowsUntilItIsHealedOnceOrTwice(_ fixture: any ContractFixture) async throws {
        let run = ContractRun(fixture: fixture)
        let before = try await fixture.state()
        let intent = try await run.prepare()
        let effect = try await run.inject(intent)
        guard case .confirmed = effect else {
            Issue.record("the example's effect is not shown: \(effect)")
            return
        }
        if fixture.fault.persistence == .untilHealed {
            let leftover = try #require(await run.leftover(intent), "nothing shows between inject and heal")
            #expect(!leftover.commands.isEmpty, "nobody could heal this by hand: \(leftover)")
            #expect(leftover.kind == contract.kind)
        }
        for _ in 1...2 {
            let result = try await run.heal(intent)
            #expect(result.isHealed, "\(result)")
            await showsNothing(run, intent)
            if fixture.fault.persistence != .forGood { #expect(try await fixture.state() == before) }
        }
    }

    private func whatIsThereAlreadyIsNotInjectedAgain(_ fixture: any ContractFixture) async throws {
        guard fixture.fault.persistence == .untilHealed, !type(of: fixture.fault).composes else { return }
        let run = ContractRun(fixture: fixture)
        let intent = try await run.prepare()
        _ = try await run.inject(intent)
        let error = await #expect(throws: FaultError.self) { try await run.prepare() }
        #expect(error?.advice.isEmpty == false, "no next command: \(String(describing: error))")
        let result = try await run.heal(intent)
        #expect(result.isHealed, "\(result)")
    }

    /// A medic heals while calls of the dead controller may still be under way.
    private func anInterruptedInjectionIsHealed(_ fixture: any ContractFixture, after delay: Span) async throws {
        let run = ContractRun(fixture: fixture)
        let before = try await fixture.state()
        let intent = try await run.prepare()
        let outcome = await run.injectInterrupted(intent, after: delay)
        let result = try await run.heal(intent, isConfirmed: false)
        #expect(result.isHealed, "\(result), the injection: \(outcome)")
        guard fixture.fault.persistence != .forGood else { return }
        try await stays(before, fixture, "the injection: \(outcome)")
        await showsNothing(run, intent)
    }

    private func aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain(_ fixture: any ContractFixture) async throws {
        let run = ContractRun(fixture: fixture)
        let intent = try await run.prepare()
        _ = try await run.inject(intent)
        try await fixture.destroy()
        let result = try await run.heal(intent)
        if fixture.provesAbsence || fixture.fault.persistence != .untilHealed {
            #expect(result.isHealed, "\(result)")
        } else {
            #expect(result.failure?.code == .unreachable, "\(result)")
            #expect(!result.commands.isEmpty)
        }
        for number in 0..<fixture.namesakes {
            try await fixture.putNamesake(number)
            try await aNamesakeIsNotTouched(fixture, run, intent, "namesake \(number)")
        }
    }

    private func aNamesakeIsNotTouched(
        _ fixture: any ContractFixture, _ run: ContractRun, _ intent: JournalIntent, _ comment: String
    ) async throws {
        let before = try await fixture.namesakeState()
        let result = try await run.heal(intent)
        #expect(result.isHealed, "\(comment): \(result)")
        #expect(try await fixture.namesakeState() == before, "\(comment) was touched")
    }

    private func showsNothing(_ run: ContractRun, _ intent: JournalIntent) async {
        let leftover = await run.leftover(intent)
        #expect(leftover == nil, "\(String(describing: leftover))")
    }

    /// A moment's look could miss a call that is still on its way.
    private func stays(_ state: String, _ fixture: any ContractFixture, _ comment: String) async throws {
        let time = fixture.context.time
        let end = time.now + .seconds(2)
        while time.now < end {
            let now = try await fixture.state()
            if now != state {
                #expect(now == state, "\(comment)")
                return
            }
            try await time.sleep(for: .milliseconds(100))
        }
    }
}
