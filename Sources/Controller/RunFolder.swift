package import Basics
internal import Glibc

/// `runs/<id>/` and `runs/latest`.
package struct RunFolder: Sendable, Hashable {
    package let root: String
    package let run: String

    package var path: String { "\(root)/\(run)" }
    package var journal: String { "\(path)/journal" }
    package var events: String { "\(path)/events.ndjson" }

    package init(root: String, run: String) {
        self.root = root
        self.run = run
    }

    /// An id that sorts by time, says what ran and is unique: `20261122-135553-postgres-primary-loss-4f2a`.
    package static func makeID(title: String, at wall: WallInstant, seed: UInt64) -> String {
        let words = title.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let slug = String(words).split(separator: "-").prefix(6).joined(separator: "-")
        let suffix = String(seed & 0xFFFF, radix: 16)
        return "\(wall.compact)-\(slug.prefix(48))-\(String(repeating: "0", count: 4 - suffix.count))\(suffix)"
    }

    /// Makes the folder and points `latest` at it; an existing run is never written into.
    package func create() throws(SystemError) {
        try makeFolders(root)
        try retryingInterrupts("mkdir", subject: path) { mkdir(path, 0o755) }
        let temporary = "\(root)/.latest-\(run)"
        try retryingInterrupts("symlink", subject: temporary) { symlink(run, temporary) }
        try retryingInterrupts("rename", subject: "\(root)/latest") { rename(temporary, "\(root)/latest") }
    }

    private func makeFolders(_ path: String) throws(SystemError) {
        var current = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            current += "/\(part)"
            if mkdir(current, 0o755) != 0, errno != EEXIST { throw SystemError.last("mkdir", subject: current) }
        }
    }
}
