package import Contracts
package import Experiment

/// Packets arrive with a wrong bit.
package struct NetworkCorruptFault: ShapingFault {
    package static let kind = "network.corrupt"
    static let share = ShapeParameters.share("corrupt", "the share of packets in which a bit is turned, for example 1%")
    package static let parameters: [any AnyParameter] = [share] + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        impairment.corrupt = ShapeParameters.read(Self.share, &reader)
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Turn a bit in a share of a container's packets",
        details: """
            A receiver that checks checksums drops such a packet: TCP sends it again, UDP loses it. Where checksums are
            left to hardware that is not there, between containers of one machine for example, wrong data can arrive.

            \(ShapingManual.mechanism)

            Needs netem in the kernel. The effect is shown by packets of squall's own, whose content is compared after the
            queue.
            """,
        example: """
            method:
              - {name: noisy, fault: network.corrupt, target: web, corrupt: 1%, duration: 1m}
            """)
}
