internal import Basics
internal import Glibc

/// Why a file could not be read, in words that follow its path.
package struct FileProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong, for advice.
    package enum Code: Sendable, Hashable {
        case missing
        case isFolder
        case tooLarge
        case unreadable
    }

    package var code: Code
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// How the loader reads files; tests put texts in memory here.
package struct FileAccess: Sendable {
    /// The whole content, or why not.
    package var read: @Sendable (_ path: String) throws(FileProblem) -> [UInt8]
    /// Whether something is at the path, a file or a folder.
    package var exists: @Sendable (_ path: String) -> Bool

    package init(
        read: @escaping @Sendable (_ path: String) throws(FileProblem) -> [UInt8],
        exists: @escaping @Sendable (_ path: String) -> Bool
    ) {
        self.read = read
        self.exists = exists
    }

    /// The local file system; content beyond four mebibytes is refused (no experiment is that long, `/dev/zero` is).
    package static let system = FileAccess(
        read: { (path) throws(FileProblem) in try readFile(path, limit: 4 << 20) },
        exists: { access($0, F_OK) == 0 })

    /// Files held in memory, for tests and for texts that are no file.
    package static func memory(_ files: [String: String]) -> FileAccess {
        FileAccess(
            read: { (path) throws(FileProblem) in
                if let text = files[path] { return Array(text.utf8) }
                if files.keys.contains(where: { $0.hasPrefix(path + "/") }) {
                    throw FileProblem(.isFolder, "it is a folder")
                }
                throw FileProblem(.missing, "there is no such file")
            },
            exists: { path in files[path] != nil || files.keys.contains { $0.hasPrefix(path + "/") } })
    }
}

private func readFile(_ path: String, limit: Int) throws(FileProblem) -> [UInt8] {
    let result: Result<[UInt8], FileProblem>
    do throws(SystemError) {
        let descriptor = try Descriptor(opening: path, flags: O_RDONLY)
        result = try readAll(descriptor, path, limit: limit)
    } catch {
        switch error.errno {
        case ENOENT, ENOTDIR: throw FileProblem(.missing, "there is no such file")
        case EISDIR: throw FileProblem(.isFolder, "it is a folder")
        default: throw FileProblem(.unreadable, "\(error)")
        }
    }
    return try result.get()
}

/// Pipes are read like files, so `<(...)` of a shell works.
private func readAll(
    _ descriptor: borrowing Descriptor, _ path: String, limit: Int
) throws(SystemError) -> Result<[UInt8], FileProblem> {
    let number = descriptor.number
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = try retryingInterrupts("read", subject: path) {
            buffer.withUnsafeMutableBytes { read(number, $0.baseAddress, $0.count) }
        }
        if count == 0 { return .success(content) }
        content += buffer[..<count]
        if content.count > limit {
            return .failure(FileProblem(.tooLarge, "it is larger than \(limit >> 20) MiB"))
        }
    }
}
