package import Basics
package import Contracts
package import Experiment

/// Tries, again and again, who reaches whom among groups of containers.
package struct ReachProbe: Probe {
    package static let kind = "network.reach"
    package static let emits: Set<ObservationKind> = [.operations, .measurements]
    package static let metrics = ["pairs", "reachable", "blocked", "share"]

    private static let every = Parameter<Span>.defaulted(
        "every", .span, to: .milliseconds(500), written: "500ms", "time from one round over all pairs to the next")
    package static let parameters: [any AnyParameter] = EchoSettings.parameters(every: every)

    package let name: Label
    private let settings: EchoSettings

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        settings = EchoSettings(from: &reader, every: Self.every)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        await settings.preflight(name, Self.kind, in: context)
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let (name, system) = (name, context.system)
        return try await EchoSession(name, kind: Self.kind, settings, in: system) { samples in
            for measurement in Self.summary(samples.map(\.reply), name, at: system.time.now) {
                system.record(.measurement(measurement))
            }
        }
    }

    /// One figure of each metric for a round; none for a round that tried nothing.
    static func summary(_ replies: [EchoMesh.Reply], _ probe: Label, at now: Instant) -> [Measurement] {
        guard !replies.isEmpty else { return [] }
        let reachable = replies.count { if case .answered = $0 { true } else { false } }
        func measure(_ metric: Label, _ value: Double, _ unit: Measurement.Unit = .count) -> Measurement {
            Measurement(probe: probe, node: .none, metric: metric, at: now, value: value, unit: unit)
        }
        return [
            measure("pairs", Double(replies.count)), measure("reachable", Double(reachable)),
            measure("blocked", Double(replies.count - reachable)),
            measure("share", Double(reachable) / Double(replies.count), .fraction),
        ]
    }

    package static let manual = Manual(
        summary: "Tries who reaches whom among groups of containers: a matrix, round by round",
        details: """
            Every `every` one packet goes from each container of a group to each of every other group (with one group: between
            its members), inside the containers' own network namespaces, from sockets of squall's to sockets of squall's: a UDP
            echo, or with `method: tcp` a TCP handshake. Both need the way there and the way back. No program runs in the
            containers, and no port of theirs is used.

            A container that stops, is killed or paused is no failure of the probe: its pairs are blocked (reason absent, or
            timeout) until it is back, and it is found again when it has a new process or address. Each pair is a path of the
            history (`web-1 > db-1`), with the round trip as its latency. Per round: pairs, reachable, blocked, and
            share (reachable of all), for tolerances and stop conditions; success and latencies for criteria.

            Needs root, and containers on this machine with a network of their own.
            """,
        example: """
            probes:
              regions:
                type: network.reach
                groups: {east: {labels: {squall.region: us-east-1}}, west: {labels: {squall.region: us-west-2}}}
                every: 500ms
            steady-state-hypothesis:
              for: 5s
              probes: [{probe: regions, tolerance: {blocked: 0, share: 100%}}]
            """)
}
