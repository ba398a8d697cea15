import Testing

@testable import Experiment

/// What a broken text must be told, written into the text itself.
///
/// A comment `#   ^ message` under a line expects a finding at the caret's column of that line; `#< message` expects it
/// in column 1. After ` | ` the first note follows. Every finding must be expected and every expectation found.
func expectFindings(
    _ text: String, files: [String: String] = [:], environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let result = load(text, files: files, environment: environment)
    let found = result.diagnostics.all.map { diagnostic -> String in
        let location = diagnostic.location
        let place = location.map { ($0.file == "x.yaml" ? "" : $0.file + ":") + "\($0.line):\($0.column): " } ?? ""
        let kind = diagnostic.severity == .warning ? "warning: " : ""
        return place + kind + diagnostic.message
    }
    let notes = result.diagnostics.all.map { $0.notes.first ?? "" }
    let expected = expectedFindings(in: text)
    #expect(found == expected.map(\.message), sourceLocation: sourceLocation)
    for (index, expectation) in expected.enumerated() where index < notes.count {
        guard let note = expectation.note else { continue }
        #expect(notes[index] == note, sourceLocation: sourceLocation)
    }
    #expect(
        result.experiment == nil || expected.allSatisfy { $0.message.contains("warning: ") },
        sourceLocation: sourceLocation)
}

private func expectedFindings(in text: String) -> [(message: String, note: String?)] {
    var result: [(message: String, note: String?)] = []
    var line = 0
    for (index, content) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let trimmed = content.drop { $0 == " " }
        guard trimmed.hasPrefix("#"), let mark = trimmed.firstIndex(where: { $0 == "^" || $0 == "<" }),
            trimmed[..<mark].dropFirst().allSatisfy({ $0 == " " })
        else {
            line = index + 1
            continue
        }
        let column = trimmed[mark] == "<" ? 1 : content.distance(from: content.startIndex, to: mark) + 1
        let words = trimmed[trimmed.index(after: mark)...].drop { $0 == " " }
        let parts = words.split(separator: " | ", maxSplits: 1)
        let note = parts.count > 1 ? String(parts[1]) : nil
        result.append(("\(line):\(column): \(parts.first ?? "")", note))
    }
    return result
}
