import Basics
import Contracts

extension SyntheticRun {
    /// The old primary is frozen out of Patroni's sight and keeps writing: two primaries for 19 s.
    static let dualPrimary: SyntheticRun = {
        var build = RunBuilder(seed: 2)
        let lines = ["rpo: probe orders, max-lost-writes 0", "split-brain: probe roles, max 0s"]
        build.add(.run(record("Patroni is frozen, Postgres is not", criteria: lines)), 0)
        for (phase, at) in [
            (Phase.preflight, 0.01), (.baseline, 0.3), (.injecting, 10.5), (.observing, 12.1), (.healing, 42.0),
            (.settling, 43.4), (.judged, 78),
        ] { build.phase(phase, at) }
        build.fault(11.9, .injecting, kind: "process.signal")
        build.fault(12.0, .active, kind: "process.signal", effect: 11.999...12.0, "state T read from /proc")
        build.fault(42.0, .healing, kind: "process.signal")
        build.fault(43.2, .healed, kind: "process.signal", "state S read from /proc")
        build.note(31.5, "patroni", "pg-3 lost the race for the leader lock")
        build.add(.stall(ProberStall(from: at(55.0), to: at(56.4))), 56.4)
        var kept: [Int64] = []
        var lostOnes: Set<Int64> = []
        for index in 0..<Int(76 * 200) {
            let due = 0.4 + Double(index) / 200
            if due > 55, due < 56.4 { continue }
            let direct: Label = index % 2 == 0 ? "kept" : "fresh"
            let isOld = direct == "kept" ? due < 43.1 : due < 23.4
            let isDown = direct == "kept" ? (43.1..<44.9).contains(due) : (23.4..<26.1).contains(due)
            if isDown {
                build.write(due, direct, .none, build.latency(0.003), .failed, "25006")
                continue
            }
            let sequence = build.write(due, direct, isOld ? "pg-1" : "pg-2", build.latency(0.003), .ok)
            if isOld && due > 23.9 { lostOnes.insert(sequence) } else { kept.append(sequence) }
        }
        for index in 0..<Int(77 * 20) {
            let now = 0.35 + Double(index) / 20
            build.state(now, "pg-1", now < 43.15 ? "primary" : now < 47 ? "unreachable" : "replica", now < 47 ? 1 : 2)
            build.state(now, "pg-2", now < 24.05 ? "replica" : "primary", now < 24.05 ? 1 : 2)
            build.state(now, "pg-3", "replica", now < 24.6 ? 1 : 2)
        }
        let readBack = ReadBack(
            probe: "orders", node: "pg-2", stage: .final, at: at(77), isAuthoritative: true, present: ranges(kept),
            generation: 2)
        build.add(.readBack(readBack), 77)
        build.add(.cleanUp(leftovers: [], at: at(77.9)), 77.9)
        build.add(.ended(at: at(78.1)), 78.1)
        let lost = lostOnes.count
        return SyntheticRun(build.sorted) { history in
            RunVerdict(
                run: record("Patroni is frozen, Postgres is not", criteria: lines), verdict: .fail,
                reason: "split-brain 19.1 s > 0s: pg-1 and pg-2 both acknowledged writes", exitCode: 1,
                criteria: [
                    CriterionResult(
                        name: "rpo", kind: "rpo", probe: "orders", limit: "<= 0 writes", measured: Double(lost),
                        unit: "writes", lower: Double(lost), upper: Double(lost), samples: history.operations.count,
                        verdict: .fail, reason: "\(lost) acknowledged writes are gone",
                        exceptions: lostOnes.sorted().prefix(100).map {
                            "write \($0), acknowledged by pg-1, is not on pg-2"
                        }),
                    CriterionResult(
                        name: "split-brain", kind: "split-brain", probe: "roles", limit: "<= 0s", measured: 19.1,
                        unit: "s",
                        lower: 19.05, upper: 19.15, samples: history.states.count, verdict: .fail,
                        reason: "pg-1 and pg-2 were both primary",
                        exceptions: ["pg-1 and pg-2 from +12.05 s to +31.15 s"]),
                ], faults: history.faults, leftovers: [], untested: [], endedAt: at(78.1))
        }
    }()

