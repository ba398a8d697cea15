package import Basics

/// Finds what bears our mark in one sort of system, whichever run put it there and whoever lost its journal.
package protocol LeftoverScanner: Sendable {
    /// Asks every system of its sort that is known of; reads only. One result per system, answered or not.
    func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan]
}

/// Where marks of ours may be.
package struct KnownSystems: Sendable {
    /// A text in which addresses stand: the undo of a journalled change, or a declaration of an experiment file.
    package struct Place: Sendable {
        /// `postgres.promote`, `postgres.roles`
        package var kind: String
        package var document: JSONValue
        /// What reveals the secrets in its addresses.
        package var secrets: SecretStore

        package init(kind: String, document: JSONValue, secrets: SecretStore) {
            self.kind = kind
            self.document = document
            self.secrets = secrets
        }

        /// The texts that stand under one of these keys, at any depth, in the order of their keys' names.
        package func texts(under keys: Set<String>) -> [String] {
            Self.texts(under: keys, in: document, isUnder: false)
        }

        private static func texts(under keys: Set<String>, in value: JSONValue, isUnder: Bool) -> [String] {
            if let text = value.string { return isUnder && !text.isEmpty ? [text] : [] }
            if let list = value.array { return list.flatMap { texts(under: keys, in: $0, isUnder: isUnder) } }
            return (value.object ?? [:]).sorted { $0.key < $1.key }.flatMap { key, member in
                texts(under: keys, in: member, isUnder: isUnder || keys.contains(key))
            }
        }
    }

    package var places: [Place]
    /// The ids of all runs whose journals were found: a mark may hold less than a whole id.
    package var runs: [String]

    package init(places: [Place] = [], runs: [String] = []) {
        self.places = places
        self.runs = runs
    }
}

/// What one system said.
package struct SystemScan: Sendable, Hashable, Codable {
    /// Something that bears our mark.
    package struct Mark: Sendable, Hashable, Codable {
        package var leftover: Leftover
        /// The run it belongs to, as far as the mark tells.
        package var run: String?

        package init(_ leftover: Leftover, run: String?) {
            self.leftover = leftover
            self.run = run
        }
    }

    /// `docker engine unix:///var/run/docker.sock`
    package var system: String
    package var marks: [Mark]
    /// Why it could not be asked; nil when it answered.
    package var failure: String?

    package init(system: String, marks: [Mark] = [], failure: String? = nil) {
        self.system = system
        self.marks = marks
        self.failure = failure
    }
}
