internal import Basics
internal import Glibc

/// Every network namespace that can be found on this machine, each once.
struct NamespaceCensus {
    /// One of them, and a path by which it can be opened.
    struct Place: Hashable {
        var path: String
        var identity: NamespaceIdentity
    }

    private(set) var places: [Place] = []
    /// How many paths we may not open.
    private(set) var denied = 0

    /// Processes have most of them; ip(8) and Docker keep others alive below /run when no process is left in them.
    init(folders: [String] = ["/run/netns", "/var/run/docker/netns"]) {
        var known: Set<NamespaceIdentity> = []
        let processes = Self.names(in: "/proc").filter { Int32($0) != nil }.map { "/proc/\($0)/ns/net" }
        let kept = folders.flatMap { folder in Self.names(in: folder).map { "\(folder)/\($0)" } }
        for path in processes + kept {
            do throws(NetworkError) {
                let identity = try NetworkNamespace(path: path).identity
                if known.insert(identity).inserted { places.append(Place(path: path, identity: identity)) }
            } catch {
                // A process that has ended meanwhile has no namespace; that is an answer.
                if error.code == .denied { denied += 1 }
            }
        }
    }

    /// Empty for a folder that is not there.
    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { found.append(name) }
        }
        return found.sorted()
    }
}