    /// The kill could not be shown to have done anything, and a leftover stays: exit code 6.
    static let inconclusive: SyntheticRun = {
        var build = RunBuilder(seed: 3)
        let title = "The primary is paused | \"quoted\" <b>&amp; $(marked)</b>"
        build.add(.run(record(title, criteria: criteria)), 0)
        for (phase, at) in [(Phase.preflight, 0.01), (.baseline, 0.3), (.injecting, 10.5), (.healing, 20)] {
            build.phase(phase, at)
        }
        build.fault(11.9, .injecting, kind: "container.pause")
        build.fault(12.0, .unproven, kind: "container.pause", "the freezer still says THAWED")
        build.fault(20.0, .healing, kind: "container.pause")
        build.fault(21.0, .healFailed, kind: "container.pause", "the engine did not answer within 10s")
        build.add(.aborted(.stopCondition("orders success < 1%"), at: at(20)), 20)
        for index in 0..<Int(19 * 50) {
            let due = 0.4 + Double(index) / 50
            build.write(due, "kept", "pg-1", build.latency(0.002), .ok)
            if index % 97 == 0 { build.write(due, "fresh", .none, 2, .failed, "</script><b>|", isSent: false) }
        }
        let leftover = Leftover(
            kind: "container.pause", target: "pg-1", description: "container pg-1 is still paused",
            commands: ["docker unpause pg-1"])
        build.add(.cleanUp(leftovers: [leftover], at: at(31)), 31)
        build.add(.ended(at: at(31.2)), 31.2)
        return SyntheticRun(build.sorted) { history in
            RunVerdict(
                run: record(title, criteria: criteria), verdict: .inconclusive,
                reason: "the fault 'kill' was not shown to have had any effect", exitCode: 6,
                criteria: [
                    CriterionResult(
                        name: "rto", kind: "rto", probe: "orders", limit: "<= 30s", unit: "s", samples: 960,
                        verdict: .inconclusive, reason: "no proven fault to count from"),
                    CriterionResult(
                        name: "availability", kind: "availability", probe: "orders", limit: ">= 70%", unit: "%",
                        lower: 61, samples: 12, verdict: .inconclusive, reason: "12 samples; at least 59 are needed"),
                ], faults: history.faults, leftovers: [leftover],
                untested: ["everything after the fault: its effect was not shown"], endedAt: at(31.2))
        }
    }()

    /// Nothing happened: refused before anything was touched.
    static let empty: SyntheticRun = {
        var build = RunBuilder(seed: 4)
        let title = "A selection that is empty"
        build.add(.run(record(title, criteria: ["rto: probe orders, max 30s"])), 0)
        build.phase(.preflight, 0.01)
        build.add(.aborted(.refused("target 'primary' matches nothing"), at: at(0.2)), 0.2)
        build.add(.ended(at: at(0.2)), 0.2)
        return SyntheticRun(build.sorted) { history in
            RunVerdict(
                run: record(title, criteria: ["rto: probe orders, max 30s"]), verdict: .inconclusive,
                reason: "target 'primary' matches nothing", exitCode: 2, criteria: [], faults: [], leftovers: [],
                untested: [], endedAt: at(0.2))
        }
    }()

    /// Ten minutes at a thousand a second, scaled by `operations`; a 40 s outage in the middle.
    static func large(operations: Int, _ body: (HistoryEvent) -> Void) -> RunVerdict {
        var random = SeededGenerator(seed: 5)
        let record = record("Ten minutes under load", criteria: ["rto: probe orders, max 60s"])
        body(.run(record))
        body(.phase(.observing, at: at(0.1)))
        body(
            .fault(
                FaultTransition(
                    id: "m-1", step: "kill", kind: "container.kill", target: "pg-1", stage: .active, at: at(200),
                    effectiveAt: InstantRange(at(199.999), at(200)))))
        for index in 0..<operations {
            let due = 600 * Double(index) / Double(operations)
            let isDown = due > 200 && due < 240
            let latency =
                isDown
                ? 0.5 + Double.random(in: 0..<1.5, using: &random)
                : 0.001 + Double.random(in: 0..<0.004, using: &random)
            let node: Label = isDown ? .none : due < 200 ? "pg-1" : "pg-2"
            let outcome: Outcome = !isDown ? .ok : index % 3 == 0 ? .unknown : .failed
            body(
                .operation(
                    Operation(
                        probe: "orders", path: index % 2 == 0 ? "kept" : "fresh", node: node, action: .write,
                        sequence: Int64(index + 1), due: at(due), sent: at(due), end: at(due + latency),
                        outcome: outcome,
                        reason: isDown ? "timeout" : .none)))
        }
        body(
            .readBack(
                ReadBack(
                    probe: "orders", node: "pg-2", stage: .final, at: at(600), isAuthoritative: true,
                    present: [1...Int64(operations)])))
        body(.ended(at: at(601)))
        return RunVerdict(
            run: record, verdict: .pass, reason: "RTO 40 s <= 60s", exitCode: 0,
            criteria: [
                CriterionResult(
                    name: "rto", kind: "rto", probe: "orders", limit: "<= 60s", measured: 40.001, unit: "s",
                    lower: 39.9,
                    upper: 40.001, samples: operations, verdict: .pass, reason: "writes succeed again after 40.001 s")
            ], faults: [], leftovers: [], untested: [], endedAt: at(601))
    }

    static func ranges(_ sequences: [Int64]) -> [ClosedRange<Int64>] {
        sequences.reduce(into: []) { ranges, sequence in
            if let last = ranges.last, last.upperBound + 1 == sequence {
                ranges[ranges.count - 1] = last.lowerBound...sequence
            } else {
                ranges.append(sequence...sequence)
            }
        }
    }
}
