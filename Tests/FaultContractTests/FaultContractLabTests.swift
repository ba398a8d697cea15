import Basics
import Contracts
import Glibc
import Testing

/// The contract of every fault that needs an engine or the lab's cluster.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs the lab: scripts/lab/up, then SQUALL_LAB=1"))
struct FaultContractLabTests {
    static let contracts = Contract.all.filter(\.isLab)

    @Test(arguments: Contract.refused)
    func whatTheKernelCannotDoIsRefused(contract: Contract) async throws {
        try await FaultContract(contract: contract).whatTheKernelCannotDoIsRefused()
    }

    /// The cluster takes ten seconds to come to rest after each, so it is interrupted once; containers do not mind others.
    @Test(arguments: contracts)
    func theContractHoldsOnATargetThatStays(contract: Contract) async throws {
        let delays: [Int64] = contract.place == .patroni ? [60] : [0, 8, 60]
        try await FaultContract(contract: contract).holdsOnATargetThatStays(
            interruptedAfter: delays.map { .milliseconds($0) })
    }

    @Test(arguments: contracts)
    func theContractHoldsOnATargetThatGoes(contract: Contract) async throws {
        try await FaultContract(contract: contract).holdsOnATargetThatGoes()
    }
}
