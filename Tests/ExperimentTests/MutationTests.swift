internal import Basics
import Testing

@testable import Experiment

/// Broken input of every kind: nothing traps, and every finding has a place in the text it is about.
@Suite struct MutationTests {
    private static let pieces: [[UInt8]] =
        [
            "\t", "\n", "\r", "{", "}", "[", "]", "\"", "'", ":", ": ", "- ", "#", "&a ", "*a", "<<: *a", "!", "|", ">",
            "%",
            "@", "`", "?", "---\n", "...\n", "${", "}", "$${", "\u{85}", "\u{2028}", "漢", "~", "null", "0x", "-1",
            "1e999s",
        ].map { Array($0.utf8) } + [[0x00], [0xFF], [0xC3], [0xED, 0xA0, 0x80]]

    @Test(arguments: 0..<40)
    func survivesAnyDamageToAValidFile(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            var bytes = Array(completeText.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) { damage(&bytes, &generator) }
            check(bytes, seed)
        }
    }

    /// Deletes a piece, deletes or repeats a line, or puts something in.
    private func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...8, using: &generator)))
        case 1:
            if let line = line(around: place, in: bytes) { bytes.removeSubrange(line) }
        case 2:
            if let line = line(around: place, in: bytes) { bytes.insert(contentsOf: bytes[line], at: place) }
        case 3: bytes.insert(contentsOf: MutationTests.pieces.randomElement(using: &generator) ?? [], at: place)
        default: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        }
    }

    private func line(around place: Int, in bytes: [UInt8]) -> Range<Int>? {
        let start = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let end = bytes[place...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        return start < end ? start..<end : nil
    }

    private func check(_ bytes: [UInt8], _ seed: UInt64) {
        var files = FileAccess.memory([
            "runbooks/a.md": "", "secrets/pg": "s3cret-value", "plans/region.yaml": planText,
        ])
        let others = files.read
        files.read = { (path) throws(FileProblem) in path == "x.yaml" ? bytes : try others(path) }
        let loader = ExperimentLoader(catalog: FakeKinds.catalog, environment: [:], files: files, currentFolder: "/")
        let result = loader.load("x.yaml")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect((result.experiment == nil) == result.diagnostics.hasErrors, "seed \(seed): \(text)")
        for diagnostic in result.diagnostics.all {
            guard let location = diagnostic.location else { continue }
            guard let source = result.sources.first(where: { $0.file == location.file }) else { continue }
            let line = source.line(location.line)
            #expect(line != nil, "seed \(seed): \(diagnostic)")
            let length = line?.unicodeScalars.count ?? 0
            #expect((1...(length + 1)).contains(location.column), "seed \(seed): \(diagnostic)")
        }
        let rendered = DiagnosticRenderer(sources: result.sources).render(result.diagnostics)
        #expect(rendered.isEmpty == result.diagnostics.all.isEmpty)
        #expect(!rendered.contains("s3cret-value"))
    }
}
