/// How long a fault's effect stays when nobody heals it.
package enum Persistence: String, Sendable, Hashable, Codable {
    /// It lasts until the heal, and reading the state back shows it until then.
    case untilHealed = "until-healed"
    /// It is over by itself (a restart): reading back finds something only when that went wrong.
    case passing
    /// It cannot be taken back (a promotion, a process that was killed).
    case forGood = "for-good"
}

extension Fault {
    /// The strictest: what forgets to say how long it stays must show, between inject and heal, that it is there.
    package var persistence: Persistence { .untilHealed }
}
