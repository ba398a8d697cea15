internal import Basics
internal import Glibc
internal import Journal

/// The journals of dead runs in a folder of runs.
struct DirtyJournals {
    /// Open changes that nobody will heal by himself.
    var dirty: [JournalContents] = []
    /// Journals of runs that are still alive.
    var live: [String] = []
    /// Journals that cannot be read, with why and what is still readable of them.
    var unreadable: [(path: String, error: JournalError)] = []

    init(in folder: String) {
        for run in Self.runs(in: folder) {
            let path = "\(folder)/\(run)/journal"
            guard access(path, F_OK) == 0 else { continue }
            do throws(JournalError) {
                if try JournalReader.isHeldByLiveRun(path) {
                    live.append(path)
                    continue
                }
                let contents = try JournalReader.read(path)
                if !contents.isClean { dirty.append(contents) }
            } catch {
                unreadable.append((path, error))
            }
        }
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
