package import Contracts

/// The change that a replication-lag probe makes to the database: the schema with its heartbeat.
package enum LagSchema: Mutation {
    package typealias Undo = OwnedSchema

    package static let kind = "postgres.lag-schema"

    package static func heal(_ undo: OwnedSchema, in context: SystemContext) async throws(FaultError) {
        try await undo.drop(in: context)
    }

    package static func leftover(
        of undo: OwnedSchema, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        try await undo.leftover(kind: kind, in: context)
    }

    package static func manualHeal(_ undo: OwnedSchema) -> [String] { [undo.manual] }
}
