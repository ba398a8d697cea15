internal import Basics
internal import Glibc

/// What a journal says, replayed: who wrote it and which changes are still open.
package struct JournalContents: Sendable {
    package var path: String
    package var header: JournalHeader
    /// Changes without a `healed` record, in the order they were made; heal them in reverse.
    package var open: [JournalIntent]
    package var isClosed: Bool
    package var hasTornTail: Bool

    /// Nothing is left to heal.
    package var isClean: Bool { open.isEmpty }
}

/// Reads journals; changes nothing.
package enum JournalReader {
    package static func read(_ path: String) throws(JournalError) -> JournalContents {
        let (records, hasTornTail) = try JournalCoding.decode(try bytes(of: path))
        guard case .opened(let header)? = records.first else {
            throw JournalError(.noHeader, "\(path) does not begin with a journal's header", records: records)
        }
        guard header.version <= JournalHeader.currentVersion else {
            throw JournalError(
                .newerVersion, "\(path) was written by a newer squall (format \(header.version))", records: records)
        }
        return JournalContents(
            path: path, header: header, open: openIntents(records), isClosed: records.contains(where: isClosing),
            hasTornTail: hasTornTail)
    }

    private static func openIntents(_ records: [JournalRecord]) -> [JournalIntent] {
        var open: [JournalIntent] = []
        for record in records {
            switch record {
            case .intent(let intent): open.append(intent)
            case .healed(let id, _): open.removeAll { $0.id == id }
            case .opened, .active, .healing, .healFailed, .closed: break
            }
        }
        return open
    }

    private static func isClosing(_ record: JournalRecord) -> Bool {
        if case .closed = record { true } else { false }
    }

    /// Whether a live process holds the journal's lock.
    package static func isHeldByLiveRun(_ path: String) throws(JournalError) -> Bool {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_RDONLY)
            if flock(file.number, LOCK_EX | LOCK_NB) == 0 { return false }
            if errno == EWOULDBLOCK { return true }
            throw SystemError.last("flock", subject: path)
        } catch {
            throw JournalError(.unreadable, "the journal's lock cannot be asked: \(error)")
        }
    }

    static func bytes(of path: String) throws(JournalError) -> [UInt8] {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_RDONLY)
            return try file.readToEnd(subject: path)
        } catch {
            throw JournalError(.unreadable, "the journal cannot be read: \(error)")
        }
    }
}
