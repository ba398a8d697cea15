internal import Basics
internal import Glibc

/// A folder of one test's own, removed with all it holds when the test lets go of it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/squall-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        _ = try? ChildProcess.run(["rm", "-rf", path])
    }

    /// Writes a file of this folder, making the folders on the way, and returns its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        if let slash = name.lastIndex(of: "/") { try ChildProcess.run(["mkdir", "-p", "\(path)/\(name[..<slash])"]) }
        let descriptor = try Descriptor(opening: file, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try descriptor.writeAll(Array(text.utf8))
        return file
    }
}
