package import Basics
package import Contracts
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// Locks on targets, one file each in a folder that every user of the machine shares.
///
/// The lock is flock(2)'s and belongs to the open file: handed to the medic it outlives the controller. What the file
/// says outlives both, so that the next run finds a journal that nobody has healed, whatever folder it is in.
package final class TargetLockFiles: TargetLocks {
    /// What a lock file says of its holder.
    private struct Holder: Codable {
        var run: String
        var pid: Int32
        var journal: String
    }

    private let folder: String
    private let holder: Holder
    private let onLocked: @Sendable (CInt) -> Void
    private let held = Mutex([String: CInt]())

    /// - Parameters:
    ///   - journal: the run's journal, absolute.
    ///   - onLocked: told the descriptor of each new lock, to hand it on.
    package init(folder: String, run: String, journal: String, onLocked: @escaping @Sendable (CInt) -> Void) {
        self.folder = folder
        holder = Holder(run: run, pid: getpid(), journal: journal)
        self.onLocked = onLocked
    }

    /// `/run/lock/squall`, or `/tmp/squall-locks` where there is none: the same for every user, writable for all.
    package static func sharedFolder() throws(SystemError) -> String {
        let folder = access("/run/lock", W_OK) == 0 ? "/run/lock/squall" : "/tmp/squall-locks"
        if mkdir(folder, 0o1777) == 0 {
            // The umask has taken bits away that other users need.
            try retryingInterrupts("chmod", subject: folder) { chmod(folder, 0o1777) }
        } else if errno != EEXIST {
            throw SystemError.last("mkdir", subject: folder)
        }
        return folder
    }

    package func acquire(_ resources: [String], of target: String) throws(FaultError) {
        var taken: [(resource: String, file: CInt)] = []
        do throws(FaultError) {
            for resource in resources where held.withLock({ $0[resource] == nil }) {
                if taken.contains(where: { $0.resource == resource }) { continue }
                taken.append((resource, try lock(resource, of: target)))
            }
        } catch {
            for (_, file) in taken { release(file) }
            throw error
        }
        for (resource, file) in taken {
            held.withLock { $0[resource] = file }
            onLocked(file)
        }
    }

    /// The descriptors of all locks held.
    package var descriptors: [CInt] { held.withLock { Array($0.values) } }

    /// Gives all locks back; call it when everything is healed and the journal closed.
    package func release() {
        let files = held.withLock { held in
            defer { held.removeAll() }
            return Array(held.values)
        }
        for file in files { release(file) }
    }

    private func release(_ file: CInt) {
        ftruncate(file, 0)
        close(file)
    }

    // MARK: One lock

    private func lock(_ resource: String, of target: String) throws(FaultError) -> CInt {
        let file: CInt
        do throws(SystemError) {
            file = try open(resource)
        } catch {
            throw FaultError(.denied, "the lock of \(target) cannot be opened", underlying: error)
        }
        do throws(FaultError) {
            try claim(file, target)
        } catch {
            close(file)
            throw error
        }
        return file
    }

    /// Opens without creating first: the kernel refuses O_CREAT on another user's file in a sticky folder
    /// (fs.protected_regular, Linux 4.19).
    private func open(_ resource: String) throws(SystemError) -> CInt {
        let path = "\(folder)/\(Self.fileName(of: resource))"
        do throws(SystemError) {
            return try retryingInterrupts("open", subject: path) { Glibc.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC) }
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
        let created = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        if created >= 0 {
            fchmod(created, 0o666)
            return created
        }
        // Somebody else was faster.
        return try retryingInterrupts("open", subject: path) { Glibc.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC) }
    }

    private func claim(_ file: CInt, _ target: String) throws(FaultError) {
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let name = Self.read(file).map { "run \($0.run) (pid \($0.pid))" } ?? "another run"
            throw FaultError(
                .inUse, "\(target) is under a fault of \(name); two runs never share a target",
                advice: "wait until that run has ended")
        }
        if let last = Self.read(file), last.journal != holder.journal, Self.isDirty(last.journal) {
            throw FaultError(
                .inUse, "run \(last.run) has left its fault on \(target)",
                advice: "squall heal --journal \(last.journal)")
        }
        guard let text = try? JSONEncoder().encode(holder), ftruncate(file, 0) == 0,
            text.withUnsafeBytes({ pwrite(file, $0.baseAddress, $0.count, 0) }) == text.count
        else {
            throw FaultError(
                .denied, "the lock of \(target) cannot be written", underlying: SystemError.last("pwrite"))
        }
    }

    private static func read(_ file: CInt) -> Holder? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return try? JSONDecoder().decode(Holder.self, from: Data(bytes[..<count]))
    }

    /// A journal that is gone was removed with its run's folder by a person: nothing can be healed from it.
    private static func isDirty(_ journal: String) -> Bool {
        guard access(journal, F_OK) == 0 else { return false }
        do throws(JournalError) {
            return try !JournalReader.read(journal).isClean
        } catch {
            return true
        }
    }

    /// A file name from a resource's name: every byte that could leave the folder or confuse a shell is written as hex.
    static func fileName(of resource: String) -> String {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.".utf8)
        let text = resource.utf8.map { byte in
            allowed.contains(byte) ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16)
        }.joined()
        // A name longer than a file's may be is told apart by its checksum.
        return text.utf8.count <= 200
            ? "lock-\(text)" : "lock-\(text.prefix(180))-\(String(crc32c(Array(resource.utf8)), radix: 16))"
    }
}
