package import Contracts

/// The change that a probe makes to Redis: its keys. The journal removes them if the probe cannot.
package enum ProbeKeys: Mutation {
    package typealias Undo = OwnedKeys

    package static let kind = "redis.probe-keys"

    package static func heal(_ undo: OwnedKeys, in context: SystemContext) async throws(FaultError) {
        try await undo.remove(in: context)
    }

    package static func leftover(of undo: OwnedKeys, in context: SystemContext) async throws(FaultError) -> Leftover? {
        try await undo.leftover(kind: kind, in: context)
    }

    package static func manualHeal(_ undo: OwnedKeys) -> [String] { [undo.manual] }
}
