import Basics
import Foundation
import Testing

let isLabWanted = ProcessInfo.processInfo.environment["SQUALL_LAB"] == "1"

/// The same for every fault on a container, on the real engine.
@Suite(.enabled(if: isLabWanted, "needs the Docker engine and the lab's image: SQUALL_LAB=1"))
struct ContainerBoundaryLabTests {
    @Test(arguments: [Damage.pause, .remove])
    func aContainerIsWholeWhereverItsControllerDies(damage: Damage) async throws {
        try await Boundaries(damages: [damage]).killAtEach(.medic)
    }

    @Test(arguments: [Damage.kill, .halt, .stop, .restart])
    func aContainerOfALikeFaultIsWholeAfterEachCall(damage: Damage) async throws {
        try await Boundaries(damages: [damage], isThorough: false).killAtEach(.medic)
    }

    @Test(arguments: [Damage.pause, .remove])
    func aContainerIsHealedByHandWhenTheMedicDiesWithItsController(damage: Damage) async throws {
        try await Boundaries(damages: [damage], isThorough: false).killAtEach(.nobody)
    }
}
