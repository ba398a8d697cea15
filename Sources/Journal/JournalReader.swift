internal import Basics
internal import Glibc

/// Reads journals; changes nothing.
package enum JournalReader {
    package static func read(_ path: String) throws(JournalError) -> JournalContents {
        let (records, hasTornTail) = try JournalCoding.decode(try bytes(of: path))
        // The header is on disk before anything else happens: without a whole record nothing was ever injected.
        if records.isEmpty { throw JournalError(.neverOpened, "\(path) ends before its header") }
        guard case .opened(let header)? = records.first else {
            throw JournalError(.noHeader, "\(path) does not begin with a journal's header", records: records)
        }
        guard header.version <= JournalHeader.currentVersion else {
            throw JournalError(
                .newerVersion, "\(path) was written by a newer squall (format \(header.version))", records: records)
        }
        return JournalContents(path: path, header: header, records: records, hasTornTail: hasTornTail)
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
