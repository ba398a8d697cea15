package import Contracts
package import Experiment

/// Every packet is lost, and nobody is told.
package struct NetworkBlackholeFault: ShapingFault {
    package static let kind = "network.blackhole"
    package static let parameters: [any AnyParameter] = [
        ShapeParameters.bothDirections, ShapeParameters.protocols, ShapeParameters.ports,
    ]

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        impairment.loss = .independent(1, correlation: 0)
        self.impairment = impairment
        direction = reader.value(ShapeParameters.bothDirections)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Lose every packet of a container, silently",
        details: """
            Nothing that the target sends leaves it, and nothing that it is sent arrives: it is there, and nobody reaches
            it. Senders see timeouts and no error. With `between` only what passes between the two sides is lost, and
            everything happens on side a; network.partition does that for groups, with rejects and connections to kill.

            \(ShapingManual.mechanism)

            Works on every kernel with nf_tables. The effect is shown by fifty packets of squall's own, none of which gets
            through.
            """,
        example: """
            method:
              - {name: gone, fault: network.blackhole, target: web, duration: 30s}
            """)
}
