import Basics
import Glibc
import Simulation

/// Plays seeds one after the other on one core and prints every violation with its seed; `scripts/simulate` starts one of
/// these for each core.
@main struct Simulate {
    private var seeds: UInt64 = 1_000
    private var from: UInt64 = 1
    private var single: UInt64?
    private var limit: Double?
    private var mutants: UInt64?
    private let clock = SystemTimeSource()

    static func main() {
        guard let command = Simulate(arguments: CommandLine.arguments.dropFirst()) else { exit(2) }
        if let mutants = command.mutants { exit(command.hunt(within: mutants)) }
        exit(command.single.map { command.tell($0) } ?? command.play())
    }

    /// nil, and a message, when an argument is none.
    private init?(arguments: some Sequence<String>) {
        var rest = arguments.makeIterator()
        while let option = rest.next() {
            let value = rest.next() ?? ""
            switch (option, UInt64(value)) {
            case ("--mutants", let number?): mutants = number
            case ("--seeds", let number?): seeds = number
            case ("--from", let number?): from = number
            case ("--seed", let number?): single = number
            case ("--seconds", let number?): limit = Double(number)
            default:
                print("error: \(option) \(value) is no option with a number")
                return nil
            }
        }
    }

    /// Plays them all; 1 when the tool broke a promise.
    private func play() -> CInt {
        let start = clock.now
        var (played, jobs, violations) = (0, 0, 0)
        var simulated = Span.zero
        for seed in from..<from + seeds {
            let run = WorldRun.play(seed: seed)
            played += 1
            jobs += run.jobs
            simulated += run.simulated
            for violation in run.violations { print("seed \(seed): \(violation)") }
            violations += run.violations.count
            if let limit, played % 64 == 0, (clock.now - start).seconds > limit { break }
        }
        let seconds = max(0.001, (clock.now - start).seconds)
        print(
            "\(played) seeds from \(from) in \(decimal(seconds, places: 1)) s, \(Int(Double(played) / seconds)) per second, "
                + "\(Int(simulated.seconds / Double(max(1, played)))) simulated seconds and \(jobs / max(1, played)) jobs "
                + "each, \(violations) violations")
        return violations == 0 ? 0 : 1
    }

    /// For each defect, the first seed that shows it; 1 when one was not found.
    private func hunt(within seeds: UInt64) -> CInt {
        var missed: CInt = 0
        for mutant in Mutant.allCases {
            let seed = (from..<from + seeds).first { !WorldRun.play(seed: $0, mutant: mutant).violations.isEmpty }
            let found = seed.map { "\($0): \(WorldRun.play(seed: $0, mutant: mutant).violations[0])" }
            print("\(mutant.rawValue) \(found ?? "NOT FOUND")")
            if seed == nil { missed = 1 }
        }
        return missed
    }

    /// Tells one world, and plays it a second time to show that it replays exactly.
    private func tell(_ seed: UInt64) -> CInt {
        let run = WorldRun.play(seed: seed, tellsStory: true)
        for line in run.story { print(line) }
        for violation in run.violations { print("VIOLATION  \(violation)") }
        let replays = run.trace == WorldRun.play(seed: seed).trace
        print(replays ? "trace \(run.trace), the same twice" : "VIOLATION  two plays of this seed differ")
        return run.violations.isEmpty && replays ? 0 : 1
    }
}
