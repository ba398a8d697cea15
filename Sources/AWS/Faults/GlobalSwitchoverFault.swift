internal import Basics
package import Contracts
package import Experiment

/// Moves the writer of an Aurora global database to another region, without loss.
package struct GlobalSwitchoverFault: AWSFault, IrreversibleFault {
    package static let kind = "aurora.global-switchover"
    package static let manual = Manual(
        summary: "Moves a global database's writer to another region, without losing a write.",
        details: """
            Sends SwitchoverGlobalCluster to the region that is to write: Aurora waits until that region has everything, \
            then swaps the roles. The effect is that the chosen cluster is the writer and no change is under way any more. \
            It cannot be taken back, but a second switchover can lead home.
            """,
        example: """
            - {name: move, fault: aurora.global-switchover, target: shop, to: "arn:aws:rds:us-west-2:123456789012:cluster:shop-west"}
            """)
    package static let parameters: [any AnyParameter] = [GlobalChangeParameters.to, GlobalChangeParameters.timeout]
    package static let requires: Set<Target.Attribute> = [.globalCluster, .awsRegion]

    package typealias Undo = GlobalChange

    private let to: String?
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        to = reader.value(GlobalChangeParameters.to)
        timeout = reader.timeout(GlobalChangeParameters.timeout)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "SwitchoverGlobalCluster \(target.name)" + (to.map { " to \($0)" } ?? ""),
            undo: "none: another switchover leads back",
            privileges: ["rds:SwitchoverGlobalCluster", "rds:DescribeGlobalClusters"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> GlobalChange {
        try await GlobalChange(target, to: to, timeout: timeout, in: context)
    }

    package func inject(_ undo: GlobalChange, in context: SystemContext) async throws(FaultError) -> Effect {
        try await undo.perform("SwitchoverGlobalCluster", [], in: context)
    }
}
