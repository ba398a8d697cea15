internal import Basics
internal import Experiment

/// The parameters that shaping faults share, each declared once, and what is refused of their values.
enum ShapeParameters {
    // MARK: Which packets

    static let direction = Parameter<FlowDirection>.defaulted(
        "direction", .choice(.egress), to: .egress, written: "egress",
        "egress (what the target sends), ingress (what it receives) or both")
    static let bothDirections = Parameter<FlowDirection>.defaulted(
        "direction", .choice(.both), to: .both, written: "both",
        "egress (what the target sends), ingress (what it receives) or both")
    static let protocols = Parameter<[Traffic.TransportProtocol]>.defaulted(
        "protocols", .list(.choice(.tcp)), to: [], written: "all", "only these: tcp, udp, icmp")
    static let ports = Parameter<[PortRange]>.defaulted(
        "ports", .list(.portRange), to: [], written: "all",
        "only packets that go to or come from these TCP and UDP ports")
    static let selection: [any AnyParameter] = [direction, protocols, ports]

    /// Each range is four rules per protocol and version; whoever needs more wants a fault without ports.
    private static let mostRanges = 16

    static func traffic(_ reader: inout ParameterReader) -> Traffic {
        let traffic = Traffic(protocols: reader.value(protocols), ports: reader.value(ports))
        if !traffic.ports.isEmpty, traffic.protocols.contains(.icmp) {
            reader.diagnostics.error("ICMP has no ports", at: reader.location(of: protocols.key))
        }
        if traffic.ports.count > mostRanges {
            reader.diagnostics.error(
                "at most \(mostRanges) ports or ranges", at: reader.location(of: ports.key),
                notes: ["join neighbours to a range, or leave ports out"])
        }
        return traffic
    }

    // MARK: Delay

    static let delay = Parameter<Span>.required("delay", .span, "how long each packet waits, for example 100ms")
    static let optionalDelay = Parameter<Span>.defaulted(
        "delay", .span, to: .zero, written: "0s", "how long each packet waits, for example 100ms")
    static let jitter = Parameter<Span>.defaulted(
        "jitter", .span, to: .zero, written: "0s", "how far the delay varies around its mean")
    static let delayCorrelation = Parameter<Share>.defaulted(
        "correlation", .share, to: Share(fraction: 0), written: "0%", "how much a packet's delay follows the last one's"
    )
    static let distribution = Parameter<Impairment.Distribution>.defaulted(
        "distribution", .choice(.normal), to: .normal, written: "normal",
        "of the delay around its mean: normal, pareto, paretonormal or uniform")
    static let keepOrder = Parameter<Bool>.defaulted(
        "keep-order", .boolean, to: false, written: "false",
        "packets never overtake each other, which jitter alone makes them do")
    static let delayParameters: [any AnyParameter] = [jitter, delayCorrelation, distribution, keepOrder]

    /// netem keeps nanoseconds in 64 bits, and the jitter in 31.
    private static let longestDelay = Span.minutes(4)
    private static let longestJitter = Span.seconds(2)

    static func read(_ delay: Parameter<Span>, into impairment: inout Impairment, _ reader: inout ParameterReader) {
        let written = written(delay, &reader)
        impairment.delay = written ?? .zero
        impairment.jitter = reader.value(jitter)
        impairment.delayCorrelation = reader.value(delayCorrelation).fraction
        impairment.distribution = reader.value(distribution)
        impairment.keepsOrder = reader.value(keepOrder)
        if let written { refuse(written <= .zero, "a delay of zero delays nothing", delay.key, &reader) }
        refuse(impairment.delay > longestDelay, "a delay is at most \(longestDelay)", delay.key, &reader)
        refuse(impairment.jitter > longestJitter, "the jitter is at most \(longestJitter)", jitter.key, &reader)
        refuse(
            impairment.jitter > impairment.delay && (written ?? .zero) > .zero,
            "the jitter is longer than the delay: a packet cannot arrive early",
            jitter.key, &reader)
        for key in [delayCorrelation.key, distribution.key, keepOrder.key] where impairment.jitter == .zero {
            refuse(reader.has(key), "\(key) is about the jitter, and there is none", key, &reader)
        }
    }

    // MARK: Shares

    static func share(_ key: String, _ summary: String) -> Parameter<Share> {
        .required(key, .share, summary)
    }

    static func optionalShare(_ key: String, _ summary: String) -> Parameter<Share> {
        .defaulted(key, .share, to: Share(fraction: 0), written: "0%", summary)
    }

    /// A share that must be more than nothing when it is written.
    static func read(_ parameter: Parameter<Share>, _ reader: inout ParameterReader) -> Double {
        guard let fraction = written(parameter, &reader)?.fraction else {
            return parameter.isRequired ? 0 : parameter.fallback.fraction
        }
        refuse(fraction <= 0, "\(parameter.key) of 0% does nothing", parameter.key, &reader)
        refuse(fraction > 0 && fraction < 0.000_001, "\(parameter.key) is at least 0.0001%", parameter.key, &reader)
        return fraction
    }

    // MARK: Rate

    static let rate = Parameter<Bandwidth>.required(
        "rate", .bandwidth, "the bandwidth that is left, for example 10mbit")
    static let optionalRate = Parameter<Bandwidth?>.optional(
        "rate", .bandwidth, "the bandwidth that is left, for example 10mbit")

    /// One packet of the usual size a second, with its Ethernet header.
    static let leastRate = Bandwidth(bitsPerSecond: 1_514 * 8)

    static func check(_ rate: Bandwidth?, _ reader: inout ParameterReader) {
        guard let rate else { return }
        refuse(
            rate < leastRate, "\(rate) lets less than one packet pass in a second; at least \(leastRate)", "rate",
            &reader)
        refuse(rate.bitsPerSecond > 100_000_000_000, "a rate is at most 100gbit", "rate", &reader)
    }

    /// The value of a key that is there and could be read: one that could not has its finding already.
    static func written<Value>(_ parameter: Parameter<Value>, _ reader: inout ParameterReader) -> Value? {
        let findings = reader.diagnostics.all.count
        let value = reader.value(parameter)
        return reader.has(parameter.key) && reader.diagnostics.all.count == findings ? value : nil
    }

    static func refuse(_ isWrong: Bool, _ message: String, _ key: String, _ reader: inout ParameterReader) {
        if isWrong { reader.diagnostics.error(message, at: reader.location(of: key)) }
    }
}
