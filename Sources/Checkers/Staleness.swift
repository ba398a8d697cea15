package import Basics

/// How old the version was that a replica returned (`research` 1.7).
///
/// A read is stale by the time since the first newer version was acknowledged before the read began; a version that was
/// acknowledged while the read was under way is no evidence.
package struct Staleness: Sendable, Hashable {
    /// One acknowledged version of a key.
    package struct Acknowledged: Sendable, Hashable {
        /// Rising with every write of the key.
        package var version: Int64
        package var end: Instant

        package init(version: Int64, end: Instant) {
            self.version = version
            self.end = end
        }
    }

    /// Zero for a read that missed nothing.
    package var time: Span
    /// Acknowledged newer versions that the read should have shown.
    package var versions: Int

    package init(time: Span, versions: Int) {
        self.time = time
        self.versions = versions
    }

    /// - Parameters:
    ///   - version: what the read returned; 0 when the key was not there.
    ///   - began: when the read was sent.
    package static func of(
        version: Int64, began: Instant, acknowledged: some Sequence<Acknowledged>
    ) -> Staleness {
        var first: Instant?
        var missed = 0
        for newer in acknowledged where newer.version > version && newer.end < began {
            missed += 1
            first = min(first ?? newer.end, newer.end)
        }
        return Staleness(time: first.map { began - $0 } ?? .zero, versions: missed)
    }
}
