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

    @Test(arguments: contracts)
    func healWithoutInjectChangesNothing(contract: Contract) async throws {
        try await FaultContract(contract: contract).healWithoutInjectChangesNothing()
    }

    @Test(arguments: contracts)
    func whatWasInjectedShowsUntilItIsHealedOnceOrTwice(contract: Contract) async throws {
        try await FaultContract(contract: contract).whatWasInjectedShowsUntilItIsHealedOnceOrTwice()
    }

    @Test(arguments: contracts)
    func whatIsThereAlreadyIsNotInjectedAgain(contract: Contract) async throws {
        try await FaultContract(contract: contract).whatIsThereAlreadyIsNotInjectedAgain()
    }

    /// The cluster takes ten seconds to come to rest after each, so it is interrupted once; containers do not mind others.
    @Test(arguments: contracts)
    func anInterruptedInjectionIsHealed(contract: Contract) async throws {
        let delays: [Int64] = contract.place == .patroni ? [60] : [0, 8, 60]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for delay in delays {
                group.addTask {
                    try await FaultContract(contract: contract).anInterruptedInjectionIsHealed(
                        after: .milliseconds(delay))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: contracts)
    func aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain(contract: Contract) async throws {
        try await FaultContract(contract: contract).aTargetThatIsGoneIsHealedOnlyWhenThatIsCertain()
    }

    @Test(arguments: contracts)
    func aNamesakeInTheTargetsPlaceIsNotTouched(contract: Contract) async throws {
        try await FaultContract(contract: contract).aNamesakeInTheTargetsPlaceIsNotTouched()
    }
}
