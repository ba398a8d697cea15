/// One network fault as the kernel service holds it: a mark on all that is made for it, where, and what.
package struct NetworkWork: Sendable {
    /// Name of the tables: nothing else is ever touched.
    package let mark: String
    /// For whoever lists the tables.
    package let run: String
    /// Where they are now; the undo has them as they were.
    package internal(set) var members: [NamespaceMember]
    let rules: any NamespaceRules

    init(mark: String, run: String, members: [NamespaceMember], rules: any NamespaceRules) {
        self.mark = mark
        self.run = run
        self.members = members
        self.rules = rules
    }
}

/// What becomes of a fault between its arming and its release, told on the kernel service's thread.
package enum HoldEvent: Sendable, Hashable {
    /// It is not there any more, before anybody released it; in the words of a person.
    case lost(String)
}
