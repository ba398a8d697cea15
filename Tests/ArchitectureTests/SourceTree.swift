import Foundation

/// The project's own source text, read from the clone that this test was compiled in.
struct SourceTree {
    /// One Swift file of one module.
    struct File: CustomStringConvertible {
        let module: String
        let path: String
        let lines: [String]

        var description: String { path }
    }

    /// One `import`, with where it stands.
    struct Import: CustomStringConvertible {
        let module: String
        let access: String
        let file: File
        let line: Int

        var description: String { "\(file.path):\(line): \(access.isEmpty ? "" : access + " ")import \(module)" }
    }

    let files: [File]
    let manifest: String

    /// Every folder under Sources: Swift modules and C modules alike.
    let modules: Set<String>

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        let sources = root.appending(path: "Sources")
        let names = try FileManager.default.contentsOfDirectory(atPath: sources.path)
        modules = Set(names)
        files = try names.sorted().flatMap { module in
            try FileManager.default.subpathsOfDirectory(atPath: sources.appending(path: module).path)
                .filter { $0.hasSuffix(".swift") }
                .sorted()
                .map { name in
                    let path = "Sources/\(module)/\(name)"
                    let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
                    return File(module: module, path: path, lines: text.components(separatedBy: "\n"))
                }
        }
    }

    /// Every import of every file.
    var imports: [Import] {
        files.flatMap { file in
            file.lines.enumerated().compactMap { index, line -> Import? in
                let words = line.split(separator: " ").map(String.init)
                guard let keyword = words.firstIndex(of: "import"), keyword < words.count - 1,
                    words[..<keyword].allSatisfy({ $0.hasPrefix("@") || Self.accessLevels.contains($0) })
                else { return nil }
                // `import struct Foundation.URL` names a declaration; its module comes before the dot.
                let name = words[(keyword + 1)...].first(where: { !Self.declarationKinds.contains($0) })
                guard let module = name?.split(separator: ".").first else { return nil }
                let access = words[..<keyword].first(where: Self.accessLevels.contains)
                return Import(module: String(module), access: access ?? "", file: file, line: index + 1)
            }
        }
    }

    /// Lines of code (comments left out) that contain one of `words`.
    func code(containing words: [String], in selected: (File) -> Bool) -> [String] {
        files.filter(selected).flatMap { file in
            file.lines.enumerated().compactMap { index, line -> String? in
                let trimmed = line.trimmingPrefix { $0 == " " }
                guard !trimmed.hasPrefix("//"), words.contains(where: line.contains) else { return nil }
                return "\(file.path):\(index + 1): \(trimmed)"
            }
        }
    }

    private static let accessLevels: Set = ["public", "package", "internal", "fileprivate", "private"]
    private static let declarationKinds: Set = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]
}
