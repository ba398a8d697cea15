package import Contracts
package import Experiment

/// Packets arrive later.
package struct NetworkDelayFault: ShapingFault {
    package static let kind = "network.delay"
    package static let parameters: [any AnyParameter] =
        [ShapeParameters.delay] + ShapeParameters.delayParameters + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        ShapeParameters.read(ShapeParameters.delay, into: &impairment, &reader)
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Delay a container's packets, with jitter",
        details: """
            Each packet that the target sends waits for `delay`, and with `jitter` a little more or less, before it
            leaves. With `target` that is everything it sends; with `between` only what side a sends to side b.
            `direction: ingress` delays what it receives, both does both, which adds twice the delay to a round trip.

            Jitter lets packets overtake each other, as on the Internet; `keep-order` makes each wait for the one before.
            `distribution` says how the delays lie around their mean: pareto has the long tail of real networks.

            \(ShapingManual.mechanism)

            Needs netem in the kernel; without it the fault is refused before anything is touched. The effect is shown by
            packets of squall's own, which are timed between their sending and the interface (or, for ingress, their
            arrival), before and after. Packets that still wait when the fault is healed are lost.
            """,
        example: """
            method:
              - {name: slow, fault: network.delay, target: web, duration: 1m, with: {delay: 100ms, jitter: 10ms}}
            """)
}
