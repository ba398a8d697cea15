package import Contracts

/// The change that a ledger makes to the database: its schema. The journal removes it if the ledger cannot.
package enum LedgerSchema: Mutation {
    package typealias Undo = OwnedSchema

    package static let kind = "postgres.ledger-schema"

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
