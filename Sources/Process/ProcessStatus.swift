internal import Basics
internal import Glibc

/// The fields of `/proc/<pid>/stat` that name a process and say what it does.
struct ProcessStatus: Sendable, Hashable {
    /// The command name, at most 15 bytes; may hold spaces and brackets.
    var name: String
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`
    var state: Character
    var parent: Int32
    /// Clock ticks since boot; with the pid it names a process for good.
    var startTime: UInt64

    /// Parses one line of `stat`.
    ///
    /// The name stands in brackets and may itself hold `) R 1`: only the last `)` ends it (proc_pid_stat(5)). Behind it
    /// stand field 3 (state), 4 (parent) and, as the 20th, field 22 (start time).
    init?(parsing line: String) {
        guard let opening = line.firstIndex(of: "("), let closing = line.lastIndex(of: ")"), opening < closing else {
            return nil
        }
        let fields = line[line.index(after: closing)...].split { $0 == " " || $0 == "\n" }
        guard fields.count >= 20, let state = fields[0].first, fields[0].count == 1, let parent = Int32(fields[1]),
            let startTime = UInt64(fields[19])
        else { return nil }
        name = String(line[line.index(after: opening)..<closing])
        self.state = state
        self.parent = parent
        self.startTime = startTime
    }

    /// Reads a process's or a thread's status; nil when it is gone.
    init?(folder: String) throws(SystemError) {
        let path = folder + "/stat"
        guard let text = try readFile(path, goneIsNil: true) else { return nil }
        guard let status = ProcessStatus(parsing: text) else {
            throw SystemError("parse", errno: EPROTO, subject: path)
        }
        self = status
    }

    /// Dead, though its pid may still be taken: a zombie, or one that is just going away.
    var isDead: Bool { state == "Z" || state == "X" || state == "x" }
    /// Stopped by a signal (`t` is a tracer's stop and not ours).
    var isStopped: Bool { state == "T" }
}
