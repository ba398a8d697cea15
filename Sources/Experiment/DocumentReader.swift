/// What reading any document of an experiment needs: files, environment, and the names of the secrets.
struct DocumentReader: Sendable {
    var resolver: PathResolver
    var environment: [String: String]
    var secrets: Set<String> = []

    /// The document's text and tree; nil beside an error. The text is kept for messages even when it is broken.
    func read(
        _ path: String, _ sources: inout [SourceText], into diagnostics: inout Diagnostics
    ) -> (SourceText, Node)? {
        let bytes: [UInt8]
        do throws(FileProblem) {
            bytes = try resolver.files.read(path)
        } catch {
            diagnostics.error("cannot read \(path): \(error)", at: nil, notes: advice(error, path))
            return nil
        }
        guard let source = SourceText.decode(bytes, file: path, into: &diagnostics) else { return nil }
        sources.append(source)
        guard let node = YAMLReader.read(source, into: &diagnostics) else { return nil }
        return (source, node)
    }

    private func advice(_ problem: FileProblem, _ path: String) -> [String] {
        switch problem.code {
        case .missing: ["list the experiments there are with: ls experiments/*/*.yaml"]
        case .isFolder: ["name a file in it: ls \(path)"]
        case .tooLarge, .unreadable: []
        }
    }
}

extension Node.Mapping {
    /// The mapping without some of its keys.
    func without(_ keys: String...) -> Node.Mapping {
        Node.Mapping(entries.filter { !keys.contains($0.key) }, at: location)
    }
}
