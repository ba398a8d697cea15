internal import Basics
package import Contracts
package import Experiment

/// Packets overtake each other.
package struct NetworkReorderFault: ShapingFault {
    package static let kind = "network.reorder"
    static let share = ShapeParameters.share(
        "reorder", "the share of packets that is not delayed and so overtakes the others, for example 25%")
    static let correlation = ShapeParameters.optionalShare(
        "reorder-correlation", "how much a packet's luck follows the last one's")
    package static let parameters: [any AnyParameter] =
        [share, correlation, ShapeParameters.delay] + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        impairment.reorder = ShapeParameters.read(Self.share, &reader)
        impairment.reorderCorrelation = ShapeParameters.read(Self.correlation, &reader)
        let delay = ShapeParameters.written(ShapeParameters.delay, &reader)
        ShapeParameters.refuse(
            delay.map { $0 <= .zero } ?? false, "nothing is overtaken without a delay", ShapeParameters.delay.key,
            &reader)
        impairment.delay = delay ?? .zero
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Let a share of a container's packets overtake the others",
        details: """
            Every packet waits for `delay`, except a share of them, which leaves at once and arrives before those that
            were sent earlier. How many arrive out of order depends on how many are under way at a time.

            \(ShapingManual.mechanism)

            Needs netem in the kernel. The effect is shown by packets of squall's own: the share that leaves at once.
            """,
        example: """
            method:
              - {name: mixed-up, fault: network.reorder, target: web, duration: 1m, with: {reorder: 25%, delay: 10ms}}
            """)
}
