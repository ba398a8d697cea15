internal import Basics
package import Contracts
package import Experiment

/// Makes a primary refuse writes while too few replicas follow it.
package struct MinReplicasFault: SettingFault {
    package static let kind = "redis.min-replicas"
    package static let manual = Manual(
        summary: "Sets min-replicas-to-write: a primary without enough replicas refuses writes.",
        details: """
            The cure for acknowledged writes that a cut-off primary loses, put on for the length of an experiment. A primary \
            that has heard of fewer than `replicas` in the last `max-lag` answers NOREPLICAS. It bounds the loss to about \
            max-lag and a second or two, because replicas report once a second: it does not make the loss nothing. Put it \
            on every node: whoever becomes primary has its own setting. The heal sets the prior values again where they still \
            are as the fault has set them.
            """,
        example: """
            - {name: cure, fault: redis.min-replicas, target: nodes, replicas: 1, max-lag: 2s, duration: 1m}
            """)
    private static let replicasParameter = Parameter<Int>.defaulted(
        "replicas", .integer(1...100), to: 1, written: "1", "How many replicas must follow.")
    private static let lagParameter = Parameter<Span>.defaulted(
        "max-lag", .span, to: .seconds(10), written: "10s", "How long ago they may have reported, in whole seconds.")
    package static let parameters: [any AnyParameter] = [replicasParameter, lagParameter]

    private let settings: [String: String]

    package init(from reader: inout ParameterReader) {
        let lag = reader.value(Self.lagParameter)
        let seconds = lag.nanoseconds / 1_000_000_000
        if seconds < 1 || lag != .seconds(seconds) {
            reader.diagnostics.error(
                "max-lag is counted in whole seconds, at least one", at: reader.location(of: Self.lagParameter.key))
        }
        settings = [
            "min-replicas-to-write": "\(reader.value(Self.replicasParameter))", "min-replicas-max-lag": "\(seconds)",
        ]
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "\(target.name) takes writes only with \(settings["min-replicas-to-write"] ?? "") replicas",
            undo: "CONFIG SET to the prior values", privileges: ConfigChange.privileges)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> ConfigChange {
        // A lag that is as wanted already needs no change, and would prove nothing.
        try await ConfigChange.prepare(settings, unlessSame: ["min-replicas-max-lag"], on: target, in: context)
    }
}
