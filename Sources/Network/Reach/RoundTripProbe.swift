package import Basics
package import Contracts
package import Experiment
internal import Synchronization

/// Measures how long packets take between groups of containers and back.
package struct RoundTripProbe: Probe {
    package static let kind = "network.round-trip"
    package static let emits: Set<ObservationKind> = [.operations, .measurements]
    /// Of the pair for which they are worst, because conditions look at the highest value.
    package static let metrics = ["rtt", "rtt-min", "rtt-p50", "rtt-p95", "rtt-p99", "rtt-max", "loss"]

    private static let every = Parameter<Span>.defaulted(
        "every", .span, to: .milliseconds(100), written: "100ms", "time from one packet per pair to the next")
    private static let window = Parameter<Span>.defaulted(
        "window", .span, to: .seconds(10), written: "10s", "what the percentiles and the loss are taken over")
    package static let parameters: [any AnyParameter] = EchoSettings.parameters(every: every) + [window]

    package let name: Label
    private let settings: EchoSettings
    private let window: Span

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        settings = EchoSettings(from: &reader, every: Self.every)
        window = reader.value(Self.window)
        if window < settings.every || window > .minutes(10) {
            reader.diagnostics.error(
                "a window is at least one 'every' long and at most 10m", at: reader.location(of: Self.window.key))
        }
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        await settings.preflight(name, Self.kind, in: context)
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let (name, system) = (name, context.system)
        let recent = RoundTripWindows(length: window)
        return try await EchoSession(name, kind: Self.kind, settings, in: system) { samples in
            for sample in samples {
                let pair = Label("\(sample.pair.from) > \(sample.pair.to)")
                for measurement in recent.add(sample.reply, pair, name, at: sample.ended) {
                    system.record(.measurement(measurement))
                }
            }
        }
    }

    package static let manual = Manual(
        summary: "Measures the round trip between groups of containers: min, p50, p95, p99, max and loss",
        details: """
            Every `every` one UDP datagram goes from each container of a group to each of every other (with one group:
            between its members) and back, between sockets of squall's inside the containers' network namespaces. The
            kernel notes when each one arrives, and the other end says how long it held it, so that neither a busy machine nor a
            late thread is counted. With `method: tcp` the time is that of a handshake, as the kernel measured it.

            Per pair: rtt (each answer), and over the last `window` rtt-min, rtt-p50, rtt-p95, rtt-p99, rtt-max and loss
            (what was not answered within `timeout`). Percentiles are of what was answered. Conditions look at the worst pair;
            the histories of all pairs are in the report. Each pair is a path whose operations have the round trip as
            latency, for the criterion latency. A container that stops counts as loss until it is back.

            Needs root, and containers on this machine with a network of their own.
            """,
        example: """
            probes:
              wan:
                type: network.round-trip
                groups: {east: {labels: {squall.region: us-east-1}}, west: {labels: {squall.region: us-west-2}}}
                every: 100ms
            stop-conditions:
              - {probe: wan, when: "rtt-p95 > 500ms", for: 30s}
            """)
}
