internal import Basics
internal import Glibc

/// The open journals of this machine, as links in one folder: whatever folder of runs the next command is told, and at
/// boot, they are found.
///
/// A run is registered before its first intent and removed when its journal is closed clean.
package struct JournalIndex: Sendable, Hashable {
    /// One registered run.
    package struct Entry: Sendable, Hashable {
        package var run: String
        /// The journal's absolute path, as it was registered.
        package var journal: String
        /// The journal is gone, and with it how its faults are undone: only a look at the systems finds what is left.
        package var isBroken: Bool
    }

    /// `<state folder>/journals`
    package let folder: String

    package init(stateFolder: String) {
        folder = "\(stateFolder)/journals"
    }

    /// Links the journal, which must exist already; durable when this returns. Registering it again changes nothing.
    package func register(run: String, journal: String) throws(JournalError) {
        try failing("the journal cannot be entered into \(folder)", .writeFailed) { () throws(SystemError) in
            try makeFolders()
            let path = try absolute(journal)
            let link = link(of: run)
            // Under another name first: a crash leaves a link or none, never half of one.
            let temporary = "\(folder)/.\(run)-\(getpid())"
            unlink(temporary)
            try retryingInterrupts("symlink", subject: temporary) { symlink(path, temporary) }
            try retryingInterrupts("rename", subject: link) { rename(temporary, link) }
            try syncFolder()
        }
    }

    /// Takes the run out; one that is not there is no error.
    package func remove(run: String) throws(JournalError) {
        try failing("the run cannot be taken out of \(folder)", .writeFailed) { () throws(SystemError) in
            if unlink(link(of: run)) == 0 { return try syncFolder() }
            if errno != ENOENT { throw SystemError.last("unlink", subject: link(of: run)) }
        }
    }

    /// Every registered run, oldest first; no folder means none.
    package func entries() throws(JournalError) -> [Entry] {
        try failing("the open journals cannot be listed", .unreadable) { () throws(SystemError) in
            guard let directory = opendir(folder) else {
                if errno == ENOENT { return [] }
                throw SystemError.last("opendir", subject: folder)
            }
            defer { closedir(directory) }
            var entries: [Entry] = []
            while let entry = readdir(directory) {
                let run = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard !run.hasPrefix("."), let journal = target(of: link(of: run)) else { continue }
                entries.append(Entry(run: run, journal: journal, isBroken: access(journal, F_OK) != 0))
            }
            return entries.sorted { $0.run < $1.run }
        }
    }

    /// Makes the folder and shows that links can be made in it; for a check before anything is touched.
    package func probe() throws(JournalError) {
        try failing("open journals cannot be kept in \(folder)", .writeFailed) { () throws(SystemError) in
            try makeFolders()
            let temporary = "\(folder)/.probe-\(getpid())"
            unlink(temporary)
            try retryingInterrupts("symlink", subject: temporary) { symlink("/", temporary) }
            try retryingInterrupts("unlink", subject: temporary) { unlink(temporary) }
        }
    }

    private func link(of run: String) -> String { "\(folder)/\(run)" }

    /// What a link says; nil when it is gone meanwhile, or no link.
    private func target(of link: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private func absolute(_ path: String) throws(SystemError) -> String {
        guard let resolved = realpath(path, nil) else { throw SystemError.last("realpath", subject: path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func makeFolders() throws(SystemError) {
        var current = ""
        for part in folder.split(separator: "/") {
            current += "/\(part)"
            if mkdir(current, 0o755) != 0, errno != EEXIST { throw SystemError.last("mkdir", subject: current) }
        }
    }

    /// A link survives a crash only when its folder is on disk too.
    private func syncFolder() throws(SystemError) {
        let descriptor = try Descriptor(opening: folder, flags: O_RDONLY | O_DIRECTORY)
        try retryingInterrupts("fsync", subject: folder) { fsync(descriptor.number) }
    }

    private func failing<Value>(
        _ what: String, _ code: JournalError.Code, _ body: () throws(SystemError) -> Value
    ) throws(JournalError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw JournalError(code, "\(what): \(error)")
        }
    }
}
