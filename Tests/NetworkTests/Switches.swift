import Basics
import Synchronization

@testable import Network

/// The switches of a flapping fault, as they were told.
final class Switches: Sendable {
    private let all = Mutex<[(isOn: Bool, range: InstantRange)]>([])

    var list: [(isOn: Bool, range: InstantRange)] { all.withLock { $0 } }

    func add(_ isOn: Bool, _ range: InstantRange) { all.withLock { $0.append((isOn, range)) } }
}

/// What the rules had counted at the release.
final class Totals: Sendable {
    private let all = Mutex<[MemberTotal]>([])

    var list: [MemberTotal] { all.withLock { $0 } }

    func set(_ list: [MemberTotal]) { all.withLock { $0 = list } }
}
