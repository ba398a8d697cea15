internal import Basics
package import Contracts
package import Experiment

/// Packets are lost, each by itself or in bursts.
package struct NetworkLossFault: ShapingFault {
    package static let kind = "network.loss"
    package static let parameters: [any AnyParameter] = LossParameters.all + ShapeParameters.selection

    package let impairment: Impairment
    package let direction: FlowDirection
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        var impairment = Impairment()
        impairment.loss = LossParameters.read(isRequired: true, &reader)
        self.impairment = impairment
        direction = reader.value(ShapeParameters.direction)
        traffic = ShapeParameters.traffic(&reader)
    }

    package static let manual = Manual(
        summary: "Lose a share of a container's packets, independently or in bursts",
        details: """
            `loss: 5%` loses each packet with that chance, as a noisy radio link does. `correlation` lets a packet's fate
            follow the last one's. `bursts` is the Gilbert-Elliott model of a link that is good or bad: `becomes-bad` and
            `becomes-good` are the chances that it changes with a packet, and it loses `loss-when-bad` (100% when left
            out) and `loss-when-good` (0%).

            Senders are not told: what is lost on its way out counts as sent, UDP gets no error and TCP backs off as it
            does on a bad link.

            \(ShapingManual.mechanism)

            Independent losses need nf_tables alone; correlation and bursts need netem in the kernel. The effect is shown
            by counting packets of squall's own: as many as it takes to see the share within its bounds, up to 20,000. A
            share below 0.05% is too small for that, and the run is inconclusive.
            """,
        example: """
            method:
              - {name: lossy, fault: network.loss, target: web, loss: 5%, duration: 1m}
            """)
}

/// The two ways to say which packets are lost.
enum LossParameters {
    static let loss = Parameter<Share?>.optional("loss", .share, "the share of packets that is lost, for example 5%")
    static let correlation = ShapeParameters.optionalShare(
        "loss-correlation", "how much a packet's fate follows the last one's")
    static let bursts = Parameter<Impairment.GilbertElliott?>.optional(
        "bursts", .record(burstParameters, placeholder: .none, build: readBursts), "losses in bursts, instead of loss")
    static let all: [any AnyParameter] = [loss, correlation, bursts]

    private static let becomesBad = ShapeParameters.share("becomes-bad", "the chance that a good link turns bad")
    private static let becomesGood = ShapeParameters.share("becomes-good", "the chance that a bad link turns good")
    private static let lossWhenBad = Parameter<Share>.defaulted(
        "loss-when-bad", .share, to: Share(fraction: 1), written: "100%", "the share that a bad link loses")
    private static let lossWhenGood = Parameter<Share>.defaulted(
        "loss-when-good", .share, to: Share(fraction: 0), written: "0%", "the share that a good link loses")
    private static let burstParameters: [any AnyParameter] = [becomesBad, becomesGood, lossWhenBad, lossWhenGood]

    private static func readBursts(_ reader: inout ParameterReader) -> Impairment.GilbertElliott {
        Impairment.GilbertElliott(
            becomesBad: ShapeParameters.read(becomesBad, &reader),
            becomesGood: ShapeParameters.read(becomesGood, &reader),
            lossWhenBad: ShapeParameters.read(lossWhenBad, &reader), lossWhenGood: reader.value(lossWhenGood).fraction)
    }

    /// - Parameter isRequired: whether one of the two must be there.
    static func read(isRequired: Bool, _ reader: inout ParameterReader) -> Impairment.Loss {
        let share = reader.value(loss)?.fraction
        let model = reader.value(bursts)
        if let share {
            ShapeParameters.refuse(share <= 0, "loss of 0% does nothing", loss.key, &reader)
            ShapeParameters.refuse(
                share > 0 && share < 0.000_001, "loss is at least 0.0001%", loss.key, &reader)
        }
        if reader.has(loss.key), reader.has(bursts.key) {
            reader.diagnostics.error("loss and bursts exclude each other", at: reader.location(of: bursts.key))
        }
        if isRequired, !reader.has(loss.key), !reader.has(bursts.key) {
            reader.diagnostics.error(
                "missing 'loss': the share of packets that is lost", at: reader.location,
                notes: ["or bursts: {becomes-bad: 1%, becomes-good: 20%}"])
        }
        let correlated = ShapeParameters.read(correlation, &reader)
        ShapeParameters.refuse(
            correlated > 0 && !reader.has(loss.key), "loss-correlation belongs to loss", correlation.key, &reader)
        ShapeParameters.refuse(
            correlated >= 1, "a correlation of 100% never changes anything", correlation.key, &reader)
        if let model { return .bursts(model) }
        return .independent(share ?? 0, correlation: correlated)
    }
}

extension Impairment.GilbertElliott {
    /// Stands in for a value that could not be read.
    fileprivate static let none = Impairment.GilbertElliott(
        becomesBad: 1, becomesGood: 1, lossWhenBad: 1, lossWhenGood: 0)
}
