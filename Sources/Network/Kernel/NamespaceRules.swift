/// Tables of ours for one namespace: they do nothing until their sets have elements, and the sets have these for one
/// lease at a time.
///
/// The set is the switch of every network fault, whatever its rules do with the packets that match: drop them, give them
/// a class of a queueing tree (`meta priority set`), send them elsewhere.
struct TablePlan: Hashable {
    var table: NftablesTable
    /// What each set gets when the fault is armed, by the set's name.
    var elements: [String: [AddressRange]]
}

/// What one network fault does in the namespaces of its members; pure values, asked again whenever a member has moved.
protocol NamespaceRules: Sendable {
    /// The tables for one member, made from where all of them are now. None: nothing is done there.
    ///
    /// - Parameter interfaces: the namespace's interfaces but loopback.
    func tables(for index: Int, of members: [NamespaceMember], interfaces: [NamespaceReader.Link]) -> [TablePlan]

    /// What must stand beside the tables and has no effect without them: a queueing tree, a name server's socket. Called
    /// before the tables are made; when it throws, nothing may be left of it.
    func companion(
        for index: Int, of members: [NamespaceMember], in space: borrowing NetworkNamespace,
        interfaces: [NamespaceReader.Link]
    ) throws(NetworkError) -> (any NamespaceCompanion)?
}

extension NamespaceRules {
    func companion(
        for index: Int, of members: [NamespaceMember], in space: borrowing NetworkNamespace,
        interfaces: [NamespaceReader.Link]
    ) throws(NetworkError) -> (any NamespaceCompanion)? { nil }
}

/// Something beside a fault's tables in one namespace; used on the kernel service's thread only.
protocol NamespaceCompanion: AnyObject {
    /// Takes it away again, after the tables are gone. One that is gone already, with its namespace or by somebody
    /// else's hand, is no error.
    func remove() throws(NetworkError)
}
