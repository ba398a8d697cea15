/// What was last seen of a few things, and each change of one in words.
struct ChangeNotes: Sendable {
    private var seen: [String: String] = [:]

    /// `cluster orders is failing-over (was available)`; nil when it is as it was.
    ///
    /// - Parameter usual: what needs no word as long as nothing else was seen; without it the first look is news too.
    mutating func news(_ subject: String, _ value: String, unless usual: String? = nil) -> String? {
        let old = seen.updateValue(value, forKey: subject) ?? usual
        guard old != value else { return nil }
        return "\(subject) is \(value)" + (old.map { " (was \($0))" } ?? "")
    }
}
