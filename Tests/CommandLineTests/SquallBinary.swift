import Basics
import Glibc
import Process
import Testing

/// The released binary as a user runs it: `.build/release/squall`, or the one `SQUALL_BINARY` names.
struct SquallBinary {
    static let root = String(#filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" })
    static let path = getenv("SQUALL_BINARY").map { String(cString: $0) } ?? "\(root)/.build/release/squall"

    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
        var seconds: Double
    }

    /// The machine's own list of open journals must not see those of a test.
    static func stateFolder(for folder: String) -> String { "\(folder)/.state" }

    /// Runs it to its end, at most `limit`.
    static func run(
        _ arguments: [String], in folder: String, environment: [String: String] = [:], limit: Span = .minutes(5)
    ) async throws -> Outcome {
        try #require(access(path, X_OK) == 0, "\(path) is missing: swift build -c release")
        let runner = try LocalCommandRunner()
        var variables = ["HOME": folder, "PATH": Command.defaultPath, "SQUALL_STATE_DIR": stateFolder(for: folder)]
        for (name, value) in environment { variables[name] = value }
        let command = Command([path] + arguments, environment: variables, directory: folder, outputLimit: 4_194_304)
        let result = try await runner.run(command, until: SystemTimeSource().now + limit)
        let code: Int32
        switch result.ending {
        case .exited(let number): code = number
        case .killed(let signal): code = -Int32(signal.number)
        }
        return Outcome(
            code: code, output: result.output.text, errors: result.errors.text,
            seconds: (result.ended - result.started).seconds)
    }
}

/// A folder of its own, removed with everything in it.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/squall-cli-XXXXXX".utf8CString)
    let folder = String(cString: try #require(mkdtemp(&template)))
    let result: Result
    do {
        result = try await body(folder)
    } catch {
        try await removeFolder(folder)
        throw error
    }
    try await removeFolder(folder)
    return result
}

private func removeFolder(_ folder: String) async throws {
    let runner = try LocalCommandRunner()
    _ = try await runner.run(Command(["rm", "-rf", folder]), until: SystemTimeSource().now + .seconds(30))
}

func write(_ text: String, to path: String) throws {
    let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    try file.writeAll(Array(text.utf8), subject: path)
}

func read(_ path: String) throws -> String {
    String(decoding: try Descriptor(opening: path, flags: O_RDONLY).readToEnd(subject: path), as: UTF8.self)
}

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
