/// What a client may conclude from one operation.
///
/// `failed` needs proof that nothing happened; an answer that was lost is `unknown`, because the write may stand.
/// Public for the reason that `Instant` gives.
public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
    case ok
    case failed
    case unknown
}
