internal import Basics
internal import Glibc

/// Reads a whole file of /proc or /sys; these report no size, so that it is read until its end.
///
/// With `goneIsNil`, a process that is not there (ENOENT when the file is opened, ESRCH when it is read) is an answer.
func readFile(_ path: String, goneIsNil: Bool = false) throws(SystemError) -> String? {
    do throws(SystemError) {
        let file = try Descriptor(opening: path, flags: O_RDONLY)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = try retryingInterrupts("read", subject: path) { read(file.number, &chunk, chunk.count) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    } catch {
        if goneIsNil, error.errno == ENOENT || error.errno == ESRCH { return nil }
        throw error
    }
}

/// Where a symbolic link points; nil when the process is gone or we may not look (EACCES: it is another user's).
func readLink(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 512)
    let count = readlink(path, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
}

/// The names in a folder that are numbers (pids, thread ids), ascending; nil when the folder is gone.
func numbers(in folder: String) throws(SystemError) -> [Int32]? {
    guard let stream = opendir(folder) else {
        if errno == ENOENT || errno == ESRCH { return nil }
        throw SystemError.last("opendir", subject: folder)
    }
    defer { closedir(stream) }
    var found: [Int32] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if let number = Int32(name) { found.append(number) }
    }
    return found.sorted()
}
