package import Contracts
package import Experiment

/// A link that is slower.
package struct NetworkRateFault: ShapingFault {
    package static let kind = "network.rate"
    package static let parameters: [any AnyParameter] = [ShapeParameters.rate] + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        let rate = ShapeParameters.written(ShapeParameters.rate, &reader)
        ShapeParameters.check(rate, &reader)
        impairment.rate = rate
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Limit a container's bandwidth",
        details: """
            What the target sends passes at `rate` at most (a token bucket). Packets that come faster wait, for a tenth of
            a second at most, and are lost beyond that, as in a router. The rate counts whole frames: an application sees
            89 to 97 % of it.

            \(ShapingManual.mechanism)

            Works on every kernel with nf_tables and a token bucket filter. The effect is shown by filling the link
            for half a second and reading what the queue let pass: within 10 % of the rate, with packets waiting all the
            time. A rate above what squall itself can send is not shown, and the run is inconclusive.
            """,
        example: """
            method:
              - {name: narrow, fault: network.rate, target: web, rate: 10mbit, duration: 1m}
            """)
}
