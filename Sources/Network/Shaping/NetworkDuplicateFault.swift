package import Contracts
package import Experiment

/// Packets arrive twice.
package struct NetworkDuplicateFault: ShapingFault {
    package static let kind = "network.duplicate"
    static let share = ShapeParameters.share("duplicate", "the share of packets that is sent twice, for example 2%")
    package static let parameters: [any AnyParameter] = [share] + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        impairment.duplicate = ShapeParameters.read(Self.share, &reader)
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Send a share of a container's packets twice",
        details: """
            TCP drops the second one; what speaks UDP has to notice by itself.

            \(ShapingManual.mechanism)

            Needs netem in the kernel. The kernel takes no other netem in a tree in which one duplicates: such a pair is
            refused before anything is touched; network.impair combines them in one.
            """,
        example: """
            method:
              - {name: twice, fault: network.duplicate, target: web, duplicate: 2%, duration: 1m}
            """)
}
