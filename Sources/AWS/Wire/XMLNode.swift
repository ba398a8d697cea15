/// One element of an XML document: names without prefixes, no attributes (AWS's answers use none that matter).
struct XMLNode: Sendable, Hashable {
    var name: String
    /// Character data of this element alone.
    var text: String
    var children: [XMLNode]

    init(_ name: String, text: String = "", children: [XMLNode] = []) {
        self.name = name
        self.text = text
        self.children = children
    }

    /// The first child of that name.
    subscript(name: String) -> XMLNode? { children.first { $0.name == name } }

    /// A child's text; nil when there is no such child.
    func string(_ name: String) -> String? { self[name]?.text }

    /// `true` and `false`; nil when it is neither, or not there.
    func boolean(_ name: String) -> Bool? {
        switch string(name)?.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    func integer(_ name: String) -> Int64? { string(name).flatMap { Int64($0) } }

    /// The elements of a list, whatever the members are called (`member`, `item`, `DBCluster`).
    func list(_ name: String) -> [XMLNode] { self[name]?.children ?? [] }

    /// The first element of that name here or below, in document order.
    func first(_ name: String) -> XMLNode? {
        if self.name == name { return self }
        for child in children {
            if let found = child.first(name) { return found }
        }
        return nil
    }
}
