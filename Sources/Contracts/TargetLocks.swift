/// Machine-wide locks: two runs never put faults on the same target.
///
/// A run keeps what it has locked until everything is healed; after its controller's death the medic holds it on.
package protocol TargetLocks: Sendable {
    /// Locks all of the resources or none; one that this run holds already is fine. Throws `.foreignState` with the holder.
    func acquire(_ resources: [String]) throws(FaultError)
}
