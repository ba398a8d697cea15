/// Machine-wide locks: two runs never put faults on the same target.
///
/// A run keeps what it has locked until everything is healed; after its controller's death the medic holds it on.
package protocol TargetLocks: Sendable {
    /// Locks all of the resources or none; one that this run holds already is fine. Throws `.inUse` with the holder.
    ///
    /// - Parameter target: the target's name, for the message.
    func acquire(_ resources: [String], of target: String) throws(FaultError)
}
