import Basics
import Contracts
import Controller
import Experiment
import Foundation
import Testing

/// The contract of every fault that can be tried out on this machine alone.
@Suite struct FaultContractTests {
    static let contracts = Contract.all.filter { !$0.isLab }

    @Test(arguments: contracts)
    func theContractHoldsOnATargetThatStays(contract: Contract) async throws {
        try await FaultContract(contract: contract).holdsOnATargetThatStays(
            interruptedAfter: [.zero, .milliseconds(8), .milliseconds(60)])
    }

    @Test(arguments: contracts)
    func theContractHoldsOnATargetThatGoes(contract: Contract) async throws {
        try await FaultContract(contract: contract).holdsOnATargetThatGoes()
    }
}

/// That no fault is left out.
@Suite struct FaultContractCoverageTests {
    @Test(arguments: Contract.registry.faults.indices)
    func everyFaultCanBeTriedOut(index: Int) throws {
        let type = Contract.registry.faults[index]
        let steps = try Example(type).steps
        #expect(!steps.isEmpty, "the manual of \(type.kind) shows no step")
        #expect(steps.allSatisfy { $0.step.fault.kind == type.kind })
        #expect(
            !Contract.places(of: type).isEmpty,
            "\(type.kind) requires \(type.requires): no fixture offers that; add one to FaultContractTests")
    }

    /// A person who must heal by hand finds every kind of change in one place.
    @Test func theRunbookForHealingByHandNamesEveryKind() throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let text = try String(contentsOfFile: "\(root)/runbooks/heal-by-hand.md", encoding: .utf8)
        let kinds = Contract.registry.faults.map { $0.kind } + Contract.registry.mutations.map { $0.kind }
        for kind in kinds { #expect(text.contains("`\(kind)`"), "\(kind) is missing") }
    }
}
