internal import Basics
package import Contracts
package import Experiment

/// Any combination of what can be wrong with a way, in one place.
package struct NetworkImpairFault: ShapingFault {
    package static let kind = "network.impair"
    static let duplicate = ShapeParameters.optionalShare("duplicate", "the share of packets that is sent twice")
    static let corrupt = ShapeParameters.optionalShare("corrupt", "the share of packets in which a bit is turned")
    static let reorder = ShapeParameters.optionalShare("reorder", "the share of packets that is not delayed")
    static let reorderCorrelation = ShapeParameters.optionalShare(
        "reorder-correlation", "how much a packet's luck follows the last one's")
    package static let parameters: [any AnyParameter] =
        [ShapeParameters.optionalDelay] + ShapeParameters.delayParameters + LossParameters.all + [
            duplicate, corrupt, reorder, reorderCorrelation, ShapeParameters.optionalRate,
        ] + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        ShapeParameters.read(ShapeParameters.optionalDelay, into: &impairment, &reader)
        impairment.loss = LossParameters.read(isRequired: false, &reader)
        impairment.duplicate = ShapeParameters.read(Self.duplicate, &reader)
        impairment.corrupt = ShapeParameters.read(Self.corrupt, &reader)
        impairment.reorder = ShapeParameters.read(Self.reorder, &reader)
        impairment.reorderCorrelation = ShapeParameters.read(Self.reorderCorrelation, &reader)
        impairment.rate = reader.value(ShapeParameters.optionalRate)
        ShapeParameters.check(impairment.rate, &reader)
        ShapeParameters.refuse(
            impairment.reorder > 0 && impairment.delay == .zero, "nothing is overtaken without a delay",
            Self.reorder.key, &reader)
        if impairment.summary.isEmpty, !reader.diagnostics.hasErrors {
            reader.diagnostics.error(
                "nothing is to be impaired", at: reader.location,
                notes: ["give at least one of delay, loss, bursts, duplicate, corrupt, reorder, rate"])
        }
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Make a container's network worse in several ways at once",
        details: """
            The parameters are those of network.delay, network.loss, network.duplicate, network.corrupt, network.reorder
            and network.rate, in any combination: a packet goes through all of them. Two faults on one target must select
            different packets; this one is for the same packets.

            \(ShapingManual.mechanism)

            Needs netem in the kernel, except for a combination of independent loss and rate. The effect of every part is
            shown, as with the single faults; when one is not, the run is inconclusive.
            """,
        example: """
            method:
              - name: satellite
                fault: network.impair
                target: web
                delay: 300ms
                jitter: 20ms
                loss: 1%
                rate: 5mbit
                duration: 1m
            """)
}
