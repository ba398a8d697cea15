import Basics
import Foundation

/// What the preloaded library saw: the calls on a run's files, by all processes of the run, in order.
struct CrashLog {
    struct Line {
        var at: Instant
        var role: String
        var pid: Int32
        /// Counted in each process from 1; 0 for a write to the history.
        var call: Int
        /// `write 69 {"healing":…`, `fdatasync`, `kill before`, `history 311`
        var text: String
    }

    let lines: [Line]

    init(_ path: String) {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        lines = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 4)
            guard fields.count == 5, let at = Int64(fields[0]), let pid = Int32(fields[2]), let call = Int(fields[3])
            else { return nil }
            return Line(
                at: Instant(nanoseconds: at), role: String(fields[1]), pid: pid, call: call, text: String(fields[4]))
        }
    }

    /// How many calls on the watched file a role has made.
    func calls(of role: CrashPlan.Role) -> Int {
        lines.filter { $0.role == role.rawValue }.map(\.call).max() ?? 0
    }

    /// The numbers of the calls that write.
    func writes(of role: CrashPlan.Role) -> Set<Int> {
        Set(lines.filter { $0.role == role.rawValue && $0.text.hasPrefix("write") }.map(\.call))
    }

    /// Whether the plan was carried out: a crash point that is never reached proves nothing.
    func shows(_ action: CrashPlan.Action) -> Bool {
        lines.contains { $0.text.hasPrefix(action == .torn ? "kill torn" : action.rawValue) }
    }

    /// Whether a process has been told a stepped time.
    var showsSteppedClock: Bool { lines.contains { $0.text == "clock" } }

    /// The first write of a record of this form by this role.
    func firstWrite(of record: String, by role: CrashPlan.Role, after: Instant? = nil) -> Instant? {
        lines.first {
            $0.role == role.rawValue && $0.text.hasPrefix("write") && $0.text.contains("{\"\(record)\"")
                && (after.map { $0.nanoseconds } ?? 0) <= $0.at.nanoseconds
        }?.at
    }

    /// Bytes of history that the kernel took from the controller: no crash of ours may lose one of them.
    var historyBytes: Int {
        lines.filter { $0.role == CrashPlan.Role.controller.rawValue && $0.text.hasPrefix("history ") }
            .reduce(0) { $0 + (Int($1.text.dropFirst(8)) ?? 0) }
    }
}
