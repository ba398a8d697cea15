/// The file format of a history: one event, one line of JSON (`events.ndjson`), appended and never rewritten.
///
/// Every line is an object whose first key `e` names the event and whose key `t` is the instant at which it was known:
/// nanoseconds on the controller's monotonic clock. Integers are exact; a reader that turns them into doubles keeps
/// microseconds for 104 days of uptime. The order of keys is fixed, so equal histories are equal files. Empty names and
/// absent values are left out. Unknown keys and unknown events are skipped (counted), so that an older tool reads a
/// newer file. The first line is `run`; it carries the wall clock, so `t - run.t + run.wall` dates every other line.
///
/// | `e` | keys after `e` |
/// |---|---|
/// | `run` | `v` format version, `t`, `wall` ns since 1970, `at` the same for people, `run`, `title`, `about`, `tags`, `file`, `runbook`, `digest`, `seed` (text: may exceed 2^63), `tool`, `env` pairs `[[name,value],…]`, `criteria`, `defs` their definitions as JSON in a text, `steps` names, `steady` how long the steady state must hold, in ns |
/// | `phase` | `t`, `phase` |
/// | `op` | `p` probe, `via` path, `n` node, `a` action, `q` sequence, `d` due, `s` sent (absent: never sent), `t` end, `o` outcome, `r` reason |
/// | `state` | `p`, `n`, `s` sent, `t` end, `v` state, `g` generation, `x` position, `id` identity, `r` detail |
/// | `metric` | `p`, `n`, `m` metric, `t`, `v` value, `u` unit, `ge` true: the real value is at least this |
/// | `read-back` | `p`, `n`, `t`, `stage`, `auth` authoritative, `have` ranges `[[first,last],…]`, `dup`, `g`, `why` it failed |
/// | `fault` | `t`, `id`, `step`, `kind`, `target`, `stage`, `from` and `to` of the effect's begin, `why` |
/// | `stall` | `from`, `t` |
/// | `note` | `t`, `src`, `lvl`, `msg` |
/// | `steady` | `t`, `phase`, `held`, `why` |
/// | `abort` | `t`, `why`, `signal` or `msg` |
/// | `clean-up` | `t`, `left`: `[[kind,target,description,command,…],…]`, absent when it is clean |
/// | `end` | `t` |
package enum EventLine {
    /// Raised when an old reader would misread a new file; added keys and events do not raise it.
    package static let version: Int64 = 1

    /// The values of `e`.
    enum Name: String {
        case run
        case phase
        case operation = "op"
        case state
        case measurement = "metric"
        case readBack = "read-back"
        case fault
        case stall
        case note
        case steadyState = "steady"
        case aborted = "abort"
        case cleanUp = "clean-up"
        case ended = "end"
    }

    /// The values of `why` in `abort`.
    enum AbortName: String {
        case signal
        case stopCondition = "stop-condition"
        case steadyStateNotReached = "steady-state-not-reached"
        case injectionFailed = "injection-failed"
        case maxDurationReached = "max-duration-reached"
        case refused
        case environment
        case controllerDied = "controller-died"
    }
}

/// A key of at most eight ASCII letters, packed into one integer so that reading a line compares numbers, not strings.
struct LineKey: Hashable {
    let packed: UInt64

    private init(_ text: String) {
        packed = LineKey.pack(text.utf8)
    }

    /// First letter in the highest byte; 0 stands for anything that is no key of ours.
    static func pack(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.count > 8 ? 0 : bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    static let event = LineKey("e")
    static let version = LineKey("v")
    static let time = LineKey("t")
    static let wall = LineKey("wall")
    static let wallText = LineKey("at")
    static let run = LineKey("run")
    static let title = LineKey("title")
    static let about = LineKey("about")
    static let tags = LineKey("tags")
    static let file = LineKey("file")
    static let runbook = LineKey("runbook")
    static let digest = LineKey("digest")
    static let seed = LineKey("seed")
    static let tool = LineKey("tool")
    static let environment = LineKey("env")
    static let criteria = LineKey("criteria")
    static let definitions = LineKey("defs")
    static let steps = LineKey("steps")
    static let steadyStateHold = LineKey("steady")
    static let phase = LineKey("phase")
    static let probe = LineKey("p")
    static let path = LineKey("via")
    static let node = LineKey("n")
    static let action = LineKey("a")
    static let sequence = LineKey("q")
    static let due = LineKey("d")
    static let sent = LineKey("s")
    static let outcome = LineKey("o")
    static let reason = LineKey("r")
    static let value = LineKey("v")
    static let generation = LineKey("g")
    static let position = LineKey("x")
    static let identity = LineKey("id")
    static let metric = LineKey("m")
    static let unit = LineKey("u")
    static let isCensored = LineKey("ge")
    static let stage = LineKey("stage")
    static let isAuthoritative = LineKey("auth")
    static let present = LineKey("have")
    static let duplicated = LineKey("dup")
    static let why = LineKey("why")
    static let step = LineKey("step")
    static let kind = LineKey("kind")
    static let target = LineKey("target")
    static let from = LineKey("from")
    static let to = LineKey("to")
    static let source = LineKey("src")
    static let level = LineKey("lvl")
    static let message = LineKey("msg")
    static let held = LineKey("held")
    static let signal = LineKey("signal")
    static let leftovers = LineKey("left")
}
