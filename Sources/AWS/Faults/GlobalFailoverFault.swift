internal import Basics
package import Contracts
package import Experiment

/// Makes another region the writer of an Aurora global database, whatever the old one has that it lacks.
package struct GlobalFailoverFault: AWSFault, IrreversibleFault {
    package static let kind = "aurora.global-failover"
    package static let manual = Manual(
        summary: "Makes another region write, although writes may be lost: the drill for a region that is gone.",
        details: """
            Sends FailoverGlobalCluster with AllowDataLoss to the region that is to write. What the old writer acknowledged \
            and had not replicated is lost: a ledger counts it. `allow-data-loss: true` must be written; without it \
            the file is refused, because AWS would make a switchover of the same call. It cannot be taken back.
            """,
        example: """
            - {name: lose-region, fault: aurora.global-failover, target: shop, allow-data-loss: true}
            """)
    private static let lossParameter = Parameter<Bool>.defaulted(
        "allow-data-loss", .boolean, to: false, written: "false", "Must be true: acknowledged writes may be lost.")
    package static let parameters: [any AnyParameter] = [
        GlobalChangeParameters.to, GlobalChangeParameters.timeout, lossParameter,
    ]
    package static let requires: Set<Target.Attribute> = [.globalCluster, .awsRegion]

    package typealias Undo = GlobalChange

    private let to: String?
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        to = reader.value(GlobalChangeParameters.to)
        timeout = reader.timeout(GlobalChangeParameters.timeout)
        if !reader.value(Self.lossParameter) {
            reader.diagnostics.error(
                "this fault loses data: write allow-data-loss: true, or use aurora.global-switchover",
                at: reader.location(of: Self.lossParameter.key))
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "FailoverGlobalCluster \(target.name)\(to.map { " to \($0)" } ?? ""), with data loss",
            undo: "none: what was not replicated is lost",
            privileges: ["rds:FailoverGlobalCluster", "rds:DescribeGlobalClusters"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> GlobalChange {
        try await GlobalChange(target, to: to, timeout: timeout, in: context)
    }

    package func inject(_ undo: GlobalChange, in context: SystemContext) async throws(FaultError) -> Effect {
        try await undo.perform("FailoverGlobalCluster", [("AllowDataLoss", "true")], in: context)
    }
}
