internal import Basics
internal import Glibc
internal import Journal

/// The journals of dead runs: those of a folder of runs, and those the machine's index knows of in any other.
struct DirtyJournals {
    /// Open changes that nobody will heal by himself.
    var dirty: [JournalContents] = []
    /// Everything is healed, but the run never said so: its controller died on the way. Nothing stands in a run's way.
    var unclosed: [JournalContents] = []
    /// Journals of runs that are still alive.
    var live: [String] = []
    /// Journals that cannot be read, with why and what is still readable of them.
    var unreadable: [(path: String, error: JournalError)] = []
    /// Runs that were registered and never closed, and whose journal is gone.
    var lost: [JournalIndex.Entry] = []

    init(in folder: String, index: JournalIndex = StateFolder.journals) {
        var seen: Set<String> = []
        for run in Self.runs(in: folder) {
            let path = "\(folder)/\(run)/journal"
            if access(path, F_OK) == 0, seen.insert(Self.absolute(path)).inserted { look(at: path) }
        }
        do throws(JournalError) {
            for entry in try index.entries() {
                if entry.isBroken {
                    lost.append(entry)
                } else if seen.insert(Self.absolute(entry.journal)).inserted {
                    look(at: entry.journal)
                }
            }
        } catch {
            unreadable.append((index.folder, error))
        }
    }

    private mutating func look(at path: String) {
        do throws(JournalError) {
            if try JournalReader.isHeldByLiveRun(path) {
                live.append(path)
                return
            }
            let contents = try JournalReader.read(path)
            if !contents.isClean {
                dirty.append(contents)
            } else if !contents.isClosed {
                unclosed.append(contents)
            }
        } catch {
            if error.code == .neverOpened { return }
            unreadable.append((path, error))
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
