internal import Basics
internal import Contracts
internal import Glibc
internal import Journal
internal import Process

/// The journals of dead runs: those of a folder of runs, and those the machine's index knows of in any other.
struct DirtyJournals {
    /// Open changes that nobody will heal by himself.
    var dirty: [JournalContents] = []
    /// Everything is healed, but whoever did it died before all was written: the journal is not closed, or is closed and
    /// still registered. Nothing stands in a run's way.
    var unconcluded: [JournalContents] = []
    /// Journals of dead runs whose medic is healing them right now.
    var beingHealed: [String] = []
    /// Journals of runs that are still alive.
    var live: [String] = []
    /// Journals that cannot be read, with why and what is still readable of them.
    var unreadable: [(path: String, error: JournalError)] = []
    /// Runs that were registered and never closed, and whose journal is gone.
    var lost: [JournalIndex.Entry] = []

    init(in folder: String, host: any Host, index: JournalIndex = StateFolder.journals) async {
        var seen: Set<String> = []
        // The index first: that a run is registered there says that nobody has concluded it.
        do throws(JournalError) {
            for entry in try index.entries() {
                if entry.isBroken {
                    lost.append(entry)
                } else if seen.insert(Self.absolute(entry.journal)).inserted {
                    await look(at: entry.journal, isRegistered: true, host: host)
                }
            }
        } catch {
            unreadable.append((index.folder, error))
        }
        for run in Self.runs(in: folder) {
            let path = "\(folder)/\(run)/journal"
            if access(path, F_OK) == 0, seen.insert(Self.absolute(path)).inserted { await look(at: path, host: host) }
        }
    }

    /// One journal, wherever it lies.
    init(only path: String, host: any Host) async {
        await look(at: path, host: host)
    }

    /// Leaves only what belongs to one run. A journal whose header cannot be read is known by its folder.
    mutating func keep(run: String) {
        dirty.removeAll { $0.header.run != run }
        unconcluded.removeAll { $0.header.run != run }
        lost.removeAll { $0.run != run }
        unreadable.removeAll { !$0.path.contains("/\(run)/") }
        live.removeAll { !$0.contains("/\(run)/") }
        beingHealed.removeAll { !$0.contains("/\(run)/") }
    }

    /// Nothing is dirty, in progress or unreadable.
    var isEmpty: Bool {
        dirty.isEmpty && unconcluded.isEmpty && lost.isEmpty && unreadable.isEmpty && live.isEmpty
            && beingHealed.isEmpty
    }

    private mutating func look(at path: String, isRegistered: Bool = false, host: any Host) async {
        do throws(JournalError) {
            guard try await isFree(path, host) else { return }
            let contents = try JournalReader.read(path)
            if !contents.isClean, try controllerLives(path, host) {
                // A copy: nobody holds this file, but the run it tells of goes on.
                live.append(path)
            } else if !contents.isClean {
                dirty.append(contents)
            } else if !contents.isClosed || isRegistered {
                unconcluded.append(contents)
            }
        } catch {
            if error.code == .neverOpened { return }
            unreadable.append((path, error))
        }
    }

    /// Whether nobody holds the journal. A process that was killed lets go of its files some milliseconds after its end,
    /// and a medic holds the journal of a dead controller for as long as it heals.
    private mutating func isFree(_ path: String, _ host: any Host) async throws(JournalError) -> Bool {
        let time = SystemTimeSource()
        let deadline = time.now + .seconds(5)
        while try JournalReader.isHeldByLiveRun(path) {
            guard try !controllerLives(path, host) else {
                live.append(path)
                return false
            }
            guard time.now < deadline, (try? await time.sleep(for: .milliseconds(10))) != nil else {
                beingHealed.append(path)
                return false
            }
        }
        return true
    }

    private func controllerLives(_ path: String, _ host: any Host) throws(JournalError) -> Bool {
        let header = try JournalReader.read(path).header
        let identity = ProcessIdentity(pid: header.pid, startTime: header.processStart, bootID: header.bootID)
        do throws(SystemError) {
            guard let process = try host.process(identity) else { return false }
            return try process.state().map { $0 != "Z" && $0 != "X" } ?? false
        } catch {
            throw JournalError(.unreadable, "the controller of \(path) cannot be looked at: \(error)")
        }
    }

    /// One spelling for each file, so that a journal is not healed twice.
    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The ids of the runs in a folder, oldest first.
    static func runs(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), name != "latest" { names.append(name) }
        }
        return names.sorted()
    }
}
