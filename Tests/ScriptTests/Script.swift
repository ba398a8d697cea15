import Foundation

/// The project's shell scripts, as a person starts them.
struct Script {
    /// What a finished script left behind.
    struct Result {
        let exitCode: Int32
        let output: String
        let errors: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every shell script of the project, by its path below the root.
    static func all() throws -> [String] {
        let scripts = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "scripts").path)
        return try scripts.map { "scripts/" + $0 }.filter { path in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder),
                !isFolder.boolValue
            else { return false }
            return try text(of: path).hasPrefix("#!/usr/bin/env bash\n")
        }.sorted() + [".ci/run"]
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Runs a script of the project with `arguments` and waits for its end.
    static func run(_ path: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws -> Result {
        try run(program: root.appending(path: path), arguments, environment: environment)
    }

    /// Runs any program. Output goes through files, so that no pipe can fill up.
    static func run(program: URL, _ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = [folder.appending(path: "output"), folder.appending(path: "errors")]
        let handles = try files.map { file in
            try Data().write(to: file)
            return try FileHandle(forWritingTo: file)
        }

        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        try process.run()
        process.waitUntilExit()
        return Result(
            exitCode: process.terminationStatus, output: try String(contentsOf: files[0], encoding: .utf8),
            errors: try String(contentsOf: files[1], encoding: .utf8))
    }
}
