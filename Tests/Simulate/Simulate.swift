import Basics
import Simulation

/// `simulate`: plays seeds and stops at nothing but a violation.
@main struct Simulate {
    static func main() {
        var seeds: UInt64 = 1_000
        var from: UInt64 = 1
        var single: UInt64?
        var limit: Double?
        var arguments = CommandLine.arguments.dropFirst().makeIterator()
        while let argument = arguments.next() {
            let value = arguments.next() ?? ""
            switch argument {
            case "--seeds": seeds = UInt64(value) ?? seeds
            case "--from": from = UInt64(value) ?? from
            case "--seed": single = UInt64(value)
            case "--seconds": limit = Double(value)
            default: print("unknown option \(argument)")
            }
        }
        if let single { return tell(single) }
        let clock = SystemTimeSource()
        let start = clock.now
        var violations = 0
        var played: UInt64 = 0
        var simulated = Span.zero
        var jobs = 0
        for seed in from..<from + seeds {
            let run = WorldRun.play(seed: seed)
            played += 1
            simulated += run.simulated
            jobs += run.jobs
            for violation in run.violations {
                violations += 1
                print("seed \(seed): \(violation)")
            }
            if let limit, played % 64 == 0, (clock.now - start).seconds > limit { break }
        }
        let seconds = (clock.now - start).seconds
        print(
            "\(played) seeds from \(from) in \(decimal(seconds, places: 1)) s: \(Int(Double(played) / seconds)) per second, "
                + "\(decimal(simulated.seconds / Double(played), places: 0)) simulated seconds each, "
                + "\(jobs / Int(played)) jobs each, \(violations) violations")
    }

    private static func tell(_ seed: UInt64) {
        let run = WorldRun.play(seed: seed, tellsStory: true)
        for line in run.story { print(line) }
        for violation in run.violations { print("VIOLATION  \(violation)") }
        let again = WorldRun.play(seed: seed)
        print(run.trace == again.trace ? "trace \(run.trace), the same twice" : "NOT THE SAME TWICE")
    }
}
