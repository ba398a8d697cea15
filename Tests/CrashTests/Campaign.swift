import Basics
import Foundation
import Glibc
import Testing

/// Many crash runs at chosen moments, each drawn from one seed; replayed exactly as far as the machine allows.
struct Campaign {
    /// When the controller dies.
    enum Moment: CustomStringConvertible {
        /// At a call on its journal.
        case boundary(CrashPlan)
        /// So long after its start.
        case instant(Span)
        /// So long after every fault was active.
        case active(Span)

        var description: String {
            switch self {
            case .boundary(let plan): "\(plan)"
            case .instant(let span): "\(span) after the start"
            case .active(let span): "\(span) into the fault"
            }
        }
    }

    /// Who dies, in which order.
    enum Death: String, CaseIterable {
        case controller
        case both
        case medicFirst = "medic-first"
        case controllerFirst = "controller-first"
    }

    /// One run as it was drawn.
    struct Draw {
        var damage: Damage
        var moment: Moment
        var death: Death
        /// Between the two deaths.
        var gap: Span
    }

    var runs: Int
    var jobs: Int
    var seed: UInt64
    var damages: [Damage]

    /// Run number `index` of this seed.
    func draw(_ index: Int) -> Draw {
        var generator = SeededGenerator(seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        let damage = damages[Int.random(in: 0..<damages.count, using: &generator)]
        let death =
            [Death.controller, .controller, .controller, .both, .medicFirst, .controllerFirst]
            .randomElement(using: &generator) ?? .controller
        let gap = Span.microseconds(Int64.random(in: 0...10_000, using: &generator))
        let moment: Moment
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            var plan = CrashPlan(role: .controller, call: Int.random(in: 1...9, using: &generator))
            plan.side = Bool.random(using: &generator) ? .before : .after
            plan.isLastOfItsKind = death == .both || death == .medicFirst
            moment = .boundary(plan)
        case 1: moment = .instant(.milliseconds(Int64.random(in: 0...900, using: &generator)))
        default: moment = .active(.milliseconds(Int64.random(in: 0...300, using: &generator)))
        }
        return Draw(damage: damage, moment: moment, death: death, gap: gap)
    }

    /// Carries out all runs, `jobs` at a time, and tells each one's outcome as it ends.
    func execute(_ tell: @Sendable @escaping (Int, CampaignRun.Outcome) -> Void) async throws {
        try await forEach(Array(0..<runs), atOnce: jobs) { index in
            tell(index, try await CampaignRun(draw: draw(index), index: index).execute())
        }
    }
}
