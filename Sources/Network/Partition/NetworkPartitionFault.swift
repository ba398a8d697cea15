package import Basics
package import Contracts
package import Experiment

/// Cuts the network between two groups, or within one: each part keeps its inner connections, its clients and its disks.
package struct NetworkPartitionFault: Fault {
    package typealias Undo = PartitionUndo

    package static let kind = "network.partition"
    package static let requires: Set<Target.Attribute> = []
    package static let targeting = Targeting.group
    package static let division: String? = PartitionSettings.division
    package static let composes = true
    package static let parameters: [any AnyParameter] = PartitionSettings.parameters

    package let settings: PartitionSettings

    package init(from reader: inout ParameterReader) {
        settings = PartitionSettings(from: &reader)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: settings.operation(on: target, "block"), undo: PartitionUndo.words,
            privileges: PartitionUndo.privileges)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        try await PartitionUndo(settings, target, for: Self.kind, in: context)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        do throws(NetworkError) {
            return try await PartitionProof(undo).prove(kernel) { () throws(NetworkError) in
                try await undo.begin(Self.kind, killing: settings.killsEstablished, kernel, in: context)
            }
        } catch {
            throw FaultError("cut the network", on: undo.target, error)
        }
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await NetworkHold.end(undo.block.mark, in: context)
    }

    package static func leftover(
        of undo: Undo, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        try await undo.leftover(of: kind, in: context)
    }

    package static func manualHeal(_ undo: Undo) -> [String] { undo.manualHeal }

    /// Nothing is accepted for later: a request to the kernel is carried out when it is sent.
    package static func lateEffect(of undo: Undo) -> Span { .zero }
}
