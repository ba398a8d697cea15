/// Finds a file that an experiment names.
///
/// Looked for beside the naming file first, then in the current folder, then upwards from the naming file to the
/// folder that holds `.git`: so an experiment runs from the repository's root, from its own folder and from outside.
struct PathResolver: Sendable {
    let files: FileAccess
    let currentFolder: String

    /// The path under which the file can be read; nil when it is nowhere.
    func resolve(_ path: String, from file: String) -> String? {
        if path.hasPrefix("/") { return files.exists(path) ? path : nil }
        if path.isEmpty { return nil }
        return folders(of: file).map { join($0, path) }.first(where: files.exists)
    }

    private func folders(of file: String) -> [String] {
        let absolute = file.hasPrefix("/") ? file : join(currentFolder, file)
        var upwards: [String] = []
        var folder = parent(of: absolute)
        while !folder.isEmpty {
            upwards.append(folder)
            if files.exists(join(folder, ".git")) { return [parent(of: file), ""] + upwards }
            folder = folder == "/" ? "" : parent(of: folder)
        }
        return [parent(of: file), ""]
    }

    private func join(_ folder: String, _ path: String) -> String {
        if path.hasPrefix("./") { return join(folder, String(path.dropFirst(2))) }
        if folder.isEmpty { return path }
        return folder.hasSuffix("/") ? folder + path : folder + "/" + path
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
