package import Process

/// A container's network namespace as a fault found it, in the words of the undo.
///
/// Its process and namespace are those of the time of the injection. A container that is started again has others: who
/// heals later asks for the container's present ones, or for the fault's mark in every namespace there is.
package struct NamespaceMember: Sendable, Hashable, Codable {
    package var name: String
    /// The engine's id, by which the container is found again after a restart; nil for a namespace without one.
    package var container: String?
    /// A process that lives in it.
    package var process: ProcessIdentity
    package var namespace: NamespaceIdentity
    /// By which others reach it.
    package var addresses: [AddressRange]

    package init(
        name: String, container: String? = nil, process: ProcessIdentity, namespace: NamespaceIdentity,
        addresses: [AddressRange]
    ) {
        self.name = name
        self.container = container
        self.process = process
        self.namespace = namespace
        self.addresses = addresses
    }
}
