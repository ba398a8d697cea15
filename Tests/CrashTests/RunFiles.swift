import Basics
import Foundation
import Testing

/// The files of a run as a stranger reads them: no code of Squall is trusted with the proof of what it kept.
struct RunFiles: Sendable {
    let path: String

    /// Whole records of the journal as their JSON, with the form of each (`intent`, `healed`, …).
    func journal() throws -> [(form: String, body: [String: Any])] {
        let text = contents("\(path)/journal") ?? ""
        // What follows the last line break was torn by a crash.
        return try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            let json = try JSONSerialization.jsonObject(with: Data(line.utf8.dropFirst(18)))
            let record = try #require(json as? [String: Any], "\(line)")
            let form = try #require(record.keys.first)
            return (form, record[form] as? [String: Any] ?? [:])
        }
    }

    /// Intents without a `healed` of their own.
    func openFaults() throws -> Int {
        let forms = try journal().map(\.form)
        return forms.count { $0 == "intent" } - forms.count { $0 == "healed" }
    }

    /// Whether so many faults have shown their effect.
    func isActive(_ count: Int) throws -> Bool { try journal().count { $0.form == "active" } >= count }

    /// Ends with the record that says so, and with nothing torn behind it.
    func isClosed() throws -> Bool {
        try journal().last?.form == "closed" && contents("\(path)/journal")?.hasSuffix("\n") == true
    }

    /// Every line of the history; throws when one is not whole.
    func history() throws -> [[String: Any]] {
        let text = try #require(contents("\(path)/events.ndjson"), "\(path) has no history")
        #expect(text.isEmpty || text.hasSuffix("\n"), "the history ends with half a line")
        return try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    /// Beats that are not in the history although later ones are; as many as fit into
    /// its timeout (15) may have been on their way at the end.
    func missingBeats() throws -> [Int] {
        let seen = Set(try history().filter { $0["e"] as? String == "op" }.compactMap { $0["q"] as? Int })
        guard let last = seen.max() else { return [] }
        return (0...max(0, last - 15)).filter { !seen.contains($0) }
    }

    /// `verdict.json`; nil when there is none.
    func verdict() throws -> [String: Any]? {
        guard let text = contents("\(path)/verdict.json") else { return nil }
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }
}
