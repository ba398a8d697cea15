package import Basics

/// What is wrong with a way through the network; every part is independent of the others, and zero means well.
package struct Impairment: Sendable, Hashable, Codable {
    package enum Distribution: String, Sendable, Hashable, Codable, CaseIterable {
        case uniform
        case normal
        case pareto
        case paretonormal
    }

    /// Which packets are lost.
    package enum Loss: Sendable, Hashable, Codable {
        /// Each with the same chance; `correlation` is how much the last packet's fate counts.
        case independent(Double, correlation: Double)
        case bursts(GilbertElliott)

        static let none = Loss.independent(0, correlation: 0)

        /// The chance for each packet by itself; 0 for bursts.
        var independent: Double {
            if case .independent(let chance, _) = self { chance } else { 0 }
        }

        var correlation: Double {
            if case .independent(_, let correlation) = self { correlation } else { 0 }
        }

        /// The share of packets that is lost in the long run.
        var share: Double {
            switch self {
            case .independent(let chance, _): chance
            case .bursts(let model): model.share
            }
        }
    }

    /// A link that is good or bad and changes between the two with each packet (Gilbert 1960, Elliott 1963).
    package struct GilbertElliott: Sendable, Hashable, Codable {
        /// The chance that a good link turns bad with a packet.
        package var becomesBad: Double
        package var becomesGood: Double
        package var lossWhenBad: Double
        package var lossWhenGood: Double

        /// The share of the time that the link is bad, times what is lost then, and the rest likewise.
        var share: Double {
            let bad = becomesBad / (becomesBad + becomesGood)
            return bad * lossWhenBad + (1 - bad) * lossWhenGood
        }

        /// Packets until the link has most likely changed its state and back.
        var cycle: Double { 1 / becomesBad + 1 / becomesGood }
    }

    package var delay = Span.zero
    package var jitter = Span.zero
    package var delayCorrelation = 0.0
    package var distribution = Distribution.uniform
    /// Packets leave in the order in which they came, whatever the jitter.
    package var keepsOrder = false
    package var loss = Loss.none
    package var duplicate = 0.0
    package var corrupt = 0.0
    /// The share of packets that is not delayed and so overtakes the others.
    package var reorder = 0.0
    package var reorderCorrelation = 0.0
    package var rate: Bandwidth?

    package init() {}

    /// Parts that only netem can do.
    package var needsNetem: Bool {
        if case .bursts = loss { return true }
        return delay > .zero || jitter > .zero || duplicate > 0 || corrupt > 0 || reorder > 0 || loss.correlation > 0
    }

    /// In words: `delay 100ms ± 10ms normal, loss 1%`.
    package var summary: String {
        var parts: [String] = []
        if delay > .zero || jitter > .zero {
            let shape = jitter > .zero ? " ± \(jitter) \(distribution.rawValue)" : ""
            parts.append("delay \(delay)\(shape)\(keepsOrder ? " in order" : "")")
        }
        if case .bursts(let model) = loss {
            parts.append("loss in bursts, \(percent(model.share)) in the long run")
        } else if loss.share > 0 {
            parts.append("loss \(percent(loss.share))")
        }
        if duplicate > 0 { parts.append("duplicate \(percent(duplicate))") }
        if corrupt > 0 { parts.append("corrupt \(percent(corrupt))") }
        if reorder > 0 { parts.append("reorder \(percent(reorder))") }
        if let rate { parts.append("rate \(rate)") }
        return parts.joined(separator: ", ")
    }
}

func percent(_ fraction: Double) -> String { decimal(fraction * 100, places: 4) + "%" }
