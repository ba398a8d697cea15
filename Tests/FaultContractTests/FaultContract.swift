import Basics
import Contracts
import Controller
import Testing

/// What every fault owes its users, checked on something real. One function is one clause.
struct FaultContract {
    let contract: Contract

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

    func healWithoutInjectChangesNothing() async throws {
        try await contract.with { fixture in
            let run = ContractRun(fixture: fixture)
            let (state, identity) = (try await fixture.state(), try await fixture.identity())
            let intent = try await run.prepare()
            #expect(try await fixture.state() == state, "prepare has changed something")
            let result = try await run.heal(intent)
            #expect(result.isHealed, "\(result)")
            #expect(try await fixture.state() == state)
            #expect(try await fixture.identity() == identity)
        }
    }

    func whatWasInjectedShowsUntilItIsHealedOnceOrTwice() async throws {
        try await contract.with { fixture in
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
                #expect(await run.leftover(intent) == nil)
                if fixture.fault.persistence != .forGood { #expect(try await fixture.state() == before) }
            }
        }
    }

    func whatIsThereAlreadyIsNotInjectedAgain() async throws {
        try await contract.with { fixture in
            guard fixture.fault.persistence == .untilHealed, !type(of: fixture.fault).composes else { return }
            let run = ContractRun(fixture: fixture)
            let intent = try await run.prepare()
            _ = try await run.inject(intent)
            let error = await #expect(throws: FaultError.self) { try await run.prepare() }
            #expect(error?.advice.isEmpty == false, "no next command: \(String(describing: error))")
            let result = try await run.heal(intent)
            #expect(result.isHealed, "\(result)")
        }
    }

    /// A medic heals while calls of the dead controller may still be under way.
    func anInterruptedInjectionIsHealed(after delay: Span) async throws {
        try await contract.with { fixture in
            let run = ContractRun(fixture: fixture)
            let before = try await fixture.state()
            let intent = try await run.prepare()
            let outcome = await run.injectInterrupted(intent, after: delay)
            let result = try await run.heal(intent, isConfirmed: false)
            #expect(result.isHealed, "\(result), the injection: \(outcome)")
            guard fixture.fault.persistence != .forGood else { return }
            try await stays(before, fixture, "the injection: \(outcome)")
            #expect(await run.leftover(intent) == nil)
        }
    }

    func aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain() async throws {
        try await contract.with { fixture in
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
        }
    }

    func aNamesakeInTheTargetsPlaceIsNotTouched() async throws {
        try await contract.with { fixture in
            let run = ContractRun(fixture: fixture)
            let intent = try await run.prepare()
            _ = try await run.inject(intent)
            try await fixture.destroy()
            for number in 0..<fixture.namesakes {
                try await fixture.putNamesake(number)
                let before = try await fixture.namesakeState()
                let result = try await run.heal(intent)
                #expect(result.isHealed, "namesake \(number): \(result)")
                #expect(try await fixture.namesakeState() == before, "namesake \(number) was touched")
            }
        }
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
